"""Pictures as data URIs: small ones for the grid, a large one for the zoom. Paths come from the catalogue only."""

import base64
import io
from functools import lru_cache
from pathlib import Path

from PIL import Image

from btfer.errors import ImageError
from btfer.images import Pixels, decode_rgb
from btfer.paths import face_path, photo_path, thumbnail_path
from btfer.review import Item

FACE_PX = 128
ZOOM_PX = 1000


def small(data_dir: Path, item: Item) -> str:
    """The thumbnail of a photo, or a face at 128 px; '' where the file is missing."""
    if item.face:
        return _face(face_path(data_dir, item.face))
    return _thumbnail(thumbnail_path(data_dir, item.photo))


def large(data_dir: Path, item: Item) -> tuple[str, tuple[int, int]]:
    """The whole photo at 1000 px or less, and its true (width, height); '' where it cannot be read."""
    try:
        pixels = decode_rgb(photo_path(data_dir, item.photo, item.format).read_bytes())
    except (OSError, ImageError):
        return "", (0, 0)
    return reduced(pixels, ZOOM_PX), (pixels.shape[1], pixels.shape[0])


@lru_cache(maxsize=1000)
def _thumbnail(path: Path) -> str:
    try:
        return _uri(path.read_bytes(), "jpeg")
    except OSError:
        return ""


@lru_cache(maxsize=1000)
def _face(path: Path) -> str:
    try:
        return reduced(decode_rgb(path.read_bytes()), FACE_PX)
    except (OSError, ImageError):
        return ""


def reduced(pixels: Pixels, side_px: int) -> str:
    """A data URI of a picture, its long side at most `side_px`. pixels: uint8 [height, width, 3], RGB, 0-255."""
    image = Image.fromarray(pixels)
    image.thumbnail((side_px, side_px))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=80)
    return _uri(buffer.getvalue(), "webp")


def _uri(encoded: bytes, format_: str) -> str:
    return f"data:image/{format_};base64," + base64.b64encode(encoded).decode()
