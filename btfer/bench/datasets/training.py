"""Finding and reading a training set, whatever its layout."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from btfer.bench.datasets import affectnet, fer2013, ferplus, rafdb
from btfer.bench.datasets.folders import (
    LAYOUT,
    folders,
    has_class_folders,
    kind_named,
    load_release,
    part_folders,
    read_folders,
)
from btfer.bench.datasets.list_tables import first_fault, names_images
from btfer.bench.datasets.lists import check_agreement, find_lists, read_listed, tables_below
from btfer.bench.datasets.packed_sets import read_packed_set
from btfer.bench.datasets.sets import Split, TrainingSource
from btfer.bench.datasets.split import split_source
from btfer.csv_reader import first_row_of, iterate_csv
from btfer.errors import UsageError
from btfer.packed import packed_files
from btfer.packed.image import is_number, one_line
from btfer.packed.pixel_tables import find_pixel_tables
from btfer.release_record import FILE as RECORD

FOREIGN = {
    ".tar": "that is an archive and no webdataset with a .cls or .json for each image: unpack it",
    "data.yaml": "that is of YOLO, with rectangles in files of text: put the images into class folders",
    "label.lst": "that is ExpW's, of whole photos with rectangles: cut the faces out into class folders",
}
"""Endings of what re-uploads hold instead of images in class folders, and what to do about it."""

ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"}


def find_training(folder: Path) -> dict[str, Path]:
    """Every sub-folder of `folder` by name: {} where there is none."""
    return {one.name: one for one in folders(folder)} if folder.is_dir() else {}


def load_training(
    path: Path,
    name: str = "",
    seed: int = 0,
    split: str = "authors",
    cache: Path | None = None,
    labels: str = "",
) -> Split:
    """A training set of a known layout, parted. Raises UsageError that shows the layout it should have."""
    return split_source(read_source(path, name, cache, labels), split, seed)


def read_source(
    path: Path, name: str = "", cache: Path | None = None, labels: str = ""
) -> TrainingSource:
    """A training set as it lies on disk; its layout is recognised by what is there.

    cache: where images are unpacked that lie inside other files; None = `.unpacked` beside them. labels: what numbers
    of classes mean, `0=angry,1=disgust,...`. Raises UsageError that shows the expected layout, where the set is
    missing or partly unpacked, and where two sets lie in one folder.
    """
    name = name or path.name
    if path.is_file() and (table := find_pixel_tables(path)).with_class:
        unpacked = cache or path.parent / ".unpacked"
        return fer2013.read_fer2013(path.parent, table, name, unpacked)
    if path.is_file() and (packed := packed_files(path)):
        unpacked = cache or path.parent / ".unpacked"
        return read_packed_set(path, packed, name, _kind(path, name), unpacked, labels)
    if not path.is_dir():
        raise UsageError(f"training set '{name}': {_no_folder(path)}: {LAYOUT}")
    if _is_release(path):
        return _release(path, name)
    unpacked = cache or path / ".unpacked"
    tables = find_pixel_tables(path)
    kinds: dict[str, tuple[object, Callable[[], TrainingSource]]] = {
        "RAF-DB's list": (rafdb.find_list(path), lambda: rafdb.read_rafdb(path, name)),
        "FER2013's csv": (
            tables.with_class,
            lambda: fer2013.read_fer2013(path, tables, name, unpacked),
        ),
        "FER+'s parts": (ferplus.find_parts(path), lambda: ferplus.read_ferplus(path, name)),
        "AffectNet's annotations": (
            affectnet.find_sets(path),
            lambda: affectnet.read_annotations(path, name),
        ),
        "AffectNet's lists": (
            affectnet.find_lists(path),
            lambda: affectnet.read_lists(path, name),
        ),
    }
    found = [what for what, (there, _) in kinds.items() if there]
    annotated = any(
        one.startswith("AffectNet") for one in found
    )  # its parts are folders train_set, ...
    has_own_check = annotated or found == ["RAF-DB's list"]
    parts = part_folders(path) if found and not has_own_check else []
    if len(found) > 1 or parts:
        beside = [*found, *(f"class folders in {one.name}" for one in parts)]
        raise UsageError(
            f"training set '{name}': {path} holds {' and '.join(beside)}: give the folder or file of the one "
            "that is meant"
        )
    if found:
        source = kinds[found[0]][1]()
        if source.kind == "rafdb":
            check_agreement(source, path, find_lists(path))
        return source
    return _read_re_upload(path, name, unpacked, labels)


def _read_re_upload(path: Path, name: str, unpacked: Path, labels: str) -> TrainingSource:
    """A set as others share it: packed, with a list, or in class folders."""
    packed, tables, in_folders = packed_files(path), find_lists(path), has_class_folders(path)
    beside = (
        [one.name for one in packed[:1]]
        + ["class folders"] * in_folders
        + [one.name for one in tables[:1]]
    )
    if packed and len(beside) > 1:
        raise UsageError(
            f"training set '{name}': {path} holds {' and '.join(beside)}: give the folder or file of the one that is "
            "meant"
        )
    if packed:
        return read_packed_set(path, packed, name, _kind(path, name), unpacked, labels)
    if tables and not in_folders:
        return read_listed(path, tables, name, _kind(path, name), labels)
    _check_unpacked(path, name)
    source = read_folders(path, name, labels)
    check_agreement(source, path, tables)
    return source


def _kind(path: Path, name: str) -> str:
    return kind_named(name) or kind_named(path.name) or "folders"


def _is_release(path: Path) -> bool:
    """Whether it has a release's table: a metadata.csv of something else makes no release of a set.

    One without the record of a release and with numbers as labels is a list, as Hugging Face's `imagefolder` has it.
    """
    table = path / "metadata.csv"
    if not table.is_file():
        return False
    if (path / RECORD).exists():
        return True
    if not {"file_name", "label"} <= set(first_row_of(table)):
        return False
    first = next(iterate_csv(table)[1], None)
    return first is None or not is_number(first["label"])


def _release(path: Path, name: str) -> TrainingSource:
    return TrainingSource("release", "a release", replace(load_release(path), name=name), {})


def _no_folder(path: Path) -> str:
    if not path.exists():
        return f"there is no folder {path}"
    if path.suffix.lower() in ARCHIVES:
        return f"{path} is packed: unpack it, and give the folder"
    return f"{path} is a file, and a folder is needed"


def _check_unpacked(path: Path, name: str) -> None:
    """Refuse what is no folder of images, with what to do about it."""
    archives = [one.name for one in sorted(path.iterdir()) if one.suffix.lower() in ARCHIVES]
    if archives and not folders(path):
        raise UsageError(
            f"training set '{name}': {path} holds {', '.join(archives[:3])}: unpack it; {LAYOUT}"
        )
    if has_class_folders(path):
        return
    for ending, what in FOREIGN.items():
        patterns = (f"{depth}*{ending}" for depth in ("", "*/", "*/*/"))
        if found := next((one for pattern in patterns for one in path.glob(pattern)), None):
            raise UsageError(
                f"training set '{name}': {path} holds {found.relative_to(path)}: {what}; {LAYOUT}"
            )
    for table in tables_below(path):
        if fault := first_fault(table):
            raise UsageError(f"training set '{name}': {fault}; {LAYOUT}")
        columns = first_row_of(table) if table.suffix == ".csv" else ()
        if "pixels" in {one.lower() for one in columns}:
            raise UsageError(
                f"training set '{name}': {table} has pixels and no emotion, the class of each: {fer2013.LAYOUT}"
            )
        if names_images(columns):
            raise UsageError(
                f"training set '{name}': {table} has no column with the class of each image, such as label or emotion, "
                f"or more than one that may name the image: its columns are {one_line(', '.join(columns))[:200]}"
            )
