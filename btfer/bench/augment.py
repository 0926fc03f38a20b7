"""One random affine per image instead of four layers: rotation, shifts, zooms and flip, warped once.

The draws are those of the paper's generator, Keras's ImageDataGenerator: rotation, both shifts and
both zooms (x and y each for itself) uniform, a flip of every second picture, the border repeated.
One difference: on the host a warped pixel is rounded to a whole grey level before it is rescaled.
"""

from typing import Any

import cv2
import keras
import numpy as np

from btfer.bench.pixels import Pixels
from btfer.bench.protocol import Augmentation

Array = np.ndarray[Any, Any]


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


def warp(image: Pixels, matrix: Array, out: Pixels | None = None) -> Pixels:
    """A picture, uint8 [s, s] or [s, s, 3], under an `affine`; what comes from outside repeats the border.

    out: where to, of the same shape; None = a new one.
    """
    height, width = image.shape[:2]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    done = cv2.warpAffine(
        image, matrix, (width, height), out, flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(done, np.uint8)


@keras.saving.register_keras_serializable("btfer")
class WarpAndScale(keras.layers.Layer):
    """The same on the device: uint8 [B, s, s, c] and affines, float32 [B, 8], to float32 [B, s, s, c].

    Only in training; otherwise the pictures are scaled alone, to `scale` times pixel plus `offset`.
    """

    def __init__(self, scale: float, offset: float, **options: Any) -> None:
        super().__init__(**options)
        self.scale, self.offset = scale, offset

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
        return images * self.scale + self.offset


def for_device(matrices: Array) -> Array:
    """float32 [N, 8]: affines in the form that Keras takes them."""
    flat = matrices.reshape(len(matrices), 6).astype(np.float32)
    return np.concatenate([flat, np.zeros((len(flat), 2), np.float32)], axis=1)
