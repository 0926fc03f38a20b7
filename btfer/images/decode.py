"""Bytes to a picture that was read to its last byte, whole or reduced. Nothing in the bytes is trusted.

The reader is chosen by the first bytes, never by a name or by trying: only four parsers can be reached.
"""

import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import AvifImagePlugin, ExifTags, Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from btfer.errors import ImageError
from btfer.images.colour import Pixels, opaque, to_srgb

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "AVIF": "avif"}
MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 40
MAX_SCANS = 100  # a progressive JPEG has about ten; thousands keep a core busy for minutes

# Short and long side that a reduced picture has at least. JPEG is reduced in its own DCT: 99.8 % of
# 1,093 photos kept their pHash within 2 bits. Others are averaged over squares, after they were read whole.
LEAST_PX = {"JPEG": (64, 160), "other": (256, 320)}

RelativeBox = tuple[float, float, float, float]

# For whoever opens a file with Pillow's own open(): its limit is a limit, not a warning.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# Broken EXIF is common on the web, and nobody could act on a warning about it.
warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # many photos are read at once, each on one core

_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,  # also the first picture of a camera's MPO
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_FIRST_BYTES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"8BPS": "PSD",
    b"\0\0\1\0": "ICO",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"<svg": "SVG",
}
# From how the pixels lie in the file to how they are to be seen; EXIF 2.3, tag 0x0112.
_TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda lying: lying[:, ::-1],
    3: lambda lying: lying[::-1, ::-1],
    4: lambda lying: lying[::-1],
    5: lambda lying: lying.swapaxes(0, 1),
    6: lambda lying: lying.swapaxes(0, 1)[:, ::-1],
    7: lambda lying: lying.swapaxes(0, 1)[::-1, ::-1],
    8: lambda lying: lying.swapaxes(0, 1)[::-1],
}
_SIDEWAYS = {5, 6, 7, 8}


@dataclass(frozen=True)
class ReducedPhoto:
    """A photo that was read whole and is held small: RGB, sRGB, as it lies in the file.

    box: the part of `image` that is the photo, in pixels with fractions; its last row and column can be
    partly padding. drafted: whether the reduction was done in JPEG's DCT. orientation: EXIF's, 1-8.
    width, height: of the upright photo at full size.
    """

    image: Image.Image
    box: RelativeBox
    drafted: bool
    orientation: int
    format: str
    width: int
    height: int

    def upright(self, lying: Pixels) -> Pixels:
        """Pixels made from `image`, uint8 [H, W] or [H, W, 3], turned and mirrored as EXIF asks."""
        return _turned(lying, self.orientation)


def decode_rgb(data: bytes) -> Pixels:
    """The pixels of a photo, uint8 [H, W, 3], RGB, upright, sRGB.

    Raises ImageError with the reason `empty`, `not an image`, `format`, `animated`,
    `too many pixels`, `too many scans` or `truncated`.
    """
    image, _ = _open(data)
    _load(image)
    return _turned(np.asarray(to_srgb(image)), _orientation(image))


def decode_reduced(data: bytes) -> ReducedPhoto:
    """A photo that was read to its last byte, as small as its hash and its thumbnail allow.

    Raises ImageError as `decode_rgb`, and with the reason `too small`.
    """
    image, format_ = _open(data)
    width, height = image.size
    if min(width, height) < MIN_SIDE_PX:
        raise ImageError(
            "too small", f"{width}x{height} px; the shorter side must be at least {MIN_SIDE_PX} px"
        )
    short, long = LEAST_PX["JPEG"]
    draft = image.draft("RGB", (long, short) if width >= height else (short, long))
    drafted = image.size != (width, height)
    _load(image)
    orientation = _orientation(image)
    small, box = (image, draft[1]) if draft else _averaged(image)
    if orientation in _SIDEWAYS:
        width, height = height, width
    return ReducedPhoto(to_srgb(small), box, drafted, orientation, FORMATS[format_], width, height)


def _format_of(data: bytes) -> str:
    """The format's name by its first bytes, '' for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        brands = data[8 : 8 + min(int.from_bytes(data[:4]), 256)]
        return "AVIF" if b"avif" in brands or b"avis" in brands else "HEIF or video"
    return next((name for first, name in _FIRST_BYTES.items() if data.startswith(first)), "")


def _is_cut(data: bytes, format_: str) -> bool:
    """Whether a format that says its length in front has fewer bytes; its readers fail at the header."""
    end = 0
    if format_ == "WEBP":
        end = 8 + int.from_bytes(data[4:8], "little")
    while format_ == "AVIF" and end < len(data) and (box := int.from_bytes(data[end : end + 4])):
        end += box
    return end > len(data)


def _open(data: bytes) -> tuple[ImageFile.ImageFile, str]:
    """A reader that has seen the header only, and the format's name."""
    if not data:
        raise ImageError("empty", "0 bytes")
    format_ = _format_of(data)
    if not format_:
        raise ImageError("not an image", f"the file begins with {data[:16]!r}")
    if format_ not in _READERS:
        raise ImageError("format", f"{format_}; accepted are {', '.join(FORMATS)}")
    try:
        image = _READERS[format_](io.BytesIO(data))
    except Image.DecompressionBombError:
        raise ImageError("too many pixels", f"more than {MAX_PIXELS:,}") from None
    except (OSError, SyntaxError, ValueError, OverflowError, RuntimeError) as error:
        reason = "truncated" if _is_cut(data, format_) else "not an image"
        raise ImageError(reason, str(error)[:80]) from None
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            "too many pixels", f"{image.width}x{image.height}, more than {MAX_PIXELS:,}"
        )
    if getattr(image, "is_animated", False):
        raise ImageError("animated", f"{getattr(image, 'n_frames', 0)} frames")
    # 0xFF is escaped inside a scan, so that this counts their headers.
    if image.info.get("progressive") and data.count(b"\xff\xda") > MAX_SCANS:
        raise ImageError("too many scans", f"more than {MAX_SCANS}")
    return image, format_


def _load(image: ImageFile.ImageFile) -> None:
    try:
        image.load()  # verify() passes on a truncated JPEG, load() raises
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError) as error:
        raise ImageError("truncated", str(error)[:80]) from None


def _averaged(image: Image.Image) -> tuple[Image.Image, RelativeBox]:
    """A picture of a format without a reduced decode, averaged over squares of whole pixels."""
    short, long = LEAST_PX["other"]
    factor = min(min(image.size) // short, max(image.size) // long)
    if factor < 2:
        return image, (0, 0, *image.size)
    if image.mode not in ("RGB", "RGBA", "L", "LA"):
        profile = image.info.get("icc_profile")
        image = opaque(image)
        image.info["icc_profile"] = profile
    small = image.reduce(factor)
    return small, (0, 0, image.width / factor, image.height / factor)


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1-8; 1 (upright) where there is none, or none that can be read."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (SyntaxError, ValueError, TypeError, KeyError, IndexError, OSError, struct.error):
        return 1  # a broken EXIF block is common on the web; viewers show such a photo as it lies
    return found if found in _TURNS else 1


def _turned(lying: Pixels, orientation: int) -> Pixels:
    turn = _TURNS.get(orientation)
    return np.ascontiguousarray(turn(lying)) if turn else lying
