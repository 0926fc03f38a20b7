"""Folders of class folders, parted or not, and releases."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from btfer.bench.datasets.numbering import (
    CONTEMPT,
    DROPPED,
    NUMBERINGS,
    as_text,
    from_text,
    label_of,
    meanings,
)
from btfer.bench.datasets.parts import PARTS as NAMES_OF_PARTS
from btfer.bench.datasets.renumbered import alphabetical
from btfer.bench.datasets.sets import ImageSet, TrainingSource, image_set, parted
from btfer.bucket_url import as_written
from btfer.csv_reader import CsvRow, CsvTable, read_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, is_expression, parse_expression
from btfer.files import check_size
from btfer.paths import IMAGE_SUFFIXES
from btfer.release_record import FILE as RECORD
from btfer.release_record import read_record
from btfer.safe_paths import FilesInside

STRATA = ("ethnicity", "gender", "age")
PARTS = {
    **NAMES_OF_PARTS,
    "train_set": "train",
    "val_set": "validation",
    "valid_set": "validation",
    "test_set": "test",
    "fer2013train": "train",
    "fer2013valid": "validation",
    "fer2013test": "test",
}
LAYOUT = (
    "expected NAME/train/<class>/*.jpg with NAME/test/<class>/*.jpg (or val, or both), or "
    f"NAME/<class>/*.jpg, with a folder for each of {', '.join(EXPRESSIONS)}; images with a CSV (image, label), "
    "parquet and webdataset tars; RAF-DB, FER2013, FER+ and AffectNet also as their makers pack them "
    "(list_patition_label.txt, fer2013.csv, label.csv, annotations, training.csv)"
)
RAFDB_FILE = re.compile(r"(train|test)_\d+(_aligned)?\.\w+")

Found = tuple[str, str, int]  # part, file, label


def load_folder(path: Path, name: str = "") -> ImageSet:
    """Class folders as a set; `Anger` and `angry` are the same class.

    Raises UsageError that shows the expected layout, where there is not a folder, no class or no image.
    """
    if not path.is_dir():
        raise UsageError(f"{as_written(path)} is not a folder: {LAYOUT}")
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
            for row in _class_folders(root, _inner_part(one), PARTS[one.name.lower()], kind, said)
        ]
        how = f"folders {' and '.join(one.name for one in parts)}"
    if not found:
        loose = ", ".join(one.name for one in parts if images(one))
        where = f", only loose ones in {loose}" if loose else ""
        raise UsageError(f"{path} holds no image in class folders{where}: {LAYOUT}")
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
    found = image_set(path.name, path, [row["file_name"] for row in rows], labels, strata)
    counted = [_votes_of_row(table, row) for row in rows]
    votes = np.array(counted, np.int64) if any(map(any, counted)) else None
    return replace(found, votes=votes)


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


def _votes_of_row(table: Path, row: CsvRow) -> list[int]:
    """Votes for each class of `happy:2 sad:1`; those for what is no class are left out."""
    votes = [0] * len(EXPRESSIONS)
    for one in row.get("votes").split():
        name, _, count = one.rpartition(":")
        if not (name and count.isascii() and count.isdigit() and len(count) < 7):
            raise UsageError(
                f"{table}, line {row.line}: votes '{row['votes'][:40]}' are not as happy:2 sad:1"
            )
        if name in EXPRESSIONS:
            votes[EXPRESSIONS.index(name)] += int(count)
    return votes


def folders(path: Path) -> list[Path]:
    """Its sub-folders by name, but for hidden ones and those that a Mac or a NAS adds.

    Raises UsageError for a link to nothing, which would be left out without a word.
    """
    return sorted(one for one in _listed(path) if one.is_dir() and not _is_litter(one.name))


def _listed(path: Path) -> list[Path]:
    """What lies in a folder. Raises UsageError for a link to nothing."""
    found = list(path.iterdir())
    if lost := next((one for one in found if one.is_symlink() and not one.exists()), None):
        raise UsageError(f"{lost} is a link to a file or folder that is missing: mend or remove it")
    return found


def _is_litter(name: str) -> bool:
    return name.startswith((".", "@")) or name in ("__MACOSX", "#recycle")


def kind_named(name: str) -> str:
    """Which public set a name speaks of: `rafdb`, `fer2013`, `affectnet`, `ferplus`, `expw` or none."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower().replace("+", "plus"))
    if re.search(r"fer(2013)?(plus|new)", plain):  # has fer2013's images in an order of its own
        return "ferplus"
    return next((kind for kind in NUMBERINGS if kind in plain), "")


def _check_parts(root: Path, found: list[Path]) -> None:
    parts = [PARTS[one.name.lower()] for one in found]
    if parts == ["train"]:
        raise UsageError(
            f"{root} has {found[0].name} and no test or val beside it: to part it by chance, give the folder "
            f"{found[0]} itself; {LAYOUT}"
        )
    if len(set(parts)) == 1 or "train" not in parts or len(set(parts)) < len(parts):
        raise UsageError(
            f"{root} has the parts {', '.join(one.name for one in found)}: one train/ is needed, and "
            f"one test/ or val/, or both; {LAYOUT}"
        )
    others = [one for one in folders(root) if one not in found]
    others = _with_other_images(others, found) if others else []
    if others:
        raise UsageError(
            f"{root} has images in {', '.join(one.name for one in others)} beside its parts: move them away, or give "
            f"the folder that is meant; {LAYOUT}"
        )


def _inner_part(part: Path) -> Path:
    """`train/train`, as train.zip unpacks into a folder of its name; else the part itself."""
    inside = folders(part)
    if len(inside) == 1 and PARTS.get(inside[0].name.lower()) == PARTS[part.name.lower()]:
        return _inner_part(inside[0])
    return part


def _with_other_images(others: list[Path], parts: list[Path]) -> list[Path]:
    """Those that hold, at any depth, an image that the parts have not; some re-uploads lie in themselves once more."""
    known = {_in_its_part(one) for part in parts for one in _images_below(part)}
    return [
        folder
        for folder in others
        if any(_in_its_part(one) not in known for one in _images_below(folder))
    ]


def _in_its_part(image: Path) -> tuple[tuple[str, ...], int]:
    """Part, class and name of an image, and its size in bytes."""
    return image.parts[-3:], image.stat().st_size


def _images_below(folder: Path) -> Iterator[Path]:
    return (
        one for below in (folder, *folder.rglob("*/")) if below.is_dir() for one in images(below)
    )


def part_folders(path: Path) -> list[Path]:
    """The folders train, test and so on that have class folders with images."""
    parts = (one for one in folders(path) if one.name.lower() in PARTS)
    return [one for one in parts if any(images(folder) for folder in folders(one))]


def has_class_folders(path: Path) -> bool:
    """Whether there are folders called as classes or numbers, at `path` or at most two folders below."""
    inside = (one for depth in ("*/", "*/*/", "*/*/*/") for one in path.glob(depth) if one.is_dir())
    return any(one.name.isdigit() or _is_class(one) for one in inside)


def _holds_images(folder: Path) -> bool:
    return any(images(one) for one in (folder, *folders(folder)))


def _class_folders(
    root: Path, within: Path, part: str, kind: str, said: Mapping[str, str]
) -> Iterator[Found]:
    """What lies in the class folders of `within`; contempt is left out."""
    inside = folders(within)
    numbers = _numbers(root, inside, kind, said)
    seen: dict[int, str] = {}
    for folder in inside:
        if _name_of_class(folder) == CONTEMPT or (numbers and not numbers.get(folder.name)):
            continue
        label = label_of(numbers[folder.name]) if numbers else _label_of_folder(folder)
        if seen.setdefault(label, folder.name) != folder.name:
            raise UsageError(
                f"{within} has two folders for {EXPRESSIONS[label]}, {seen[label]} and {folder.name}: put them "
                "together, or move the one away that is not meant"
            )
        deeper = [one.name for one in folders(folder) if _holds_images(one)]
        if deeper:
            raise UsageError(
                f"{folder} has images in folders of its own ({', '.join(deeper[:3])}), which would be left out: "
                "put them into the class folder, or move them away"
            )
        found = images(folder)
        others = [one.name for one in _listed(folder) if one.is_file() and _is_unnamed_image(one)]
        if others:
            raise UsageError(
                f"{folder} has images that are not called as such, as {others[0]} ({len(others)} of them), which would "
                "be left out: give them an ending such as .png, or move them away"
            )
        for file in found:
            yield part, file.relative_to(root).as_posix(), label


def images(folder: Path) -> list[Path]:
    """The images that lie in a folder, by suffix, but for hidden ones such as `._a.jpg` of a Mac."""
    return [
        one
        for one in _listed(folder)
        if one.suffix.lower() in IMAGE_SUFFIXES and one.name[0] != "." and one.is_file()
    ]


_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")
"""First bytes of JPEG, PNG, GIF, WebP, BMP and TIFF."""


def _is_unnamed_image(file: Path) -> bool:
    """Whether a file begins as an image does, and has no ending of one; landmarks and lists may lie beside images."""
    if file.name[0] == "." or file.suffix.lower() in IMAGE_SUFFIXES:
        return False
    with file.open("rb") as source:
        head = source.read(12)
    return head.startswith(_BEGINNINGS) or head[4:8] == b"ftyp"  # the last of HEIC and AVIF


def _name_of_class(folder: Path) -> str:
    """`angry` of `0_angry`: a name beside a number says what the number is."""
    return re.sub(r"^\d+[ _.-]+", "", folder.name).lower()


def class_of_folder(name: str) -> int | None:
    """The label that a folder is called after, contempt being none; None where it is called otherwise."""
    word = _name_of_class(Path(name))
    return label_of(parse_expression(word)) if is_expression(word) else None


def _label_of_folder(folder: Path) -> int:
    try:
        return label_of(parse_expression(_name_of_class(folder)))
    except UsageError as error:
        raise UsageError(f"folder {folder}: {error}; {LAYOUT}") from None


def _numbers(
    root: Path, inside: list[Path], kind: str, said: Mapping[str, str]
) -> Mapping[str, str]:
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
        _check_counts(inside, kind)
        return NUMBERINGS[kind]
    raise UsageError(
        f"{inside[0].parent} has numbered folders, and every public set numbers its classes differently: name the "
        f"set, such as --train rafdb={root}, or say with --labels what each is: "
        f"{meanings({one.name for one in inside})}"
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
            f"names of their classes; {meanings(found)}"
        )


def _check_counts(inside: list[Path], kind: str) -> None:
    """Refuse the numbers of a set on folders that hold as many images as its classes do in another order."""
    found = alphabetical({one.name: len(images(one)) for one in inside}, kind)
    if found:
        raise UsageError(
            f"{inside[0].parent} has as many images in each folder as {kind} has by the alphabet, not by its own "
            f"numbers: say with --labels what each is; by the alphabet --labels {as_text(found)}, by its own --labels "
            f"{as_text(NUMBERINGS[kind] | {n: CONTEMPT for n in found if n not in NUMBERINGS[kind]})}"
        )


def _check_said(inside: list[Path], said: Mapping[str, str]) -> None:
    found = {one.name for one in inside}
    if found - said.keys():
        unnamed = ", ".join(sorted(found - said.keys()))
        raise UsageError(
            f"{inside[0].parent} has the folder {unnamed}, of which --labels says nothing: "
            f"add {unnamed}=CLASS, or {unnamed}= to leave it out"
        )


def _without_wrappers(path: Path) -> Path:
    """Down through folders that hold nothing but one folder, as archives unpack."""
    while True:
        inside = folders(path)
        if len(inside) != 1 or images(path) or inside[0].name.lower() in PARTS:
            return path
        if inside[0].name.isdigit() or _is_class(inside[0]):
            return path
        path = inside[0]


def _is_class(folder: Path) -> bool:
    name = _name_of_class(folder)
    try:
        return bool(parse_expression(name))
    except UsageError:
        return name == CONTEMPT
