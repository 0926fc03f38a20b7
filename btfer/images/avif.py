"""AVIF's container and the second opinion on its pixels.

Pillow reads AVIF with dav1d, which shows a picture of damaged data without a word; OpenCV reads it with libaom,
which looks at the end of every tile. Neither cuts a picture to its clean aperture.
"""

import io
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from btfer.images.avif_side_data import associations, grey_and_transparency
from btfer.images.boxes import boxes, inside
from btfer.images.cicp import profile_of

Region = tuple[int, int, int, int]
_GREY = 0x10  # in the third byte of `av1C`


def is_damaged(data: bytes) -> bool:
    """Whether libaom refuses what dav1d has shown; never where OpenCV was built without it."""
    if not _second_reader() or _is_read(data) or not _is_known(data):
        return False
    # OpenCV reads no grey picture with transparency, but either of them; of some, the transparency it does not know.
    parts = grey_and_transparency(data) if _is_grey(data) else None
    return not parts or any(not _is_read(part) and _is_known(part) for part in parts)


def _is_grey(data: bytes) -> bool:
    return any(
        name == b"av1C" and len(content) > 2 and content[2] & _GREY
        for name, content in _properties(data)
    )


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
    if held is None:
        return
    properties = list(boxes(data, *held))
    tables = [data[at:stop] for name, at, stop in boxes(data, *iprp) if name == b"ipma"]
    its = (one.numbers for table in tables for one in associations(table) if one.item == item)
    for index in next(its, ()):
        if 0 < index <= len(properties):
            name, at, stop = properties[index - 1]
            yield name, data[at:stop]


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
