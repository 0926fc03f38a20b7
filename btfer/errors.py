"""Every error that btfer raises on purpose. The command line prints one as a single line and exits with its code.

BtferError             1  something failed; the message says what was wrong, what came in and what to do
├── UsageError         2  an argument, a setting or an input file is not what it must be
│   └── NoCatalogue    2  a command that only looks finds no catalogue to look at
├── Incomplete         3  something waits for review, or there are too few pictures
├── MissingExtra       1  an optional dependency is not installed
├── Busy               1  another process is running the same stage
├── CatalogueError     1  the catalogue cannot be opened, or is of another version
├── ImageError         1  one picture cannot be used; `reason` is the word that the funnel shows
└── NetworkError       1  a source cannot be reached, or answered with something else
"""

from typing import Any


class BtferError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """For the way out of a worker process: kinds whose arguments make a message are sent as they are."""
        return _sent, (type(self), self.args, self.__dict__)


def _sent(kind: type[BtferError], args: tuple[Any, ...], more: dict[str, Any]) -> BtferError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(more)
    return error


class UsageError(BtferError):
    """The caller passed something that cannot be right."""

    exit_code = 2


class NoCatalogue(UsageError):
    """There is no catalogue where one must be; a folder that was mistyped, perhaps."""


class Incomplete(BtferError):
    """Nothing is broken, but something waits for review, or there are too few pictures."""

    exit_code = 3


class MissingExtra(BtferError):
    """An optional dependency is asked for and not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}': pip install 'btfer[{extra}]'")


class Busy(BtferError):
    """Another process holds the lock of this stage."""


class CatalogueError(BtferError):
    """The catalogue cannot be opened, is damaged, or was made by another version."""


class ImageError(BtferError):
    """One picture cannot be used. `reason` is a short fixed word for the funnel."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class NetworkError(BtferError):
    """A source cannot be reached, or its answer is not what its parser expects."""
