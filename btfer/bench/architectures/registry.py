"""The one dict of networks: `@network(...)` over a builder function puts it there. Loads no Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from btfer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import keras

    from btfer.bench.architectures.preprocessing import Preprocessing
    from btfer.bench.architectures.weight_files import WeightFile

Shape = tuple[int, int, int]
"""Height, width and channels of an input."""

SIZES = (48, 224)
BACKBONE = "backbone"  # name of the pretrained part of a model: what phase 1 freezes


class Builder(Protocol):
    """Builds a network, uncompiled and untrained, in the variant that `weights` need."""

    __name__: str

    def __call__(self, input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
        """The model: float [N, *input_shape] in, probabilities float [N, classes] out."""


@dataclass(frozen=True)
class Architecture:
    """One network: its builder and everything that is known of it.

    parameters: total per input side in pixels, seven classes. multiply_adds: of one prediction, in
    millions, per input side. variants: totals where certain weights need another variant of the
    network, and at which sides. channels: 3 = RGB, 1 = grey. pixel_range: what black and white are when
    they are fed to it; the paper feeds 0 to 1 to almost every network, ImageNet weights included.
    weight_files: pretrained weights that it may start from. preprocessing: by weights, what its
    backbone was made for.
    """

    name: str
    family: str
    builder: Builder
    parameters: Mapping[int, int]
    multiply_adds: Mapping[int, float]
    variants: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    channels: int = 3
    pixel_range: tuple[float, float] = (0.0, 1.0)
    weight_files: Mapping[str, WeightFile] = field(default_factory=dict)
    preprocessing: Mapping[str, Preprocessing] = field(default_factory=dict)

    @property
    def weights(self) -> tuple[str, ...]:
        """What it may start from: `none` (random numbers), then pretrained weights."""
        return ("none", *self.weight_files)

    def build(
        self,
        input_shape: Shape,
        classes: int,
        weights: str = "none",
        *,
        own_preprocessing: bool = False,
    ) -> keras.Model:
        """The model, uncompiled and untrained, in the variant that `weights` need.

        own_preprocessing: it brings what it is fed to what its backbone was made for. Weights are
        loaded by `btfer.bench.architectures.weights.load_pretrained`. Raises UsageError for weights, a
        size or channels that it is not made for.
        """
        from btfer.bench.architectures.preprocessing import with_preprocessing

        self.check(input_shape[0], weights)
        if input_shape[2] != self.channels:
            raise UsageError(f"{self.name} takes {self.channels} channels, not {input_shape[2]}")
        model = self.builder(input_shape, classes, weights)
        own = self.preprocessing.get(weights) if own_preprocessing else None
        return with_preprocessing(model, own)

    def check(self, resolution: int, weights: str) -> None:
        """Raise UsageError for weights or a resolution (pixels) it is not made for."""
        if weights not in self.weights:
            known = _either(self.weights)
            raise UsageError(f"{self.name} has no '{weights}' weights; choose {known}")
        sizes = self.totals(weights)
        if resolution not in sizes:
            start = f" with {weights} weights" if weights in self.variants else ""
            fitting = _either(map(str, sizes))
            raise UsageError(
                f"{self.name}{start} cannot run at resolution {resolution}; choose {fitting}"
            )

    def totals(self, weights: str = "none") -> Mapping[int, int]:
        """Parameters per input side in the variant that `weights` need, seven classes."""
        return self.variants.get(weights, self.parameters)

    def weight_file(self, weights: str) -> WeightFile:
        """The published file of these weights. Raises UsageError where there is none."""
        if weights not in self.weight_files:
            raise UsageError(
                f"{self.name} has no '{weights}' weights; choose {_either(self.weights)}"
            )
        return self.weight_files[weights]


ARCHITECTURES: dict[str, Architecture] = {}
"""Every network by name, in the order of the tables. Import it from `btfer.bench.architectures`."""


def network(
    *,
    family: str,
    parameters: Mapping[int, int],
    multiply_adds: Mapping[int, float],
    variants: Mapping[str, Mapping[int, int]] | None = None,
    channels: int = 3,
    pixel_range: tuple[float, float] = (0.0, 1.0),
    weight_files: Mapping[str, WeightFile] | None = None,
    preprocessing: Mapping[str, Preprocessing] | None = None,
) -> Callable[[Builder], Builder]:
    """Register the builder below as the network of its name; the fields are those of `Architecture`.

    Raises ValueError where a network of that name is there already.
    """

    def register(builder: Builder) -> Builder:
        name = builder.__name__
        if name in ARCHITECTURES:
            raise ValueError(f"a network named '{name}' is registered already")
        ARCHITECTURES[name] = Architecture(
            name,
            family,
            builder,
            parameters,
            multiply_adds,
            variants or {},
            channels,
            pixel_range,
            weight_files or {},
            preprocessing or {},
        )
        return builder

    return register


def architecture(name: str) -> Architecture:
    """The network of that name. Raises UsageError that lists the known ones."""
    if name not in ARCHITECTURES:
        raise UsageError(f"unknown architecture '{name}'; choose one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def at_both_sizes(parameters: int) -> dict[int, int]:
    """A total that does not depend on the input side, since the network averages over the map."""
    return dict.fromkeys(SIZES, parameters)


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)
