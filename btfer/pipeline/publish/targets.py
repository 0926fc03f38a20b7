"""What every place that takes a release shares: who may see it there, what came of it, and patience with a server."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from btfer.errors import NetworkError
from btfer.pipeline.publish.parcel import Parcel
from btfer.progress import Progress

T = TypeVar("T")
SENT, ALREADY, DRY_RUN, STOPPED = "sent", "already published", "dry run", "stopped"
"""The states of `Published`."""


@dataclass(frozen=True)
class Access:
    """Who may see it. gated: of what is public, only people whom the owner lets in see the files."""

    public: bool = False
    gated: bool = True


@dataclass(frozen=True)
class Published:
    """What came of it. note: what a person should know or do; plan: what was to be sent, line by line."""

    target: str
    state: str
    version: str
    digest: str
    url: str = ""
    note: str = ""
    plan: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patience:
    """How often and how long to wait for a server that is busy."""

    attempts: int = 4
    back_off_s: float = 1.0
    max_wait_s: float = 60.0
    timeout_s: float = 60.0  # of one silence


class Again(NetworkError):
    """It did not work now and may work later; `wait_s` is what the server asks for."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class PublishTarget(Protocol):
    """A place that takes a release. `send` may be called again after any failure and goes on where it was."""

    @property
    def name(self) -> str:
        """As the user writes it."""

    def check(self) -> None:
        """Raise UsageError for what is missing: a token, an author; MissingExtra for a library."""

    def describe(self, access: Access) -> str:
        """Who will see the release there."""

    def send(self, parcel: Parcel, access: Access, progress: Progress) -> Published:
        """Send it."""


def patiently(work: Callable[[], T], patience: Patience) -> T:
    """Do it again while it raises `Again`, as often and as late as patience allows."""
    wait_s = patience.back_off_s
    for left in reversed(range(patience.attempts)):
        try:
            return work()
        except Again as error:
            pause_s = wait_s if error.wait_s is None else error.wait_s
            if not left:
                raise NetworkError(f"{error}. Run the same command again to go on") from None
            if pause_s > patience.max_wait_s:
                raise NetworkError(
                    f"{error}; it asks to wait {pause_s:.0f} s. Run the same command again later"
                ) from None
            time.sleep(pause_s)
            wait_s *= 2
    raise AssertionError("the last attempt returns or raises")
