"""The photo at the sizes at which PNet, whose window is 12x12, looks for faces."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btfer.images import Pixels
from btfer.jit import compiled

Floats = NDArray[np.float32]
U = np.uintp  # a signed index would be looked at, whether it counts from the end

WINDOW_PX = 12
STEP = 0.709
LEAST_FACE_PX = 20  # what the finest level is for; a finer grid would be another detector


@dataclass(frozen=True)
class PyramidLevel:
    """One size of the photo: its factor and its height and width in pixels."""

    scale: float
    height: int
    width: int


def levels(height: int, width: int, *, min_face_px: int = LEAST_FACE_PX) -> list[PyramidLevel]:
    """The mtcnn package's own sizes for a photo of height x width pixels, finest first, less those for smaller faces.

    The grid is 0.6 * 0.709^k for every photo, and only whole levels are left out: with any other grid,
    a tenth of the boxes move. Empty where the photo is too small for any.
    """
    least = min(height, width)
    count = round(math.log(least / WINDOW_PX) / -math.log(STEP) - 1) if least > WINDOW_PX else 0
    scales = (
        WINDOW_PX / LEAST_FACE_PX * STEP**k for k in range(levels_skipped(min_face_px), count)
    )
    return [PyramidLevel(scale, int(height * scale), int(width * scale)) for scale in scales]


def levels_skipped(min_face_px: int) -> int:
    """How many of the finest levels find only faces smaller than this: 0 for 20 px, 1 from 29, 2 from 40."""
    finer = max(min_face_px, LEAST_FACE_PX) / LEAST_FACE_PX
    return int(math.log(finer) / -math.log(STEP))


def resize_into(canvas: Floats, pixels: Pixels, top: int, left: int, level: PyramidLevel) -> None:
    """Draw a level into float32 [3, H, W] at (top, left): the exact mean of the area under each pixel, -1 to 1.

    pixels: uint8 [H, W, 3], RGB, contiguous. The canvas can begin within the level (top or left are then negative)
    and end within it. Rounding to whole numbers, as cv2.resize does for uint8, costs 2 % of the boxes.
    """
    _area(canvas, pixels, top, left, level.height, level.width)


@compiled
def _cover(at: int, step: float, length: int) -> tuple[int, int, float, float]:
    """Which pixels lie under pixel `at` of a picture smaller by `step`: first, last, and their weights."""
    begin, end = at * step, min((at + 1) * step, float(length))
    first = int(begin)
    last = max(min(math.ceil(end) - 1, length - 1), first)
    return first, last, min(first + 1.0, end) - begin, end - last


@compiled
def _sum_rows(
    row: Floats,
    source: Pixels,
    above: int,
    below: int,
    weight: np.float32,
    weight_below: np.float32,
    begin: Any,
    end: Any,
) -> None:
    """Sum of rows `above` to `below`, the first and the last by their weights, from column `begin` to `end`."""
    first = source[above]
    for x in range(begin, end):
        row[x] = weight * first[x]
    for between in range(above + 1, below):
        whole = source[between]
        for x in range(begin, end):
            row[x] += whole[x]
    if below > above:
        last = source[below]
        for x in range(begin, end):
            row[x] += weight_below * last[x]


@compiled
def _area(canvas: Floats, pixels: Pixels, top: int, left: int, height: int, width: int) -> None:
    rows, columns = pixels.shape[0], pixels.shape[1]
    tall, wide = rows / height, columns / width
    source = pixels.reshape(rows, columns * 3)
    begin, end = np.empty(width, np.int32), np.empty(width, np.int32)
    first, last = np.empty(width, np.float32), np.empty(width, np.float32)
    for x in range(width):
        begin[x], end[x], first[x], last[x] = _cover(x, wide, columns)
    left_most, right_most = max(0, -left), min(width, canvas.shape[2] - left)
    if left_most >= right_most:
        return
    under = U(3 * begin[left_most]), U(3 * (end[right_most - 1] + 1))
    row = np.empty(columns * 3, np.float32)
    share, middle = np.float32(1 / (tall * wide) / 128), np.float32(127.5 / 128)
    for y in range(max(0, -top), min(height, canvas.shape[1] - top)):
        above, below, weight, weight_below = _cover(y, tall, rows)
        _sum_rows(row, source, above, below, np.float32(weight), np.float32(weight_below), *under)
        for x in range(left_most, right_most):
            at, w = 3 * begin[x], first[x]
            red, green, blue = w * row[at], w * row[at + 1], w * row[at + 2]
            for column in range(begin[x] + 1, end[x]):
                red += row[3 * column]
                green += row[3 * column + 1]
                blue += row[3 * column + 2]
            if end[x] > begin[x]:
                at, w = 3 * end[x], last[x]
                red, green, blue = (
                    red + w * row[at],
                    green + w * row[at + 1],
                    blue + w * row[at + 2],
                )
            canvas[0, top + y, left + x] = red * share - middle
            canvas[1, top + y, left + x] = green * share - middle
            canvas[2, top + y, left + x] = blue * share - middle
