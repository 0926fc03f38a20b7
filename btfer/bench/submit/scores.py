"""Every number of one set of answers. Nobody gains by silence: an image without an answer is a wrong one."""

from hashlib import sha256
from typing import Any

import numpy as np

from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]

CLASSES = len(EXPRESSIONS)
OTHER, SILENT = CLASSES, CLASSES + 1
"""Codes of an answer that is no class of ours, and of none at all; both are wrong."""

BINS = 15
SCORES = ("accuracy", "macro_recall", "macro_f1", "coverage", "accuracy_answered", "ece")
"""What a bundle claims and what is computed anew."""


def answer_codes(probabilities: Array) -> Array:
    """int8 [N]: the class of each image's highest probability, OTHER where all are 0, SILENT where they are NaN.

    probabilities: float [N, classes].
    """
    silent = np.asarray(np.isnan(probabilities).any(axis=1))
    filled = np.nan_to_num(probabilities)
    codes: Array = filled.argmax(axis=1).astype(np.int8)
    codes[filled.sum(axis=1) == 0] = OTHER
    codes[silent] = SILENT
    return codes


def answers_digest(files: Array, codes: Array) -> str:
    """Of what was answered for each image, 12 hexadecimal digits: equal ones are the same answers.

    files: names, object [N]. codes: int8 [seeds, N].
    """
    order = np.argsort(files)
    names = "\n".join(files[order])
    return sha256(names.encode() + codes[:, order].tobytes()).hexdigest()[:12]


def all_scores(truth: Array, probabilities: Array) -> dict[str, float | None]:
    """SCORES by name, 0 to 1, rounded to six places.

    truth: int [N], classes in label order. probabilities: float [N, classes]. Macro recall and macro F1 are over
    the classes that occur. `ece` is None where there are labels and no probabilities.
    """
    codes = answer_codes(probabilities)
    answered = codes != SILENT
    right = codes == truth
    found: dict[str, float | None] = {
        "accuracy": float(right.mean()),
        "macro_recall": float(recalls(truth, codes)[_occurring(truth)].mean()),
        "macro_f1": _macro_f1(truth, codes),
        "coverage": float(answered.mean()),
        "accuracy_answered": float(right.sum() / max(1, answered.sum())),
        "ece": calibration_gap(reliability(truth, probabilities))
        if graded(probabilities)
        else None,
    }
    return {name: None if value is None else round(value, 6) for name, value in found.items()}


def graded(probabilities: Array) -> bool:
    """Whether there is a probability between 0 and 1: labels alone say nothing of how sure a network was.

    probabilities: float [N, classes].
    """
    return bool(((probabilities > 0) & (probabilities < 1)).any())


def recalls(truth: Array, codes: Array) -> Array:
    """Recall of each class, float [classes], NaN where it does not occur. truth, codes: int [N]."""
    return np.array(
        [
            (codes[truth == label] == label).mean() if (truth == label).any() else np.nan
            for label in range(CLASSES)
        ]
    )


def reliability(truth: Array, probabilities: Array, bins: int = BINS) -> Array:
    """float [bins, 3]: images, mean confidence and accuracy of each bin of confidence; NaN in an empty one.

    Of the images with an answer of ours. truth: int [N]. probabilities: float [N, classes].
    """
    codes = answer_codes(probabilities)
    named = codes < CLASSES
    confidence = probabilities[named].max(axis=1)
    right = codes[named] == truth[named]
    slot = np.minimum((confidence * bins).astype(int), bins - 1)
    n = np.bincount(slot, minlength=bins)
    sums = [np.bincount(slot, weights=one, minlength=bins) for one in (confidence, right)]
    with np.errstate(invalid="ignore"):
        return np.stack([n, sums[0] / n, sums[1] / n], axis=1)


def calibration_gap(table: Array) -> float:
    """Expected calibration error, 0 to 1, of a table of `reliability`, float [bins, 3].

    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3.
    """
    full = table[table[:, 0] > 0]
    total = full[:, 0].sum()
    return float((full[:, 0] * np.abs(full[:, 1] - full[:, 2])).sum() / total) if total else 0.0


def _occurring(truth: Array) -> Array:
    return np.bincount(truth, minlength=CLASSES) > 0


def _macro_f1(truth: Array, codes: Array) -> float:
    hits = np.bincount(truth[codes == truth], minlength=CLASSES)
    support = np.bincount(truth, minlength=CLASSES)
    predicted = np.bincount(codes, minlength=SILENT + 1)[:CLASSES]
    f1 = 2 * hits / np.maximum(1, support + predicted)
    return float(f1[support > 0].mean())
