"""Images that lie together, with a table that says the class of each: how sets are shared on Kaggle and with papers.

What a table may look like is in `list_tables`. Where the same images lie in class folders too, it must not contradict
these.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from btfer.bench.datasets.folders import RAFDB_FILE, folders, images
from btfer.bench.datasets.list_tables import TABLES, ListedImage, is_list, rows_of
from btfer.bench.datasets.numbering import RAFDB, as_text, from_text, labels_by_word
from btfer.bench.datasets.parts import ALL, part_of
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.packed.image import is_number

LAYOUT = (
    "expected NAME/train_labels.csv and NAME/test_labels.csv with the columns image and label, or NAME/labels.csv or "
    "NAME/metadata.jsonl, and the images that they name below NAME"
)


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
    """The tables that name images and their classes, at `path` or at most two folders below it."""
    return [one for one in tables_below(path) if is_list(one)]


def tables_below(path: Path) -> Iterator[Path]:
    """The tables at `path` or at most two folders below it, lists or not."""
    patterns = (f"{depth}{name}" for depth in ("", "*/", "*/*/") for name in TABLES)
    tables = (one for pattern in patterns for one in sorted(path.glob(pattern)))
    return (one for one in tables if one.is_file() and one.name[0] != ".")


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
        for row in rows_of(path, table):
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


def _placed(pictures: Pictures, tables: list[Path]) -> dict[str, ListedImage]:
    """The row of each image that lists name, by the image. Raises UsageError for a row that names none, or several."""
    placed: dict[str, ListedImage] = {}
    missing = []
    for table in tables:
        for row in rows_of(pictures.root, table):
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
