"""Formats that are read where their extra is installed: HEIC of telephones, and JPEG XL."""

import io
from collections.abc import Callable
from fractions import Fraction

from PIL import Image, ImageFile

from btfer.errors import ImageError
from btfer.extras import installed
from btfer.images.boxes import coded_parts

EXTRA_OF = {"HEIC": "heif", "JPEG XL": "jxl"}
_LOST = bytes(64)
_MODULE_OF = {"HEIC": "pillow_heif", "JPEG XL": "pillow_jxl"}
# Width beside height in a JPEG XL's size header; ISO/IEC 18181-1, 9.1.
_RATIOS = tuple(map(Fraction, ("1", "6/5", "4/3", "3/2", "16/9", "5/4", "2")))


def is_read_here(format_: str) -> bool:
    """Whether the extra of one of these formats is installed."""
    return format_ in EXTRA_OF and installed(_MODULE_OF[format_])


def open_extra(data: bytes, format_: str) -> tuple[ImageFile.ImageFile, bytes]:
    """A reader of an extra format, and the EXIF block that turns its picture, b"" where none does.

    Raises ImageError with the reason `format` where the extra is not installed.
    """
    if not is_read_here(format_):
        raise ImageError("format", f"{format_} needs pip install 'btfer[{EXTRA_OF[format_]}]'")
    return _heic(data) if format_ == "HEIC" else _jpeg_xl(data)


def _heic(data: bytes) -> tuple[ImageFile.ImageFile, bytes]:
    """Cut, turned and mirrored by libheif already: EXIF has no say in this format."""
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False  # a draft would be one of them
    pillow_heif.options.DEPTH_IMAGES = pillow_heif.options.AUX_IMAGES = False
    return pillow_heif.HeifImageFile(io.BytesIO(data)), b""


def _jpeg_xl(data: bytes) -> tuple[ImageFile.ImageFile, bytes]:
    """Decoded at once by its reader: so how large it is and whether it moves is read before."""
    bits = _Bits(_codestream(data))
    width, height = _size(bits)
    if width * height > (Image.MAX_IMAGE_PIXELS or 0):
        raise Image.DecompressionBombError(f"{width}x{height}")
    if _moves(bits):
        raise ImageError("animated", "a JPEG XL with frames")
    from pillow_jxl import JpegXLImagePlugin

    JpegXLImagePlugin.DECODE_THREADS = 0
    try:
        image: ImageFile.ImageFile = JpegXLImagePlugin.JXLImageFile(io.BytesIO(data))
    except (OSError, SyntaxError, ValueError, RuntimeError) as error:  # its header was read above
        raise ImageError("truncated", str(error)[:80]) from None
    # Its own picture is turned by the decoder; a JPEG in its place lies as its EXIF says.
    return image, image.info.get("exif", b"") if getattr(image, "jpeg", False) else b""


def has_lost_pages(data: bytes) -> bool:
    """Whether a HEIC's coded pixels end behind the file, or hold more zeros in a row than HEVC ever writes.

    libde265 shows grey there. Between two NAL units stand four bytes of length, and inside one no three zeros
    follow each other.
    """
    return any(
        end > len(data) or data.find(_LOST, start, end) >= 0 for start, end in coded_parts(data)
    )


class _Bits:
    """Numbers from a stream of bits, the lowest first. Raises ValueError at the end of its first kilobyte."""

    def __init__(self, data: bytes) -> None:
        self._left, self._number = 8 * min(len(data), 1024), int.from_bytes(data[:1024], "little")

    def take(self, n: int) -> int:
        self._left -= n
        if self._left < 0:
            raise ValueError("it ends in its header")
        found = self._number & ((1 << n) - 1)
        self._number >>= n
        return found


def _codestream(data: bytes) -> bytes:
    """What follows the two bytes that every JPEG XL begins with, in a container or bare."""
    if data[:2] == b"\xff\x0a":
        return data[2:1026]
    at = 0
    while at + 8 <= len(data):
        size, name, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        if name in (b"jxlc", b"jxlp"):
            start = at + head + (4 if name == b"jxlp" else 0)
            return data[start + 2 : start + 1026]
        if size < head:
            break
        at += size
    raise ValueError("it has no codestream")


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    side: Callable[[], int] = (
        (lambda: 8 * (1 + bits.take(5)))
        if small
        else (lambda: 1 + bits.take((9, 13, 18, 30)[bits.take(2)]))
    )
    height = side()
    ratio = bits.take(3)
    return (int(height * _RATIOS[ratio - 1]) if ratio else side()), height


def _moves(bits: _Bits) -> bool:
    all_default, extra_fields = bits.take(1), 0
    if not all_default:
        extra_fields = bits.take(1)
    if not extra_fields:
        return False
    bits.take(3)  # orientation
    if bits.take(1):
        _size(bits)  # of a screen it was made for
    if bits.take(1):
        _preview(bits)
    return bool(bits.take(1))


def _preview(bits: _Bits) -> None:
    eighths = bits.take(1)

    def side() -> None:
        if eighths:
            kind = bits.take(2)
            bits.take((0, 0, 5, 9)[kind])
        else:
            bits.take((6, 8, 10, 12)[bits.take(2)])

    side()
    if not bits.take(3):
        side()
