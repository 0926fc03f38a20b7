"""Scores of predictions, in numpy. Precision, recall and F1 of a class nobody predicts are 0."""

from typing import Any

import numpy as np

from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]


def scores(labels: Array, probabilities: Array) -> dict[str, Any]:
    """Every score of one set of predictions, ready for JSON.

    labels: int [N]. probabilities: float [N, classes]; NaN = no answer, zeros = one of no class. Both are wrong;
    where some have no answer, `coverage` is the share of those that have one, `accuracy_answered` the accuracy
    on these. The confusion matrix and the calibration error are of the answers that name a class. `weighted`
    averages by the number of images of each class, as the paper's tables do; `macro` gives each class that
    occurs the same weight.
    """
    classes = probabilities.shape[1]
    answered = ~np.isnan(probabilities).any(axis=1)
    named = answered & (np.nan_to_num(probabilities).sum(axis=1) > 0)
    predicted = probabilities[named].argmax(axis=1)
    matrix = confusion(labels[named], predicted, classes)
    support = np.bincount(labels, minlength=classes)
    precision, recall, f1 = per_class(matrix, support)
    right = np.trace(matrix)
    found = {
        "images": len(labels),
        "accuracy": _round(right / len(labels)),
        "weighted": _averages(precision, recall, f1, support),
        "macro": _averages(precision, recall, f1, support > 0),
        "recall_per_class": _by_class(recall),
        "precision_per_class": _by_class(precision),
        "f1_per_class": _by_class(f1),
        "confusion": matrix.tolist(),
        "ece": _round(calibration_error(labels[named], probabilities[named])),
    }
    if not answered.all():
        found["coverage"] = _round(answered.mean())
        found["accuracy_answered"] = _round(right / max(1, answered.sum()))
    return found


def confusion(labels: Array, predicted: Array, classes: int) -> Array:
    """int [classes, classes]: rows are true labels, columns are predicted ones. labels, predicted: int [N]."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def per_class(matrix: Array, support: Array | None = None) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of each class, float [classes]. matrix: as `confusion` gives it.

    support: images of each class, where some were answered with none of them, int [classes].
    """
    support = matrix.sum(axis=1) if support is None else support
    hits = np.diag(matrix).astype(float)
    precision = _ratio(hits, matrix.sum(axis=0))
    recall = _ratio(hits, support)
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def calibration_error(labels: Array, probabilities: Array, bins: int = 15) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over bins of equal width, 0 to 1.

    labels: int [N]. probabilities: float [N, classes].
    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3.
    """
    confidence = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == labels
    slot = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(slot, weights=confidence - hit, minlength=bins)
    return float(np.abs(gap).sum() / max(1, len(labels)))


def _averages(precision: Array, recall: Array, f1: Array, weight: Array) -> dict[str, float]:
    named = {"precision": precision, "recall": recall, "f1": f1}
    return {name: _round(np.average(value, weights=weight)) for name, value in named.items()}


def _by_class(values: Array) -> dict[str, float]:
    return {name: _round(value) for name, value in zip(EXPRESSIONS, values, strict=True)}


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _round(value: Any) -> float:
    return round(float(value), 6)
