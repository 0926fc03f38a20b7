"""What one decode tells about a photo when it arrives."""

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from btfer.errors import ImageError
from btfer.images import hashes
from btfer.images.colour import Pixels
from btfer.images.decode import ReducedPhoto, decode_reduced
from btfer.images.encode import encode_jpeg
from btfer.images.hints import PhotoHints, hints_of
from btfer.images.marks import is_machine_made

THUMBNAIL_PX = 160
CRASHED = "crashed the decoder"
OUT_OF_MEMORY = "out of memory"
"""The reason of a photo of which worker processes died; no ImageError has it."""


@dataclass(frozen=True)
class Intake:
    """What one decode tells about a photo. width, height: upright, in pixels, at full size.

    sha256: 64 hex digits. phash, mirror_phash: imagehash's 64-bit pHash of the photo and of its mirror image, as
    signed integers. thumbnail: a JPEG whose long side is 160 px. hints: see `btfer.images.hints`.
    """

    sha256: str
    format: str
    width: int
    height: int
    n_bytes: int
    phash: int
    mirror_phash: int
    thumbnail: bytes
    hints: PhotoHints


def read_photo(data: bytes) -> Intake:
    """Decode a photo once, to its last byte, and describe it.

    Raises ImageError with the reason `empty`, `not an image`, `format`, `animated`,
    `too many pixels`, `too many scans`, `too small` or `truncated`.
    """
    photo = decode_reduced(data)
    thumbnail = thumbnail_of(photo)
    hints = hints_of(thumbnail, aspect=photo.width / photo.height)
    if is_machine_made(data):
        hints["machine_made"] = True
    phash, mirror_phash = hashes.phash_pair(grey_of(photo))
    return Intake(
        sha256=sha256_of(data),
        format=photo.format,
        width=photo.width,
        height=photo.height,
        n_bytes=len(data),
        phash=phash,
        mirror_phash=mirror_phash,
        thumbnail=encode_jpeg(thumbnail),
        hints=hints,
    )


def describe_photo(data: bytes) -> Intake | str:
    """As `read_photo`, with the reason in place of an error: for worker processes."""
    try:
        return read_photo(data)
    except ImageError as error:
        return error.reason
    except MemoryError:
        return OUT_OF_MEMORY


def sha256_of(data: bytes) -> str:
    """A photo's name: the sha256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


def grey_of(photo: ReducedPhoto) -> Pixels:
    """What the hashes are made from: uint8 [32, 32], luma 0-255, upright."""
    grey = photo.image.convert("L").resize(
        (hashes.SIDE_PX, hashes.SIDE_PX),
        Image.Resampling.LANCZOS,
        box=photo.box,
        reducing_gap=3.0 if photo.drafted else None,  # averages first: half the time
    )
    return photo.upright(np.asarray(grey))


def thumbnail_of(photo: ReducedPhoto) -> Pixels:
    """A small picture of a photo: uint8 [H, W, 3], RGB, upright, long side 160 px; a smaller photo is enlarged."""
    *_, width, height = photo.box
    scale = THUMBNAIL_PX / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if 0.5 <= scale < 1:
        return photo.upright(_shrunk(photo, size))
    # To less than half, every pixel must count: Hamming's window is nearly as sharp as bicubic's.
    filter_ = Image.Resampling.HAMMING if scale < 1 else Image.Resampling.BICUBIC
    return photo.upright(np.asarray(photo.image.resize(size, filter_, box=photo.box)))


def _shrunk(photo: ReducedPhoto, size: tuple[int, int]) -> Pixels:
    """To no less than half, where four neighbours are enough: a quarter of Pillow's time.

    OpenCV knows no fractions of a pixel: the photo's edge moves by less than half a pixel of `image`.
    """
    import cv2

    *_, width, height = photo.box
    whole = np.asarray(photo.image)[: round(height), : round(width)]
    small: Pixels = cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR)
    return small
