"""Images that lie together, with a CSV that says the class of each: how sets are shared on Kaggle and with papers.

`train_labels.csv` and `test_labels.csv` with the columns image and label, or without a header; `labels.csv` with a
column for the part or without. Where the same images lie in class folders too, the CSV must not contradict these.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from btfer.bench.datasets.folders import RAFDB_FILE, folders, images
from btfer.bench.datasets.numbering import RAFDB, as_text, from_text, labels_by_word
from btfer.bench.datasets.parts import ALL, part_of
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.csv_reader import CsvRow, first_row_of, iterate_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.packed.image import LabelReader, is_number, label_columns
from btfer.paths import IMAGE_SUFFIXES
from btfer.safe_paths import relative_name

FILE_COLUMN = re.compile(
    r"(image|img|file|picture|pic)s?[ _-]?(name|path|file|id)?|(file)?name|path|pth"
)
PART_COLUMNS = {"split", "usage", "part", "partition", "set", "subset"}
HEADLESS = ("image", "label")
LAYOUT = (
    "expected NAME/train_labels.csv and NAME/test_labels.csv with the columns image and label, or NAME/labels.csv, and "
    "the images that they name below NAME"
)


@dataclass(frozen=True)
class ListedImage:
    """A row of a list. part: that it or its list names, '' for none. word: its class as a name or a number."""

    where: str
    file: str
    part: str
    word: str


@dataclass(frozen=True)
class Pictures:
    """The images below a folder, to be found by the end of their path."""

    root: Path

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Names relative to the folder, sorted."""
        found = (one for folder in _folders_below(self.root) for one in images(folder))
        return tuple(sorted(one.relative_to(self.root).as_posix() for one in found))

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        by_name = defaultdict[str, list[str]](list)
        for file in self.files:
            by_name[PurePosixPath(file).name].append(file)
        return by_name

    def named(self, name: str, part: str) -> list[str]:
        """Those whose path ends as `name` does; of several the one that lies in a folder of the part."""
        wanted = PurePosixPath(name).parts
        found = [
            one
            for one in self._by_name.get(wanted[-1], [])
            if (self.root.name, *PurePosixPath(one).parts)[-len(wanted) :] == wanted
        ]
        of_part = [one for one in found if part_of(one) == part]
        return of_part if len(found) > 1 and part else found


def find_lists(path: Path) -> list[Path]:
    """The CSV files that name images and their classes, at `path` or at most two folders below it."""
    tables = (one for depth in ("", "*/", "*/*/") for one in sorted(path.glob(f"{depth}*.csv")))
    return [one for one in tables if one.is_file() and one.name[0] != "." and _columns(one)]


def names_images(columns: tuple[str, ...]) -> bool:
    """Whether a table has a column that may name images."""
    return any(FILE_COLUMN.fullmatch(one.lower()) for one in columns)


def read_listed(
    path: Path, tables: list[Path], name: str, kind: str, labels: str = ""
) -> TrainingSource:
    """The images of the lists. labels: what numbers mean, as `numbering.from_text` takes it.

    Raises UsageError where a list lacks images or there are images that no list names, where an image stands in two
    rows, and where it is not said what numbers mean.
    """
    pictures = Pictures(path)
    placed = _placed(pictures, tables)
    if len(placed) < len(pictures.files):
        others = sorted(set(pictures.files) - placed.keys())
        raise UsageError(
            f"{path} has {len(others)} images that {_told(path, tables)} does not name, such as {others[0]}: move them "
            f"away, or the list; {LAYOUT}"
        )
    said = from_text(labels)
    meaning = labels_by_word(_first(placed), said, _certain(placed))
    parts = _parts(path, placed)
    how = f"images by {_told(path, tables)}"
    if said and any(is_number(one.word) for one in placed.values()):
        how += f", labels {as_text(said)}"
    found = (
        (parts[file], file, label)
        for file, row in placed.items()
        if (label := meaning[row.word]) is not None
    )
    return parted(kind, how, name, path, found)


def check_agreement(source: TrainingSource, path: Path, tables: list[Path]) -> None:
    """Raise UsageError where lists that lie beside class folders name the same images, and other classes.

    Numbers need not be those of the folders, but each must stand for one class.
    """
    pictures = Pictures(source.images.root)
    by_file = dict(zip(source.images.files, source.images.labels.tolist(), strict=True))
    for table in tables:
        class_of: dict[str, tuple[int, str]] = {}
        for row in _rows(path, table):
            found = [one for one in pictures.named(row.file, row.part) if one in by_file]
            if len(found) == 1:
                _check_row(row, by_file[found[0]], found[0], class_of)


def _check_row(
    row: ListedImage, label: int, file: str, class_of: dict[str, tuple[int, str]]
) -> None:
    if is_number(row.word):
        expected, of = class_of.setdefault(row.word, (label, file))
        same = next((one for one, (known, _) in class_of.items() if known == label), row.word)
        agrees = expected == label and same == row.word
    else:
        meant = labels_by_word({row.word: row.where}, {}, {})[row.word]
        agrees, of = meant == label, file
    if not agrees:
        raise UsageError(
            f"{row.where} says {row.word[:40]} of {file}, which lies in a folder of {EXPRESSIONS[label]}"
            f"{f', and of {of} too' if of != file else ''}: move the list away to go by the folders, or the folders' "
            "images into one to go by the list"
        )


def _columns(table: Path) -> tuple[str, list[str]] | None:
    """The column of files and those of classes in a table; None in a table of something else."""
    cells = first_row_of(table, n_columns=len(HEADLESS))
    if _is_headless(cells):
        return HEADLESS[0], [HEADLESS[1]]
    files = [one for one in cells if FILE_COLUMN.fullmatch(one.lower())]
    classes = label_columns(cells)
    return (files[0], classes) if len(files) == 1 and classes else None


def _is_headless(cells: tuple[str, ...]) -> bool:
    return len(cells) == len(HEADLESS) and PurePosixPath(cells[0]).suffix.lower() in IMAGE_SUFFIXES


def _rows(path: Path, table: Path) -> Iterator[ListedImage]:
    columns = _columns(table)
    assert columns is not None, table  # `find_lists` found it
    file_column, classes = columns
    headless = _is_headless(first_row_of(table, n_columns=len(HEADLESS)))
    known, rows = iterate_csv(table, header=HEADLESS if headless else ())
    part_column = next((one for one in known if one.lower() in PART_COLUMNS), None)
    of_list = part_of(table.relative_to(path).as_posix())
    labels = LabelReader()
    for row in rows:
        where = f"{table}, line {row.line}"
        file = str(
            relative_name(row[file_column].replace("\\", "/").removeprefix("./"), where=where)
        )
        word = labels.label({one: row[one] for one in classes}, where)
        yield ListedImage(where, file, _part(row, part_column, of_list, where), word)


def _part(row: CsvRow, column: str | None, of_list: str, where: str) -> str:
    if column is None:
        return of_list
    part = part_of(f"{row[column]}.x")
    if not part or (of_list and of_list != part):
        raise UsageError(
            f"{where}: its {column} is '{row[column][:40]}', and "
            f"{of_list or 'train, validation or test'} is expected"
        )
    return part


def _placed(pictures: Pictures, tables: list[Path]) -> dict[str, ListedImage]:
    """The row of each image that lists name, by the image. Raises UsageError for a row that names none, or several."""
    placed: dict[str, ListedImage] = {}
    missing = []
    for table in tables:
        for row in _rows(pictures.root, table):
            found = pictures.named(row.file, row.part)
            if len(found) > 1:
                raise UsageError(
                    f"{row.where}: {row.file} may be {found[0]} or {found[1]}: write their folders in the list"
                )
            if not found:
                missing.append(row)
            elif placed.setdefault(found[0], row) is not row:
                raise UsageError(
                    f"{row.where}: {row.file} is {found[0]}, which {placed[found[0]].where} names already"
                )
    if missing:
        raise UsageError(
            f"{pictures.root} lacks {len(missing)} images of its lists, such as {missing[0].file} of "
            f"{missing[0].where}: unpack them; {LAYOUT}"
        )
    return placed


def _first(placed: Mapping[str, ListedImage]) -> dict[str, str]:
    """Where each word of a class stands first."""
    first: dict[str, str] = {}
    for row in placed.values():
        first.setdefault(row.word, row.where)
    return first


def _certain(placed: Mapping[str, ListedImage]) -> Mapping[str, str]:
    """The meaning of numbers that need no --labels: RAF-DB's own, of images that are called as its makers call them."""
    called = all(RAFDB_FILE.fullmatch(PurePosixPath(one).name) for one in placed)
    return RAFDB if called and {row.word for row in placed.values()} == RAFDB.keys() else {}


def _parts(path: Path, placed: Mapping[str, ListedImage]) -> dict[str, str]:
    """The part of each image: that of its list, else that of its folder. Raises UsageError where some have none."""
    parts = {file: row.part or part_of(file) or ALL for file, row in placed.items()}
    for file, row in placed.items():
        folder = part_of(str(PurePosixPath(file).parent / "x"))
        if row.part and folder and folder != row.part:
            raise UsageError(
                f"{row.where} puts {file} into the part {row.part}, and it lies in {folder}"
            )
    if ALL in parts.values() and len(set(parts.values())) > 1:
        alone = next(file for file, part in parts.items() if part == ALL)
        raise UsageError(
            f"{path} has images of parts, and others without one, such as {alone} ({placed[alone].where}): say the "
            "part of each, or of none"
        )
    return parts


def _told(path: Path, tables: list[Path]) -> str:
    return " and ".join(one.relative_to(path).as_posix() for one in tables)


def _folders_below(path: Path) -> Iterator[Path]:
    yield path
    for one in folders(path):
        yield from _folders_below(one)
