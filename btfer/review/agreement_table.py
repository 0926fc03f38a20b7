"""Agreement of the people who judged: overall, in parts, and which categories they confuse.

A vote is for one category: `drop`, whatever the reason, or the class that the picture has after it. Only
pictures with two votes or more count; the final verdict in a dispute is no vote.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from btfer.catalogue import Catalogue, photos, verdicts
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.rows import LabelledPhoto
from btfer.catalogue.verdicts import StoredVerdict
from btfer.expressions import EXPRESSIONS
from btfer.review import agreement
from btfer.review.agreement import Counts, Estimate
from btfer.review.rules import check_round

DROP = "drop"
ALL = "all"
AGAINST_REST = "class against the rest"
PARTS = {
    "searched class": "intended",
    "language": "language",
    "ethnicity": "ethnicity",
    "gender": "gender",
    "age": "age",
}
"""Parts of the pictures by what their query intends, and the column that holds it."""

NOT_STATED = "not stated"


@dataclass(frozen=True)
class Ballots:
    """The votes on the pictures that two or more people judged.

    ratings: int64 [items, reviewers], indices into `categories`, -1 = no vote. intents: the photo of each
    item, with the fields of `PARTS`.
    """

    categories: tuple[str, ...]
    reviewers: tuple[str, ...]
    ratings: NDArray[np.int64]
    intents: list[LabelledPhoto]

    @property
    def counts(self) -> Counts:
        """How many people put each item in each category, int64 [items, categories]."""
        return agreement.count_votes(self.ratings, len(self.categories))


@dataclass(frozen=True)
class AgreementRow:
    """One statistic of one group of pictures, and the fields of `Estimate`.

    by: what the pictures are grouped by (`all`, `class against the rest`, or one of `PARTS`). group: which group.
    """

    by: str
    group: str
    statistic: str
    of: str
    n_items: int
    value: float | None
    low: float | None
    high: float | None
    why: str


@dataclass(frozen=True)
class Agreement:
    """How far people agree in a round.

    confusion: pairs of votes on one picture, int [categories, categories], symmetric.
    """

    round: str
    n_items: int
    reviewers: tuple[str, ...]
    rows: list[AgreementRow]
    categories: tuple[str, ...]
    confusion: list[list[int]]


def measure(cat: Catalogue, round_: str) -> Agreement:
    """How far people agree in a round, so far. Raises UsageError for an unknown round."""
    check_round(round_)
    often = verdicts.judged_often(cat, round_)  # far fewer than all, where most were judged once
    shared = judged_twice(verdicts.votes(cat, round_, often))
    given = ballots(shared, photos.labels(cat) if shared else {}, round_)
    confusion = agreement.pair_counts(given.counts).tolist()
    n_items = len(given.ratings)
    return Agreement(round_, n_items, given.reviewers, table(given), given.categories, confusion)


def judged_twice(votes: Iterable[StoredVerdict]) -> list[StoredVerdict]:
    """The votes on pictures that have two or more."""
    found = list(votes)
    n_votes = Counter(_item(row) for row in found)
    return [row for row in found if n_votes[_item(row)] > 1]


def ballots(
    votes: Iterable[StoredVerdict], known: Mapping[str, LabelledPhoto], round_: str
) -> Ballots:
    """Votes as a table of ratings.

    known: photos by sha256; votes on others are left out.
    """
    # The label of a photo may come from these very votes: who kept it meant what its query intends.
    column = "intended" if round_ == "photos" else "expression"
    shared = judged_twice(row for row in votes if row.photo in known)
    voted = [_category(row, getattr(known[row.photo], column)) for row in shared]
    categories = (*EXPRESSIONS, DROP, *([UNLABELLED] if UNLABELLED in voted else []))
    photo_of = {_item(row): row.photo for row in shared}
    index = {item: number for number, item in enumerate(photo_of)}
    reviewers = tuple(sorted({row.reviewer for row in shared}))
    ratings = np.full((len(index), len(reviewers)), -1, np.int64)
    for row, category in zip(shared, voted, strict=True):
        ratings[index[_item(row)], reviewers.index(row.reviewer)] = categories.index(category)
    return Ballots(categories, reviewers, ratings, [known[sha256] for sha256 in photo_of.values()])


def table(given: Ballots) -> list[AgreementRow]:
    """Every statistic over all items, of one category against the rest, and of each part of the items.

    Cohen's kappa is of each two people over all items; in the parts only where two people are all.
    """
    counts, n_categories = given.counts, len(given.categories)
    rows = [_row(ALL, ALL, one) for one in (*_of_all(counts), *_of_pairs(given))]
    for column, name in enumerate(given.categories):
        two = np.column_stack([counts[:, column], counts.sum(1) - counts[:, column]])
        collapsed = np.where(given.ratings < 0, -1, given.ratings != column)
        against = Ballots((name, "rest"), given.reviewers, collapsed, given.intents)
        rows += [_row(AGAINST_REST, name, one) for one in (*_of_all(two), *_of_two(against))]
    for by, intent in PARTS.items():
        for group, chosen in _groups(given.intents, intent):
            part = Ballots(given.categories, given.reviewers, given.ratings[chosen], [])
            of_all = _of_all(agreement.count_votes(part.ratings, n_categories))
            rows += [_row(by, group, one) for one in (*of_all, *_of_two(part))]
    return rows


def printed(found: Agreement) -> tuple[list[str], list[list[str]]]:
    """A header and rows of text: the statistics over all items of a round."""
    header = [found.round, "of", "items", "value", "95 % interval", "note"]
    rows = [
        [row.statistic, row.of, f"{row.n_items:,}", number(row), interval(row), row.why]
        for row in found.rows
        if row.by == ALL
    ]
    return header, rows


def number(row: AgreementRow) -> str:
    """A row's value as text."""
    return "–" if row.value is None else f"{row.value:.3f}"


def interval(row: AgreementRow) -> str:
    """A row's interval as text; '' where it has none."""
    return "" if row.low is None else f"{row.low:.3f} to {row.high:.3f}"


def soft_labels(
    votes: Iterable[StoredVerdict], label_of: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """How many people voted for each category of each face, by face id: {face: {category: votes}}, in label order.

    votes: of round `faces`. label_of: each photo's label by sha256, which is what a keep means.
    """
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in votes:
        counted[row.face][_category(row, label_of.get(row.photo, UNLABELLED))] += 1
    order = (*EXPRESSIONS, DROP, UNLABELLED)
    return {face: {name: n[name] for name in order if n[name]} for face, n in counted.items()}


def _category(row: StoredVerdict, kept_as: str) -> str:
    """The category of a vote."""
    if row.decision == "drop":
        return DROP
    return row.expression or kept_as or UNLABELLED


def _item(row: StoredVerdict) -> str:
    return row.face or row.photo


def _row(by: str, group: str, one: Estimate) -> AgreementRow:
    return AgreementRow(by, group, **asdict(one))


def _of_all(counts: Counts) -> list[Estimate]:
    measures = (
        agreement.percent_agreement,
        agreement.fleiss_kappa,
        agreement.krippendorff_alpha,
    )
    return [one(counts) for one in measures]


def _of_pairs(given: Ballots) -> list[Estimate]:
    """Cohen's kappa of each two people who have judged an item in common."""
    n = len(given.categories)
    votes = dict(zip(given.reviewers, given.ratings.T, strict=True))
    pairs = [
        agreement.cohen_kappa(votes[one], votes[other], n, of=f"{one} and {other}")
        for one, other in combinations(given.reviewers, 2)
        if ((votes[one] >= 0) & (votes[other] >= 0)).any()
    ]
    return pairs


def _of_two(given: Ballots) -> list[Estimate]:
    return _of_pairs(given) if len(given.reviewers) == 2 else []


def _groups(intents: list[LabelledPhoto], column: str) -> list[tuple[str, NDArray[np.bool_]]]:
    """Each group with its items, label order or alphabet, `not stated` last; none where nothing is stated."""
    values = np.array([getattr(one, column) or NOT_STATED for one in intents])
    found = set(values.tolist())
    if found <= {NOT_STATED}:
        return []
    known = [name for name in EXPRESSIONS if name in found]
    rest = sorted(found - set(known), key=lambda name: (name == NOT_STATED, name))
    return [(name, values == name) for name in (*known, *rest)]
