"""RAF-DB as its makers give it out: a list of labels and a folder of aligned faces.

Source: Li et al. 2017, http://www.whdeld.cn/xyzhang/raf; basic/EmoLabel and basic/Image/aligned.
"""

from dataclasses import replace
from pathlib import Path

from btfer.bench.datasets.folders import folders, images, part_folders, read_folders
from btfer.bench.datasets.numbering import RAFDB, label_of
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.safe_paths import relative_name

RAFDB_NAME = "rafdb"
LISTS = ("list_patition_label.txt", "list_partition_label.txt")  # the first is the makers' spelling
LAYOUT = (
    "expected RAF-DB as NAME/basic/EmoLabel/list_patition_label.txt with "
    "NAME/basic/Image/aligned/train_00001_aligned.jpg and so on, or NAME/train/1..7/*.jpg with "
    "NAME/test/1..7/*.jpg"
)


def find_list(path: Path) -> Path | None:
    """The list of labels at `path` or at most two folders below it."""
    return next(iter(_lists(path)), None)


def _lists(path: Path) -> list[Path]:
    patterns = [f"{depth}{name}" for depth in ("", "*/", "*/*/") for name in LISTS]
    return [file for pattern in patterns for file in sorted(path.glob(pattern))]


def _basic_list(path: Path) -> Path:
    """The list of the single expressions; RAF-DB's compound ones number other faces in the same way."""
    every = _lists(path)
    lists = [one for one in every if not _is_compound(path, one)]
    if len(lists) != 1:
        found = ", ".join(one.relative_to(path).as_posix() for one in lists or every)
        raise UsageError(
            f"{path} has {found or 'no list_patition_label.txt'}, and one of the single expressions is needed: {LAYOUT}"
        )
    return lists[0]


def _is_compound(path: Path, file: Path) -> bool:
    return any("compound" in one.lower() for one in file.relative_to(path).parts)


def read_rafdb(path: Path, name: str) -> TrainingSource:
    """The images of the list. Raises UsageError that shows the layout, where some are missing.

    Class folders beside it, as in the copy that is called DATASET, must say the same; they are read where the folder
    of the list is not there.
    """
    table = _basic_list(path)
    rows = _rows(table)
    beside = _class_folders(path)
    if beside is None:
        return _by_list(path, table, rows, name)
    in_folders = read_folders(beside, RAFDB_NAME)
    _check_same(table, rows, beside, in_folders)
    if _aligned_folder(path) is None:
        how = f"{in_folders.how}, the same as in {table.name}"
        return replace(in_folders, how=how, images=replace(in_folders.images, name=name))
    source = _by_list(path, table, rows, name)
    where = "class folders" if beside == path else f"folder {beside.relative_to(path).as_posix()}"
    return replace(source, how=f"{source.how}, the same as in its {where}")


def _by_list(path: Path, table: Path, rows: list[tuple[str, int]], name: str) -> TrainingSource:
    aligned = _aligned_folder(path)
    if aligned is None:
        raise UsageError(f"{path} has {table.relative_to(path)} and no folder aligned: {LAYOUT}")
    files = [_file(aligned, listed) for listed, _ in rows]
    missing = [listed for (listed, _), file in zip(rows, files, strict=True) if file is None]
    if missing:
        raise UsageError(
            f"{aligned} lacks {len(missing)} of the {len(rows)} images of {table.name}, such as "
            f"{missing[0]}: unpack aligned.zip again; {LAYOUT}"
        )
    _check_all_listed(aligned, table, {file.name for file in files if file})
    found = [
        (listed.split("_")[0], file.relative_to(path).as_posix(), label)
        for (listed, label), file in zip(rows, files, strict=True)
        if file
    ]
    return parted(RAFDB_NAME, f"RAF-DB by {table.name}", name, path, found)


def _class_folders(path: Path) -> Path | None:
    """The folder with train/ and test/ of class folders, at `path` or at most two folders below."""
    around = [path, *folders(path)]
    around += [inner for one in around[1:] for inner in folders(one)]
    found = [one for one in around if part_folders(one) and not _is_compound(path, one)]
    if len(found) > 1:
        there = " and ".join(str(one.relative_to(path)) for one in found)
        raise UsageError(f"{path} has class folders in {there}: move away what is not meant")
    return found[0] if found else None


def _check_same(
    table: Path, rows: list[tuple[str, int]], folder: Path, source: TrainingSource
) -> None:
    """Raise UsageError where class folders hold other images than a list names, or other classes of them."""
    listed = {_plain(name): (name.split("_")[0], label) for name, label in rows}
    part_of = {place: part for part, places in source.parts.items() for place in places.tolist()}
    there = {
        _plain(Path(file).name): (part_of[place], int(source.images.labels[place]))
        for place, file in enumerate(source.images.files)
    }
    instead = "move the list or the folders away, whichever is not meant"
    other = next(iter(sorted(listed.keys() ^ there.keys())), None)
    if other is not None:
        which = f"{table} names" if other in listed else f"{folder} has"
        raise UsageError(f"{which} {other}, and the other of the two has not: {instead}")
    for name, (part, label) in listed.items():
        if there[name] != (part, label):
            raise UsageError(
                f"{table} says {part}, {EXPRESSIONS[label]} of {name}, and {folder} has it in {there[name][0]}, "
                f"{EXPRESSIONS[there[name][1]]}: {instead}"
            )


def _plain(name: str) -> str:
    """`train_00001` of the list's train_00001.jpg and of the folders' train_00001_aligned.jpg."""
    return name.rpartition(".")[0].removesuffix("_aligned")


def _check_all_listed(aligned: Path, table: Path, listed: set[str]) -> None:
    """Raise UsageError where a list that was cut off would leave images out."""
    strange = sorted({one.name for one in images(aligned)} - listed)
    if strange:
        raise UsageError(
            f"{table} names {len(listed)} images, and {aligned} has {len(strange)} more, such as {strange[0]}: fetch "
            "the list again, or move the others away"
        )


def _rows(table: Path) -> list[tuple[str, int]]:
    rows = []
    seen: dict[str, int] = {}
    for number, line in enumerate(_lines(table), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or words[1] not in RAFDB or words[0].split("_")[0] not in _PARTS:
            raise UsageError(
                f"{table} line {number}: expected 'train_00001.jpg 5', got '{line[:60]}'"
            )
        name = str(relative_name(words[0], where=f"{table} line {number}"))
        if "/" in name:
            raise UsageError(f"{table} line {number}: '{name[:60]}' is not the name of a file")
        if seen.setdefault(name, number) != number:
            raise UsageError(f"{table} line {number}: {name} stands in line {seen[name]} already")
        rows.append((name, label_of(RAFDB[words[1]])))
    if not rows:
        raise UsageError(f"{table} is empty: {LAYOUT}")
    return rows


_PARTS = ("train", "test")


def _lines(table: Path) -> list[str]:
    data = table.read_bytes()
    try:
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        return data.decode(encoding).splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{table} is not a text file: {LAYOUT}") from None


def _aligned_folder(path: Path) -> Path | None:
    """The folder of faces that belongs to a list."""
    for pattern in ("aligned", "*/aligned", "*/*/aligned", "*/*/*/aligned"):
        for folder in sorted(path.glob(pattern)):
            if folder.is_dir() and not _is_compound(path, folder):
                inner = folder / "aligned"  # aligned.zip unpacked into a folder of its name
                return inner if inner.is_dir() else folder
    return None


def _file(aligned: Path, listed: str) -> Path | None:
    """`train_00001.jpg` is `train_00001_aligned.jpg` among the aligned faces."""
    stem, _, suffix = listed.rpartition(".")
    candidates = (aligned / f"{stem}_aligned.{suffix}", aligned / listed)
    return next((one for one in candidates if one.is_file()), None)
