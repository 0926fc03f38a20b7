"""How networks are trained and scored, by name: the paper's text, its authors' code, a correct way, a short one.

Source: BTFER, section 4.2, and the authors' notebooks. The paper's batch is 32 on each of two GPUs, so 64. What
some notebooks do otherwise than `authors_code` is listed in GAPS, which the report shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

BALANCES = ("none", "simple", "conservative")
CONSERVATIVE_CAP = 3.0


@dataclass(frozen=True)
class Augmentation:
    """What is drawn for each training image, uniform in plus or minus each; shifts as share of the side."""

    rotation_degrees: float = 20
    shift: float = 0.2
    zoom: float = 0.2
    horizontal_flip: bool = True
    fill: Literal["nearest"] = "nearest"


@dataclass(frozen=True)
class Protocol:
    """Everything about training but network, data, balance and seed.

    split: how a training set is parted unless another way is asked for. head_epochs: most epochs of
    phase 1, in which the pretrained backbone is frozen. max_epochs: most epochs of phase 2. evaluated:
    which weights are scored, those with the best validation accuracy or those of the last epoch.
    skip_remainder: leave out what fills no batch, in training and in scores. resize: how images come
    to the resolution. preprocessing: what a network is fed, one range for nearly all as in the paper,
    or pixels 0 to 255 that the model itself brings to what its backbone was made for. deterministic:
    the same run twice is the same numbers. untouched_test: a part of the training set that nothing
    looks at before the end. head_first: networks that have a phase 1 without pretrained weights too.
    rates: networks with a learning rate of their own. unweighted: networks that are trained without class weights.
    """

    name: str
    split: Literal["official", "authors", "strict"] = "authors"
    learning_rate: float = 1e-4
    batch_size: int = 64
    rescale: float = 1 / 255
    augmentation: Augmentation = Augmentation()
    plateau_patience: int = 10
    plateau_factor: float = 0.5
    min_learning_rate: float = 1e-10
    stop_patience: int = 20
    head_epochs: int = 30
    max_epochs: int = 200
    evaluated: Literal["best", "last"] = "best"
    skip_remainder: bool = False
    resize: Literal["area", "nearest"] = "area"
    preprocessing: Literal["paper", "own"] = "paper"
    deterministic: bool = False
    untouched_test: bool = False
    head_first: tuple[str, ...] = ()
    rates: tuple[tuple[str, float], ...] = ()
    unweighted: tuple[str, ...] = ()

    def rate(self, architecture: str) -> float:
        """The learning rate that a network starts with."""
        return dict(self.rates).get(architecture, self.learning_rate)


GAPS = (
    "the learning rate begins at 1e-3 in some notebooks of mobilenet, mobilenetv2, resnet18, googlenet at 224, "
    "sequential_simple at 48, mediapipe_vggnet and smmb, and at 1e-5 in those of vggnet on AffectNet and at 224; "
    "here at 1e-4 for all but lenet5",
    "phase 2 has a learning rate of 1e-5, 5e-5 or 1e-6 in 37 notebooks; here that of phase 1",
    "resnet18, googlenet, zfnet and repvgg are trained a second time from their best weights; here once",
    "mediapipe_vggnet has batches of 128; here 64, as the others",
    "NASNet, and Xception and EfficientNetV2 in some notebooks, are trained on pixels of -1 to 1 and scored on the "
    "release with 0 to 1; here both are 0 to 1",
    "resnet18, googlenet and nasnetmobile are augmented without zoom, 24 other notebooks with shear or a larger "
    "rotation; here all as the paper says",
    "phase 1 has 10 to 80 epochs; here 20, the most frequent number",
    "sequential_3conv at 224 is flattened before its dense layers; here it is averaged, as at 48",
    "smmb with simple weights has no weights, no early stopping and Adam's own learning rate; here as the others",
    "two networks stand in the place of others: sequential_3conv for sequential_4conv and modular for alexnet, on "
    "FER2013 and AffectNet with conservative weights",
)
"""What some of the authors' notebooks do otherwise than the protocol `authors_code`."""

PAPER = Protocol("paper")
AUTHORS_CODE = replace(
    PAPER,
    name="authors_code",
    head_epochs=20,  # the most frequent length
    evaluated="last",
    skip_remainder=True,
    resize="nearest",
    head_first=("vgg16",),  # VGG16 "SC": the head on a frozen random backbone
    rates=(("lenet5", 1e-3),),  # all six notebooks
    unweighted=("mediapipe_vggnet",),
)
STRICT = replace(
    PAPER,
    name="strict",
    split="strict",
    preprocessing="own",
    deterministic=True,
    untouched_test=True,
)
SHORT = replace(
    PAPER,
    name="short",
    learning_rate=1e-3,
    augmentation=Augmentation(rotation_degrees=8, shift=0.06, zoom=0.08),
    head_epochs=5,
    max_epochs=150,
    deterministic=True,  # and so without XLA, which compiles for longer than such a run trains
)
"""For small sets and minutes instead of hours, as in `btfer demo`: ten times the paper's rate, and milder warps."""

PROTOCOLS = {one.name: one for one in (PAPER, AUTHORS_CODE, STRICT, SHORT)}


def protocol_named(name: str) -> Protocol:
    """The protocol of that name. Raises UsageError that lists the known ones."""
    if name not in PROTOCOLS:
        raise UsageError(f"unknown protocol '{name}'; choose one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def class_weights(counts: Sequence[int], balance: str) -> dict[int, float]:
    """The loss weight of each class: 1; n_max / n_c (simple); or that, at most 3 (conservative).

    counts: training images per class, in label order. Raises UsageError for another balance, and for
    a class without images unless the balance is none: its weight would be infinite.
    Source: BTFER, section 3, figures 11 to 13; not normalised, as there.
    """
    if balance not in BALANCES:
        raise UsageError(f"unknown balance '{balance}'; choose one of {', '.join(BALANCES)}")
    if balance == "none":
        return dict.fromkeys(range(len(counts)), 1.0)
    empty = [EXPRESSIONS[label] for label, count in enumerate(counts) if count == 0]
    if empty:
        raise UsageError(
            f"no training image of {', '.join(empty)}, so --balance {balance} has no weight for it: "
            "add images, or use --balance none"
        )
    cap = CONSERVATIVE_CAP if balance == "conservative" else float("inf")
    return {label: min(max(counts) / count, cap) for label, count in enumerate(counts)}
