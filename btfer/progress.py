"""How a long job says how far it is: one protocol for every stage, whoever shows it."""

from typing import Protocol


class Progress(Protocol):
    """Whom a job tells. The command line draws bars, a page shows a text, a test keeps what came."""

    def update(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` items of a stage are finished."""

    def say(self, text: str) -> None:
        """One line about something that happened."""


class Silent:
    """Shows nothing."""

    def update(self, stage: str, done: int, total: int) -> None:
        """Ignore it."""

    def say(self, text: str) -> None:
        """Ignore it."""


SILENT = Silent()
