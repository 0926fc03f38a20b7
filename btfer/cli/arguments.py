"""Options that many commands share, and reading what they were given."""

from pathlib import Path
from typing import Annotated, Any

import typer

from btfer.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Against = Annotated[
    list[str] | None, typer.Option(help="NAME=PATH of a training set [all of data/training].")
]
Names = Annotated[list[str] | None, typer.Option()]


def one_of(flag: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise `UsageError` unless the flag's value is an allowed one; "" stands for not given."""
    if value not in allowed:
        raise UsageError(f"{flag} '{value}': use {' or '.join(name for name in allowed if name)}")


def read_csv(file: Path) -> list[dict[str, Any]]:
    """The rows of a CSV by its header; `UsageError` where it cannot be read."""
    import csv

    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(csv.DictReader(text))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read as CSV: {error}") from None
