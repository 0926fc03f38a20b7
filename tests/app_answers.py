"""Wait until the review app answers, then run its first page: `python tests/app_answers.py PORT`."""

import sys
import time
from pathlib import Path
from urllib.request import urlopen

from streamlit.testing.v1 import AppTest

import btfer

SECONDS = 200
APP = Path(btfer.__file__).parent / "_bundled" / "review_app" / "app.py"


def answer(url: str) -> str:
    """The body of a page, asked for until it comes. Raises OSError after SECONDS."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urlopen(url, timeout=5) as response:
                body: str = response.read().decode()
                return body
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    site = f"http://127.0.0.1:{sys.argv[1]}"
    assert answer(f"{site}/_stcore/health") == "ok"
    assert "<title>Streamlit</title>" in answer(site)
    page = AppTest.from_file(str(APP), default_timeout=SECONDS).run()
    assert not page.exception, page.exception
    said = [one.value for one in (*page.subheader, *page.info, *page.warning, *page.error)]
    assert said, "the first page is empty"
    print(f"the review app answers, and its first page says: {said[0]}")
