"""What a command prints or writes: progress, log, tables, reports, CSV."""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.errors import UsageError
from btfer.passwords import without_passwords

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

logger = logging.getLogger("btfer")

# Control characters but for tabs and line ends, other line ends, and what turns the direction of text.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


def plain(text: str) -> str:
    """A text in which control characters are shown: a stranger's table must not send the terminal commands."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class _Stderr(logging.Handler):
    """Writes to stderr as it is at that moment: a bar that is drawn puts itself below the line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        mark = f"btfer: {record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        line = plain(without_passwords(record.getMessage()))
        print(mark + line, file=sys.stderr, flush=True)


class _WithoutPasswords(logging.Formatter):
    """A line of a log that others may be sent."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return without_passwords(super().format(record))


def set_up_logging(
    *, quiet: bool = False, verbose: bool = False, log_file: Path | None = None
) -> None:
    """Send what is logged under `btfer` to stderr, and all of it with times to a file.

    quiet: only warnings; verbose: details too. Raises UsageError where the file cannot be written.
    """
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    shown = _Stderr(
        logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO,
    )
    logger.addHandler(shown)
    if log_file is None:
        return
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        # A pipe that nobody reads would be waited for; this way it is an error.
        handle = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o666)
        kept = logging.FileHandler(log_file, encoding="utf-8")
        os.close(handle)
    except OSError as error:
        raise UsageError(f"--log-file {log_file} cannot be written: {error.strerror}") from None
    kept.setFormatter(_WithoutPasswords("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(kept)


def log_to_file(message: str, code: int) -> None:
    """Put an error that ends the command into the log file too; it is printed by itself."""
    record = logger.makeRecord("btfer", logging.ERROR, "", 0, "%s (exit %d)", (message, code), None)
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.emit(record)


def is_quiet() -> bool:
    """Whether the user asked for results and warnings only."""
    levels = [one.level for one in logger.handlers if isinstance(one, _Stderr)]
    return bool(levels) and min(levels) > logging.INFO


class ConsoleProgress:
    """Progress as bars on a terminal, and as lines of the log. bars: None = draw none."""

    def __init__(self, bars: "Bars | None" = None) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._ended: set[str] = set()

    def update(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` items of a stage are finished."""
        if self._bars:
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(stage, total=total)
            self._bars.update(self._tasks[stage], completed=done, total=total)
        if done < total:
            self._ended.discard(stage)
        elif stage not in self._ended:
            self._ended.add(stage)
            logger.debug("%s: %d of %d", stage, done, total)

    def say(self, text: str) -> None:
        """One line about something that happened."""
        logger.info(text)


@contextmanager
def progress() -> Iterator[ConsoleProgress]:
    """A bar per stage on stderr, with rate and time left; lines only where stderr is no terminal."""
    if is_quiet() or not sys.stderr.isatty():
        yield ConsoleProgress()
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield ConsoleProgress(bars)


def table(header: list[str], rows: list[list[Any]]) -> None:
    """Print rows under a header, a zero as a dot; nothing at all where there are no rows."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    console = Console()
    shown = Table(box=None, header_style="bold", pad_edge=False)
    zero = "·" if "utf" in console.encoding else "."
    for name, first in zip(header, rows[0], strict=True):
        shown.add_column(name, justify="right" if isinstance(first, int | float) else "left")
    for row in rows:
        shown.add_row(*(escape(plain(str(cell))) if cell != 0 else zero for cell in row))
    Console(width=None if console.is_terminal else 200).print(shown)


def filled(text: str, facts: dict[str, Any]) -> str:
    """A text with the facts in the place of their {names}; braces of a folder's name stay as they are."""

    def said(field: "re.Match[str]") -> str:
        return format(facts[field[1]], field[2] or "") if field[1] in facts else field[0]

    return _FIELD.sub(said, text)


def report(facts: dict[str, Any], text: str, as_json: bool) -> None:
    """Print the facts as JSON, or `text` with its {fields} filled in from them."""
    print(json.dumps(facts, default=str, indent=2) if as_json else plain(filled(text, facts)))


def write_csv(file: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    """Write the named columns of the rows as CSV, atomically; other keys are left out."""
    from btfer.csv_writer import as_csv
    from btfer.files import write_atomic

    write_atomic(file, as_csv(columns, rows))
