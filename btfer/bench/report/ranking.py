"""What stands first in the report: all that was scored on a release, ours and others', beside published numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from btfer.bench.report.intervals import mean_interval
from btfer.bench.report.seed_groups import BTFER, IN_DOMAIN
from btfer.bench.report.tables import LETTERS
from btfer.bench.submit.card_check import STATED
from btfer.bench.submit.checks import Checked
from btfer.bench.submit.scores import SCORES as BUNDLE_SCORES
from btfer.bench.submit.scores import answers_digest
from btfer.csv_writer import as_csv

PART_NAMES = {"cross_domain": BTFER, "in_domain": IN_DOMAIN}


@dataclass(frozen=True)
class RankedRow:
    """One line of the ranking; None where a number is not known.

    accuracy counts unanswered images as wrong where `coverage` is known. published, difference: the paper's accuracy
    for the same cell, and ours minus it; letters, why: marks on it. claimed, claimed_on: accuracy of a network as
    its makers say, and on what. by: who handed it in, of a bundle. remarks: what a bundle claims otherwise, and whose
    answers are the very same. answers: their digest. same:
    groups of runs that mean the same, this one included. from_bundle: whether it is another's.
    """

    model: str
    resolution: int | None
    balance: str
    training_set: str
    protocol: str
    pictures: str
    digest: str
    accuracy: float
    low: float
    high: float
    seeds: int
    seeds_sd: float | None
    macro_recall: float | None
    macro_f1: float | None
    ece: float | None
    images: int
    coverage: float | None = None
    accuracy_answered: float | None = None
    leaks: int | None = None
    same: int = 1
    claimed: float | None = None
    claimed_on: str = ""
    published: float | None = None
    difference: float | None = None
    letters: str = ""
    why: str = ""
    by: str = ""
    remarks: tuple[str, ...] = ()
    answers: str = ""
    from_bundle: bool = False


def ranking(results: pd.DataFrame, others: Sequence[Checked] = ()) -> list[RankedRow]:
    """The rows, release by release, the most accurate first. results: of comparable cells."""
    ours = list(_ours(results))
    rows = _with_copies([*ours, *(_theirs(one, _name(one, ours)) for one in others)])
    best: dict[str, float] = {}
    for row in rows:
        best[row.pictures] = max(row.accuracy, best.get(row.pictures, 0))
    # The release with the best result first; a ranking over two releases would compare what cannot be compared.
    return sorted(
        rows, key=lambda row: (-best[row.pictures], row.pictures, -row.accuracy, row.model)
    )


def others_csv(others: Sequence[Checked]) -> bytes:
    """A row for each bundle: every score as computed here, and as it was claimed."""
    claims = [f"claimed_{name}" for name in BUNDLE_SCORES]
    facts = ("name", "by", "link", "part", "release", "release_digest", "run", "file")
    rows = [
        {
            **one.card.stated,
            **_known(one.scores),
            **_known({f"claimed_{name}": value for name, value in one.card.claimed.items()}),
            "name": one.card.name,
            "by": one.card.by,
            "link": one.card.link,
            "part": one.card.part,
            "release": one.images.name,
            "release_digest": one.images.digest,
            "run": one.card.run,
            "file": one.bundle.path.name,
        }
        for one in others
    ]
    return as_csv((*facts, *BUNDLE_SCORES, *claims, *STATED), rows)


def _known(values: dict[str, float | None]) -> dict[str, float | str]:
    return {name: "" if value is None else value for name, value in values.items()}


def _ours(results: pd.DataFrame) -> Iterable[RankedRow]:
    done = results[(results["state"] == "done") & results["scored_on"].isin([BTFER, IN_DOMAIN])]
    key = [name for name in ("runs", "scored_on", "digest") if name in done]
    for _, cell in done.groupby(key, sort=False):
        by_score = cell.set_index("score")["ours"]
        first = cell[cell["score"] == "accuracy"].iloc[0]
        one: dict[str, Any] = {str(k): None if pd.isna(v) else v for k, v in first.items()}
        shared = {field.name: one[field.name] for field in fields(RankedRow) if field.name in one}
        yield RankedRow(
            **shared
            | {
                "digest": one.get("digest") or "",
                "seeds": int(one["seeds"]),
                "images": int(one["images"]),
                "claimed_on": one.get("claimed_on") or "",
                "same": int(one.get("same") or 1),
                "answers": one.get("answers") or "",
                "accuracy": one["ours"],
                "macro_recall": _number(by_score, "macro_recall"),
                "macro_f1": _number(by_score, "macro_f1"),
                "ece": _number(by_score, "ece"),
                "letters": "".join(LETTERS[mark] for mark in (one["marks"] or "").split()),
                "why": one["reason"] or "",
            }
        )


def _with_copies(rows: list[RankedRow]) -> list[RankedRow]:
    """The rows, with a remark on the answers of another name: as good as they are, they are no second evidence."""
    first: dict[str, RankedRow] = {}
    for row in rows:
        first.setdefault(row.answers, row)
    return [
        replace(
            row,
            remarks=(
                *row.remarks,
                f"the very answers of {first[row.answers].model}",
            ),
        )
        if row.answers and first[row.answers] is not row
        else row
        for row in rows
    ]


def _number(by_score: "pd.Series[float]", name: str) -> float | None:
    value = by_score.get(name)
    return None if value is None or pd.isna(value) else float(value)


def _name(one: Checked, ours: Sequence[RankedRow]) -> str:
    """What the release of a bundle is called beside ours: the name tells two of them apart."""
    digest, name = one.images.digest[:12], one.images.name
    for row in ours:
        if row.digest == digest:
            return row.pictures
    taken = any(row.digest and row.pictures == name for row in ours)
    return f"{name} ({digest[:6]})" if taken else name


def _theirs(one: Checked, pictures: str) -> RankedRow:
    card, scores = one.card, one.scores
    accuracy = mean_interval(one.right.astype(float), one.images.labels)
    stated = {name: card.stated.get(name) for name in STATED}
    return RankedRow(
        model=card.name,
        resolution=stated["resolution"],
        balance=stated["balance"] or "",
        training_set=stated["training"] or "",
        protocol=stated["protocol"] or "",
        pictures=pictures,
        digest=one.images.digest[:12],
        accuracy=accuracy.value,
        low=accuracy.low,
        high=accuracy.high,
        seeds=1,
        seeds_sd=None,
        macro_recall=scores["macro_recall"],
        macro_f1=scores["macro_f1"],
        ece=scores["ece"],
        images=len(one.images),
        coverage=scores["coverage"],
        accuracy_answered=scores["accuracy_answered"],
        leaks=stated["leaks"],
        answers=answers_digest(np.array(one.images.files, object), one.codes[np.newaxis]),
        by=card.by,
        remarks=tuple(map(str, one.differences)),
        from_bundle=True,
    )
