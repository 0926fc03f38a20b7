"""Photos in, pixels out: safe decode, hashes, thumbnails, encode. The only place that knows formats.

Everywhere else a picture is uint8 [H, W, 3], RGB, sRGB, upright.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from btfer.errors import ImageError

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "AVIF": "avif"}
MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 40
THUMBNAIL_PX = 160

# Pillow only warns between one and two times its limit; here the limit is a limit.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Intake:
    """What one decode tells about a photo. Hashes are imagehash's 64-bit pHash, as signed integers."""

    sha256: str
    format: str
    width: int
    height: int
    n_bytes: int
    phash: int
    mirror_phash: int
    thumbnail: bytes
    hints: dict[str, float]


def read_photo(data: bytes) -> Intake:
    """Decode a photo once, whole, and describe it.

    Raises ImageError with the reason `empty`, `not an image`, `format`, `animated`,
    `too many pixels`, `too small` or `truncated`.
    """
    image, format_ = _open(data)
    upright = _upright_srgb(image)
    if min(upright.size) < MIN_SIDE_PX:
        raise ImageError("too small", f"{upright.width}x{upright.height}, least is {MIN_SIDE_PX}")
    small = upright.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    thumbnail = ImageOps.contain(upright, (THUMBNAIL_PX, THUMBNAIL_PX))
    return Intake(
        sha256=hashlib.sha256(data).hexdigest(),
        format=FORMATS[format_],
        width=upright.width,
        height=upright.height,
        n_bytes=len(data),
        phash=_signed(imagehash.phash(small)),
        mirror_phash=_signed(imagehash.phash(ImageOps.mirror(small))),
        thumbnail=_encode(thumbnail, "WEBP", quality=75),
        hints=_hints(np.asarray(thumbnail)),
    )


def decode_rgb(data: bytes) -> Pixels:
    """The pixels of a photo, uint8 [H, W, 3], RGB, upright, sRGB. Raises ImageError as `read_photo`."""
    return np.asarray(_upright_srgb(_open(data)[0]))


def encode_png(pixels: Pixels) -> bytes:
    """A PNG of uint8 [H, W, 3] RGB pixels and nothing else: no metadata, the same bytes each time."""
    return _encode(Image.fromarray(pixels), "PNG", compress_level=6)


def metadata_in(path: Path) -> list[str]:
    """Names of all embedded metadata of a PNG file (text, EXIF, ICC, ...): [] for a released image."""
    with Image.open(path) as image:
        image.load()
        return sorted(str(name) for name in image.info)


def _open(data: bytes) -> tuple[Image.Image, str]:
    if not data:
        raise ImageError("empty", "0 bytes")
    try:
        image = Image.open(io.BytesIO(data))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageError("too many pixels", f"more than {MAX_PIXELS:,}") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ImageError("not an image", str(error)[:80]) from None
    if image.format not in FORMATS:
        raise ImageError("format", f"{image.format} is not one of {', '.join(FORMATS)}")
    if getattr(image, "is_animated", False):
        raise ImageError("animated", f"{getattr(image, 'n_frames', 0)} frames")
    return image, image.format


def _upright_srgb(image: Image.Image) -> Image.Image:
    try:
        image.load()  # verify() passes on a truncated JPEG, load() raises
        upright = ImageOps.exif_transpose(image)
    except Image.DecompressionBombWarning:
        raise ImageError("too many pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError("truncated", str(error)[:80]) from None
    return _to_rgb(_to_srgb(upright))


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image  # a broken profile is common on the web; viewers ignore it as well


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey: convert() would clip it to white
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.mode == "P" or "A" in image.mode:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("RGB")


def _hints(thumbnail: Pixels) -> dict[str, float]:
    """Numbers that order the review queue: brightness 0-255, sharpness, share of flat pixels."""
    grey = thumbnail.astype(np.float32).mean(axis=2)
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1]
    laplacian -= grey[1:-1, :-2] + grey[1:-1, 2:]
    return {
        "brightness": round(float(grey.mean()), 1),
        "sharpness": round(float(laplacian.var()), 1),
        "flat": round(float((np.abs(laplacian) < 1).mean()), 3),
    }


def _signed(hash_: imagehash.ImageHash) -> int:
    """64 bits as the signed integer that both databases store."""
    return int(np.packbits(hash_.hash.flatten()).view(">i8")[0])


def _encode(image: Image.Image, format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(image)).save(
        buffer, format_, **options
    )  # drops every metadata block
    return buffer.getvalue()
