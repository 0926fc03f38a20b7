"""Colours that a file names by numbers, as AVIF and newer PNG do, in place of an ICC profile.

Source of the numbers: ITU-T H.273. Brightness beyond a screen's (PQ, HLG) is not mapped: such a picture is shown as its
pixels are.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

Levels = np.ndarray[Any, np.dtype[np.float64]]

# Red, green and blue as XYZ, adapted to D50.
_PRIMARIES = {
    9: ((0.67346, 0.27904, -0.00193), (0.16566, 0.67534, 0.02998), (0.12510, 0.04561, 0.79686)),
    12: ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
}
"""BT.2020 and Display P3; BT.709 is sRGB's own."""
_D50 = (0.9642, 1.0, 0.8249)
_CURVE_POINTS = 1024


def _srgb(level: Levels) -> Levels:
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def _television(level: Levels) -> Levels:
    return np.where(level < 0.081, level / 4.5, ((level + 0.099) / 1.099) ** (1 / 0.45))


_TO_LIGHT: dict[int, Callable[[Levels], Levels]] = {
    4: lambda level: level**2.2,
    13: _srgb,
    **dict.fromkeys((1, 6, 14, 15), _television),
}


@lru_cache(maxsize=16)
def profile_of(primaries: int, transfer: int) -> bytes:
    """An ICC 2.1 profile of these colours; b"" where they are sRGB's, unknown, or brighter than a screen."""
    if primaries not in _PRIMARIES or transfer not in _TO_LIGHT:
        return b""
    light = _TO_LIGHT[transfer](np.linspace(0, 1, _CURVE_POINTS))
    levels = (light * 65535).round().astype(">u2").tobytes()
    curve = b"curv\0\0\0\0" + struct.pack(">I", _CURVE_POINTS) + levels
    tags = {b"wtpt": _xyz(_D50)}
    for name, column in zip((b"r", b"g", b"b"), _PRIMARIES[primaries], strict=True):
        tags |= {name + b"XYZ": _xyz(column), name + b"TRC": curve}
    return _profile(tags)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(content))
        body += content
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0")
    head += struct.pack(">3i", *(round(value * 65536) for value in _D50))
    return head.ljust(128, b"\0") + table + body
