"""Bundles of one release in their order, and which places of it mean something.

Two submissions differ where McNemar's exact test on the same images says so after Holm's correction over all
pairs. A submission's place lies between one more than the number of those that are better beyond chance, and the
number of those that are not worse beyond chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from btfer.bench.leaderboard.parts import GroupScore, recall_intervals, served_groups
from btfer.bench.report.intervals import Interval, mean_interval
from btfer.bench.report.questions import LEVEL, holm, mcnemar
from btfer.bench.submit.card_check import STATED
from btfer.bench.submit.checks import Checked
from btfer.bench.submit.scores import reliability

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Submission:
    """One submission on the board. number: its place by accuracy, from 1; best, worst: the places that it may have.

    ties: numbers of those that do not differ from it beyond chance. same_as: number of an earlier one with the very
    same predictions, 0 = none. recalls: of each class, None where it does not occur. groups: by what a query asked
    for. reliability: float [bins, 3], as `submit.scores.reliability` gives it.
    """

    number: int
    checked: Checked
    accuracy: Interval
    macro_recall: Interval
    recalls: list[Interval | None]
    groups: list[GroupScore]
    reliability: Array
    best: int = 0
    worst: int = 0
    ties: tuple[int, ...] = ()
    same_as: int = 0

    @property
    def stated(self) -> dict[str, Any]:
        """What the submission says of itself, None where it says nothing."""
        return {name: self.checked.card.stated.get(name) for name in STATED}

    @property
    def places(self) -> str:
        """`1`, or `2-4` where chance decides."""
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


@dataclass(frozen=True)
class Pair:
    """Two submissions, by number, on the same images. only_first, only_second: images that only one got right."""

    first: int
    second: int
    only_first: int
    only_second: int
    p: float
    p_holm: float = 1.0

    @property
    def is_tie(self) -> bool:
        """Whether chance alone would part the two as far."""
        return self.p_holm >= LEVEL


@dataclass(frozen=True)
class Board:
    """The submissions of one kind (`cross_domain` or `in_domain`), the most accurate first, and every pair of them."""

    part: str
    entries: list[Submission]
    pairs: list[Pair]


def make_board(part: str, found: Sequence[Checked]) -> Board:
    """The board of bundles that were all scored on the same release."""
    ranked = sorted(found, key=lambda one: (-one.right.mean(), one.card.name, one.card.run))
    entries = [_entry(number, one) for number, one in enumerate(ranked, start=1)]
    pairs = _pairs(entries)
    return Board(part, [_placed(one, entries, pairs) for one in entries], pairs)


def _entry(number: int, one: Checked) -> Submission:
    truth, right = one.images.labels, one.right.astype(float)
    support = np.bincount(truth)
    # Every class weighs the same: an image of a rare class counts for more of them.
    weight = len(truth) / ((support > 0).sum() * support[truth])
    return Submission(
        number,
        one,
        mean_interval(right, truth),
        mean_interval(right * weight, truth),
        recall_intervals(truth, one.right),
        served_groups(one.images, one.right),
        reliability(truth, one.probabilities),
    )


def _pairs(entries: list[Submission]) -> list[Pair]:
    found = []
    for one, two in combinations(entries, 2):
        first, second = one.checked.right, two.checked.right
        only = int((first & ~second).sum()), int((second & ~first).sum())
        found.append(Pair(one.number, two.number, *only, mcnemar(*only)))
    adjusted = holm([one.p for one in found])
    return [replace(one, p_holm=p) for one, p in zip(found, adjusted, strict=True)]


def _placed(entry: Submission, entries: list[Submission], pairs: list[Pair]) -> Submission:
    number = entry.number
    mine = [one for one in pairs if number in (one.first, one.second)]
    ties = tuple(sorted(one.first + one.second - number for one in mine if one.is_tie))
    # The pair's first is the more accurate one.
    better = sum(not one.is_tie and one.second == number for one in mine)
    worse = sum(not one.is_tie and one.first == number for one in mine)
    answers = entry.checked.answers_sha256
    same = (one.number for one in entries[: number - 1] if one.checked.answers_sha256 == answers)
    return replace(
        entry,
        best=1 + better,
        worst=len(entries) - worse,
        ties=ties,
        same_as=next(same, 0),
    )
