"""The one reader of CSV files that come from outside: other tools, spreadsheets, releases of strangers.

A spreadsheet in Germany writes semicolons and Windows-1252, one in Japan UTF-16, and most add a byte order mark.
All of these are read. What would be read wrongly without a sign (an open quote, a row of another length, a column
that is there twice) is refused, with the line it stands in.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from btfer.csv_writer import plain
from btfer.errors import UsageError
from btfer.files import check_size
from btfer.plain_files import read_piped

DELIMITERS = (",", ";", "\t")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CHUNK = 1 << 20
MAX_PIPED_BYTES = 200_000_000
MAX_ROW_CHARS = 4_000_000
"""A list has a few hundred columns; a row of more is a file without line ends, and would fill the memory."""
_MOST_SHOWN = 200


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
    own: bool = False,
    data: bytes | None = None,
) -> CsvTable:
    """The rows of a CSV file with a header, whatever program wrote it.

    required: columns that must be there. known: columns that may be there; where it is given, the others are
    listed in `unknown`. Names of both are found whatever their case. own: the file was written by btfer, so that
    it is UTF-8 with commas and nothing else, and cells are kept to the last space. data: the bytes of a file that
    lies in an archive; `path` only names it then. Raises UsageError, which names the file and the line, for a file
    that cannot be read or would be read wrongly, and for one without rows unless `may_be_empty`.
    """
    wanted = {name.lower(): name for name in (*known, *required)}
    columns, rows = iterate_csv(path, required=required, known=known, own=own, data=data)
    found = tuple(rows)
    if not found and not may_be_empty:
        raise UsageError(f"{path} has a header and no rows")
    unknown = tuple(name for name in columns if name not in wanted.values()) if known else ()
    return CsvTable(path, columns, found, unknown)


def iterate_csv(
    path: Path,
    *,
    required: Collection[str] = (),
    known: Collection[str] = (),
    header: Sequence[str] = (),
    own: bool = False,
    data: bytes | None = None,
) -> tuple[tuple[str, ...], Iterator[CsvRow]]:
    """The columns of a CSV file, and its rows one by one: for files that are too large to hold.

    Arguments and errors are those of `read_csv`; those of a row are raised when it is reached. header: the columns
    of a file that is known to have no header line.
    """
    wanted = {name.lower(): name for name in (*known, *required)}
    text = _Text(path, own=own, data=data)
    delimiter = "," if own else _delimiter(text.head, wanted, len(header))
    rows = _rows(text, delimiter)
    first = (0, list(header)) if header else next(rows, None)
    if first is None:
        raise UsageError(f"{path} is empty: a header line with column names is expected")
    columns = _columns(path, first[1], {} if own else wanted)
    absent = [name for name in required if name not in columns]
    if absent:
        raise UsageError(
            f"{path} has no column {', '.join(absent)}; its columns are: {_listed(columns)}"
        )
    if not own:
        rows = _without_rows_in_cells(path, rows, delimiter, len(columns))
    return columns, (_row(path, columns, *row, keep_spaces=own) for row in rows)


def first_row_of(path: Path, *, n_columns: int = 0) -> tuple[str, ...]:
    """The cells of a file's first row, to tell what kind of table it is; () for what cannot be read as one.

    n_columns: of the rows of a kind that may have no header, and cells with delimiters of their own.
    """
    try:
        text = _Text(path, own=False)
        row = next(_rows(text, _delimiter(text.head, {}, n_columns)), None)
    except UsageError:
        return ()
    return tuple(cell.strip() for cell in row[1]) if row else ()


class _Text:
    """A text file whose encoding was found by reading it once. head: its first line with a word in it."""

    def __init__(self, path: Path, *, own: bool, data: bytes | None = None) -> None:
        self.path = path
        # What is our own is a plain file; a list of somebody's may come through a pipe, which is read only once.
        self._data = data
        self._newline = "" if own else None
        if data is None and not own and not path.is_file():
            self._data = _whole(path)
        if data is None and own and path.exists():
            if not path.is_file():
                raise UsageError(f"{path} cannot be read: it is not a file")
            check_size(path)
        self._encoding = self._found_encoding(own=own)
        self.skipped, self.head = 0, ""
        for line in self.lines():
            if not self.skipped and not self.head and line.lower().startswith("sep=") and not own:
                self.skipped = 1  # a spreadsheet's own hint
            elif line.strip():
                self.head = line
                break

    def lines(self) -> Iterator[str]:
        """Its lines with their ends, from the first; a line that is too long for a row comes in parts."""
        # 0x81 and four more bytes mean nothing in Windows-1252: they are replaced, as a spreadsheet does.
        errors = "replace" if self._encoding == "cp1252" else "strict"
        with io.TextIOWrapper(
            self._source(), self._encoding, errors, newline=self._newline
        ) as text:
            while line := text.readline(MAX_ROW_CHARS + 1):
                yield line

    def _found_encoding(self, *, own: bool) -> str:
        first = next(self._chunks(3), b"")
        encoding = next((name for mark, name in _BOMS if first.startswith(mark)), "utf-8")
        try:
            if own and encoding == "utf-16":
                raise UnicodeError("it is UTF-16")
            self._check(encoding)
        except UnicodeError as error:
            if own or encoding == "utf-16":
                reason = error.reason if isinstance(error, UnicodeDecodeError) else error
                raise UsageError(f"{self.path} is not text in UTF-8: {reason}") from None
            # What a spreadsheet in Western Europe saves; only accents and dashes depend on it.
            encoding = "cp1252"
            self._check(encoding)
        return encoding

    def _check(self, encoding: str) -> None:
        """Raise UnicodeDecodeError for another encoding, UsageError for what is no text."""
        errors = "replace" if encoding == "cp1252" else "strict"
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        for chunk in self._chunks(_CHUNK):
            if "\0" in decoder.decode(chunk):
                raise UsageError(f"{self.path} is not a text file: it holds a zero byte")
        decoder.decode(b"", final=True)

    def _chunks(self, n_bytes: int) -> Iterator[bytes]:
        with self._source() as source:
            while chunk := source.read(n_bytes):
                yield chunk

    def _source(self) -> IO[bytes]:
        return io.BytesIO(self._data) if self._data is not None else _opened(self.path)


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _whole(path: Path) -> bytes:
    """What comes through a pipe, or from a device that may never end."""
    try:
        data = read_piped(path, MAX_PIPED_BYTES)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_PIPED_BYTES:
        raise UsageError(
            f"{path} is no file and gives more than {MAX_PIPED_BYTES:,} bytes: save it first"
        )
    return data


def _delimiter(first: str, wanted: Mapping[str, str], n_columns: int = 0) -> str:
    """The delimiter under which most of the wanted columns are found, else `n_columns`, else the most columns."""

    def found(delimiter: str) -> tuple[int, bool, int]:
        try:
            names = next(csv.reader([first], delimiter=delimiter), [])
        except (
            csv.Error
        ):  # a cell that is far too long: under another delimiter, or said when the line is read
            return 0, False, 0
        hits = sum(name.strip().lower() in wanted for name in names)
        return hits, len(names) == n_columns, len(names)

    return max(DELIMITERS, key=found)


def _rows(text: _Text, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every row that is not blank."""
    lines = text.lines()
    for _ in range(text.skipped):
        next(lines)
    line, left = text.skipped + 1, MAX_ROW_CHARS

    def bounded() -> Iterator[str]:
        nonlocal left
        for part in lines:
            left -= len(part)
            if left < 0:
                raise UsageError(
                    f"{text.path}, line {line}: a row of more than {MAX_ROW_CHARS:,} characters "
                    "(has the file no line ends, or is a quote left open?)"
                )
            yield part

    reader = csv.reader(bounded(), delimiter=delimiter, strict=True)
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield line, fields
            line, left = text.skipped + reader.line_num + 1, MAX_ROW_CHARS
    except csv.Error as error:
        raise UsageError(f"{text.path}, line {line}: {error} (is a quote left open?)") from None


def _without_rows_in_cells(
    path: Path, rows: Iterator[tuple[int, list[str]]], delimiter: str, n_columns: int
) -> Iterator[tuple[int, list[str]]]:
    """The same rows. Raises UsageError at a cell whose lines are rows: its quote was closed in a row far below."""
    for line, fields in rows:
        for at, cell in enumerate(fields):
            if "\n" not in cell or n_columns < 2:
                continue
            first, *inner, last = cell.split("\n")
            whole = [first] * (at == 0) + inner + [last] * (at == len(fields) - 1)
            # In prose, a space follows a comma.
            rows_in_it = [
                one.count(delimiter) == n_columns - 1 and f"{delimiter} " not in one
                for one in whole
            ]
            if whole and all(rows_in_it):
                raise UsageError(
                    f"{path}, line {line}: a cell goes over {2 + len(inner)} lines that look like rows "
                    "(is a quote left open?)"
                )
        yield line, fields


def _columns(path: Path, header: list[str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    names = [name.strip() for name in header]
    while names and not names[-1]:  # a spreadsheet may end every line with delimiters
        names.pop()
    columns = tuple(wanted.get(name.lower(), name) for name in names)
    name, n = next(iter(Counter(columns).most_common(1)), ("", 0))
    if n > 1:
        raise UsageError(f"{path} has the column '{_listed((name,))}' more than once")
    return columns


def _row(
    path: Path, columns: tuple[str, ...], line: int, fields: list[str], *, keep_spaces: bool
) -> CsvRow:
    extra = [field for field in fields[len(columns) :] if field.strip()]
    if extra or len(fields) < len(columns):
        raise UsageError(
            f"{path}, line {line}: {len(fields)} fields, and the header has {len(columns)}"
        )
    cells = (plain(field if keep_spaces else field.strip()) for field in fields)
    return CsvRow(line, dict(zip(columns, cells, strict=False)))


def _listed(columns: tuple[str, ...]) -> str:
    """Column names for a message: in one line, whatever a file calls them."""
    shown = "".join(one if one.isprintable() else "?" for one in ", ".join(columns))
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}..."
