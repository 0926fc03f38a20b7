"""Training sets as hashes: any folder of pictures, or FER2013's table; read once, then from a cache.

Accepted layouts:
    NAME/.../<class>/*.jpg                    (train/ and test/ below NAME or not; all pictures are looked at)
    fer2013.csv, or a folder with it alone    (columns emotion, pixels, Usage; 48x48 grey)
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from btfer.csv_reader import first_row_of, iterate_csv
from btfer.engine import map_unordered
from btfer.errors import ImageError, UsageError
from btfer.files import sha256_file, write_atomic
from btfer.images import phash_pairs
from btfer.leaks.glances import Glances, glance_of
from btfer.leaks.views import HASH_PX, Grey, grey_of, resized
from btfer.progress import SILENT, Progress

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}
SIDE_PX = 48  # FER2013's: what pictures are compared at
VERSION = "1"  # of the cache: change it when hashes or greys change
LAYOUT = (
    "expected a folder with pictures in class folders (NAME/<class>/*.jpg or NAME/train/<class>/*.jpg), "
    "or a csv with the columns emotion, pixels, Usage as FER2013 has it"
)
FER_CLASSES = dict(
    zip("0123456", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), strict=True)
)

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class TrainingSet:
    """A training set as it is searched.

    digest: sha256 over names and bytes. files: names relative to its folder, or `line 12` of a table. classes: of
    each file, '' where unknown. hashes: uint64 [N, 2], pHash of the picture and of its mirror image. greys: uint8
    [N, 48, 48], 0-255, the pictures that are compared. unread: pictures that cannot be read, and why.
    """

    name: str
    digest: str
    files: tuple[str, ...]
    classes: tuple[str, ...]
    hashes: Hashes
    greys: Grey
    unread: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def glances(self) -> Glances:
        """Each picture at a glance, float32 [N, 256]: see `leaks.glances`."""
        return glance_of(self.greys)


class _HashedPicture(NamedTuple):
    """What the cache keeps of one picture: uint8 [32, 32] for its hash, uint8 [48, 48] to compare."""

    file: str
    hash32: Grey
    grey: Grey


def read_training(
    path: Path,
    name: str,
    cache: Path,
    *,
    engine: str = "processes",
    workers: int = 0,
    progress: Progress = SILENT,
) -> tuple[TrainingSet, Path]:
    """A training set and its cache file, which is made on first use.

    path: a folder of pictures, or FER2013's csv. Raises UsageError with the expected layout.
    """
    table = _table(path)
    files = [] if table else _pictures(path)
    digest = sha256_file(table) if table else _digest_of(path, files)
    kept = cache / f"{digest[:16]}-{VERSION}.npz"
    if not kept.is_file():
        shown: Iterator[_HashedPicture | str]
        if table:
            shown, total = _rows(table), 0
        else:
            work = partial(_read, root=path)
            shown, total = map_unordered(work, files, engine=engine, workers=workers), len(files)
        found = _hashed_pictures(
            path, shown, lambda done: progress.update(name, done, total or done)
        )
        _write(kept, digest, *found)
    return load_set(kept, name), kept


def load_set(kept: Path, name: str) -> TrainingSet:
    """A training set from its cache."""
    with np.load(kept, allow_pickle=False) as cached:
        words = {key: tuple(cached[key].tolist()) for key in ("files", "classes", "unread")}
        return TrainingSet(
            name,
            str(cached["digest"]),
            words["files"],
            words["classes"],
            cached["hashes"],
            cached["greys"],
            words["unread"],
        )


def _table(path: Path) -> Path | None:
    """FER2013's csv, where the path is one or a folder with one and no pictures in class folders."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise UsageError(f"{path} is neither a folder nor a file: {LAYOUT}")
    tables = sorted(path.glob("*.csv"))
    fer = [one for one in tables if _is_fer(one)]
    return fer[0] if len(fer) == 1 and not _pictures(path, needed=False) else None


def _is_fer(table: Path) -> bool:
    return {"emotion", "pixels"} <= {name.lower() for name in first_row_of(table)}


def _pictures(path: Path, needed: bool = True) -> list[str]:
    found = sorted(
        one.relative_to(path).as_posix()
        for one in path.rglob("*")
        if one.suffix.lower() in SUFFIXES and one.is_file()
    )
    if needed and not found:
        raise UsageError(f"{path} contains no pictures: {LAYOUT}")
    return found


def _digest_of(root: Path, files: list[str]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0{sha256_file(root / file)}\n".encode())
    return digest.hexdigest()


def _read(file: str, root: Path) -> _HashedPicture | str:
    """What is kept of a picture, or why it cannot be read; for worker processes."""
    try:
        grey = grey_of((root / file).read_bytes())
    except (OSError, ImageError) as error:
        return f"{file} ({getattr(error, 'reason', 'unreadable')})"
    return _hashed(file, grey)


def _hashed(file: str, grey: Grey) -> _HashedPicture:
    return _HashedPicture(file, resized(grey, HASH_PX), resized(grey, SIDE_PX))


def _rows(table: Path) -> Iterator[_HashedPicture | str]:
    """The pictures of FER2013's csv. Raises UsageError for another table."""
    try:
        _, rows = iterate_csv(table, required=("emotion", "pixels"))
    except UsageError as error:
        raise UsageError(f"{error}: {LAYOUT}") from None
    for row in rows:
        line = f"line {row.line}"
        try:
            pixels = np.array(row["pixels"].split(), np.uint8)
            side = max(int(len(pixels) ** 0.5), 1)  # no pixels are no square either
            label = FER_CLASSES[row["emotion"]]
            yield _hashed(f"{label}/{line}", pixels.reshape(side, side))
        except (ValueError, OverflowError, KeyError):
            yield f"{line} (its pixels are no square of numbers 0-255, or its emotion is not 0-6)"


def _hashed_pictures(
    path: Path, found: Iterator[_HashedPicture | str], say: Callable[[int], None]
) -> tuple[list[_HashedPicture], list[str]]:
    """The pictures of a set, and which could not be read. Raises UsageError where none could."""
    shown: list[_HashedPicture] = []
    unread: list[str] = []
    for done, one in enumerate(found, start=1):
        if isinstance(one, str):
            unread.append(one)
        else:
            shown.append(one)
        say(done)
    if not shown:
        why = (
            f"none of its {len(unread)} pictures can be read, such as {unread[0]}"
            if unread
            else "it has no rows"
        )
        raise UsageError(f"{path}: {why}; {LAYOUT}")
    return sorted(shown, key=lambda one: one.file), sorted(unread)


def _write(kept: Path, digest: str, shown: list[_HashedPicture], unread: list[str]) -> None:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        digest=digest,
        files=[one.file for one in shown],
        classes=[Path(one.file).parent.name for one in shown],
        unread=np.array(unread, dtype=str),
        hashes=phash_pairs(np.stack([one.hash32 for one in shown])).view(np.uint64),
        greys=np.stack([one.grey for one in shown]),
    )
    write_atomic(kept, buffer.getvalue())
