"""How far people agree when they judge the same pictures: percent agreement, kappa and alpha with intervals.

Votes come as counts, int [items, categories]: how many people put an item in each category. Every
statistic is 1 - observed / expected disagreement, from sums over items, so that one bootstrap serves all.

Sources: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
Measurement 20 (1960) 37-46. J. L. Fleiss, "Measuring nominal scale agreement among many raters",
Psychological Bulletin 76 (1971) 378-382. K. Krippendorff, "Computing Krippendorff's alpha-reliability"
(2011), and "Content Analysis", 4th edition (2018), chapter 12. Intervals: B. Efron and R. Tibshirani,
"An Introduction to the Bootstrap" (1993), chapter 13 (percentiles).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Sums = NDArray[np.float64]
Disagreement = tuple[Sums, Sums]

RESAMPLES = 2_000
SEED = 2024
LEAST_ITEMS = 10
"""With fewer items than this, resampling says too little: a value has no interval."""

PERCENT = "percent agreement"
COHEN = "Cohen's kappa"
FLEISS = "Fleiss' kappa"
KRIPPENDORFF = "Krippendorff's alpha"

ANY_NUMBER = "items with 2 or more votes"

NO_ITEMS = "no item was judged by two people"
ONE_CATEGORY = "all votes are in one category: chance alone would agree as much"
FEW_ITEMS = f"no interval: fewer than {LEAST_ITEMS} items"
NO_SPREAD = "no interval: every resample gives the same number"
TOO_OFTEN_UNDEFINED = "no interval: undefined in more than 1 of 20 resamples"

_MOST_UNDEFINED = 0.05
_CELLS_AT_ONCE = 4_000_000  # of resamples x patterns: 32 MB
_TINY = 1e-12


@dataclass(frozen=True)
class Estimate:
    """One statistic with its 95 % bootstrap interval over items; a missing number is None, and `why` says why.

    of: which votes it is about, in words. n_items: the number of items it uses.
    """

    statistic: str
    of: str
    n_items: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


def count_votes(ratings: NDArray[np.integer], n_categories: int) -> Counts:
    """Counts of votes, int64 [items, categories].

    ratings: int [items, raters], category numbers from 0 to n_categories - 1, -1 = no vote.
    """
    counts = np.zeros((len(ratings), n_categories), np.int64)
    items, raters = np.nonzero(ratings >= 0)
    np.add.at(counts, (items, ratings[items, raters]), 1)
    return counts


def percent_agreement(counts: Counts, *, seed: int = SEED) -> Estimate:
    """The share of pairs of people who agree on an item, averaged over the items with two votes or more.

    counts: int64 [items, categories], the number of votes.
    """
    used, n_votes = _judged_twice(counts)
    agreeing = (used * (used - 1)).sum(1) / (n_votes * (n_votes - 1))
    features = np.column_stack([np.ones(len(used)), agreeing])
    return _estimate(PERCENT, ANY_NUMBER, features, _plain, seed)


def cohen_kappa(
    first: NDArray[np.integer],
    second: NDArray[np.integer],
    n_categories: int,
    *,
    of: str = "two people",
    seed: int = SEED,
) -> Estimate:
    """Cohen's kappa of two people, on the items that both judged.

    first, second: int [items], category numbers, -1 = no vote. Source: Cohen (1960).
    """
    both = (first >= 0) & (second >= 0)
    one_hot = np.eye(n_categories)
    alike = first[both] == second[both]
    features = np.column_stack([alike, one_hot[first[both]], one_hot[second[both]]])
    return _estimate(COHEN, of, features.astype(np.float64), _cohen, seed)


def fleiss_kappa(counts: Counts, *, seed: int = SEED) -> Estimate:
    """Fleiss' kappa on the items with exactly n votes; n is the commonest number from two up (named in `of`).

    counts: int64 [items, categories], the number of votes. Source: Fleiss (1971).
    On two columns, a category and the rest, it is his kappa of that category.
    """
    used, n_votes = _judged_twice(counts)
    n = int(np.bincount(n_votes).argmax()) if len(used) else 2
    used = used[n_votes == n]
    agreeing = (used * (used - 1)).sum(1) / (n * (n - 1))
    features = np.column_stack([np.ones(len(used)), agreeing, used])
    return _estimate(FLEISS, f"items with exactly {n} votes", features, _fleiss, seed)


def krippendorff_alpha(counts: Counts, *, seed: int = SEED) -> Estimate:
    """Krippendorff's alpha for nominal data, on the items with two votes or more, however many each has.

    counts: int64 [items, categories], the number of votes. Source: Krippendorff (2011), section C.
    """
    used, n_votes = _judged_twice(counts)
    alike = (used * (used - 1)).sum(1) / (n_votes - 1)
    features = np.column_stack([alike, used])
    return _estimate(KRIPPENDORFF, ANY_NUMBER, features, _krippendorff, seed)


def pair_counts(counts: Counts) -> Counts:
    """How many pairs of votes on one item are for (a, b), int64 [categories, categories], symmetric.

    counts: int64 [items, categories], the number of votes. A pair that differs is counted on both sides of the
    diagonal; the diagonal and one side together are all pairs.
    """
    pairs = counts.T @ counts
    np.fill_diagonal(pairs, (counts * (counts - 1)).sum(0) // 2)
    return pairs


def _judged_twice(counts: Counts) -> tuple[Counts, NDArray[np.int64]]:
    n_votes = counts.sum(1)
    return counts[n_votes >= 2], n_votes[n_votes >= 2]


def _estimate(
    statistic: str, of: str, features: Sums, disagree: Callable[[Sums], Disagreement], seed: int
) -> Estimate:
    """features: float64 [items, f]; `disagree` takes their sums over items, [..., f]."""
    n = len(features)
    if not n:
        return Estimate(statistic, of, 0, why=NO_ITEMS)
    # Items with the same features are one pattern: few patterns make resampling quick, and sorted
    # patterns make it blind to the order of items.
    patterns, times = _patterns(features)
    value = float(_agreement(*disagree(times @ patterns)))
    if np.isnan(value):
        return Estimate(statistic, of, n, why=ONE_CATEGORY)
    if n < LEAST_ITEMS:
        return Estimate(statistic, of, n, value, why=FEW_ITEMS)
    sums = np.concatenate([drawn @ patterns for drawn in _resamples(times, seed)])
    resampled = _agreement(*disagree(sums))
    resampled = resampled[~np.isnan(resampled)]
    if len(resampled) < RESAMPLES * (1 - _MOST_UNDEFINED):
        return Estimate(statistic, of, n, value, why=TOO_OFTEN_UNDEFINED)
    low, high = (float(one) for one in np.percentile(resampled, (2.5, 97.5)))
    if np.ptp(resampled) < _TINY:
        return Estimate(statistic, of, n, value, why=NO_SPREAD)
    return Estimate(statistic, of, n, value, low, high)


def _patterns(features: Sums) -> tuple[Sums, NDArray[np.int64]]:
    """The rows that differ, sorted, and how often each is there: ten times as quick as `np.unique`."""
    rows = features[np.lexsort(features.T)]
    is_new = np.append(True, (rows[1:] != rows[:-1]).any(axis=1))
    starts = np.flatnonzero(is_new)
    return rows[starts], np.diff(np.append(starts, len(rows)))


def _resamples(times: NDArray[np.int64], seed: int) -> Iterator[Sums]:
    """How often each pattern is drawn, [some resamples, patterns], until there are `RESAMPLES`.

    Drawing n items with replacement draws patterns from a multinomial distribution.
    """
    rng = np.random.default_rng(seed)
    n, at_once = int(times.sum()), max(1, _CELLS_AT_ONCE // len(times))
    for start in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - start)
        yield rng.multinomial(n, times / n, size=size).astype(np.float64)


def _agreement(observed: Sums, expected: Sums) -> Sums:
    """1 - observed / expected disagreement; NaN where none is expected, so that it is undefined."""
    undefined = np.full(np.shape(expected), np.nan)
    ratio: Sums = np.divide(observed, expected, out=undefined, where=expected > _TINY)
    return 1 - ratio


def _plain(sums: Sums) -> Disagreement:
    n, agreeing = sums[..., 0], sums[..., 1]
    return n - agreeing, n


def _cohen(sums: Sums) -> Disagreement:
    agreeing, shares = sums[..., 0], sums[..., 1:]
    half = shares.shape[-1] // 2
    first, second = shares[..., :half], shares[..., half:]
    n = first.sum(-1)
    return 1 - agreeing / n, 1 - (first * second).sum(-1) / n**2


def _fleiss(sums: Sums) -> Disagreement:
    n_items, agreeing, votes = sums[..., 0], sums[..., 1], sums[..., 2:]
    by_chance = (votes**2).sum(-1) / votes.sum(-1) ** 2
    return 1 - agreeing / n_items, 1 - by_chance


def _krippendorff(sums: Sums) -> Disagreement:
    alike, votes = sums[..., 0], sums[..., 1:]
    n = votes.sum(-1)
    return (n - alike) / n, (n**2 - (votes**2).sum(-1)) / (n * (n - 1))
