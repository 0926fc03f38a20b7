"""Decode once: the pixels of an image set at one resolution, as a file that is mapped, not read."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.errors import BtferError, ImageError, UsageError
from btfer.images import decode_rgb

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Resize = Literal["area", "nearest"]


def load_pixels(
    images: ImageSet,
    size_px: int,
    cache: Path,
    resize: Resize = "area",
    on_progress: Callable[[str], None] = lambda text: None,
) -> Pixels:
    """All pictures of a set, uint8 [N, size_px, size_px, 3] RGB, mapped from `cache`.

    The cache is made on first use. Raises UsageError that names the pictures that cannot be read.
    """
    path = cache / f"{images.digest[:16]}-{size_px}-{resize}.npy"
    if not path.is_file():
        on_progress(f"{images.name}: decoding {len(images)} images at {size_px}x{size_px}")
        _write(images, size_px, path, resize)
    mapped: Pixels = np.load(path, mmap_mode="r")
    return mapped


def shrink(pixels: Pixels, size_px: int, resize: Resize = "area") -> Pixels:
    """A picture at size_px x size_px: averaged over areas, or the nearest pixel as Keras's old loader.

    Shapes that are not square are squeezed, as the paper's loader does. Where it must grow, `area`
    interpolates linearly.
    """
    if resize == "nearest":
        how = cv2.INTER_NEAREST
    else:
        how = cv2.INTER_AREA if min(pixels.shape[:2]) >= size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size_px, size_px), interpolation=how), np.uint8)


def _write(images: ImageSet, size_px: int, path: Path, resize: Resize) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=".npy")
        os.close(handle)
        try:
            shape = (len(images), size_px, size_px, 3)
            out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
            _fill(out, images, resize)
            out.flush()
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise BtferError(f"cannot write {path}: {error.strerror or error}") from error


def _fill(out: Pixels, images: ImageSet, resize: Resize) -> None:
    broken = []
    for number, file in enumerate(images.files):
        try:
            pixels = decode_rgb((images.root / file).read_bytes())
        except ImageError as error:
            broken.append(f"{file} ({error.reason})")
            continue
        out[number] = shrink(pixels, out.shape[1], resize)
    if broken:
        raise UsageError(
            f"{len(broken)} images in {images.root} cannot be read; repair or remove them: "
            + ", ".join(broken[:10])
        )
