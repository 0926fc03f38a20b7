"""The one reader of CSV files that come from outside: other tools, spreadsheets, releases of strangers.

A spreadsheet in Germany writes semicolons and Windows-1252, one in Japan UTF-16, and most add a byte order mark.
All of these are read. What would be read wrongly without a sign (an open quote, a row of another length, a column
that is there twice) is refused, with the line it stands in.
"""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from btfer.csv_writer import plain
from btfer.errors import UsageError

DELIMITERS = (",", ";", "\t")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class CsvRow:
    """One row. line: where it begins in the file, the header being line 1. values: text by column name."""

    line: int
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def get(self, column: str, default: str = "") -> str:
        """The text of a column; `default` where the file has no such column."""
        return self.values.get(column, default)


@dataclass(frozen=True)
class CsvTable:
    """A file that was read. columns: in their order, without spaces around; unknown: those nobody asked for."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]
    unknown: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[CsvRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def read_csv(
    path: Path,
    *,
    required: Collection[str] = (),
    known: Collection[str] = (),
    may_be_empty: bool = False,
) -> CsvTable:
    """The rows of a CSV file with a header, whatever program wrote it.

    required: columns that must be there. known: columns that may be there; where it is given, the others are
    listed in `unknown`. Names of both are found whatever their case. Raises UsageError, which names the file and
    the line, for a file that cannot be read or would be read wrongly, and for one without rows unless
    `may_be_empty`.
    """
    text = _decoded(path)
    lines = text.splitlines()
    skipped = 0
    if lines and lines[0].lower().startswith("sep="):  # a spreadsheet's own hint
        text, skipped = text.split("\n", 1)[1] if "\n" in text else "", 1
    wanted = {name.lower(): name for name in (*known, *required)}
    delimiter = _delimiter(text, wanted)
    rows = _rows(path, text, delimiter, skipped)
    header = next(rows, None)
    if header is None:
        raise UsageError(f"{path} is empty: a header line with column names is expected")
    columns = _columns(path, header[1], wanted)
    absent = [name for name in required if name not in columns]
    if absent:
        raise UsageError(
            f"{path} has no column {', '.join(absent)}; its columns are: {', '.join(columns)}"
        )
    found = tuple(_row(path, columns, *row) for row in rows)
    if not found and not may_be_empty:
        raise UsageError(f"{path} has a header and no rows")
    unknown = tuple(name for name in columns if name not in wanted.values()) if known else ()
    return CsvTable(path, columns, found, unknown)


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # What a spreadsheet in Western Europe saves; nothing but accents and dashes depends on it.
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise UsageError(f"{path} is not a text file: it holds a zero byte")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _delimiter(text: str, wanted: Mapping[str, str]) -> str:
    """The delimiter under which most of the wanted columns are found, else the most columns."""
    first = next((line for line in text.split("\n") if line.strip()), "")

    def found(delimiter: str) -> tuple[int, int]:
        names = next(csv.reader([first], delimiter=delimiter), [])
        return sum(name.strip().lower() in wanted for name in names), len(names)

    return max(DELIMITERS, key=found)


def _rows(path: Path, text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = skipped + 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield line, fields
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{path}, line {line}: {error} (is a quote left open?)") from None


def _columns(path: Path, header: list[str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    names = [name.strip() for name in header]
    while names and not names[-1]:  # a spreadsheet may end every line with delimiters
        names.pop()
    columns = tuple(wanted.get(name.lower(), name) for name in names)
    for name in columns:
        if columns.count(name) > 1:
            raise UsageError(f"{path} has the column '{name}' more than once")
    return columns


def _row(path: Path, columns: tuple[str, ...], line: int, fields: list[str]) -> CsvRow:
    extra = [field for field in fields[len(columns) :] if field.strip()]
    if extra or len(fields) < len(columns):
        raise UsageError(
            f"{path}, line {line}: {len(fields)} fields, and the header has {len(columns)}"
        )
    texts = (plain(field.strip()) for field in fields)
    return CsvRow(line, dict(zip(columns, texts, strict=False)))
