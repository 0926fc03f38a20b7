"""Scores of many confusion matrices at once, and how far they would move with other images.

The bootstrap resamples images within each true class. What a score needs of an image is only what each
network answered, so images with the same answers are drawn together from a multinomial distribution:
exactly the bootstrap over images, without touching each of them.

Sources: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13 (percentiles).
E. B. Wilson, "Probable inference", JASA 22 (1927) 209-212.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]

CLASSES = len(EXPRESSIONS)
OTHER, UNANSWERED, UNCOUNTED = CLASSES, CLASSES + 1, CLASSES + 2
"""Codes of an answer that is no class of ours, of no answer (both wrong), and of what is not in the scores."""

RESAMPLES = 2_000
SEED = 2024
SCORES = ("accuracy", "precision", "recall", "f1", "macro_f1", "macro_recall")
_ENDS = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A number and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def confusions(truth: Array, answers: Array) -> Array:
    """int [networks, classes, classes + 2]: truth in rows. truth: int [N]. answers: int [networks, N].

    The last two columns are OTHER and UNANSWERED; what is UNCOUNTED is nowhere.
    """
    codes = UNCOUNTED + 1
    matrices = [np.bincount(truth * codes + row, minlength=CLASSES * codes) for row in answers]
    return np.reshape(matrices, (len(answers), CLASSES, codes))[:, :, :UNCOUNTED]


def resampled_confusions(truth: Array, answers: Array, resamples: int = RESAMPLES) -> Array:
    """float [resamples, networks, classes, classes + 2]: the same images drawn for every network.

    truth: int [N]. answers: int [networks, N], a class or one of the other codes.
    """
    rng = np.random.default_rng(SEED)
    drawn = np.zeros((resamples, len(answers), CLASSES, UNCOUNTED))
    for label in np.unique(truth):
        patterns, counts = np.unique(answers[:, truth == label], axis=1, return_counts=True)
        n = counts.sum()
        times = rng.multinomial(n, counts / n, size=resamples).astype(float)
        for network, codes in enumerate(patterns):
            drawn[:, network, label] = times @ np.eye(UNCOUNTED + 1)[codes][:, :UNCOUNTED]
    return drawn


def scores_of(matrices: Array) -> dict[str, Array]:
    """Each of SCORES, float [...], of confusion matrices [..., classes, classes or more], as `confusions` gives them.

    Precision, recall and F1 are averages weighted by class, as in the paper; macro F1 and macro recall are
    over the classes that occur. A class that nobody predicts has precision 0.
    """
    matrices = matrices.astype(float)
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    support, predicted = matrices.sum(axis=-1), matrices.sum(axis=-2)[..., :CLASSES]
    total = support.sum(axis=-1)
    precision, recall = _ratio(hits, predicted), _ratio(hits, support)
    f1 = _ratio(2 * hits, support + predicted)
    weighted = {"precision": precision, "recall": recall, "f1": f1}
    return {
        "accuracy": _ratio(hits.sum(axis=-1), total),
        **{name: _ratio((value * support).sum(axis=-1), total) for name, value in weighted.items()},
        "macro_f1": _ratio(f1.sum(axis=-1), (support > 0).sum(axis=-1)),
        "macro_recall": _ratio(recall.sum(axis=-1), (support > 0).sum(axis=-1)),
    }


def score_intervals(truth: Array, answers: Array) -> dict[str, Interval]:
    """The mean over networks of each score, with its interval over images.

    truth: int [N]. answers: int [networks, N], a class or one of the other codes.
    """
    found = scores_of(confusions(truth, answers))
    drawn = scores_of(resampled_confusions(truth, answers))
    return {
        name: Interval(float(found[name].mean()), *percentiles(drawn[name].mean(axis=1)))
        for name in SCORES
    }


def mean_interval(values: Array, truth: Array) -> Interval:
    """The mean of a value per image, with its interval over images, resampled within classes.

    values: float [N]. truth: int [N].
    """
    rng = np.random.default_rng(SEED)
    sums = np.zeros(RESAMPLES)
    for label in np.unique(truth):
        found, counts = np.unique(np.round(values[truth == label], 9), return_counts=True)
        sums += rng.multinomial(counts.sum(), counts / counts.sum(), size=RESAMPLES) @ found
    return Interval(float(values.mean()), *percentiles(sums / len(values)))


def percentiles(drawn: Array) -> tuple[float, float]:
    """The ends of the 95 % percentile interval. drawn: float [resamples]."""
    low, high = np.percentile(drawn, _ENDS)
    return float(low), float(high)


def wilson(hits: float, n: int) -> Interval:
    """A share of n with its 95 % Wilson interval; hits may be a mean over networks."""
    z = 1.959964
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = round(float(middle - half), 12), round(float(middle + half), 12)
    return Interval(share, max(0.0, low), min(1.0, high))


def t_interval(values: Array) -> Interval:
    """The mean of two or more values, float [N], with Student's 95 % interval."""
    from scipy import stats

    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    return Interval(mean, mean - float(half), mean + float(half))


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)
