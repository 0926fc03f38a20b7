"""Tables that name images and say the class of each, as they lie beside the images.

`train_labels.csv` and `test_labels.csv` with the columns image and label, or without a header; `labels.csv` with a
column for the part or without; `_classes.csv` with a column for each class and a 1 in one of them, as Roboflow exports
it; `metadata.jsonl` with file_name and label, as Hugging Face's imagefolder has it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from btfer.bench.datasets.numbering import NO_CLASS
from btfer.bench.datasets.parts import part_of
from btfer.csv_reader import first_row_of, iterate_csv
from btfer.errors import UsageError
from btfer.expressions import is_expression
from btfer.packed.image import MOST_SHOWN, LabelReader, label_columns, one_line
from btfer.parsing import parse_json
from btfer.paths import IMAGE_SUFFIXES
from btfer.safe_paths import relative_name

TABLES = ("*.csv", "metadata.jsonl")
FILE_COLUMN = re.compile(
    r"(image|img|file|picture|pic)s?[ _-]?(name|path|file|id)?|(file)?name|path|pth"
)
PART_COLUMNS = {"split", "usage", "part", "partition", "set", "subset"}
HEADLESS = ("image", "label")
MOST_BYTES = 100_000  # of a line
_IS_IT = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


@dataclass(frozen=True)
class ListedImage:
    """A row of a list. part: that it or its list names, '' for none. word: its class as a name or a number."""

    where: str
    file: str
    part: str
    word: str


@dataclass(frozen=True)
class _Row:
    where: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class _Columns:
    """What the columns of a list say. classes: the class in words; one_hot: each one class, with a 1 where it is it."""

    file: str
    classes: tuple[str, ...]
    one_hot: bool = False


def names_images(columns: tuple[str, ...]) -> bool:
    """Whether a table has a column that may name images."""
    return any(FILE_COLUMN.fullmatch(one.lower()) for one in columns)


def is_list(table: Path) -> bool:
    """Whether a table names images and their classes."""
    return _columns(table) is not None


def first_fault(table: Path) -> str:
    """Why nobody can tell what a table is: its first row cannot be read, or there is none; '' where it can."""
    try:
        if table.suffix == ".jsonl":
            return "" if next(_lines(table), None) else f"{table} is empty"
        next(iterate_csv(table)[1], None)
    except UsageError as error:
        return str(error)
    return ""


def rows_of(path: Path, table: Path) -> Iterator[ListedImage]:
    """The rows of a list that lies below `path`. Raises UsageError for one that is not clear."""
    columns = _columns(table)
    assert columns is not None, table  # `find_lists` found it
    of_list = part_of(table.relative_to(path).as_posix())
    labels = LabelReader()
    for row in _rows(table):
        if absent := [one for one in (columns.file, *columns.classes) if one not in row.cells]:
            raise UsageError(f"{row.where} has no {absent[0]}, which the first row has")
        name = row.cells[columns.file].replace("\\", "/").removeprefix("./")
        file = str(relative_name(name, where=row.where))
        said = {one: row.cells[one] for one in columns.classes}
        word = _marked(said, row.where) if columns.one_hot else labels.label(said, row.where)
        yield ListedImage(row.where, file, _part(row, of_list), word)


def _columns(table: Path) -> _Columns | None:
    """What says what in a table; None in a table of something else."""
    if table.suffix == ".jsonl":
        return _of_names(_first_line(table))
    cells = first_row_of(table, n_columns=len(HEADLESS))
    if _is_headless(cells):
        return _Columns(HEADLESS[0], (HEADLESS[1],))
    return _of_names(cells) or _of_marks(table, cells)


def _of_names(names: tuple[str, ...]) -> _Columns | None:
    files = [one for one in names if FILE_COLUMN.fullmatch(one.lower())]
    classes = label_columns(names)
    return _Columns(files[0], tuple(classes)) if len(files) == 1 and classes else None


def _of_marks(table: Path, names: tuple[str, ...]) -> _Columns | None:
    """Where each class has a column of its own; counts of votes and probabilities are no marks."""
    files = [one for one in names if FILE_COLUMN.fullmatch(one.lower())]
    classes = [one for one in names if is_expression(one) or one.lower() in NO_CLASS]
    if len(files) != 1 or len(classes) < 2:
        return None
    try:
        first = next(_rows(table), None)
    except UsageError:
        return None
    marks = first and {first.cells[one].lower() for one in classes}
    return (
        _Columns(files[0], tuple(classes), one_hot=True)
        if marks and marks <= _IS_IT.keys()
        else None
    )


def _is_headless(cells: tuple[str, ...]) -> bool:
    return len(cells) == len(HEADLESS) and PurePosixPath(cells[0]).suffix.lower() in IMAGE_SUFFIXES


def _rows(table: Path) -> Iterator[_Row]:
    if table.suffix == ".jsonl":
        yield from _lines(table)
        return
    headless = _is_headless(first_row_of(table, n_columns=len(HEADLESS)))
    _, rows = iterate_csv(table, header=HEADLESS if headless else ())
    for row in rows:
        yield _Row(f"{table}, line {row.line}", row.values)


def _lines(table: Path) -> Iterator[_Row]:
    """Its lines as text by name; what is no text and no number is left out, as lists and objects are no class."""
    with table.open("rb") as lines:
        number = 0
        while line := lines.readline(MOST_BYTES):
            number += 1
            where = f"{table}, line {number}"
            try:
                found = parse_json(line.decode("utf-8-sig")) if line.strip() else {}
            except ValueError as error:
                raise UsageError(f"{where} is no JSON: {one_line(str(error))[:200]}") from None
            if not isinstance(found, dict):
                raise UsageError(f"{where} is no JSON object with file_name and label")
            cells = {name: _text(value) for name, value in found.items() if _is_plain(value)}
            if cells:
                yield _Row(where, cells)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    return str(value).strip()


def _first_line(table: Path) -> tuple[str, ...]:
    """The names in its first line; () for what cannot be read as one."""
    try:
        first = next(_lines(table), None)
    except (UsageError, OSError):
        return ()
    return tuple(first.cells) if first else ()


def _marked(said: Mapping[str, str], where: str) -> str:
    """The class whose column has the 1. Raises UsageError where none has, several have, or there is something else."""
    for column, text in said.items():
        if text.lower() not in _IS_IT:
            raise UsageError(
                f"{where}: its {column} is '{one_line(text)[:MOST_SHOWN]}', and 1 or 0 is expected, as above"
            )
    marked = [column for column, text in said.items() if _IS_IT[text.lower()]]
    if len(marked) != 1:
        raise UsageError(
            f"{where}: its class is not clear: {' and '.join(marked) or 'none of its columns'} has a 1"
        )
    return marked[0]


def _part(row: _Row, of_list: str) -> str:
    column = next((one for one in row.cells if one.lower() in PART_COLUMNS), None)
    if column is None:
        return of_list
    part = part_of(f"{row.cells[column]}.x")
    if not part or (of_list and of_list != part):
        raise UsageError(
            f"{row.where}: its {column} is '{row.cells[column][:40]}', and "
            f"{of_list or 'train, validation or test'} is expected"
        )
    return part
