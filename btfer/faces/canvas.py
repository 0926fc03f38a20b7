"""All levels of a photo drawn on one canvas, so that PNet runs once a photo.

OpenVINO prepares itself anew for each picture size that it has not met, for a millisecond and half a
megabyte, and every photo has ten sizes of its own. A canvas has one, of a few that are allowed.

PNet has no padding, so each level's windows see nothing of its neighbours, but for one place: where a
level has an odd side, the last row or column of its first pooling has half a cell, and on the canvas the
other half would see beyond. So the first layer is told where each level ends (first_layer.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btfer.faces.pyramid import WINDOW_PX, Floats, PyramidLevel, resize_into
from btfer.images import Pixels

# Rows of columns of levels, finest first: with each level 0.709 of the one before, a tenth stays empty.
LAYOUT = (((0,),), ((1,), (4, 5, 6, 7)), ((2,), (3,), tuple(range(8, 64))))
BAND_PX = 300_000  # of the canvas at a time: PNet's layers take 130 bytes a pixel


@dataclass(frozen=True)
class LevelPlacement:
    """Where a level lies on the canvas; top and left are even, as PNet's pooling goes by twos.

    Negative where only a part of the level is on the canvas.
    """

    level: PyramidLevel
    top: int
    left: int

    def windows(self, first: int, rows: int, columns: int) -> "WindowRange":
        """This level's part of PNet's output, rows x columns, of a band whose first row of windows is `first`."""
        above, before = self.top // 2 - first, self.left // 2
        down = _part(above, self.level.height, rows)
        across = _part(before, self.level.width, columns)
        return WindowRange((down, across), (down.start - above, across.start - before))


@dataclass(frozen=True)
class WindowRange:
    """Rows and columns of PNet's output of one level; first: the level's own row and column they begin with."""

    in_band: tuple[slice, slice]
    first: tuple[int, int]


def _part(begin: int, length: int, count: int) -> slice:
    """Which of `count` windows in a line are of a level of so many pixels that begins at window `begin`."""
    windows = (length - 1) // 2 - (WINDOW_PX // 2 - 2)
    first = max(begin, 0)
    return slice(first, max(first, min(begin + windows, count)))


def arrange(levels: list[PyramidLevel]) -> list[LevelPlacement]:
    """A place for every level, finest first; none overlap."""
    places: list[LevelPlacement] = []
    top = 0
    for columns in LAYOUT:
        left, bottom = 0, top
        for column in columns:
            held = [number for number in column if number < len(levels)]
            down = top
            for number in held:
                places.append(LevelPlacement(levels[number], down, left))
                down += _even(levels[number].height)
            left += _even(levels[held[0]].width) if held else 0
            bottom = max(bottom, down)
        top = bottom
    return places


def _even(length: int) -> int:
    return length + length % 2


@dataclass(frozen=True)
class CanvasBand:
    """Some rows of the canvas, as PNet's two inputs, and the number of its first row of windows.

    picture: float32 [3, H, W], RGB, -1 to 1. parts: int64 [N, 4], top, left, bottom, right of what it shows of
    each level.
    """

    picture: Floats
    parts: NDArray[np.int64]
    first_window: int


def bands(pixels: Pixels, places: list[LevelPlacement]) -> Iterator[CanvasBand]:
    """The canvas from top to bottom, band by band, so that memory is bounded; most photos need one band.

    pixels: uint8 [H, W, 3], RGB, contiguous.
    Two bands share as many rows as a window is longer than its stride.
    """
    if not places:
        return
    height = max(place.top + place.level.height for place in places)
    width = _allowed(max(place.left + place.level.width for place in places))
    max_rows = max(BAND_PX // width, 8 * WINDOW_PX)
    shared = WINDOW_PX - 2
    for top in range(0, height - shared, _allowed(max_rows) - shared):
        rows = min(_allowed(max_rows), _allowed(height - top))
        yield _draw(pixels, places, top, rows, width)


def around(
    pixels: Pixels, level: PyramidLevel, centre: tuple[float, float], side_px: int
) -> tuple[CanvasBand, LevelPlacement]:
    """A small canvas, side_px both ways, with the part of a level around a point of the photo.

    pixels: uint8 [H, W, 3], RGB, contiguous. centre: x, y in photo pixels. side_px: even, and one of few values:
    see above.
    """
    top = _start(centre[1] * level.scale, level.height, side_px)
    left = _start(centre[0] * level.scale, level.width, side_px)
    place = LevelPlacement(level, -top, -left)
    return _draw(pixels, [place], 0, side_px, side_px), place


def _start(middle: float, length: int, side_px: int) -> int:
    """The even pixel of a level at which a part begins that has `middle` in it, and ends with the level."""
    start = min(int(middle) - side_px // 2, length - side_px)
    return _even(max(start, 0))


def _allowed(length: int) -> int:
    """The next even length with at most four binary digits before its zeros: 3 % more, in the mean."""
    unit = max(2, 1 << (length.bit_length() - 4))
    return -(-length // unit) * unit


def _draw(
    pixels: Pixels, places: list[LevelPlacement], top: int, rows: int, columns: int
) -> CanvasBand:
    picture = np.zeros((3, rows, columns), np.float32)
    parts: list[tuple[int, int, int, int]] = []
    for place in places:
        level, down, right = place.level, place.top - top, place.left
        if down >= rows or down + level.height <= 0:
            continue
        resize_into(picture, pixels, down, right, level)
        ends = min(down + level.height, rows), min(right + level.width, columns)
        parts.append((max(down, 0), max(right, 0), *ends))
    return CanvasBand(picture, np.array(parts, np.int64).reshape(-1, 4), top // 2)
