"""The square parts of a photo that the second and the third network look at."""

import numpy as np
from numpy.typing import NDArray

from btfer.images import Pixels
from btfer.jit import compiled

Floats = NDArray[np.float32]


def cut_patches(pixels: Pixels, corners: NDArray[np.float64], *, size_px: int) -> Floats:
    """Each box as float32 [N, 3, size_px, size_px], RGB, -1 to 1; what lies outside the photo is mid-grey (0).

    pixels: uint8 [H, W, 3], RGB. corners: float64 [N, 4], left, top, right, bottom in its pixels. The rule is that
    of TensorFlow's `crop_and_resize` as the mtcnn package calls it: corners divided by the sides and multiplied by
    the sides less 1, points at both ends, linear between four pixels; a point outside the outermost pixels' middles
    is grey as a whole.
    """
    patches = np.empty((len(corners), 3, size_px, size_px), np.float32)
    _cut(patches, pixels, corners)
    return patches


@compiled
def _point(
    at: int, begin: float, end: float, length: int, size: int
) -> tuple[int, int, np.float32]:
    """The two pixels beside a point, and how far it is from the first; the first is -1 where it is outside."""
    last = length - 1
    point = np.float32(begin / length * last + at * ((end - begin) / length * last / (size - 1)))
    if point < 0 or point > last:
        return -1, -1, np.float32(0)
    before = int(point)
    return before, min(before + 1, last), np.float32(point - before)


@compiled
def _cut(patches: Floats, pixels: Pixels, corners: NDArray[np.float64]) -> None:
    height, width = pixels.shape[0], pixels.shape[1]
    size = patches.shape[3]
    left, right = np.empty(size, np.int64), np.empty(size, np.int64)
    share = np.empty(size, np.float32)
    scale, middle = np.float32(1 / 128), np.float32(127.5 / 128)
    for n in range(len(corners)):
        for x in range(size):
            left[x], right[x], share[x] = _point(x, corners[n, 0], corners[n, 2], width, size)
        for y in range(size):
            above, below, down = _point(y, corners[n, 1], corners[n, 3], height, size)
            for x in range(size):
                for channel in range(3):
                    if above < 0 or left[x] < 0:
                        patches[n, channel, y, x] = 0
                        continue
                    a = np.float32(pixels[above, left[x], channel])
                    b = np.float32(pixels[above, right[x], channel])
                    c = np.float32(pixels[below, left[x], channel])
                    d = np.float32(pixels[below, right[x], channel])
                    upper, lower = a + (b - a) * share[x], c + (d - c) * share[x]
                    patches[n, channel, y, x] = (upper + (lower - upper) * down) * scale - middle
