"""One TOML file of the plan, and the line on which each of its values stands, for messages."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.errors import UsageError
from btfer.parsing import parse_toml
from btfer.plain_files import read_plain_text

_MOST_LINES = 2_000
"""Of a file in which a line is looked for: each is tried, with all above it."""


@dataclass(frozen=True)
class PlanFile:
    """One TOML file: its keys, and where to point when one is wrong.

    A place is the way to a key or to an item of a list: ("happy", "es", 1) is its second term.
    """

    path: Path
    text: str
    keys: dict[str, Any]

    def at(self, *place: str | int) -> Any:
        """The value at a place."""
        return value_at(self.keys, place)

    def where(self, *place: str | int) -> str:
        """`path:line` of a place, or the path alone for the file as a whole."""
        line = _line(self.text, place) if place else None
        return f"{self.path}:{line}" if line else str(self.path)

    def error(self, what: str, *place: str | int) -> UsageError:
        """The error that names the file and the line of a place."""
        return UsageError(f"{self.where(*place)}: {what}")


def read_plan_file(path: Path) -> PlanFile:
    """A TOML file of the plan. Raises UsageError, with the line, where it is missing, not UTF-8 or not TOML."""
    try:
        text = read_plain_text(path, "utf-8-sig")  # Windows may put a mark first
        return PlanFile(path, text, parse_toml(text))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"there is no {path}: a query plan is a folder with expressions.toml, people.toml and "
            "languages/<code>.toml; set its path with BTFER_QUERIES_DIR"
        ) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))  # else it says "at end of document"
        line = int(found[1]) if found else len(text.splitlines())
        raise UsageError(f"{path}:{line}: {error}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: not UTF-8 ({error}): save the file as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def value_at(found: Any, place: Sequence[str | int]) -> Any:
    """The value at a place of nested tables and lists. Raises LookupError or TypeError where there is none."""
    for step in place:
        found = found[step]
    return found


def _line(text: str, place: Sequence[str | int]) -> int | None:
    """The line where a place is written: the first one that, with all above it, makes tomllib see it.

    A list or an inline table that goes on below is closed for the trial. None in a file that is no plan by its length.
    """
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        return None
    for number in range(1, len(lines) + 1):
        for closing in ("", "]", "]}"):
            try:
                value_at(parse_toml("\n".join([*lines[:number], closing])), place)
            except (tomllib.TOMLDecodeError, LookupError, TypeError):
                continue
            return number
    return None
