"""One random affine per image instead of four layers: rotation, shifts, zooms and flip, warped once.

The draws are those of the paper's generator, Keras's ImageDataGenerator: rotation, both shifts and
both zooms (x and y each for itself) uniform, a flip of every second image, the border repeated,
linear interpolation in floats. The pixels are its pixels, to 0.02 of a grey level.
"""

from typing import Any

import keras
import numpy as np

from btfer.bench.datasets.pixels import Pixels
from btfer.bench.train.protocol import Augmentation
from btfer.jit import compiled

Array = np.ndarray[Any, Any]
F = np.float32
I4, U, U4 = np.int32, np.uintp, np.uint32
LINE = 64  # bytes of the CPU's cache

GREY = np.array([[0.299], [0.587], [0.114]], np.float32)  # ITU-R 601, as Pillow's "L" and Keras


def affine(
    size_px: int,
    *,
    angle_degrees: Any = 0.0,
    shift_x: Any = 0.0,
    shift_y: Any = 0.0,
    zoom_x: Any = 1.0,
    zoom_y: Any = 1.0,
    flip: Any = False,
) -> Array:
    """float64 [..., 2, 3]: where in the source each output pixel (x, y) comes from.

    Each argument is a number or an array [...]. Rotation and zoom are about the centre; a zoom below
    1 enlarges. Shifts are shares of the side; positive ones move the content right and down, before
    it is mirrored.
    """
    cos, sin = np.cos(np.radians(angle_degrees)), np.sin(np.radians(angle_degrees))
    across = np.where(flip, -1.0, 1.0) * zoom_x
    x, y = -np.asarray(shift_x) * size_px, -np.asarray(shift_y) * size_px
    rows = [[cos * across, -sin * zoom_y, cos * x - sin * y]]
    rows += [[sin * across, cos * zoom_y, sin * x + cos * y]]
    matrix = np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=-2)
    centre = (size_px - 1) / 2
    matrix[..., 2] += centre - centre * matrix[..., :2].sum(axis=-1)
    return matrix


def draw_affines(
    rng: np.random.Generator, count: int, size_px: int, augmentation: Augmentation
) -> Array:
    """float64 [count, 2, 3]: a random `affine` for each image of a batch."""
    turn, x, y, zoom_x, zoom_y = rng.uniform(-1, 1, (5, count))
    mirrored = rng.random(count) < 0.5
    return affine(
        size_px,
        angle_degrees=turn * augmentation.rotation_degrees,
        shift_x=x * augmentation.shift,
        shift_y=y * augmentation.shift,
        zoom_x=1 + zoom_x * augmentation.zoom,
        zoom_y=1 + zoom_y * augmentation.zoom,
        flip=mirrored & augmentation.horizontal_flip,
    )


def warp(
    pixels: Pixels, chosen: Array, matrices: Array, scale: float = 1, offset: float = 0
) -> Array:
    """float32 [B, s, s, 3]: the chosen of uint8 [N, s, s, 3] under an `affine` each, times scale plus offset.

    What comes from outside repeats the border. Other Python threads run meanwhile. s is at least 2.
    """
    side = pixels.shape[1]
    out = _aligned(len(chosen) * side * side * 3)
    rows = matrices.reshape(len(chosen), 6).astype(np.float32)
    flat = pixels.reshape(-1)
    flat.setflags(write=False)  # as when mapped: compiled for one kind of array
    _warp(flat, side, chosen, rows, F(scale), F(offset), out)
    return out.reshape(len(chosen), side, side, 3)


def _aligned(count: int) -> Array:
    """float32 [count] from a line of the CPU's cache on: what begins elsewhere, TensorFlow and JAX copy."""
    room = np.empty(count + LINE // 4, np.float32)
    first = -room.ctypes.data % LINE // 4
    return room[first : first + count]


@compiled
def _warp(
    flat: Pixels, side: int, chosen: Array, matrices: Array, scale: Any, offset: Any, out: Array
) -> None:
    """Row by row: where its pixels come from, their neighbours, and what these give together.

    In one loop nothing would be compiled to vector instructions, since each pixel is read from a place of its own.
    Here the first and the last loop are, up to 16 pixels at once: 2.0 ns a pixel beside 9.6, and the same bits.
    Through flat arrays, and unsigned indices: a signed one is looked at, whether it counts from the end.
    """
    last, across = F(side - 1), I4(side)
    shares, starts = np.empty((2, side), np.float32), np.empty((2, side), np.int32)
    near = np.empty((4, side), np.uint32)
    place = U(0)
    for number in range(chosen.shape[0]):
        begin = U(chosen[number]) * U(side * side * 3)
        a, b, c = matrices[number, 0], matrices[number, 1], matrices[number, 2]
        d, e, f = matrices[number, 3], matrices[number, 4], matrices[number, 5]
        for y in range(side):
            for x in range(side):
                from_x = min(max(a * F(x) + b * F(y) + c, F(0)), last)
                from_y = min(max(d * F(x) + e * F(y) + f, F(0)), last)
                # The last column is a right neighbour with a share of 1: none lies outside, and nothing branches.
                left, top = min(I4(from_x), I4(side - 2)), I4(from_y)
                shares[0, x], shares[1, x] = from_x - F(left), from_y - F(top)
                starts[0, x] = (top * across + left) * I4(3)
                starts[1, x] = (min(I4(top + 1), I4(side - 1)) * across + left) * I4(3)
            for x in range(side):
                for row in range(2):
                    at = begin + U(starts[row, x])
                    near[2 * row, x] = _four(flat, at)
                    # Not four from at + 3, which could end outside.
                    near[2 * row + 1, x] = _four(flat, at + U(2)) >> U4(8)
            for x in range(side):
                share_x, share_y = shares[0, x], shares[1, x]
                here = (F(1) - share_x) * (F(1) - share_y)
                beside, under = share_x * (F(1) - share_y), (F(1) - share_x) * share_y
                for channel in range(3):
                    value = here * _byte(near[0, x], channel)
                    value += beside * _byte(near[1, x], channel)
                    value += under * _byte(near[2, x], channel)
                    value += share_x * share_y * _byte(near[3, x], channel)
                    out[place + U(3 * x + channel)] = value * scale + offset
            place += U(3 * side)


@compiled
def _four(flat: Pixels, at: Any) -> Any:
    """A pixel and the byte after it in one number, which is compiled to one read."""
    low = U4(flat[at]) | (U4(flat[at + U(1)]) << U4(8))
    return low | (U4(flat[at + U(2)]) << U4(16)) | (U4(flat[at + U(3)]) << U4(24))


@compiled
def _byte(four: Any, number: int) -> Any:
    return F((four >> U4(8 * number)) & U4(255))


class WarpAndScale(keras.layers.Layer):
    """The same on the device: uint8 [B, s, s, 3] and affines, float32 [B, 8], to float32 [B, s, s, channels].

    Only in training; otherwise the images are scaled alone, to `scale` times pixel plus `offset`.
    """

    def __init__(self, scale: float, offset: float, channels: int = 3, **options: Any) -> None:
        super().__init__(**options)
        self.scale, self.offset, self.channels = scale, offset, channels

    def call(self, images: Any, affines: Any, training: bool = False) -> Any:
        """Warp, then scale; floats stay floats in between."""
        images = keras.ops.cast(images, "float32")
        if training:
            images = keras.ops.image.affine_transform(
                images,
                affines,
                interpolation="bilinear",
                fill_mode="nearest",
                data_format="channels_last",
            )
        if self.channels == 1:
            images = keras.ops.matmul(images, GREY)
        return images * self.scale + self.offset


def for_device(matrices: Array) -> Array:
    """float32 [N, 8]: affines in the form that Keras takes them."""
    flat = matrices.reshape(len(matrices), 6).astype(np.float32)
    return np.concatenate([flat, np.zeros((len(flat), 2), np.float32)], axis=1)
