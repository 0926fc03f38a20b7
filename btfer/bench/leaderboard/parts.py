"""What an accuracy hides: each class, and each group that queries asked for, with how sure the number is."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.report.intervals import Interval, wilson
from btfer.bench.report.strata import LEAST_IMAGES
from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class GroupScore:
    """Accuracy on the images whose query asked for a group: what a search intended, no fact about a person."""

    stratum: str
    group: str
    images: int
    accuracy: Interval

    @property
    def too_small(self) -> bool:
        """Whether there are too few images to conclude anything."""
        return self.images < LEAST_IMAGES


def recall_intervals(truth: Array, right: Array) -> list[Interval | None]:
    """Recall of each class in label order with its Wilson interval; None where the class does not occur.

    truth: int [N]. right: bool [N].
    """
    found: list[Interval | None] = []
    for label in range(len(EXPRESSIONS)):
        here = right[truth == label]
        found.append(wilson(int(here.sum()), len(here)) if len(here) else None)
    return found


def served_groups(images: ImageSet, right: Array) -> list[GroupScore]:
    """Accuracy by what a query asked for, in the order of the release's columns. right: bool [N], of `images`."""
    found = []
    for stratum, words in images.strata.items():
        every = np.array(words, object)
        for group in sorted(set(words) - {""}):
            here = right[every == group]
            found.append(GroupScore(stratum, group, len(here), wilson(int(here.sum()), len(here))))
    return found
