"""Ways of training beside the protocol, each off unless asked for: soft targets, mixup, other losses, SAM.

What is on is a part of what defines a run; with all of it off, runs are what they were. Loads no Keras.

Sources: label smoothing, Szegedy et al. 2016, https://arxiv.org/abs/1512.00567; mixup, Zhang et al. 2018,
https://arxiv.org/abs/1710.09412; focal loss, Lin et al. 2017, https://arxiv.org/abs/1708.02002; class-balanced
loss, Cui et al. 2019, https://arxiv.org/abs/1901.05555; sharpness-aware minimisation, Foret et al. 2021,
https://arxiv.org/abs/2010.01412; votes as targets, Barsoum et al. 2016, https://arxiv.org/abs/1608.01041.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]

_LIMITS = {  # above the first, at most or below the second, which the last says
    "label_smoothing": (0.0, 1.0, False),
    "mixup": (0.0, 10.0, True),
    "focal_gamma": (0.0, 10.0, True),
    "class_balanced": (0.0, 1.0, False),
    "sam_rho": (0.0, 10.0, True),
}


@dataclass(frozen=True)
class Recipe:
    """What is trained otherwise; 0 or False = not.

    label_smoothing: share of each target that is spread over all classes. mixup: alpha of the Beta
    distribution that says how two images are mixed. focal_gamma: exponent of the focal loss.
    class_balanced: beta of the effective number of images, which weighs the classes instead of a balance.
    sam_rho: how far sharpness-aware minimisation looks. soft_labels: votes are the targets, where a set has them.
    """

    label_smoothing: float = 0.0
    mixup: float = 0.0
    focal_gamma: float = 0.0
    class_balanced: float = 0.0
    sam_rho: float = 0.0
    soft_labels: bool = False

    def __post_init__(self) -> None:
        for name, (low, high, included) in _LIMITS.items():
            value = getattr(self, name)
            if value and not (low < value < high or (included and value == high)):
                least, most = f"above {low:g}", f"{'at most' if included else 'below'} {high:g}"
                option = "--" + name.replace("_", "-")
                raise UsageError(f"{option} {value:g}: it is a number {least} and {most}")

    @property
    def changes(self) -> dict[str, Any]:
        """What is on, by name; empty = as the protocol says."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value}


PLAIN = Recipe()


def in_words(changes: dict[str, Any]) -> str:
    """`label smoothing 0.1, soft labels`, of what `Recipe.changes` gives."""
    named = {name.replace("_", " "): value for name, value in changes.items()}
    return ", ".join(
        name if value is True or isinstance(value, str) else f"{name} {value:g}"
        for name, value in named.items()
    )


def effective_weights(counts: Sequence[int], beta: float) -> dict[int, float]:
    """The loss weight of each class, one over its effective number of images, 7 of 7 classes together.

    The effective number of n images is (1 - beta^n) / (1 - beta). counts: training images by class, in label
    order. Raises UsageError for a class without images, whose weight would be infinite.
    """
    empty = [EXPRESSIONS[label] for label, count in enumerate(counts) if count == 0]
    if empty:
        raise UsageError(
            f"no training image of {', '.join(empty)}, so --class-balanced has no weight for it: add images, "
            "or leave the option out"
        )
    weights = (1 - beta) / -np.expm1(np.asarray(counts, float) * np.log(beta))
    weights *= len(weights) / weights.sum()
    return dict(enumerate(map(float, weights)))


def smoothed(targets: Array, share: float) -> Array:
    """Targets, float32 [N, classes], with `share` of each spread evenly over all classes."""
    found: Array = targets * (1 - share) + share / targets.shape[1]
    return found.astype(np.float32, copy=False)


def sample_weights(targets: Array, class_weight: dict[int, float]) -> Array:
    """float32 [N]: the weight of each image, that of its class, or the mean of the classes of its target.

    targets: float32 [N, classes], before they are smoothed.
    """
    by_class = [class_weight[label] for label in range(targets.shape[1])]
    found: Array = targets @ np.array(by_class)
    return found.astype(np.float32)


def mixed(
    images: Array, targets: Array, alpha: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Each image and target of a batch mixed with those of another of it: one share of Beta(alpha, alpha) for all.

    images: float32 [N, s, s, channels]. targets: float32 [N, classes].
    """
    share = np.float32(rng.beta(alpha, alpha))
    other = rng.permutation(len(images))
    rest = np.float32(1) - share
    return images * share + images[other] * rest, targets * share + targets[other] * rest
