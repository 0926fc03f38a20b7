"""Every number of the report as one tidy table: a row for each cell and score, ours beside the published one."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from btfer.bench.published import SCORES as PUBLISHED_SCORES
from btfer.bench.published import model_name, published_tables
from btfer.bench.report.intervals import (
    SCORES,
    UNANSWERED,
    UNCOUNTED,
    Interval,
    confusions,
    score_intervals,
    scores_of,
)
from btfer.bench.report.seed_groups import BTFER, TEST, VALIDATION, SeedGroup
from btfer.bench.submit.scores import answers_digest

Array = np.ndarray[Any, Any]

CELL = (
    "table",
    "model",
    "architecture",
    "weights",
    "parameters",
    "training_set",
    "resolution",
    "balance",
    "protocol",
    "scored_on",
    "pictures",
    "digest",
)
COLUMNS = (
    *CELL,
    "score",
    "state",
    "ours",
    "low",
    "high",
    "images",
    "coverage",
    "accuracy_answered",
    "leaks",
    "same",
    "shown",
    "scored",
    "seeds",
    "seeds_sd",
    "seeds_min",
    "seeds_max",
    "published",
    "difference",
    "claimed",
    "claimed_on",
    "marks",
    "reason",
    "epochs_limit",
    "answers",
    "runs",
)
PLACE = ("architecture", "weights", "training_set", "resolution", "balance")
COUNTERPART = {VALIDATION: "validation", TEST: "validation", BTFER: "btfer"}
"""Which published part our scored parts stand beside; in-domain scores stand beside none."""


def results_frame(
    cells: list[SeedGroup], chosen: Collection[SeedGroup] | None = None
) -> pd.DataFrame:
    """COLUMNS, one row for each cell and score; then the paper's cells that nobody has run, as `not run`.

    chosen: those that the tables show, of cells that mean the same; None = all of them.
    """
    published = _published()
    shown = {(one.definition, one.scored_on) for one in (cells if chosen is None else chosen)}
    rows = [
        row | {"shown": (cell.definition, cell.scored_on) in shown}
        for cell in cells
        for row in _rows_of(cell, published)
    ]
    taken = {(*(row[name] for name in PLACE), COUNTERPART.get(row["scored_on"])) for row in rows}
    for place, one in published.items():
        if place not in taken:
            rows += [_published_row(one, score) for score in PUBLISHED_SCORES]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _published() -> dict[tuple[Any, ...], dict[str, Any]]:
    rows: list[Any] = published_tables().to_dict("records")
    return {(*(one[name] for name in PLACE), one["scored_on"]): one for one in rows}


def _rows_of(
    cell: SeedGroup, published: dict[tuple[Any, ...], dict[str, Any]]
) -> list[dict[str, Any]]:
    facts, run = vars(cell.facts), cell.run
    place = (*(facts[name] for name in PLACE), COUNTERPART.get(cell.scored_on))
    theirs = published.get(place, {})
    images, codes = cell.joint
    known = score_intervals(images.truth, codes)
    by_seed = scores_of(confusions(images.truth, codes))
    shared = facts | {
        "table": theirs.get("table"),
        "model": model_name(facts["architecture"], facts["weights"]),
        "parameters": run.parameters,
        "state": "done",
        "digest": cell.digest[:12],
        "images": int((codes[0] != UNCOUNTED).sum()),
        **_answered(images.truth, codes),
        "leaks": (run.leaks or {}).get("faces") if cell.scored_on == BTFER else None,
        "same": cell.same,
        "scored": cell.when,
        "seeds": len(cell.answers),
        "marks": theirs.get("marks", ""),
        "reason": theirs.get("reason", ""),
        "epochs_limit": run.definition.epochs,
        "answers": answers_digest(images.files, codes),
        "runs": " ".join(one.run.id for one in cell.answers),
    }
    rows = [
        shared | _numbers(known[score], by_seed[score], theirs.get(score)) | {"score": score}
        for score in SCORES
    ]
    claim = (run.card or {}).get("claimed")
    if claim and cell.scored_on == BTFER:
        rows[SCORES.index("accuracy")] |= {"claimed": claim["accuracy"], "claimed_on": claim["on"]}
    return [*rows, *(shared | one for one in _calibration(cell))]


def _calibration(cell: SeedGroup) -> list[dict[str, Any]]:
    """The expected calibration error as the runs recorded it; an interval by the bootstrap would be biased."""
    found = [one.scores.get("ece") for one in cell.answers]
    values = np.array([value for value in found if isinstance(value, int | float)], float)
    if len(values) < len(found):
        return []
    mean = float(values.mean())
    return [
        _numbers(Interval(mean, mean, mean), values, None)
        | {"score": "ece", "low": None, "high": None}
    ]


def _answered(truth: Any, codes: Any) -> dict[str, float]:
    """Share of the counted images that have an answer, and the accuracy on these; over all seeds."""
    answered = int(((codes != UNCOUNTED) & (codes != UNANSWERED)).sum())
    counted = int((codes != UNCOUNTED).sum())
    return {
        "coverage": round(answered / max(1, counted), 6),
        "accuracy_answered": round(int((codes == truth).sum()) / max(1, answered), 6),
    }


def _numbers(ours: Any, by_seed: Any, theirs: float | None) -> dict[str, Any]:
    several = len(by_seed) > 1
    return {
        "ours": round(ours.value, 6),
        "low": round(ours.low, 6),
        "high": round(ours.high, 6),
        "seeds_sd": round(float(np.std(by_seed, ddof=1)), 6) if several else None,
        "seeds_min": round(float(by_seed.min()), 6) if several else None,
        "seeds_max": round(float(by_seed.max()), 6) if several else None,
        "published": theirs,
        "difference": None if theirs is None else round(ours.value - theirs, 6),
    }


def _published_row(one: dict[str, Any], score: str) -> dict[str, Any]:
    names = ("table", "model", *PLACE, "scored_on", "parameters", "marks", "reason")
    return {name: one[name] for name in names} | {
        "score": score,
        "state": "not run",
        "published": one[score],
    }
