"""What a network is given: how a picture becomes the numbers of its input. Importing this loads no Keras."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from btfer.bench.architectures import architecture
from btfer.bench.pixels import Resize, shrink
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.images import Pixels

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class InputForm:
    """RGB pixels of 0 to 255, at size_px x size_px, times `scale` plus `offset`.

    resize: how pictures come to that size, as in `pixels.shrink`.
    """

    size_px: int
    resize: Resize
    scale: float
    offset: float

    def pictures(self, crops: Iterable[Pixels]) -> Pixels:
        """The crops at the network's size, uint8 [N, size_px, size_px, 3]."""
        return np.stack([shrink(one, self.size_px, self.resize) for one in crops])

    def values(self, pictures: Pixels) -> Array:
        """What the network is fed, float32, of what `pictures` gave."""
        return pictures.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)

    def told(self) -> dict[str, Any]:
        """The form in words and numbers, for those who run the network elsewhere."""
        return asdict(self) | {"channels": "RGB", "classes": list(EXPRESSIONS)}


def form_of(definition: dict[str, Any]) -> InputForm:
    """The form of a run's network. definition: of its run.json.

    Raises UsageError for a network that takes something else than colour pictures.
    """
    network, protocol = architecture(definition["architecture"]), definition["protocol"]
    if network.channels != 3:
        raise UsageError(
            f"{network.name} takes pictures of {network.channels} channel that are drawn for it "
            "alone: use a network that takes RGB pictures"
        )
    low, high = network.pixels
    return InputForm(
        definition["resolution"], protocol["resize"], protocol["rescale"] * (high - low), low
    )
