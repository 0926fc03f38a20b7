"""Batches for Keras by index from cached pixels, made on threads while the device computes."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import keras
import numpy as np

from btfer.bench.datasets.pixels import Pixels
from btfer.bench.train.augment import (
    GREY,
    Array,
    WarpAndScale,
    affine,
    draw_affines,
    for_device,
    warp,
)
from btfer.bench.train.losses import SharpnessAware
from btfer.bench.train.protocol import Augmentation
from btfer.bench.train.recipe import PLAIN, Recipe, mixed, sample_weights, smoothed
from btfer.errors import UsageError

MIXUP = 1  # draws of its own, so that those of the augmentation stay what they are
MOST_THREADS = 8  # each may hold two batches, of 19 MB at 224 pixels


class ImageBatches(keras.utils.PyDataset):
    """Batches (float32 [B, s, s, channels], one-hot float32 [B, classes]) of the images at `indices`.

    With an augmentation the order and the draws change with each epoch, and both depend on nothing
    but seed, epoch and batch: an epoch done again after a crash sees the same pixels. Without one
    the order is that of `indices`. The next batches are made ahead, on threads.

    targets: float32 [N, classes] instead of one-hot labels. recipe: how targets and images are changed.
    class_weight: the weight of each class, by which a third part of a batch then weighs its images, float32
    [B]; None = batches of two. even: how many devices share a batch; of the last batch the images that would make
    their parts uneven are left out, with an augmentation other ones in each epoch. channels: 1 = grey. on_device:
    leave warping and scaling to the device; batches are then ((uint8 [B, s, s, 3], affines float32 [B, 8]), one-hot),
    for the network that `learner` makes. Raises UsageError for fewer images than devices.
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
        channels: int = 3,
        on_device: bool = False,
        targets: Array | None = None,
        recipe: Recipe = PLAIN,
        class_weight: dict[int, float] | None = None,
        even: int = 1,
    ) -> None:
        super().__init__()
        if len(indices) < even:
            raise UsageError(f"{len(indices)} images are too few for --replicas {even}")
        self.targets, self.recipe, self.class_weight = targets, recipe, class_weight
        self.pixels, self.labels, self.indices = np.asarray(pixels), labels, indices
        self.one_hot = np.eye(classes, dtype=np.float32)
        self.batch_size, self.seed, self.augmentation = batch_size, seed, augmentation
        self.channels, self.on_device = channels, on_device
        low, high = pixel_range
        self.scale, self.offset = rescale * (high - low), low
        self.epoch = 0
        # A set smaller than one batch would have no step at all.
        whole_only = skip_remainder and len(indices) >= batch_size
        self.used = len(indices) - len(indices) % (batch_size if whole_only else even)
        self.batches = -(-self.used // batch_size)
        self._ahead: dict[tuple[int, int], Future[Any]] = {}
        self._ordered: tuple[int, Array] = (-1, indices)

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        begun = self._ahead.pop((self.epoch, number), None)
        self._begin(number + 1)
        return begun.result() if begun else self._batch(self.epoch, number)

    def on_epoch_end(self) -> None:
        """Go on to the next order and the next draws."""
        self.epoch += 1
        self._ahead.clear()
        self._begin(0)

    def learner(self, model: keras.Model) -> keras.Model:
        """The network to compile and fit on this feed: `model`, or it behind the warp on the device.

        Both share all weights, in the same order.
        """
        rho = self.recipe.sam_rho
        if not self.on_device:
            return SharpnessAware(model.inputs, model.outputs, rho=rho) if rho else model
        images = keras.Input(self.pixels.shape[1:], dtype="uint8")
        affines = keras.Input((8,), dtype="float32")
        # Not in half precision: it has no room for a place between two pixels.
        ready = WarpAndScale(self.scale, self.offset, self.channels, dtype="float32")
        inputs, outputs = [images, affines], model(ready(images, affines))
        return SharpnessAware(inputs, outputs, rho=rho) if rho else keras.Model(inputs, outputs)

    def _begin(self, first: int) -> None:
        """Have the batches from `first` on made, as many as there are threads and one."""
        epoch = self.epoch
        for number in range(first, min(first + _threads() + 1, self.batches)):
            if (epoch, number) not in self._ahead:
                self._ahead[epoch, number] = _pool().submit(self._batch, epoch, number)

    def _batch(self, epoch: int, number: int) -> tuple[Any, ...]:
        end = min((number + 1) * self.batch_size, self.used)
        chosen = self._order(epoch)[number * self.batch_size : end]
        targets = self._targets(chosen)
        if self.on_device:
            affines = for_device(self._matrices(epoch, number, len(chosen)))
            return (self.pixels[chosen], affines), *self._weighed(targets)
        images = self._images(epoch, number, chosen)
        if self.recipe.mixup:
            rng = np.random.default_rng([self.seed, epoch, number, MIXUP])
            images, targets = mixed(images, targets, self.recipe.mixup, rng)
        return images if self.channels == 3 else images @ GREY, *self._weighed(targets)

    def _targets(self, chosen: Array) -> Array:
        found: Array = (
            self.one_hot[self.labels[chosen]] if self.targets is None else self.targets[chosen]
        )
        return found

    def _weighed(self, targets: Array) -> tuple[Array, ...]:
        """The targets as the network gets them, and the weight of each where classes have one."""
        share = self.recipe.label_smoothing
        ready = smoothed(targets, share) if share else targets
        if self.class_weight is None:
            return (ready,)
        return ready, sample_weights(targets, self.class_weight)

    def _images(self, epoch: int, number: int, chosen: Array) -> Array:
        if self.augmentation is None:
            return self.pixels[chosen] * np.float32(self.scale) + np.float32(self.offset)
        matrices = self._matrices(epoch, number, len(chosen))
        return warp(self.pixels, chosen, matrices, self.scale, self.offset)

    def _order(self, epoch: int) -> Array:
        if self.augmentation is None:
            return self.indices
        known, order = self._ordered
        if known != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.indices)
            self._ordered = epoch, order
        return order

    def _matrices(self, epoch: int, number: int, count: int) -> Array:
        size_px = self.pixels.shape[1]
        if self.augmentation is None:
            return np.broadcast_to(affine(size_px), (count, 2, 3))
        rng = np.random.default_rng([self.seed, epoch, number])
        return draw_affines(rng, count, size_px, self.augmentation)


@cache
def _threads() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MOST_THREADS)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_threads(), "feed")
