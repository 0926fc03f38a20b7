"""Whom a network fails: accuracy and recall by class and by what the query asked for, with how sure that is.

Ethnicity, gender and age are what a search query intended, never a fact about the person in an image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from btfer.bench.report.intervals import UNCOUNTED, wilson
from btfer.bench.report.seed_groups import BTFER, IN_DOMAIN, STRATA, SeedGroup
from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]

LEAST_IMAGES = 30
UNKNOWN = "not asked for"
CLASS = "class"
FACTS = (
    "architecture",
    "weights",
    "training_set",
    "resolution",
    "balance",
    "protocol",
    "scored_on",
    "pictures",
)
COLUMNS = (
    *FACTS,
    "stratum",
    "group",
    "label",
    "score",
    "images",
    "value",
    "low",
    "high",
    "too_small",
)


@dataclass(frozen=True)
class Gap:
    """The groups of a stratum that are served best and worst, of those large enough to say something.

    p: of a chi-square test that all groups have the same accuracy; None with one group.
    """

    stratum: str
    best: str
    worst: str
    difference: float
    p: float | None
    left_out: int


def strata_frame(cells: list[SeedGroup]) -> pd.DataFrame:
    """COLUMNS: a row for each cell scored on a release, group, and class (or all); Wilson intervals.

    value: mean over seeds of accuracy (label `all`) or recall; too_small: fewer than LEAST_IMAGES.
    """
    scored = [cell for cell in cells if cell.scored_on in (BTFER, IN_DOMAIN)]
    rows = [row for cell in scored for row in _rows_of(cell)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def gaps(rows: pd.DataFrame) -> list[Gap]:
    """The largest gap of each stratum. rows: of one cell."""
    found = []
    whole = rows[(rows["stratum"] == CLASS) | (rows["label"] == "all")]
    for stratum, every in whole.groupby("stratum", sort=False):
        sound = every[~every["too_small"] & (every["group"] != UNKNOWN)]
        if len(sound) < 2:
            continue
        best, worst = sound.nlargest(1, "value").iloc[0], sound.nsmallest(1, "value").iloc[0]
        gap = float(best["value"] - worst["value"])
        left_out = len(every) - len(sound)
        p = _homogeneous(sound)
        found.append(Gap(str(stratum), best["group"], worst["group"], gap, p, left_out))
    return found


def _homogeneous(groups: pd.DataFrame) -> float | None:
    from scipy.stats import chi2_contingency

    hits = (groups["value"] * groups["images"]).to_numpy()
    table = np.stack([hits, groups["images"].to_numpy() - hits])
    if (table.sum(axis=1) == 0).any():
        return None
    return float(chi2_contingency(table, correction=False).pvalue)


def _rows_of(cell: SeedGroup) -> Iterator[dict[str, Any]]:
    images, codes = cell.joint
    counted = (codes != UNCOUNTED).sum(axis=0)
    hits = (codes == images.truth).sum(axis=0)
    share = np.divide(hits, counted, out=np.zeros(len(hits)), where=counted > 0)
    kept = counted > 0
    truth = np.array(EXPRESSIONS, object)[images.truth]
    name = tuple(getattr(cell.facts, one) for one in FACTS)
    for label in EXPRESSIONS:
        yield from _row(name, CLASS, label, label, "recall", share[kept & (truth == label)])
    for stratum in STRATA:
        words = images.strata.get(stratum)
        if words is None or not (words != "").any():
            continue
        for word in sorted(set(words), key=lambda one: (one == "", one)):
            here = kept & (words == word)
            group = word or UNKNOWN
            yield from _row(name, stratum, group, "all", "accuracy", share[here])
            for label in EXPRESSIONS:
                yield from _row(
                    name, stratum, group, label, "recall", share[here & (truth == label)]
                )


def _row(
    cell: tuple[Any, ...], stratum: str, group: str, label: str, score: str, shares: Array
) -> Iterator[dict[str, Any]]:
    n = len(shares)
    if n:
        found = wilson(float(shares.sum()), n)
        numbers = (round(found.value, 6), round(found.low, 6), round(found.high, 6))
        values = (*cell, stratum, group, label, score, n, *numbers, n < LEAST_IMAGES)
        yield dict(zip(COLUMNS, values, strict=True))
