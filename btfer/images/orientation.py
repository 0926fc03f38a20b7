"""How a photo is to be turned: EXIF's orientation, read as browsers read it."""

import struct
from collections.abc import Callable

import numpy as np

from btfer.images.colour import Pixels

UPRIGHT = 1
SIDEWAYS = {5, 6, 7, 8}

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
_TAG = 0x0112
_NUMBER = {1: "B", 3: "H", 4: "I"}  # as TIFF numbers them; a SHORT by the standard


def orientation_in(exif: bytes) -> int:
    """The orientation, 1-8, that an EXIF block states for its photo; 1 where it states none or is broken.

    The first that counts is taken. What XMP says beside it is not looked at, and neither is the thumbnail's.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (n_entries,) = struct.unpack_from(order + "H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * n_entries, 12):
            tag, kind, n_values = struct.unpack_from(order + "HHI", tiff, entry)
            if tag == _TAG and n_values == 1 and kind in _NUMBER:
                (found,) = struct.unpack_from(order + _NUMBER[kind], tiff, entry + 8)
                return int(found) if found in _TURNS else UPRIGHT
    except struct.error:  # it ends too early
        pass
    return UPRIGHT


def turned(lying: Pixels, orientation: int) -> Pixels:
    """Pixels as they lie in the file, turned and mirrored as the orientation asks."""
    turn = _TURNS.get(orientation)
    return np.ascontiguousarray(turn(lying)) if turn else lying
