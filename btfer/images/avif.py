"""AVIF's container and the second opinion on its pixels.

Pillow reads AVIF with dav1d, which shows a picture of damaged data without a word; OpenCV reads it with libaom,
which looks at the end of every tile. Neither cuts a picture to its clean aperture.
"""

import io
import re
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from btfer.images.boxes import boxes, inside
from btfer.images.cicp import profile_of

Region = tuple[int, int, int, int]

# An entry of the item list that is EXIF, or a gain map for screens of more brightness: its type is the last word.
_SIDE_ITEM = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))(?:Exif|tmap)", re.DOTALL)


def without_side_data(data: bytes) -> bytes:
    """The same file, no byte longer or shorter, in which no item is EXIF or a gain map."""
    return next(
        (
            data[:start] + _SIDE_ITEM.sub(rb"\1skip", data[start:stop]) + data[stop:]
            for name, start, stop in boxes(data, 0, len(data))
            if name == b"meta"
        ),
        data,
    )


def is_damaged(data: bytes) -> bool:
    """Whether libaom refuses what dav1d has shown; never where OpenCV was built without it."""
    return _second_reader() and not _is_read(data) and _is_known(data)


def aperture(data: bytes, size: tuple[int, int]) -> Region | None:
    """The clean aperture of the primary picture, of `size`: left, top, right, bottom; None where all of it is clean.

    Source: ISO/IEC 14496-12, `clap`. One that is not whole pixels inside the picture is ignored, as browsers do.
    """
    clap = next((content for name, content in _properties(data) if name == b"clap"), b"")
    if len(clap) < 32:
        return None
    numbers = np.frombuffer(clap[:32], ">i4").tolist()
    if not all(below > 0 for below in numbers[1::2]):
        return None
    width, height, x, y = (Fraction(*numbers[i : i + 2]) for i in (0, 2, 4, 6))
    left, top = x + (size[0] - width) / 2, y + (size[1] - height) / 2
    sides = (left, top, left + width, top + height)
    inside = 0 <= left < sides[2] <= size[0] and 0 <= top < sides[3] <= size[1]
    if not inside or any(side.denominator != 1 for side in sides):
        return None
    region = (int(left), int(top), int(sides[2]), int(sides[3]))
    return None if region == (0, 0, *size) else region


def profile(data: bytes) -> bytes:
    """The ICC profile of colours that are named by numbers (`nclx`); b"" where they are sRGB's or not named."""
    for name, content in _properties(data):
        if name == b"colr" and content[:4] == b"nclx" and len(content) >= 8:
            return profile_of(int.from_bytes(content[4:6]), int.from_bytes(content[6:8]))
    return b""


def _properties(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the primary item's properties."""
    meta = inside(data, 0, len(data), b"meta")
    if meta is None:
        return
    start, end = meta[0] + 4, meta[1]
    primary = inside(data, start, end, b"pitm")
    iprp = inside(data, start, end, b"iprp")
    if primary is None or iprp is None:
        return
    wide = data[primary[0]] > 0
    item = int.from_bytes(data[primary[0] + 4 : primary[0] + (8 if wide else 6)])
    held = inside(data, *iprp, b"ipco")
    listed = inside(data, *iprp, b"ipma")
    if held is None or listed is None:
        return
    properties = list(boxes(data, *held))
    for index in _associated(data[slice(*listed)], item):
        if 0 < index <= len(properties):
            name, at, stop = properties[index - 1]
            yield name, data[at:stop]


def _associated(table: bytes, item: int) -> list[int]:
    """The numbers, from 1, of an item's properties by the table `ipma`."""
    id_bytes = 4 if table[:1] > b"\0" else 2
    index_bytes = 2 if table[3:4] and table[3] & 1 else 1
    at, n_items = 8, int.from_bytes(table[4:8])
    for _ in range(n_items):
        if at >= len(table):
            break
        found = int.from_bytes(table[at : at + id_bytes])
        at += id_bytes
        count = table[at] if at < len(table) else 0
        ends = range(at + 1, at + 2 + count * index_bytes, index_bytes)
        if found == item:
            mask = (1 << (8 * index_bytes - 1)) - 1  # the first bit says whether it is essential
            return [int.from_bytes(table[a:b]) & mask for a, b in pairwise(ends)]
        at += 1 + count * index_bytes
    return []


def _is_read(data: bytes) -> bool:
    import cv2

    data = _sized(data)
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None


def _sized(data: bytes) -> bytes:
    """The same file in which the last box, if it goes to the end, says how long it is: OpenCV wants to know."""
    at = 0
    for _, _, stop in boxes(data, 0, len(data)):
        if stop == len(data) and data[at : at + 4] == bytes(4):
            return data[:at] + (stop - at).to_bytes(4) + data[at + 4 :]
        at = stop
    return data


def _is_known(data: bytes) -> bool:
    """Whether OpenCV takes the file for an AVIF at all: it asks the first 500 bytes, which is not always enough."""
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.avif"
        path.write_bytes(data[:4096])
        return bool(cv2.haveImageReader(str(path)))


@cache
def _second_reader() -> bool:
    """Whether this OpenCV reads AVIF; from now on it does not print what it could not read."""
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    probe = io.BytesIO()
    Image.new("RGB", (16, 16)).save(probe, "AVIF")
    return _is_read(probe.getvalue())
