"""Bytes to a picture that was read to its last byte, whole or reduced. Nothing in the bytes is trusted.

The reader is chosen by the first bytes, never by a name or by trying: no other parser can be reached.
"""

import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import AvifImagePlugin, Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from btfer.errors import ImageError
from btfer.images import avif, avif_side_data, jpeg, png, webp
from btfer.images.colour import Pixels, eight_bits, to_srgb
from btfer.images.extra_formats import EXTRA_OF, has_lost_pages, is_read_here, open_extra
from btfer.images.first_bytes import format_of, is_cut
from btfer.images.orientation import SIDEWAYS, orientation_in, turned

FORMATS = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "AVIF": "avif",
    "HEIC": "heic",
    "JPEG XL": "jxl",
}
MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 40

# Short and long side that a reduced picture has at least. JPEG is reduced in its own DCT: 99.8 % of
# 1,093 photos kept their pHash within 2 bits. Others are averaged over squares, after they were read whole.
LEAST_PX = {"JPEG": (64, 160), "other": (256, 320)}

Opened = TypeVar("Opened")
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
_WITHOUT_SIDE_DATA = {
    "JPEG": jpeg.without_side_data,
    "WEBP": webp.without_side_data,
    "AVIF": avif_side_data.without_side_data,
}
_IS_DAMAGED = {  # though a reader shows it
    "WEBP": webp.has_lost_pages,
    "AVIF": avif.is_damaged,
    "HEIC": has_lost_pages,
}
_FAILURES = (
    OSError, SyntaxError, ValueError, EOFError, RuntimeError, OverflowError,
    TypeError, KeyError, IndexError, struct.error,
)  # fmt: skip


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
        return turned(lying, self.orientation)


@dataclass(frozen=True)
class _Opened:
    """A photo whose header was read. data: what its reader sees. image: in JPEG, it can still be drafted.

    orientation: how it is to be turned after it was cut to `region`, if that is not None.
    """

    data: bytes
    format: str
    image: ImageFile.ImageFile
    orientation: int
    region: avif.Region | None = None


def decode_rgb(data: bytes) -> Pixels:
    """The pixels of a photo, uint8 [H, W, 3], RGB, upright, sRGB.

    Raises ImageError with the reason `empty`, `not an image`, `format`, `animated`,
    `too many pixels`, `too many scans` or `truncated`.
    """
    opened = _open(data)
    return turned(np.asarray(to_srgb(_load(opened))), opened.orientation)


def decode_reduced(data: bytes) -> ReducedPhoto:
    """A photo that was read to its last byte, as small as its hash and its thumbnail allow.

    Raises ImageError as `decode_rgb`, and with the reason `too small`.
    """
    opened = _open(data)
    left, top, right, bottom = opened.region or (0, 0, *opened.image.size)
    width, height = _large_enough(right - left, bottom - top)
    short, long = LEAST_PX["JPEG"]
    draft = opened.image.draft("RGB", (long, short) if width >= height else (short, long))
    drafted = draft is not None and opened.image.size != (width, height)
    image = _load(opened)
    if opened.format in EXTRA_OF:
        # Its header may name an aperture that cannot be, which no reader heeds.
        width, height = _large_enough(*image.size)
    small, box = (image, draft[1]) if draft else _averaged(image)
    if opened.orientation in SIDEWAYS:
        width, height = height, width
    kind = FORMATS[opened.format]
    return ReducedPhoto(to_srgb(small), box, drafted, opened.orientation, kind, width, height)


def _large_enough(width: int, height: int) -> tuple[int, int]:
    if min(width, height) < MIN_SIDE_PX:
        raise ImageError(
            "too small", f"{width}x{height} px; the shorter side must be at least {MIN_SIDE_PX} px"
        )
    return width, height


def _open(data: bytes) -> _Opened:
    """A photo of which the header was read only."""
    if not data:
        raise ImageError("empty", "0 bytes")
    format_ = format_of(data)
    if not format_:
        raise ImageError("not an image", f"the file begins with {data[:16]!r}")
    if format_ not in FORMATS:
        accepted = [*_READERS, *filter(is_read_here, EXTRA_OF)]
        raise ImageError("format", f"{format_}; accepted are {', '.join(accepted)}")
    opened = _with_header(data, format_)
    image = opened.image
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            "too many pixels", f"{image.width}x{image.height}, more than {MAX_PIXELS:,}"
        )
    if format_ in _READERS and getattr(image, "is_animated", False):
        raise ImageError("animated", f"{getattr(image, 'n_frames', 0)} frames")
    if format_ == "JPEG" and jpeg.has_too_many_scans(data):
        raise ImageError("too many scans", f"more than {jpeg.MAX_SCANS}")
    return opened


def _with_header(data: bytes, format_: str) -> _Opened:
    if format_ in EXTRA_OF:
        image, exif = _reading(lambda: open_extra(data, format_), data, format_)
        return _Opened(data, format_, image, orientation_in(exif))
    if format_ == "PNG":
        parts = png.split_png(data)
        if parts.n_frames > 1:
            raise ImageError("animated", f"{parts.n_frames} frames")
        image = _reader(parts.picture, format_)
        if parts.profile:
            image.info["icc_profile"] = parts.profile
        return _Opened(parts.picture, format_, image, orientation_in(parts.exif))
    try:
        image = _reader(data, format_)
    except ImageError as error:
        if error.reason != "not an image":
            raise
        data = _WITHOUT_SIDE_DATA[format_](data)  # it may be that which the reader stumbled over
        image = _reader(data, format_)
    region = None
    if format_ == "AVIF":
        region = avif.aperture(data, image.size)
        if "icc_profile" not in image.info and (named := avif.profile(data)):
            image.info["icc_profile"] = named
    return _Opened(data, format_, image, orientation_in(image.info.get("exif", b"")), region)


def _reader(data: bytes, format_: str) -> ImageFile.ImageFile:
    return _reading(lambda: _READERS[format_](io.BytesIO(data)), data, format_)


def _reading(read: Callable[[], Opened], data: bytes, format_: str) -> Opened:
    try:
        return read()
    except Image.DecompressionBombError:
        raise ImageError("too many pixels", f"more than {MAX_PIXELS:,}") from None
    except _FAILURES as error:
        reason = "truncated" if is_cut(data, format_) else "not an image"
        raise ImageError(reason, str(error)[:80]) from None


def _load(opened: _Opened) -> Image.Image:
    """All pixels, inside the clean aperture where there is one."""
    image = opened.image
    try:
        if opened.format == "JPEG":
            return jpeg.load_jpeg(opened.data, opened.image)
        if opened.format == "PNG":
            return png.load_png(opened.data, opened.image)
        image.load()  # verify() passes on a truncated JPEG, load() raises
    except _FAILURES as error:
        raise ImageError("truncated", str(error)[:80]) from None
    if (is_damaged := _IS_DAMAGED.get(opened.format)) and is_damaged(opened.data):
        raise ImageError("truncated", "a part of its data is damaged")
    return image.crop(opened.region) if opened.region else image


def _averaged(image: Image.Image) -> tuple[Image.Image, RelativeBox]:
    """A picture of a format without a reduced decode, averaged over squares of whole pixels."""
    short, long = LEAST_PX["other"]
    factor = min(min(image.size) // short, max(image.size) // long)
    if factor < 2:
        return image, (0, 0, *image.size)
    plain = eight_bits(image)
    small = plain.reduce(factor)
    small.info = plain.info
    return small, (0, 0, image.width / factor, image.height / factor)
