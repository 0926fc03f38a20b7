"""AffectNet as its makers give it out: numbered images with NPY annotations, or CSV lists.

Contempt and the rows without an expression are dropped. TrainingSource: Mollahosseini et al. 2019,
http://mohammadmahoor.com/affectnet; the numbers are in `numbering`.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from btfer.bench.datasets.folders import class_of_folder, part_folders
from btfer.bench.datasets.lists import Pictures
from btfer.bench.datasets.numbering import AFFECTNET, AFFECTNET_DROPPED, CONTEMPT, label_of
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.cached import DAMAGED
from btfer.csv_reader import CsvRow, first_row_of, iterate_csv
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.paths import IMAGE_SUFFIXES
from btfer.safe_paths import FilesInside

PARTS = {"train_set": "train", "val_set": "validation", "test_set": "test"}
LISTS = {"training.csv": "train", "validation.csv": "validation", "labels.csv": "all"}
FILE_COLUMNS = ("subDirectory_filePath", "pth")
LABEL_COLUMNS = ("expression", "label")
# The list of the validation part has been given out without a header.
COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
LAYOUT = (
    "expected AffectNet as NAME/train_set/images/0.jpg with NAME/train_set/annotations/0_exp.npy (and "
    "val_set), or NAME/training.csv and NAME/validation.csv beside NAME/Manually_Annotated_Images, or "
    "NAME/labels.csv with the columns pth and label, or class folders"
)

Found = tuple[str, str, int]  # part, file, label


def find_sets(path: Path) -> list[Path]:
    """The folders train_set, val_set and test_set with annotations, at `path` or in a folder just below it."""
    return [
        one for depth in ("", "*/") for one in sorted(path.glob(f"{depth}*_set")) if _is_set(one)
    ]


def find_lists(path: Path) -> list[Path]:
    """The CSV lists, at `path` or in a folder just below it; another set's labels.csv is none."""
    found = [
        one for depth in ("", "*/") for name in LISTS for one in sorted(path.glob(depth + name))
    ]
    return [one for one in found if _is_list(one)]


def read_annotations(path: Path, name: str) -> TrainingSource:
    """Images with an `_exp.npy` each. Raises UsageError that shows the layout, where one is missing."""
    found = [row for one in find_sets(path) for row in _annotated(path, one)]
    return _source("annotations", name, path, found)


def read_lists(path: Path, name: str) -> TrainingSource:
    """The images of the CSV lists. Raises UsageError that shows the layout, where one is missing."""
    lists = find_lists(path)
    names = [one.name for one in lists]
    if len(set(names)) < len(names) or ("labels.csv" in names and len(names) > 1):
        told = ", ".join(one.relative_to(path).as_posix() for one in lists)
        raise UsageError(
            f"{path} has several lists, {told}: give the folder of the one that is meant"
        )
    found = [row for one in lists for row in _listed(path, one)]
    source = _source(" and ".join(one.name for one in lists), name, path, found)
    return replace(source, how=source.how + _astray(found))


def _astray(found: list[Found]) -> str:
    """How many images lie in the folder of another class than the list says: one of both was corrected later."""
    folders = [
        (class_of_folder(PurePosixPath(file).parent.name), label) for _, file, label in found
    ]
    n = sum(folder not in (None, label) for folder, label in folders)
    return f", {n:,} of {len(found):,} images in the folder of another class" if n else ""


def _source(how: str, name: str, path: Path, found: list[Found]) -> TrainingSource:
    if not found:
        raise UsageError(f"{path} has no image of the seven classes in its {how}: {LAYOUT}")
    return parted("affectnet", f"AffectNet by {how}, contempt dropped", name, path, found)


def _is_set(folder: Path) -> bool:
    """Whether it has annotations, or nothing that another layout would have: then it is not unpacked."""
    if folder.name not in PARTS or not folder.is_dir():
        return False
    inside = {one.name for one in folder.iterdir() if one.is_dir()}
    return bool(inside & {"annotations", "images"}) or not inside


def _is_list(table: Path) -> bool:
    """Whether a table is AffectNet's: by its columns, or without a header by a path and a number at their places."""
    if not table.is_file():
        return False
    cells = first_row_of(table, n_columns=len(COLUMNS))
    if not cells:  # these names are AffectNet's own: reading the list says what is wrong with it
        return table.name != "labels.csv"
    headless = len(cells) == len(COLUMNS) and "/" in cells[0] and cells[6].isdigit()
    return _has_header(cells) or headless


def _has_header(cells: tuple[str, ...]) -> bool:
    return any(column in cell for column in FILE_COLUMNS for cell in cells)


def _annotated(path: Path, folder: Path) -> Iterator[Found]:
    pictures = folder / "images"
    if not pictures.is_dir():
        raise UsageError(f"{folder} has no folder images: unpack it; {LAYOUT}")
    for file in sorted(pictures.iterdir()):
        if file.suffix.lower() not in IMAGE_SUFFIXES or file.name[0] == ".":
            continue
        annotation = folder / "annotations" / f"{file.stem}_exp.npy"
        label = _label(_number(annotation), annotation)
        if label is not None:
            yield PARTS[folder.name], file.relative_to(path).as_posix(), label


def _number(annotation: Path) -> str:
    """The number in an annotation, which is stored as text or as a number."""
    if not annotation.is_file():
        raise UsageError(f"no annotation {annotation}: unpack the annotations again; {LAYOUT}")
    try:
        number = float(np.load(annotation).item())
        if not number.is_integer():
            raise ValueError(f"it is {number}")
    except (*DAMAGED, OSError, MemoryError) as error:
        raise UsageError(f"{annotation} holds no whole number: {error}") from None
    return str(int(number))


def _listed(path: Path, table: Path) -> Iterator[Found]:
    folder = _pictures_of(table)
    inside, seen, missing = FilesInside(folder), dict[str, str](), []
    for row in _rows(table):
        where = f"{table}, line {row.line}"
        file, number = _first(row, FILE_COLUMNS), _first(row, LABEL_COLUMNS)
        if not file or number is None:
            raise UsageError(f"{where} has the columns {', '.join(row.values)}: {LAYOUT}")
        file = file.replace("\\", "/")
        if file in seen:
            if seen[file] != number:
                raise UsageError(f"{where}: {file} has another label further up")
            continue  # the same row twice is one image
        seen[file] = number
        label = _label(number, where)
        if label is None:
            continue
        picture = inside.path(file, where=where)
        if not picture.is_file():
            missing.append(file)
            continue
        yield LISTS[table.name], picture.relative_to(path).as_posix(), label
    if missing:
        parts = ", ".join(one.name for one in part_folders(table.parent))
        instead = (
            f"move {table.name} away to read the class folders in {parts}, or " if parts else ""
        )
        raise UsageError(
            f"{folder} lacks {len(missing)} images of {table.name}, such as {missing[0]}: {instead}unpack "
            f"them; {LAYOUT}"
        )
    if LISTS[table.name] == "all":
        _check_all_listed(folder, table, seen)


def _check_all_listed(folder: Path, table: Path, listed: Collection[str]) -> None:
    """Raise UsageError where a list of the whole set was cut off; the makers' lists leave images out on purpose."""
    others = sorted(set(Pictures(folder).files) - set(listed))
    if others:
        raise UsageError(
            f"{table} names {len(listed)} images, and {folder} has {len(others)} more, such as {others[0]}: fetch the "
            f"list again, or move the others away; {LAYOUT}"
        )


def _rows(table: Path) -> Iterator[CsvRow]:
    cells = first_row_of(table, n_columns=len(COLUMNS))
    headless = bool(cells) and not _has_header(cells)
    yield from iterate_csv(table, header=COLUMNS if headless else ())[1]


def _pictures_of(table: Path) -> Path:
    """The folder that a list's paths begin in: a known one beside it, else its own."""
    names = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images", "images")
    around = (table.parent / name for name in names)
    above = (table.parent.parent / name for name in names)
    return next((one for one in (*around, *above) if one.is_dir()), table.parent)


def _first(row: CsvRow, columns: tuple[str, ...]) -> str | None:
    return next((row[column] for column in columns if column in row.values), None)


def _label(value: str, where: Path | str) -> int | None:
    """The label that a number or a name means; None for what is dropped."""
    value = value.strip().lower()
    if value in AFFECTNET_DROPPED or value == CONTEMPT:
        return None
    if value in AFFECTNET:
        return label_of(AFFECTNET[value])
    try:
        return label_of(parse_expression(value))
    except UsageError as error:
        raise UsageError(f"{where}: {error}, or a number from 0 to 10") from None
