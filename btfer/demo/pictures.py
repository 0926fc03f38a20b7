"""Pictures small enough to stand in a page as data URIs."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from btfer.catalogue.rows import PhotoBox
from btfer.images import decode_rgb

PHOTO_PX, FACE_PX = 160, 96  # the longer side
_BOX = (255, 176, 0)
_QUALITY = 82


@dataclass(frozen=True)
class ShownPicture:
    """One picture of the page. uri: its bytes. alt: what it shows, in words. caption: what stands below it."""

    uri: str
    alt: str
    caption: str = ""


def photo_picture(file: Path, alt: str, caption: str = "") -> ShownPicture:
    """A photo or its thumbnail, PHOTO_PX at its longer side."""
    return ShownPicture(_uri(_read(file), PHOTO_PX), alt, caption)


def face_picture(file: Path, alt: str, caption: str = "") -> ShownPicture:
    """A crop, FACE_PX at its side."""
    return ShownPicture(_uri(_read(file), FACE_PX), alt, caption)


def boxed_picture(
    file: Path, boxes: Iterable[PhotoBox], alt: str, caption: str = ""
) -> ShownPicture:
    """A photo with boxes drawn in it, twice PHOTO_PX at its longer side. boxes: in its pixels."""
    image = _read(file)
    draw = ImageDraw.Draw(image)
    for box in boxes:
        low = (box.x_px + box.width_px, box.y_px + box.height_px)
        draw.rectangle(((box.x_px, box.y_px), low), outline=_BOX, width=max(2, image.width // 120))
    return ShownPicture(_uri(image, 2 * PHOTO_PX), alt, caption)


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as an address. kind: `png` or `jpeg`."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _read(file: Path) -> Image.Image:
    return Image.fromarray(decode_rgb(file.read_bytes()))


def _uri(image: Image.Image, longest_px: int) -> str:
    image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return data_uri(buffer.getvalue(), "jpeg")
