"""JPEG, read so that libjpeg's warnings count: it warns of damage, shows what it can, and Pillow does not pass it on.

Its warnings about side data are no damage (a colour profile in pieces, a foreign JFIF version, the parameters that
some phones write into their scans): a photo that is clean without its side data is a good photo.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageFile

MAX_SCANS = 100  # a progressive JPEG has about ten; thousands keep a core busy for minutes

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_MARKER = re.compile(
    rb"\xff[^\x00\xd0-\xd7\xff]"
)  # stuffed bytes, restart marks and fill bytes are none
_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
_SEQUENTIAL = {0xC0, 0xC1, 0xC9}
_ALL_COEFFICIENTS = bytes([0, 63, 0])
_JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


def load_jpeg(data: bytes, opened: ImageFile.ImageFile) -> Image.Image:
    """The pixels of a JPEG in the size that `opened` has or was drafted to, with its `info`.

    Raises OSError or ValueError where a part of the picture is damaged or missing.
    """
    if opened.mode == "CMYK":  # Pillow knows which of them are inverted
        _decoded(data, "CMYK", (1, 1))
        opened.load()
        return opened
    pixels = _decoded(data, opened.mode, opened.size)
    if pixels is None or pixels.shape[:2] != (opened.height, opened.width):
        opened.load()
        return opened
    image = Image.fromarray(pixels[..., 0] if opened.mode == "L" else pixels)
    image.info = opened.info
    return image


def has_too_many_scans(data: bytes) -> bool:
    """Whether the picture itself, not what stands behind it, has more than MAX_SCANS scans."""
    if data.count(b"\xff\xda") <= MAX_SCANS:
        return False
    return sum(marker == _SCAN for marker, _, _ in _segments(data)) > MAX_SCANS


def without_side_data(data: bytes) -> bytes:
    """The same picture without metadata, comments, thumbnails, junk in its header and bytes behind its end.

    What decides about its colours stays: that it is JFIF, and Adobe's transform.
    """
    kept, end, sequential, in_scan = [data[:2]], 2, False, False
    for marker, start, stop in _segments(data):
        if in_scan:
            kept.append(data[end:start])  # between two segments of a header are junk bytes
        segment = data[start:stop]
        if marker in _SEQUENTIAL:
            sequential = True
        if marker == _SCAN and sequential:
            segment = segment[:-3] + _ALL_COEFFICIENTS
        if 0xE0 <= marker <= 0xEF:
            segment = _of_colour(marker, segment)
        if marker != _COMMENT:
            kept.append(segment)
        end, in_scan = stop, marker == _SCAN
    return b"".join(kept) + (data[end:] if in_scan else b"")


def _decoded(data: bytes, mode: str, size: tuple[int, int]) -> np.ndarray[Any, Any] | None:
    """The pixels in the smallest scale that has this size; None for sampling that the library does not know."""
    import simplejpeg  # takes 20 ms, which commands without photos need not spend

    options = {"colorspace": _SPACES[mode], "min_width": size[0], "min_height": size[1]}
    try:
        try:
            pixels: np.ndarray[Any, Any] = simplejpeg.decode_jpeg(data, **options)
        except ValueError:
            pixels = simplejpeg.decode_jpeg(without_side_data(data), **options)
    except ValueError as error:
        if "subsampling" in str(error):
            return None
        raise
    return pixels


def _of_colour(marker: int, segment: bytes) -> bytes:
    """What an application's segment says about colours, in the form that every reader understands; b"" for nothing."""
    if marker == 0xE0 and segment[4:9] == b"JFIF\0":
        return _JFIF
    if marker == 0xEE and segment[4:9] == b"Adobe" and len(segment) >= 16:
        return segment if segment[15] <= 2 else segment[:15] + b"\1" + segment[16:]
    return b""


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of every segment from the first to the end of the picture."""
    at = 2
    while found := _MARKER.search(data, at):
        start, marker = found.start(), data[found.start() + 1]
        at = start + 2
        if marker != _END and marker > 1:  # these two have no length
            at += max(2, int.from_bytes(data[at : at + 2]))
        yield marker, start, at
        if marker == _END:
            return
