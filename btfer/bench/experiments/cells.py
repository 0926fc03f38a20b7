"""The cells of a grid: every combination of options, or those of the paper's Tables 2 and 3. Loads no Keras."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from btfer.bench.architectures import ARCHITECTURES, architecture
from btfer.bench.train.protocol import BALANCES
from btfer.errors import UsageError

IN_DOMAIN = "in-domain (k-fold)"
GRIDS = ("quick", "paper", "modern")
QUICK = ("resnet18", "sequential_4conv")
MODERN = (
    *("mobilenetv3_small", "mobilenetv3_large", "efficientnetv2s"),
    *("convnext_tiny", "vit_s16", "dan"),
)
"""Networks after the paper's, the smallest first."""

PAPER_SETS = ("rafdb", "fer2013", "affectnet")
PAPER_BALANCES = ("simple", "conservative")
SPLIT_SEED = 0  # the same split for every training seed, so that seeds differ in training only

# Rows of Table 2 (48 pixels) and Table 3 (224 pixels), in their order: architecture, weights.
PAPER_ROWS: dict[int, tuple[tuple[str, str], ...]] = {
    48: (
        ("vgg16", "imagenet"),
        ("vgg16", "vggface"),
        ("vgg16", "none"),
        ("vgg19", "imagenet"),
        ("mobilenet", "imagenet"),
        ("mobilenetv2", "imagenet"),
        ("efficientnetv2b0", "imagenet"),
        ("nasnetmobile", "imagenet"),
        ("resnet50", "imagenet"),
        ("densenet121", "imagenet"),
        ("alexnet", "none"),
        ("ensemble", "none"),
        ("sequential_3conv", "none"),
        ("sequential_4conv", "none"),
        ("modular", "none"),
        ("repvgg", "none"),
        ("sequential_simple", "none"),
        ("smmb", "none"),
        ("vggnet", "none"),
        ("lenet5", "none"),
        ("resnet18", "none"),
        ("zfnet", "none"),
        ("googlenet", "none"),
    ),
    224: (
        ("vgg16", "imagenet"),
        ("vgg16", "vggface"),
        ("vgg16", "none"),
        ("vgg19", "imagenet"),
        ("resnet50", "imagenet"),
        ("resnet50", "vggface"),
        ("mobilenet", "imagenet"),
        ("mobilenetv2", "imagenet"),
        ("xception", "imagenet"),
        ("senet50", "vggface"),
        ("efficientnetv2b0", "imagenet"),
        ("nasnetmobile", "imagenet"),
        ("inceptionv3", "imagenet"),
        ("densenet121", "imagenet"),
        ("repvgg", "none"),
        ("sequential_simple", "none"),
        ("vggnet", "none"),
        ("resnet18", "none"),
        ("googlenet", "none"),
        ("modular", "none"),
    ),
}


@dataclass(frozen=True)
class GridCell:
    """One combination. training: name of a training set, or empty for in-domain."""

    architecture: str
    resolution: int
    balance: str
    weights: str
    seed: int
    training: str = ""

    @property
    def parameters(self) -> int:
        """Of its network, seven classes."""
        return architecture(self.architecture).totals(self.weights)[self.resolution]

    def __str__(self) -> str:
        start = "" if self.weights == "none" else f" {self.weights}"
        where = self.training or IN_DOMAIN
        return f"{self.architecture}{start} {self.resolution} {self.balance}, {where}, seed {self.seed}"


def cells(
    architectures: Iterable[str],
    resolutions: Iterable[int],
    balances: Iterable[str],
    weights: Iterable[str],
    seeds: Iterable[int],
    training: Iterable[str],
) -> list[GridCell]:
    """Every combination that exists, once, in the order of the options; no training set = in-domain.

    Weights that an architecture does not have are left out for it, unless none would be left. Raises
    UsageError then, and for an unknown name.
    """
    sizes, wanted, starts = list(resolutions), list(balances), list(weights)
    _check_balances(wanted)
    _check_weights(starts)
    networks = [(name, start) for name in architectures for start in _weights_of(name, starts)]
    for (name, start), size in product(networks, sizes):
        architecture(name).check(size, start)
    combined = product(list(training) or [""], networks, sizes, wanted, list(seeds))
    found = [
        GridCell(name, size, balance, start, seed, set_)
        for set_, (name, start), size, balance, seed in combined
    ]
    return list(dict.fromkeys(found))


def paper_cells(
    architectures: Iterable[str],
    resolutions: Iterable[int],
    balances: Iterable[str],
    weights: Iterable[str],
    seeds: Iterable[int],
    training: Iterable[str],
) -> list[GridCell]:
    """The cells of Tables 2 and 3 for these training sets; every option that is given narrows them.

    Raises UsageError for an unknown name, and where nothing is left.
    """
    names, sizes, starts = set(architectures), set(resolutions), set(weights)
    for name in names:
        architecture(name)
    wanted = list(balances) or list(PAPER_BALANCES)
    _check_balances(wanted)
    _check_weights(starts)
    rows = [
        (name, start, size)
        for size, row in PAPER_ROWS.items()
        for name, start in row
        if name in (names or {name}) and size in (sizes or {size}) and start in (starts or {start})
    ]
    if not rows:
        raise UsageError(
            "no row of the paper's Tables 2 and 3 is left with these --model, --resolution, --weights"
        )
    return [
        GridCell(name, size, balance, start, seed, set_)
        for set_ in training
        for name, start, size in rows
        for balance in wanted
        for seed in seeds
    ]


def _check_balances(wanted: list[str]) -> None:
    for unknown in set(wanted) - set(BALANCES):
        raise UsageError(f"unknown balance '{unknown}'; choose one of {', '.join(BALANCES)}")


def _check_weights(wanted: Iterable[str]) -> None:
    every = {one for other in ARCHITECTURES.values() for one in other.weights}
    for unknown in set(wanted) - every:
        raise UsageError(f"unknown weights '{unknown}'; choose one of {', '.join(sorted(every))}")


def _weights_of(name: str, wanted: list[str]) -> list[str]:
    known = architecture(name).weights
    fitting = [one for one in wanted if one in known]
    if not fitting:
        asked = ", ".join(wanted)
        raise UsageError(f"{name} has no {asked} weights; choose {' or '.join(known)}")
    return fitting
