"""Batches for Keras by index from cached pixels, augmented with one affine per image."""

import math
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
    angle_degrees: float = 0,
    shift_x: float = 0,
    shift_y: float = 0,
    zoom_x: float = 1,
    zoom_y: float = 1,
    flip: bool = False,
) -> Array:
    """float64 [2, 3]: where in the source each output pixel comes from, about the image's centre.

    Shifts are shares of the side; positive ones move the content right and down. A zoom below 1
    enlarges.
    """
    centre = np.full(2, (size_px - 1) / 2)
    cos, sin = math.cos(math.radians(angle_degrees)), math.sin(math.radians(angle_degrees))
    turn = np.array([[cos, -sin], [sin, cos]])
    linear = turn @ np.diag([-zoom_x if flip else zoom_x, zoom_y])
    offset = centre - linear @ (centre + np.array([shift_x, shift_y]) * size_px)
    return np.column_stack([linear, offset])


def draw_affine(rng: np.random.Generator, size_px: int, augmentation: Augmentation) -> Array:
    """One random affine: rotation, shifts, zooms and flip drawn together."""
    turn, x, y, zoom_x, zoom_y = rng.uniform(-1, 1, 5)
    return affine(
        size_px,
        angle_degrees=turn * augmentation.rotation_degrees,
        shift_x=x * augmentation.shift,
        shift_y=y * augmentation.shift,
        zoom_x=1 + zoom_x * augmentation.zoom,
        zoom_y=1 + zoom_y * augmentation.zoom,
        flip=bool(rng.random() < 0.5) and augmentation.horizontal_flip,
    )


def warp(image: Pixels, matrix: Array) -> Pixels:
    """The picture under an `affine`; what comes from outside repeats the border."""
    height, width = image.shape[:2]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(image, matrix, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


class Feed(keras.utils.PyDataset):
    """Batches (float32 [B, s, s, 3], one-hot float32 [B, classes]) of the images at `indices`.

    With an augmentation the order and the draws change with each epoch, and both depend on nothing
    but seed, epoch and batch: an epoch done again after a crash sees the same pixels. Without one
    the order is that of `indices`.
    """

    def __init__(
        self,
        pixels: Pixels,
        labels: Array,
        indices: Array,
        *,
        classes: int,
        batch_size: int = 32,
        rescale: float = 1 / 255,
        pixel_range: tuple[float, float] = (0.0, 1.0),
        augmentation: Augmentation | None = None,
        seed: int = 0,
        skip_remainder: bool = False,
    ) -> None:
        super().__init__()
        self.pixels, self.labels, self.indices = pixels, labels, indices
        self.one_hot = np.eye(classes, dtype=np.float32)
        self.batch_size, self.seed, self.augmentation = batch_size, seed, augmentation
        low, high = pixel_range
        self.scale, self.offset = np.float32(rescale * (high - low)), np.float32(low)
        self.epoch = 0
        # A set smaller than one batch would have no step at all.
        whole_only = skip_remainder and len(indices) >= batch_size
        self.batches = len(indices) // batch_size if whole_only else -(-len(indices) // batch_size)

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, number: int) -> tuple[Array, Array]:
        chosen = self._order()[number * self.batch_size : (number + 1) * self.batch_size]
        images = self._images(chosen, number)
        return images * self.scale + self.offset, self.one_hot[self.labels[chosen]]

    def on_epoch_end(self) -> None:
        """Go on to the next order and the next draws."""
        self.epoch += 1

    def _order(self) -> Array:
        if self.augmentation is None:
            return self.indices
        return np.random.default_rng([self.seed, self.epoch]).permutation(self.indices)

    def _images(self, chosen: Array, number: int) -> Array:
        if self.augmentation is None:
            return self.pixels[chosen].astype(np.float32)
        size_px = self.pixels.shape[1]
        out = np.empty((len(chosen), size_px, size_px, 3), np.float32)
        rng = np.random.default_rng([self.seed, self.epoch, number])
        for place, index in enumerate(chosen):
            out[place] = warp(self.pixels[index], draw_affine(rng, size_px, self.augmentation))
        return out
