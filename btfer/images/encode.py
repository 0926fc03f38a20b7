"""Pictures that carry pixels and nothing else."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from btfer.errors import BtferError
from btfer.images.colour import Pixels
from btfer.images.decode import MAX_PIXELS

THUMBNAIL_QUALITY = 80
QUICK, THOROUGH = "paeth runs", "level 6"  # ways to pack a PNG: PACKINGS
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BIT_RGB = bytes([8, 2, 0, 0, 0])  # depth, colour type, deflate, filters, no interlace


def encode_png(pixels: Pixels, *, packing: str = QUICK) -> bytes:
    """A PNG of pixels and nothing else: no metadata, the same bytes each time.

    pixels: uint8 [H, W, 3], RGB, 0-255. packing: of the PACKINGS; QUICK takes an eighth of the time for a photo of
    a face, and 4 % more room (`benchmarks/crop.py`).
    """
    if packing not in PACKINGS:
        raise BtferError(f"a PNG packed '{packing}' is unknown: upgrade btfer")
    return PACKINGS[packing](pixels)


def _by_search(pixels: Pixels) -> bytes:
    return _encode(pixels, "PNG", compress_level=6)


def _by_runs(pixels: Pixels) -> bytes:
    """Each pixel as what it differs from Paeth's guess; a search for repetitions finds hardly any in that."""
    import cv2

    how = (
        *(cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
        *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH),
    )
    return bytes(cv2.imencode(".png", pixels[..., ::-1], how)[1])


PACKINGS = {QUICK: _by_runs, THOROUGH: _by_search}
"""Ways to write the same pixels; a crop's record names its own, and a crop without a record of it is THOROUGH."""


def is_whole_png(path: Path) -> bool:
    """Whether a file is there, begins as a PNG and ends as one: so it was not cut off, whatever is between."""
    data = path.read_bytes() if path.is_file() else b""
    return data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82")


def encode_jpeg(pixels: Pixels) -> bytes:
    """A small JPEG of quality 80, to look at only: a fifth of WebP's time at 160 px.

    pixels: uint8 [H, W, 3], RGB, 0-255.
    """
    return _encode(pixels, "JPEG", quality=THUMBNAIL_QUALITY)


def metadata_in(path: Path) -> list[str]:
    """Names of all embedded metadata of a PNG file (text, EXIF, ICC, ...): [] for a released image."""
    with Image.open(path) as image:
        image.load()
        return sorted(str(name) for name in image.info)


def bare_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG that is proven to hold 8-bit RGB pixels and not one byte more; None = no such PNG.

    Its chunks are IHDR, IDAT and IEND only, whole and with the right checksums, nothing stands behind them, and
    the pixel stream inflates to exactly the rows of the picture and ends with its chunk.
    """
    chunks = list(_chunks(data))
    names = [name for name, _ in chunks]
    if len(names) < 3 or names != [b"IHDR", *[b"IDAT"] * (len(names) - 2), b"IEND"]:
        return None
    head = chunks[0][1]
    if len(head) != 13 or head[8:] != _EIGHT_BIT_RGB or chunks[-1][1]:
        return None
    width, height = struct.unpack(">II", head[:8])
    if width * height > MAX_PIXELS:
        return None
    row = 1 + 3 * width
    return (width, height) if _fills(b"".join(d for _, d in chunks[1:-1]), row, height) else None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk; ends early, without IEND at the end, where something is not as it must be."""
    at = len(_SIGNATURE)
    if not data.startswith(_SIGNATURE):
        return
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + length
        content = data[at + 8 : end - 4]
        if end > len(data) or zlib.crc32(name + content) != int.from_bytes(data[end - 4 : end]):
            yield b"", b""
            return
        yield name, content
        at = end


def _fills(stream: bytes, row: int, height: int) -> bool:
    """Whether a deflated stream is exactly `height` rows of `row` bytes, each with a filter that there is."""
    inflater = zlib.decompressobj()
    try:
        pixels = inflater.decompress(stream, row * height + 1)
    except zlib.error:
        return False
    whole = inflater.eof and not inflater.unused_data and len(pixels) == row * height
    return whole and height > 0 and max(pixels[::row]) <= 4


def _encode(pixels: Pixels, format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    # From bare pixels: a decoded Image would hand its profile and its comment on to the file.
    Image.fromarray(pixels).save(buffer, format_, **options)
    return buffer.getvalue()
