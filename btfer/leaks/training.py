"""Training sets as hashes: any folder of pictures, packed ones, or FER2013's table; read once, then from a cache.

Accepted layouts:
    NAME/.../<class>/*.jpg                    (train/ and test/ below NAME or not; all pictures are looked at)
    NAME/.../*.parquet, *.arrow, *.tar        (as Hugging Face and WebDataset pack them; or one such file)
    fer2013.csv, or train.csv and test.csv    (columns emotion, pixels; 48x48 grey)
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from btfer.cached import cached
from btfer.csv_reader import iterate_csv
from btfer.engine import PROCESSES, Engine, map_unordered
from btfer.errors import ImageError, UsageError
from btfer.files import sha256_file, write_atomic
from btfer.images import CRASHED, phash_pairs
from btfer.leaks.glances import Glances, glance_of
from btfer.leaks.views import HASH_PX, Grey, grey_of, resized
from btfer.packed import digest_of, packed_files, read_packed
from btfer.packed.pixel_tables import find_pixel_tables
from btfer.paths import IMAGE_SUFFIXES
from btfer.progress import SILENT, Progress

SIDE_PX = 48  # FER2013's: what pictures are compared at
VERSION = "1"  # of the cache: change it when hashes or greys change
LAYOUT = (
    "expected a folder with pictures in class folders (NAME/<class>/*.jpg or NAME/train/<class>/*.jpg), "
    "parquet, arrow or webdataset files, or a csv with the columns emotion, pixels as FER2013 has it"
)
FER_CLASSES = dict(
    zip("0123456", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), strict=True)
)

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class TrainingSet:
    """A training set as it is searched.

    digest: sha256 over names and bytes. files: names relative to its folder, or `line 12` of a table, of several
    `train line 12`. classes: of each file, '' where unknown. hashes: uint64 [N, 2], pHash of the picture and of its
    mirror image. greys: uint8 [N, 48, 48], 0-255, the pictures that are compared. unread: pictures that cannot be
    read, and why.
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


class _Picture(NamedTuple):
    """A picture to be read. data: its bytes where it is packed; None = it is a file."""

    file: str
    label: str
    data: bytes | None = None


class _HashedPicture(NamedTuple):
    """What the cache keeps of one picture: its class, uint8 [32, 32] for its hash, uint8 [48, 48] to compare."""

    file: str
    label: str
    hash32: Grey
    grey: Grey


def read_training(
    path: Path,
    name: str,
    cache: Path,
    *,
    engine: Engine = PROCESSES,
    progress: Progress = SILENT,
) -> tuple[TrainingSet, Path]:
    """A training set and its cache file, which is made on first use and where it is damaged.

    path: a folder of pictures, a packed file or a folder of such, or FER2013's csv. Raises UsageError with the expected
    layout.
    """
    packed = packed_files(path)
    tables = () if packed else _tables(path)
    files = [] if tables or path.is_file() else _pictures(path, needed=not packed)
    digest = (
        sha256_file(tables[0]) if len(tables) == 1 else _digest_of(path, files, [*packed, *tables])
    )
    kept = cache / f"{digest[:16]}-{VERSION}.npz"

    def make() -> None:
        shown: Iterator[_HashedPicture | str]
        if tables:
            shown, total = chain(*(_rows(one, alone=len(tables) == 1) for one in tables)), 0
        else:
            pictures = chain(map(_loose, files), *(_inside(path, one) for one in packed))
            work, total = partial(_read, root=path), 0 if packed else len(files)
            shown = map_unordered(work, pictures, engine=engine, died=_crashed)
        found = _hashed_pictures(
            path, shown, lambda done: progress.update(name, done, total or done)
        )
        _write(kept, digest, *found)

    return cached(kept, make, lambda file: load_set(file, name)), kept


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


def _tables(path: Path) -> tuple[Path, ...]:
    """FER2013's csvs, where the path is one or a folder with such and no pictures in class folders."""
    if not path.is_file() and not path.is_dir():
        raise UsageError(f"{path} is neither a folder nor a file: {LAYOUT}")
    if path.is_file():
        return (path,)
    found = find_pixel_tables(path).with_class
    return found if found and not _pictures(path, needed=False) else ()


def _pictures(path: Path, needed: bool = True) -> list[str]:
    found = sorted(
        one.relative_to(path).as_posix()
        for one in path.rglob("*")
        if one.suffix.lower() in IMAGE_SUFFIXES and one.is_file()
    )
    if needed and not found:
        raise UsageError(f"{path} contains no pictures: {LAYOUT}")
    return found


def _digest_of(root: Path, files: list[str], packed: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0{sha256_file(root / file)}\n".encode())
    for one in packed:
        digest.update(f"{one.name}\0{digest_of(one)}\n".encode())
    return digest.hexdigest()


def _loose(file: str) -> _Picture:
    return _Picture(file, Path(file).parent.name)


def _inside(path: Path, file: Path) -> Iterator[_Picture]:
    """The pictures of a packed file. Raises UsageError as `read_packed`, for what nobody could train on either."""
    name = file.name if file == path else file.relative_to(path).as_posix()
    for image in read_packed(file):
        yield _Picture(f"{name}, {image.place}", image.label, image.data)


def _read(picture: _Picture, root: Path) -> _HashedPicture | str:
    """What is kept of a picture, or why it cannot be read; for worker processes."""
    try:
        data = picture.data or (root / picture.file).read_bytes()
        grey = grey_of(data)
    except (OSError, ImageError) as error:
        return f"{picture.file} ({getattr(error, 'reason', 'unreadable')})"
    return _hashed(picture.file, picture.label, grey)


def _crashed(picture: _Picture) -> str:
    """As `_read`, of a picture of which worker processes died."""
    return f"{picture.file} ({CRASHED})"


def _hashed(file: str, label: str, grey: Grey) -> _HashedPicture:
    return _HashedPicture(file, label, resized(grey, HASH_PX), resized(grey, SIDE_PX))


def _rows(table: Path, *, alone: bool) -> Iterator[_HashedPicture | str]:
    """The pictures of FER2013's csv. Raises UsageError for another table."""
    try:
        _, rows = iterate_csv(table, required=("emotion", "pixels"))
    except UsageError as error:
        raise UsageError(f"{error}: {LAYOUT}") from None
    for row in rows:
        line = f"line {row.line}" if alone else f"{table.stem} line {row.line}"
        try:
            pixels = np.array(row["pixels"].split(), np.uint8)
            side = max(int(len(pixels) ** 0.5), 1)  # no pixels are no square either
            label = FER_CLASSES[row["emotion"]]
            yield _hashed(f"{label}/{line}", label, pixels.reshape(side, side))
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
        classes=[one.label for one in shown],
        unread=np.array(unread, dtype=str),
        hashes=phash_pairs(np.stack([one.hash32 for one in shown])).view(np.uint64),
        greys=np.stack([one.grey for one in shown]),
    )
    write_atomic(kept, buffer.getvalue())
