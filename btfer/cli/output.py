"""What a command prints or writes: progress, tables, reports, CSV."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class ConsoleProgress:
    """Progress as bars on a terminal, and as lines on stderr."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def update(self, stage: str, done: int, total: int) -> None:
        """Draw how far a stage is."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def say(self, text: str) -> None:
        """Print one line."""
        print(text, file=sys.stderr, flush=True)


@contextmanager
def progress() -> Iterator[ConsoleProgress]:
    """A bar per stage on stderr, with rate and time left; silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield ConsoleProgress(bars)


@contextmanager
def progress_lines() -> Iterator[Callable[[str], None]]:
    """Progress that is told in words: one line each, on stderr."""
    yield lambda text: print(text, file=sys.stderr, flush=True)


def table(header: list[str], rows: list[list[Any]]) -> None:
    """Print rows under a header, a zero as a dot; nothing at all where there are no rows."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name, first in zip(header, rows[0], strict=True):
        shown.add_column(name, justify="right" if isinstance(first, int | float) else "left")
    for row in rows:
        shown.add_row(*(escape(str(cell)) if cell != 0 else "·" for cell in row))
    console = Console()
    Console(width=None if console.is_terminal else 200).print(shown)


def report(facts: dict[str, Any], text: str, as_json: bool) -> None:
    """Print the facts as JSON, or `text` with its {fields} filled in from them."""
    print(json.dumps(facts, default=str, indent=2) if as_json else text.format(**facts))


def write_csv(file: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    """Write the named columns of the rows as CSV, atomically; other keys are left out."""
    import csv
    import io

    from btfer.files import write_atomic

    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(file, text.getvalue().encode())
