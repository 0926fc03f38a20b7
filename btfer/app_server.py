"""The program `streamlit`, which Ctrl-C ends with the exit code of every command.

Run as `python -m btfer.app_server run FILE`.
"""

import signal
import sys
from types import FrameType

from streamlit.web.cli import main


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(130)


if __name__ == "__main__":
    # The server closes what is open first, and raises the signal once more then; Streamlit alone would say "Aborted!".
    signal.signal(signal.SIGINT, _end)
    main(prog_name="streamlit")
