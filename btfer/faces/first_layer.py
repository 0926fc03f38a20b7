"""PNet's first layer with its pooling: a convolution of three channels to ten, which OpenVINO has no good shape for.

It takes a third of the time here, and knows where a level ends: of an odd side, Keras pools the last row or
column alone, where the canvas goes on.
"""

from typing import Any

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple
from numpy.typing import NDArray

from btfer.faces.weights import Weights
from btfer.jit import compiled

Floats = NDArray[np.float32]
U = np.uintp  # a signed index would be looked at, whether it counts from the end

TAPS = 9  # of a 3x3 window
_as_tuple: Any = to_fixed_tuple  # its own signature is that of what numba compiles it to


class FirstLayer:
    """Convolution 3x3, PReLU and max pooling 2x2 of PNet, by the package's weights."""

    def __init__(self, weights: Weights) -> None:
        """weights: kernel float32 [3, 3, 3, channels], bias [channels], slopes [1, 1, channels]."""
        kernel, bias, slopes = weights
        self._kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1).reshape(len(bias), -1))
        self._bias, self._slopes = bias, np.ascontiguousarray(slopes.ravel())

    def __call__(self, picture: Floats, parts: NDArray[np.int64]) -> Floats:
        """Of a canvas, float32 [3, H, W]; float32 [1, channels, (H - 1) // 2, (W - 1) // 2], 0 between the parts.

        parts: int64 [N, 4], top, left, bottom, right of each level's part of the canvas; top and left are even.
        """
        _, height, width = picture.shape
        size = len(self._bias), (height - 1) // 2, (width - 1) // 2
        pooled = np.zeros((1, *size), np.float32)
        for top, left, bottom, right in parts:
            if bottom - top > 2 and right - left > 2:
                where = (int(top), int(left), int(bottom), int(right))
                _pool(pooled[0], picture, where, self._kernel, self._bias, self._slopes)
        return pooled


@compiled
def _window(w: Any, above: Floats, middle: Floats, below: Floats, x: Any) -> Any:
    """One channel's share of a place; w: its nine weights."""
    upper = w[0] * above[x] + w[1] * above[x + U(1)] + w[2] * above[x + U(2)]
    centre = w[3] * middle[x] + w[4] * middle[x + U(1)] + w[5] * middle[x + U(2)]
    return upper + centre + w[6] * below[x] + w[7] * below[x + U(1)] + w[8] * below[x + U(2)]


@compiled
def _row(
    line: Floats, picture: Floats, y: Any, left: Any, kernel: Floats, bias: Any, slope: Any
) -> None:
    """One row of one channel of the result, before it is pooled; `line` is as long as it."""
    of_red = _as_tuple(kernel[:TAPS], TAPS)
    of_green = _as_tuple(kernel[TAPS : 2 * TAPS], TAPS)
    of_blue = _as_tuple(kernel[2 * TAPS :], TAPS)
    # Rows by themselves: with a view that is made in the loop it has no vectors, and takes ten times as long.
    r0, r1, r2 = picture[0, y, left:], picture[0, y + 1, left:], picture[0, y + 2, left:]
    g0, g1, g2 = picture[1, y, left:], picture[1, y + 1, left:], picture[1, y + 2, left:]
    b0, b1, b2 = picture[2, y, left:], picture[2, y + 1, left:], picture[2, y + 2, left:]
    for x in range(U(len(line))):
        value = bias + _window(of_red, r0, r1, r2, x)
        value += _window(of_green, g0, g1, g2, x) + _window(of_blue, b0, b1, b2, x)
        line[x] = max(value, np.float32(0)) + slope * min(value, np.float32(0))


@compiled
def _pool_rows(out: Floats, one: Floats, other: Floats) -> None:
    """The largest of each two by two; of an odd number the last by itself."""
    columns = len(one)
    for x in range(U(columns // 2)):
        left = max(one[U(2) * x], other[U(2) * x])
        out[x] = max(left, max(one[U(2) * x + U(1)], other[U(2) * x + U(1)]))
    if columns % 2:
        out[columns // 2] = max(one[columns - 1], other[columns - 1])


@compiled
def _pool(
    pooled: Floats, picture: Floats, where: Any, kernel: Floats, bias: Floats, slopes: Floats
) -> None:
    """One level's part of a canvas. where: its top and left, which are even, bottom and right."""
    top, left, bottom, right = where
    lines = np.empty((2, right - left - 2), np.float32)
    for channel in range(len(bias)):
        for y in range(top, bottom - 2):
            line = lines[y % 2]
            _row(line, picture, y, left, kernel[channel], bias[channel], slopes[channel])
            if y % 2 or y == bottom - 3:
                _pool_rows(pooled[channel, y // 2, left // 2 :], lines[0], line)
