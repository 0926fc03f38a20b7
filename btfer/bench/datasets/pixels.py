"""Decode once: the pixels of an image set at one resolution, as a file that is mapped, not read."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import cv2
import numpy as np
import PIL

from btfer.bench.datasets import ImageSet
from btfer.cached import cached
from btfer.engine import PROCESSES, SERIAL, map_unordered
from btfer.errors import BtferError, ImageError, UsageError
from btfer.files import only_writer
from btfer.images import CRASHED, decode_rgb
from btfer.progress import SILENT, Progress

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Resize = Literal["area", "nearest"]

CHUNK = 64  # images a worker reads at once
WORTH_PROCESSES = 1000  # images; below, starting them takes longer than the work
SECONDS_BETWEEN_LINES = 5


@dataclass(frozen=True)
class Chunk:
    """Some images of a set: those from `start` on."""

    start: int
    root: Path
    files: tuple[str, ...]
    size_px: int
    resize: Resize


@dataclass(frozen=True)
class Decoded:
    """pixels: uint8 [n, s, s, 3]; an image that cannot be read is black, and named in `broken`."""

    start: int
    pixels: Pixels
    broken: tuple[str, ...]


def load_pixels(
    images: ImageSet,
    size_px: int,
    cache: Path,
    resize: Resize = "area",
    progress: Progress = SILENT,
) -> Pixels:
    """All images of a set, uint8 [N, size_px, size_px, 3] RGB, mapped from `cache`.

    The cache is made on first use and where it is damaged, on all cores; where another process is just
    making it, this one waits. Raises UsageError that names the images that cannot be read, BtferError where the cache
    cannot be written.
    """
    readers = f"pillow{PIL.__version__}-opencv{cv2.__version__}"
    path = cache / f"{images.digest[:16]}-{size_px}-{resize}-{readers}.npy"
    return cached(path, lambda: _write(images, size_px, path, resize, progress), _mapped)


def _mapped(path: Path) -> Pixels:
    mapped: Pixels = np.load(path, mmap_mode="r")
    return mapped


def shrink(pixels: Pixels, size_px: int, resize: Resize = "area") -> Pixels:
    """An image at size_px x size_px: averaged over areas, or the nearest pixel as Keras's old loader.

    Shapes that are not square are squeezed, as the paper's loader does. Where it must grow, `area`
    interpolates linearly.
    """
    if resize == "nearest":
        how = cv2.INTER_NEAREST_EXACT  # the pixel under the middle, as Pillow has it
    else:
        how = cv2.INTER_AREA if min(pixels.shape[:2]) >= size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size_px, size_px), interpolation=how), np.uint8)


def decode_chunk(chunk: Chunk) -> Decoded:
    """Read, decode and shrink some images."""
    size = chunk.size_px
    out = np.zeros((len(chunk.files), size, size, 3), np.uint8)
    broken = []
    for place, file in enumerate(chunk.files):
        try:
            pixels = _decoded((chunk.root / file).read_bytes())
        except ImageError as error:
            broken.append(f"{file} ({error.reason})")
            continue
        out[place] = shrink(pixels, size, chunk.resize)
    return Decoded(chunk.start, out, tuple(broken))


def _singly(chunk: Chunk) -> list[Chunk]:
    if len(chunk.files) == 1:
        return []
    return [replace(chunk, start=chunk.start + n, files=(f,)) for n, f in enumerate(chunk.files)]


def _crashed(chunk: Chunk) -> Decoded:
    """As `decode_chunk`, of images of which worker processes died."""
    black = np.zeros((len(chunk.files), chunk.size_px, chunk.size_px, 3), np.uint8)
    return Decoded(chunk.start, black, tuple(f"{name} ({CRASHED})" for name in chunk.files))


def _decoded(data: bytes) -> Pixels:
    """As photos are decoded; and BMP and TIFF, which stand in AffectNet. Raises ImageError."""
    try:
        return decode_rgb(data)
    except ImageError as error:
        other = data.startswith((b"BM", b"II*\0", b"MM\0*"))
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) if other else None
        if found is None:
            raise error
        return np.asarray(found, np.uint8)


def _write(images: ImageSet, size_px: int, path: Path, resize: Resize, progress: Progress) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with only_writer(path.parent):
            if not path.is_file():  # else by whom we waited for
                _write_whole(images, size_px, path, resize, progress)
    except OSError as error:
        raise BtferError(f"cannot write {path}: {error.strerror or error}") from error


def _write_whole(
    images: ImageSet, size_px: int, path: Path, resize: Resize, progress: Progress
) -> None:
    # The same name each time: what a process that was killed has left is written over.
    part = path.with_name(f".part-{path.name}")
    try:
        with part.open("wb") as file:
            _fill(file, images, size_px, resize, progress)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _fill(
    file: BinaryIO, images: ImageSet, size_px: int, resize: Resize, progress: Progress
) -> None:
    """Write the array in the form of np.save, chunk by chunk as they come.

    Not through a mapped file: on a full disk that ends the process instead of raising an error.
    """
    shape = (len(images), size_px, size_px, 3)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    begin, done, last = file.tell(), 0, time.monotonic()
    broken: list[str] = []
    progress.say(f"{images.name}: decoding {len(images):,} images at {size_px}x{size_px}")
    engine = PROCESSES if len(images) >= WORTH_PROCESSES else SERIAL
    chunks = _chunks(images, size_px, resize)
    for one in map_unordered(decode_chunk, chunks, engine=engine, died=_crashed, split=_singly):
        file.seek(begin + one.start * size_px * size_px * 3)
        file.write(one.pixels.tobytes())
        broken += one.broken
        done += len(one.pixels)
        if time.monotonic() - last > SECONDS_BETWEEN_LINES:
            progress.say(f"{images.name}: {done:,} of {len(images):,} images decoded")
            last = time.monotonic()
    if broken:
        raise UsageError(
            f"{len(broken)} images in {images.root} cannot be read; repair or remove them: "
            + ", ".join(sorted(broken)[:10])
        )


def _chunks(images: ImageSet, size_px: int, resize: Resize) -> Iterator[Chunk]:
    for start in range(0, len(images), CHUNK):
        yield Chunk(start, images.root, images.files[start : start + CHUNK], size_px, resize)
