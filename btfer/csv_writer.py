"""The one writer of CSV files: text that a spreadsheet would run as a formula is marked, and read back as it was.

A cell that begins with = + - @, a tab or a line break gets an apostrophe in front, as spreadsheets themselves write
text (https://owasp.org/www-community/attacks/CSV_Injection). So does what follows a semicolon, a tab or a line break
inside a cell: opened with another delimiter, a cell begins there. Numbers stay numbers. What begins with apostrophes
before such a character gets one more, so that `plain` gives back every text exactly.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_BEGINS = r"(?:^|(?<=[;\t\r\n]))"
_FORMULA = r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # and the full-width forms of = + - @
_TO_MARK = re.compile(f"{_BEGINS}(?={_FORMULA})")
_MARKED = re.compile(f"{_BEGINS}'(?={_FORMULA})")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def cell(value: Any) -> Any:
    """A value as it is written: text with its marks, anything else as it is."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return _TO_MARK.sub("'", value)


def plain(text: str) -> str:
    """The text of a cell that `cell` wrote; the same text where it has no mark."""
    return _MARKED.sub("", text)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as CSV in UTF-8, with a header; keys that are no columns are left out."""
    lines = _Lines()
    table = csv.writer(lines, lineterminator="\r\n")  # so that cells with either are quoted
    table.writerow(cell(name) for name in columns)
    table.writerows([cell(row.get(name, "")) for name in columns] for row in rows)
    return "".join(lines).encode()


class _Lines(list[str]):
    """Collects rows, each with a plain line feed at its end."""

    def write(self, line: str) -> None:
        """Take one row."""
        self.append(line.removesuffix("\r\n") + "\n")


def frame_as_csv(frame: "pd.DataFrame") -> bytes:
    """A table as CSV in UTF-8, with a header and without its index."""
    texts = {
        str(name): frame[name].map(cell) for name in frame if frame[name].dtype.kind not in "biuf"
    }
    marked = frame.assign(**texts).rename(columns=cell)
    return bytes(marked.to_csv(index=False, lineterminator="\n").encode())
