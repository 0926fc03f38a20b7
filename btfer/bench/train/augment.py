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
U = np.uintp  # a signed index would be looked at, whether it counts from the end

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

    What comes from outside repeats the border. Other Python threads run meanwhile.
    """
    side = pixels.shape[1]
    out = np.empty((len(chosen), side, side, 3), np.float32)
    rows = matrices.reshape(len(chosen), 6).astype(np.float32)
    flat = pixels.reshape(-1)
    flat.setflags(write=False)  # as when mapped: compiled for one kind of array
    _warp(flat, side, chosen, rows, F(scale), F(offset), out.reshape(-1))
    return out


@compiled
def _warp(
    flat: Pixels, side: int, chosen: Array, matrices: Array, scale: Any, offset: Any, out: Array
) -> None:
    """Through flat arrays: with four indices a pixel takes twice as long."""
    last = F(side - 1)
    for number in range(chosen.shape[0]):
        begin = U(chosen[number]) * U(side * side * 3)
        place = U(number) * U(side * side * 3)
        a, b, c = matrices[number, 0], matrices[number, 1], matrices[number, 2]
        d, e, f = matrices[number, 3], matrices[number, 4], matrices[number, 5]
        for y in range(side):
            for x in range(side):
                from_x = min(max(a * F(x) + b * F(y) + c, F(0)), last)
                from_y = min(max(d * F(x) + e * F(y) + f, F(0)), last)
                left, top = np.int32(from_x), np.int32(from_y)
                share_x, share_y = from_x - F(left), from_y - F(top)
                right = U(3) if left < side - 1 else U(0)
                above = begin + U(np.int32(top * side + left) * 3)
                below = above + (U(3 * side) if top < side - 1 else U(0))
                here = (F(1) - share_x) * (F(1) - share_y)
                beside, under = share_x * (F(1) - share_y), (F(1) - share_x) * share_y
                for channel in range(U(3)):
                    value = here * F(flat[above + channel])
                    value += beside * F(flat[above + right + channel])
                    value += under * F(flat[below + channel])
                    value += share_x * share_y * F(flat[below + right + channel])
                    out[place] = value * scale + offset
                    place += U(1)


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
