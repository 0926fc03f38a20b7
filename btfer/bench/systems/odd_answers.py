"""Answers that are hardly what a system means: one class for every face, or fewer right than by chance."""

from typing import Any

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.expressions import EXPRESSIONS
from btfer.progress import Progress

Array = np.ndarray[Any, Any]

LEAST_ANSWERS = 20
"""Of fewer, one class for all may be what they are."""

TOO_FEW_SD = 3.0
"""So far below chance one in a thousand guessers falls."""


def tell_of_odd_answers(probabilities: Array, images: ImageSet, progress: Progress) -> None:
    """Say where a score means rather that something was mixed up.

    probabilities: float [N, classes], in the order of `images`; NaN = no answer, zeros = none of ours.
    """
    answered = np.nan_to_num(probabilities).sum(axis=1) > 0
    said, truth = probabilities[answered].argmax(axis=1), images.labels[answered]
    if len(said) < LEAST_ANSWERS:
        return
    if len(set(said.tolist())) == 1 < len(set(truth.tolist())):
        progress.say(
            f"all {len(said)} answers are {EXPRESSIONS[said[0]]}: look at how the faces were fed, or at the columns"
        )
        return
    counts = np.bincount(truth, minlength=len(EXPRESSIONS))
    recalls = np.bincount(truth[said == truth], minlength=len(EXPRESSIONS))[counts > 0]
    recall, chance = float((recalls / counts[counts > 0]).mean()), 1 / len(EXPRESSIONS)
    # The mean recall of a guesser is `chance` whatever it prefers, and however many images each class has.
    deviation = np.sqrt((chance * (1 - chance) / counts[counts > 0]).sum()) / len(recalls)
    if recall < chance - TOO_FEW_SD * deviation:
        progress.say(
            f"of each class {recall:.1%} are right on average, and guessing gives {chance:.1%}: are the classes in "
            "another order, or are low numbers the good ones, as of distances and ranks?"
        )
