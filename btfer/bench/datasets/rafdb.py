"""RAF-DB as its makers give it out: a list of labels and a folder of aligned faces.

Source: Li et al. 2017, http://www.whdeld.cn/xyzhang/raf; basic/EmoLabel and basic/Image/aligned.
"""

from pathlib import Path

from btfer.bench.datasets.numbering import RAFDB, label_of
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.errors import UsageError
from btfer.safe_paths import relative_name

LISTS = ("list_patition_label.txt", "list_partition_label.txt")  # the first is the makers' spelling
LAYOUT = (
    "expected RAF-DB as NAME/basic/EmoLabel/list_patition_label.txt with "
    "NAME/basic/Image/aligned/train_00001_aligned.jpg and so on, or NAME/train/1..7/*.jpg with "
    "NAME/test/1..7/*.jpg"
)


def find_list(path: Path) -> Path | None:
    """The list of labels at `path` or at most two folders below it."""
    patterns = [f"{depth}{name}" for depth in ("", "*/", "*/*/") for name in LISTS]
    return next((file for pattern in patterns for file in sorted(path.glob(pattern))), None)


def read_rafdb(path: Path, name: str) -> TrainingSource:
    """The images of the list. Raises UsageError that shows the layout, where some are missing."""
    table = find_list(path)
    if table is None:
        raise UsageError(f"{path} has no list_patition_label.txt: {LAYOUT}")
    rows = _rows(table)
    aligned = _aligned_folder(path)
    files = [_file(aligned, listed) for listed, _ in rows]
    missing = [listed for (listed, _), file in zip(rows, files, strict=True) if file is None]
    if missing:
        raise UsageError(
            f"{aligned} lacks {len(missing)} of the {len(rows)} images of {table.name}, such as "
            f"{missing[0]}: unpack aligned.zip again; {LAYOUT}"
        )
    found = [
        (listed.split("_")[0], file.relative_to(path).as_posix(), label)
        for (listed, label), file in zip(rows, files, strict=True)
        if file
    ]
    return parted("rafdb", f"RAF-DB by {table.name}", name, path, found)


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


def _aligned_folder(path: Path) -> Path:
    for pattern in ("aligned", "*/aligned", "*/*/aligned", "*/*/*/aligned"):
        for folder in sorted(path.glob(pattern)):
            if folder.is_dir():
                inner = folder / "aligned"  # aligned.zip unpacked into a folder of its name
                return inner if inner.is_dir() else folder
    raise UsageError(f"{path} has the list of labels and no folder aligned: {LAYOUT}")


def _file(aligned: Path, listed: str) -> Path | None:
    """`train_00001.jpg` is `train_00001_aligned.jpg` among the aligned faces."""
    stem, _, suffix = listed.rpartition(".")
    candidates = (aligned / f"{stem}_aligned.{suffix}", aligned / listed)
    return next((one for one in candidates if one.is_file()), None)
