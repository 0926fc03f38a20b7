"""Pictures as data URIs: small ones for the grid, a large one for the zoom. Paths come from the catalogue only."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from btfer.catalogue.rows import PhotoBox
from btfer.errors import ImageError
from btfer.images import Pixels, decode_rgb
from btfer.paths import face_path, photo_path, thumbnail_path
from btfer.review import Item
from btfer.store import Store

FACE_PX = 128
ZOOM_PX = 1000
CLOSE_PX = 720  # of the face under the loupe, at most
CLOSE_FROM_PX = 400  # and at least, however small it is
MARGIN = 0.25  # shares of the box


@dataclass(frozen=True)
class Large:
    """A picture under the loupe: the whole photo as a data URI ('' = it cannot be read) and its true size.

    face: the first face, enlarged as `scale` says ('' = none known). file_size: in words.
    """

    src: str = ""
    size: tuple[int, int] = (0, 0)
    face: str = ""
    scale: str = ""
    file_size: str = ""


def fetch_small(store: Store, items: Iterable[Item], sharp_px: int = 0) -> None:
    """Fetch what `small` needs for some pictures, all at once."""
    store.fetch_all(_small_path(store.folder, one, sharp_px) for one in items)


def small(store: Store, item: Item, sharp_px: int = 0) -> str:
    """The thumbnail of a photo, or a face at 128 px; '' where the file is missing. sharp_px: larger, if not 0."""
    path = store.fetch(_small_path(store.folder, item, sharp_px))
    if item.face or sharp_px:
        return _picture(path, sharp_px or FACE_PX)
    return _thumbnail(path)


def _small_path(folder: Path, item: Item, sharp_px: int) -> Path:
    if item.face:
        return face_path(folder, item.face)
    if sharp_px:
        return photo_path(folder, item.photo, item.format)
    return thumbnail_path(folder, item.photo)


def large(store: Store, item: Item, box: PhotoBox | None = None) -> Large:
    """The whole photo at 1000 px or less, and the face in `box` at 200 %, a small one larger."""
    try:
        data = store.fetch(photo_path(store.folder, item.photo, item.format)).read_bytes()
        pixels = decode_rgb(data)
    except (OSError, ImageError):
        return Large()
    face, scale = _close(pixels, box) if box else ("", "")
    size = (pixels.shape[1], pixels.shape[0])
    return Large(reduced(pixels, ZOOM_PX), size, face, scale, f"{len(data) / 1000:,.0f} kB")


def _close(pixels: Pixels, box: PhotoBox) -> tuple[str, str]:
    """A face with some of what is around it, at twice its size, larger or what fits, and the scale in words."""
    height, width = pixels.shape[:2]
    x, y, w, h = box
    left, top = max(0, int(x - MARGIN * w)), max(0, int(y - MARGIN * h))
    right, bottom = min(width, int(x + w + MARGIN * w)), min(height, int(y + h + MARGIN * h))
    if right <= left or bottom <= top:
        return "", ""
    side = max(right - left, bottom - top)
    scale = min(max(2.0, CLOSE_FROM_PX / side), CLOSE_PX / side)
    cut = Image.fromarray(pixels[top:bottom, left:right])
    shown = cut.resize(
        (max(1, round(cut.width * scale)), max(1, round(cut.height * scale))),
        Image.Resampling.BICUBIC,
    )
    return _webp(shown), f"{100 * scale:.0f} %"


@lru_cache(maxsize=1000)
def _thumbnail(path: Path) -> str:
    try:
        return _uri(path.read_bytes(), "jpeg")
    except OSError:
        return ""


@lru_cache(maxsize=1000)
def _picture(path: Path, side_px: int) -> str:
    try:
        return reduced(decode_rgb(path.read_bytes()), side_px)
    except (OSError, ImageError):
        return ""


def reduced(pixels: Pixels, side_px: int) -> str:
    """A data URI of a picture, its long side at most `side_px`. pixels: uint8 [height, width, 3], RGB, 0-255."""
    image = Image.fromarray(pixels)
    image.thumbnail((side_px, side_px))
    return _webp(image)


def _webp(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=80)
    return _uri(buffer.getvalue(), "webp")


def _uri(encoded: bytes, format_: str) -> str:
    return f"data:image/{format_};base64," + base64.b64encode(encoded).decode()
