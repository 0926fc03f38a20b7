"""How a property is tried on drawn cases: few of them and always the same, or as many as FUZZ says, new ones each time.

A case may end with a value or with an error that btfer raises on purpose. Any other exception is a crash, and so is a
case that takes more than LIMIT_S of processor time: a machine that is busy makes nothing fail.
"""

import functools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, given, settings

from btfer.errors import BtferError

EXAMPLES = int(os.environ.get("FUZZ", "0"))
LIMIT_S = 20.0
UNHURRIED = list(HealthCheck)  # what a case costs is measured by LIMIT_S

tried = 0
"""Cases so far, in this process."""


class TooLong(Exception):
    """A case that would not end."""


@contextmanager
def limited_cpu() -> Iterator[None]:
    """Raise TooLong after LIMIT_S seconds of this process's own work."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLong(f"more than {LIMIT_S:.0f} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def fuzz(usual: int, **drawn: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try a test on `usual` cases, or on FUZZ. drawn: the strategies of its arguments; others are fixtures."""

    def wrap(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def one_case(*args: Any, **kwargs: Any) -> None:
            global tried
            tried += 1
            with limited_cpu(), suppress(BtferError):
                test(*args, **kwargs)

        many = settings(
            max_examples=EXAMPLES or usual,
            derandomize=not EXAMPLES,
            database=None,
            print_blob=True,
            suppress_health_check=UNHURRIED,
        )
        return many(given(**drawn)(one_case))

    return wrap
