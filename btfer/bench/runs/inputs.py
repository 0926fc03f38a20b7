"""How an image becomes the input of a network. Importing this loads no Keras."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from btfer.bench.architectures import architecture
from btfer.bench.datasets.pixels import Resize, shrink
from btfer.bench.runs.record import RunDefinition
from btfer.images import Pixels

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class InputSpec:
    """RGB pixels of 0 to 255, at size_px x size_px, times `scale` plus `offset`.

    resize: how images come to that size, as in `pixels.shrink`. channels: 1 = they are made grey.
    """

    size_px: int
    resize: Resize
    scale: float
    offset: float
    channels: int = 3

    def images(self, crops: Iterable[Pixels]) -> Pixels:
        """The crops, uint8 [H, W, 3] RGB, at the network's size: uint8 [N, size_px, size_px, 3]."""
        return np.stack([shrink(one, self.size_px, self.resize) for one in crops])

    def values(self, images: Pixels) -> Array:
        """The network's input, float32 [N, size_px, size_px, channels], from uint8 images of `images`."""
        values = images.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)
        return values if self.channels == 3 else values @ grey_weights()


def input_spec(definition: RunDefinition) -> InputSpec:
    """How images become the input of a run's network."""
    network, protocol = architecture(definition.architecture), definition.protocol
    low, high = network.pixel_range
    scale = protocol["rescale"] * (high - low)
    return InputSpec(definition.resolution, protocol["resize"], scale, low, network.channels)


def grey_weights() -> Array:
    """Red, green and blue in a grey pixel, float32 [3, 1], as training has them."""
    from btfer.bench.train.augment import GREY

    return GREY
