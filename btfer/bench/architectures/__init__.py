"""The networks that can be ranked: one row here, one builder function each; importing this loads no Keras.

Layer by layer as in the BTFER authors' notebooks; where these differ from the paper's text, the
notebooks' printed parameter totals decide, and the builder says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from btfer.errors import UsageError

if TYPE_CHECKING:
    import keras

SIZES = (48, 224)
BACKBONE = "backbone"  # name of the pretrained part of a model: what phase 1 freezes


@dataclass(frozen=True)
class Architecture:
    """One network.

    parameters: total per input side, RGB, seven classes. weights: what it may start from.
    pixels: the range fed to it; the paper feeds 0 to 1 to every network, ImageNet weights included.
    """

    name: str
    family: str
    parameters: dict[int, int]
    weights: tuple[str, ...] = ("none",)
    pixels: tuple[float, float] = (0.0, 1.0)

    def build(
        self, input_shape: tuple[int, int, int], classes: int, weights: str = "none"
    ) -> "keras.Model":
        """The model, uncompiled. Raises UsageError for weights or a size it is not made for."""
        from btfer.bench.architectures.builders import BUILDERS

        self.check(input_shape[0], weights)
        return BUILDERS[self.name](input_shape, classes, weights)

    def check(self, resolution: int, weights: str) -> None:
        """Raise UsageError for weights or a resolution (pixels) it is not made for."""
        if resolution not in self.parameters:
            raise UsageError(f"resolution {resolution}: use {_either(map(str, self.parameters))}")
        if weights not in self.weights:
            raise UsageError(f"{self.name} with weights '{weights}': use {_either(self.weights)}")


def architecture(name: str) -> Architecture:
    """The network of that name. Raises UsageError that lists the known ones."""
    if name not in ARCHITECTURES:
        raise UsageError(f"'{name}' is no architecture: use one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


ARCHITECTURES = {
    one.name: one
    for one in (
        Architecture("resnet18", "ResNet", {48: 11_710_919, 224: 11_718_599}),
        Architecture("sequential_3conv", "Sequential", dict.fromkeys(SIZES, 1_365_703)),
        Architecture("sequential_4conv", "Sequential", dict.fromkeys(SIZES, 2_840_775)),
        Architecture(
            "mobilenetv2", "MobileNet", dict.fromkeys(SIZES, 2_619_719), ("none", "imagenet")
        ),
    )
}
