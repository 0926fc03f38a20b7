"""Folders of class folders, parted or not, and releases."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from btfer.bench.datasets.numbering import (
    CONTEMPT,
    DROPPED,
    NUMBERINGS,
    as_text,
    from_text,
    label_of,
)
from btfer.bench.datasets.sets import SUFFIXES, ImageSet, TrainingSource, image_set, parted
from btfer.csv_reader import CsvRow, CsvTable, read_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.files import check_size
from btfer.release_record import FILE as RECORD
from btfer.release_record import read_record
from btfer.safe_paths import FilesInside

STRATA = ("ethnicity", "gender", "age")
PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
    "train_set": "train",
    "val_set": "validation",
    "valid_set": "validation",
    "test_set": "test",
}
LAYOUT = (
    "expected NAME/train/<class>/*.jpg with NAME/test/<class>/*.jpg (or val, or both), or "
    f"NAME/<class>/*.jpg, with a folder for each of {', '.join(EXPRESSIONS)}; of RAF-DB, FER2013 and "
    "AffectNet also the makers' own layouts: see data/README.md"
)
RAFDB_FILE = re.compile(r"(train|test)_\d+(_aligned)?\.\w+")

Found = tuple[str, str, int]  # part, file, label


def load_folder(path: Path, name: str = "") -> ImageSet:
    """Class folders as a set; `Anger` and `angry` are the same class.

    Raises UsageError that shows the expected layout, where there is not a folder, no class or no image.
    """
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder: {LAYOUT}")
    found = list(_class_folders(path, path, "all", kind_named(name or path.name), {}))
    if not found:
        raise UsageError(f"{path} holds no image in class folders: {LAYOUT}")
    return parted("folders", "", name or path.name, path, found).images


def read_folders(path: Path, name: str, labels: str = "") -> TrainingSource:
    """A set of class folders, under train/ and so on or not.

    labels: what numbers of folders mean, as `numbering.from_text` takes it. Raises UsageError as `load_folder`, and
    where a folder with images would be left out.
    """
    root = _without_wrappers(path)
    kind = kind_named(name) or kind_named(path.name) or ""
    said = from_text(labels)
    parts = [one for one in folders(root) if one.name.lower() in PARTS]
    if not parts:
        found = list(_class_folders(root, root, "all", kind, said))
        how = "class folders"
    else:
        _check_parts(root, parts)
        found = [
            row
            for one in parts
            for row in _class_folders(root, one, PARTS[one.name.lower()], kind, said)
        ]
        how = f"folders {' and '.join(one.name for one in parts)}"
    if not found:
        raise UsageError(f"{path} holds no image in class folders: {LAYOUT}")
    if said and any(_are_numbered(folders(one)) for one in parts or [root]):
        how += f", labels {as_text(said)}"
    return parted(kind or "folders", how, name, root, found)


def labels_in(how: str) -> str:
    """What was said of numbered folders, out of how a set was read or split; empty where nothing was."""
    found = re.search(r", labels ([0-9a-z=,]+)", how)
    return found[1] if found else ""


def load_release(path: Path) -> ImageSet:
    """A release, or any folder with images/ and a metadata.csv that has file_name and label.

    Raises UsageError where a part of it is missing or damaged.
    """
    table = path / "metadata.csv"
    if not table.is_file():
        raise UsageError(f"{path} is not a release: expected images/<class>/*.png and metadata.csv")
    if (path / RECORD).exists():
        read_record(path)  # what is damaged is not scored
    listed = read_csv(table, required=("file_name", "label"), own=True)
    _check_listed(path, listed)
    rows = sorted(listed, key=lambda row: row["file_name"])
    strata = {name: tuple(row[name] for row in rows) for name in STRATA if name in listed.columns}
    labels = [_label_of_row(table, row) for row in rows]
    return image_set(path.name, path, [row["file_name"] for row in rows], labels, strata)


def _check_listed(path: Path, listed: CsvTable) -> None:
    """Every image is a file in the folder, and is named once."""
    inside, lines, missing = FilesInside(path), dict[str, int](), []
    for row in listed:
        name, where = row["file_name"], f"{listed.path}, line {row.line}"
        file = inside.path(name, where=where)
        if not file.is_file():
            missing.append(name)
        else:
            check_size(file)
        if lines.setdefault(name, row.line) != row.line:
            raise UsageError(f"{where}: {name} stands in line {lines[name]} already")
    if missing:
        raise UsageError(f"{path} lacks {len(missing)} images of its metadata.csv: {missing[0]}")


def _label_of_row(table: Path, row: CsvRow) -> int:
    try:
        return label_of(parse_expression(row["label"]))
    except UsageError as error:
        raise UsageError(f"{table}, line {row.line}: {error}") from None


def folders(path: Path) -> list[Path]:
    """Its sub-folders by name, but for hidden ones."""
    return sorted(one for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))


def kind_named(name: str) -> str:
    """Which public set a name speaks of: `rafdb`, `fer2013`, `affectnet`, `ferplus`, `expw` or none."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower().replace("+", "plus"))
    if re.search(r"fer(2013)?(plus|new)", plain):  # has fer2013's images in an order of its own
        return "ferplus"
    return next((kind for kind in NUMBERINGS if kind in plain), "")


def _check_parts(root: Path, found: list[Path]) -> None:
    parts = [PARTS[one.name.lower()] for one in found]
    if len(set(parts)) == 1 or "train" not in parts or len(set(parts)) < len(parts):
        raise UsageError(
            f"{root} has the parts {', '.join(one.name for one in found)}: one train/ is needed, and "
            f"one test/ or val/, or both; {LAYOUT}"
        )
    others = [one.name for one in folders(root) if one not in found and _holds_images(one)]
    if others:
        raise UsageError(
            f"{root} has images in {', '.join(others)} beside its parts: move them away, or give the folder that "
            f"is meant; {LAYOUT}"
        )


def part_folders(path: Path) -> list[Path]:
    """The folders train, test and so on that have class folders with images."""
    parts = (one for one in folders(path) if one.name.lower() in PARTS)
    return [one for one in parts if any(images(folder) for folder in folders(one))]


def _holds_images(folder: Path) -> bool:
    return any(images(one) for one in (folder, *folders(folder)))


def _class_folders(
    root: Path, within: Path, part: str, kind: str, said: Mapping[str, str]
) -> Iterator[Found]:
    """What lies in the class folders of `within`; contempt is left out."""
    inside = folders(within)
    numbers = _numbers(inside, kind, said)
    for folder in inside:
        if folder.name.lower() == CONTEMPT or (numbers and not numbers.get(folder.name)):
            continue
        label = label_of(numbers[folder.name]) if numbers else _label_of_folder(folder)
        deeper = [one.name for one in folders(folder) if _holds_images(one)]
        if deeper:
            raise UsageError(
                f"{folder} has images in folders of its own ({', '.join(deeper[:3])}), which would be left out: "
                "put them into the class folder, or move them away"
            )
        for file in images(folder):
            yield part, file.relative_to(root).as_posix(), label


def images(folder: Path) -> list[Path]:
    """The images that lie in a folder, by suffix."""
    return [one for one in folder.iterdir() if one.is_file() and one.suffix.lower() in SUFFIXES]


def _label_of_folder(folder: Path) -> int:
    try:
        return label_of(parse_expression(folder.name))
    except UsageError as error:
        raise UsageError(f"folder {folder}: {error}; {LAYOUT}") from None


def _numbers(inside: list[Path], kind: str, said: Mapping[str, str]) -> Mapping[str, str]:
    """The meaning of numbered folders; {} where they have names. Never guessed by the numbers alone."""
    if not _are_numbered(inside):
        return {}
    if said:
        _check_said(inside, said)
        return said
    if not kind and all(RAFDB_FILE.fullmatch(file.name) for one in inside for file in images(one)):
        kind = "rafdb"
    if kind:
        _check_numbers(inside, kind)
        return NUMBERINGS[kind]
    raise UsageError(
        f"{inside[0].parent} has numbered folders, and every public set numbers its classes differently: name the "
        f"set, such as --train rafdb={inside[0].parent}, or say with --labels what each is: "
        f"{_meanings({one.name for one in inside})}"
    )


def _are_numbered(inside: list[Path]) -> bool:
    return bool(inside) and all(one.name.isdigit() for one in inside)


def _check_numbers(inside: list[Path], kind: str) -> None:
    """Refuse other numbers than those of a set: its classes were numbered anew, and each would be read as another."""
    expected, found = set(NUMBERINGS[kind]), {one.name for one in inside}
    if found - DROPPED.get(kind, set()) != expected:
        raise UsageError(
            f"{inside[0].parent} has the numbered folders {', '.join(sorted(found))}, and the classes of {kind} "
            f"are numbered {min(expected)} to {max(expected)}: say with --labels what each is, or give them the "
            f"names of their classes; {_meanings(found)}"
        )


def _check_said(inside: list[Path], said: Mapping[str, str]) -> None:
    found = {one.name for one in inside}
    if found - said.keys():
        unnamed = ", ".join(sorted(found - said.keys()))
        raise UsageError(
            f"{inside[0].parent} has the folder {unnamed}, of which --labels says nothing: "
            f"add {unnamed}=CLASS, or {unnamed}= to leave it out"
        )


def _meanings(found: set[str]) -> str:
    """What each public set would mean by some numbers."""
    return "; ".join(
        f"{kind} {as_text({n: name for n, name in numbers.items() if n in found})}"
        for kind, numbers in NUMBERINGS.items()
    )


def _without_wrappers(path: Path) -> Path:
    """Down through folders that hold nothing but one folder, as archives unpack."""
    while True:
        inside = folders(path)
        if len(inside) != 1 or images(path) or inside[0].name.lower() in PARTS:
            return path
        if inside[0].name.isdigit() or _is_class(inside[0].name):
            return path
        path = inside[0]


def _is_class(name: str) -> bool:
    try:
        return bool(parse_expression(name))
    except UsageError:
        return name.lower() == CONTEMPT
