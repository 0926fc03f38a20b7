"""Pictures that carry pixels and nothing else."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from btfer.images.colour import Pixels

THUMBNAIL_QUALITY = 80


def encode_png(pixels: Pixels) -> bytes:
    """A PNG of uint8 [H, W, 3] RGB pixels and nothing else: no metadata, the same bytes each time."""
    return _encode(pixels, "PNG", compress_level=6)


def encode_jpeg(pixels: Pixels) -> bytes:
    """A small JPEG of uint8 [H, W, 3] RGB pixels, for the eye only: a fifth of WebP's time at 160 px."""
    return _encode(pixels, "JPEG", quality=THUMBNAIL_QUALITY)


def metadata_in(path: Path) -> list[str]:
    """Names of all embedded metadata of a PNG file (text, EXIF, ICC, ...): [] for a released image."""
    with Image.open(path) as image:
        image.load()
        return sorted(str(name) for name in image.info)


def _encode(pixels: Pixels, format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    # From bare pixels: a decoded Image would hand its profile and its comment on to the file.
    Image.fromarray(pixels).save(buffer, format_, **options)
    return buffer.getvalue()
