"""The networks that can be ranked: one row here, one builder function each; importing this loads no Keras.

Layer by layer as in the BTFER authors' notebooks; where these differ from the paper's text, the
notebooks' printed parameter totals decide, and the builder says so. Where a notebook's network is
not what its name says, the published one stands beside it (`repvgg_a0`, `googlenet_szegedy`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from btfer.errors import UsageError

if TYPE_CHECKING:
    import keras

SIZES = (48, 224)
BACKBONE = "backbone"  # name of the pretrained part of a model: what phase 1 freezes
SCRATCH = ("none",)
IMAGENET = ("none", "imagenet")
EVERY = ("none", "imagenet", "vggface")


@dataclass(frozen=True)
class Architecture:
    """One network.

    parameters: total per input side, seven classes. weights: what it may start from. forms: totals
    where certain weights need another form of the network, and at which sides. channels: 3 = RGB,
    1 = grey. pixels: the range fed to it; the paper feeds 0 to 1 to almost every network, ImageNet
    weights included.
    """

    name: str
    family: str
    parameters: Mapping[int, int]
    weights: tuple[str, ...] = SCRATCH
    forms: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    channels: int = 3
    pixels: tuple[float, float] = (0.0, 1.0)

    def build(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        weights: str = "none",
        *,
        own_preprocessing: bool = False,
    ) -> "keras.Model":
        """The model, uncompiled and untrained, in the form that `weights` need.

        own_preprocessing: it brings what it is fed to what its backbone was made for. Weights are
        loaded by `btfer.bench.architectures.weights.load_pretrained`. Raises UsageError for weights, a size or
        channels that it is not made for.
        """
        from btfer.bench.architectures.builders import BUILDERS
        from btfer.bench.architectures.preprocessing import with_own_preprocessing

        self.check(input_shape[0], weights)
        if input_shape[2] != self.channels:
            raise UsageError(f"{self.name} takes {self.channels} channels, not {input_shape[2]}")
        model = BUILDERS[self.name](input_shape, classes, weights)
        return with_own_preprocessing(model, self.name, weights) if own_preprocessing else model

    def check(self, resolution: int, weights: str) -> None:
        """Raise UsageError for weights or a resolution (pixels) it is not made for."""
        if weights not in self.weights:
            raise UsageError(f"{self.name} with weights '{weights}': use {_either(self.weights)}")
        sizes = self.totals(weights)
        if resolution not in sizes:
            start = f" with {weights} weights" if weights in self.forms else ""
            fitting = _either(map(str, sizes))
            raise UsageError(f"{self.name}{start} at resolution {resolution}: use {fitting}")

    def totals(self, weights: str = "none") -> Mapping[int, int]:
        """Parameters per input side in the form that `weights` need, seven classes."""
        return self.forms.get(weights, self.parameters)


def architecture(name: str) -> Architecture:
    """The network of that name. Raises UsageError that lists the known ones."""
    if name not in ARCHITECTURES:
        raise UsageError(f"'{name}' is no architecture: use one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _same(parameters: int) -> dict[int, int]:
    """A total that does not depend on the input side, since the network averages over the map."""
    return dict.fromkeys(SIZES, parameters)


_ROWS = (
    Architecture("vgg16", "VGG", _same(14_879_815), EVERY),
    Architecture("vgg19", "VGG", _same(20_189_511), IMAGENET),
    Architecture("vggnet", "VGG", {48: 33_625_927, 224: 134_289_223}),
    Architecture("repvgg", "VGG", _same(26_454_023)),
    Architecture("repvgg_a0", "VGG", _same(7_860_583)),
    Architecture("mobilenet", "MobileNet", _same(3_525_063), IMAGENET),
    Architecture("mobilenetv2", "MobileNet", _same(2_619_719), IMAGENET),
    Architecture("efficientnetv2b0", "EfficientNet", _same(6_281_047), IMAGENET),
    Architecture(
        "resnet50", "ResNet", _same(24_146_055), EVERY, forms={"vggface": {224: 24_119_495}}
    ),
    Architecture("resnet18", "ResNet", {48: 11_710_919, 224: 11_718_599}),
    Architecture("senet50", "ResNet", {224: 26_650_487}, ("none", "vggface")),
    Architecture("nasnetmobile", "NASNet", _same(4_574_107), IMAGENET),
    Architecture("densenet121", "DenseNet", _same(7_333_703), IMAGENET),
    Architecture("googlenet", "Inception", {48: 5_909_319, 224: 5_916_999}),
    Architecture("googlenet_szegedy", "Inception", _same(5_980_727)),
    Architecture("inceptionv3", "Inception", {224: 22_361_127}, IMAGENET),
    Architecture("xception", "Inception", {224: 21_419_823}, IMAGENET),
    Architecture("lenet5", "classic", {48: 169_271}),
    Architecture("alexnet", "classic", _same(21_612_295)),
    Architecture("zfnet", "classic", {48: 21_589_127}),
    Architecture("sequential_3conv", "Sequential", _same(1_365_703)),
    Architecture("sequential_4conv", "Sequential", _same(2_840_775)),
    Architecture("sequential_simple", "Sequential", {48: 2_489_671, 224: 88_997_191}),
    Architecture("ensemble", "branched", _same(2_001_045)),
    Architecture("modular", "branched", {48: 5_337_735, 224: 103_379_591}),
    Architecture("smmb", "branched", {48: 5_512_455}),
    Architecture(
        "mediapipe_vggnet",
        "VGG",
        {48: 7_054_279, 224: 93_561_799},
        channels=1,
        pixels=(0.0, 255.0),
    ),
)
ARCHITECTURES = {one.name: one for one in _ROWS}
