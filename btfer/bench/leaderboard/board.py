"""Bundles of one release in their order, and which places of it mean something.

Two submissions differ where McNemar's exact test on the same images says so after Holm's correction over all
pairs. A submission's place lies between one more than the number of those that are better beyond chance, and the
number of those that are not worse beyond chance. The same answers under several names count once: a copy has the
place of the first, and takes none from the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from btfer.bench.leaderboard.parts import GroupScore, recall_intervals, served_groups
from btfer.bench.report.intervals import Interval, mean_interval
from btfer.bench.report.questions import LEVEL, holm, mcnemar
from btfer.bench.report.telling_apart import told_apart
from btfer.bench.submit.bundle import Card
from btfer.bench.submit.card_check import STATED
from btfer.bench.submit.checks import Checked
from btfer.bench.submit.scores import reliability

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Submission:
    """One submission on the board. number: its place by accuracy, from 1; best, worst: the places that it may have.

    ties: numbers of those that do not differ from it beyond chance, copies left out. same_as: number of an earlier one
    with the very same predictions, 0 = none. variant: what tells it from others of its name. recalls: of each class,
    None where it does not occur. groups: by what a query asked for. reliability: float [bins, 3], as
    `submit.scores.reliability` gives it.
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
    variant: str = ""

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
    """The submissions of one kind (`cross_domain` or `in_domain`), the most accurate first, and every pair of

    different answers among them.
    """

    part: str
    entries: list[Submission]
    pairs: list[Pair]


def _parts(card: Card) -> list[str]:
    """What is said of a network beside its name."""
    said = card.stated
    units = (
        ("resolution", "{} px"),
        ("weights", "weights {}"),
        ("balance", "{}"),
        ("seed", "seed {}"),
    )
    named = [str(said.get(name) or "") for name in ("training", "protocol")]
    return named + [how.format(said[name]) if name in said else "" for name, how in units]


def make_board(part: str, found: Sequence[Checked]) -> Board:
    """The board of bundles that were all scored on the same release."""
    ranked = sorted(found, key=lambda one: (-one.right.mean(), one.card.name, one.card.run))
    first = dict[str, int]()
    for number, one in enumerate(ranked, start=1):
        first.setdefault(one.answers_sha256, number)
    entries = [
        _entry(number, one, first[one.answers_sha256]) for number, one in enumerate(ranked, start=1)
    ]
    variants = told_apart([one.card.name for one in ranked], [_parts(one.card) for one in ranked])
    entries = [
        replace(one, variant=", ".join(parts)) for one, parts in zip(entries, variants, strict=True)
    ]
    different = [one for one in entries if not one.same_as]
    pairs = _pairs(different)
    return Board(part, [_placed(one, len(different), pairs) for one in entries], pairs)


def _entry(number: int, one: Checked, first: int) -> Submission:
    """first: the number of the first with the same answers."""
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
        same_as=0 if first == number else first,
    )


def _pairs(entries: list[Submission]) -> list[Pair]:
    found = []
    for one, two in combinations(entries, 2):
        first, second = one.checked.right, two.checked.right
        only = int((first & ~second).sum()), int((second & ~first).sum())
        found.append(Pair(one.number, two.number, *only, mcnemar(*only)))
    adjusted = holm([one.p for one in found])
    return [replace(one, p_holm=p) for one, p in zip(found, adjusted, strict=True)]


def _placed(entry: Submission, different: int, pairs: list[Pair]) -> Submission:
    """different: how many different answers there are."""
    number = entry.same_as or entry.number
    mine = [one for one in pairs if number in (one.first, one.second)]
    ties = tuple(sorted(one.first + one.second - number for one in mine if one.is_tie))
    # The pair's first is the more accurate one.
    better = sum(not one.is_tie and one.second == number for one in mine)
    worse = sum(not one.is_tie and one.first == number for one in mine)
    return replace(entry, best=1 + better, worst=different - worse, ties=ties)
