"""The research questions answered by test: paired differences with intervals, sign tests, exact McNemar, Holm.

A difference is of accuracy, other level minus base level, between two cells that agree in all else. Cells of
one network are alike, so where there are five networks or more these are the units of interval and sign
test; else cells are. Interval: Student's t over units; with fewer than three units of ours, a bootstrap over
images and a sign test over them, which say nothing about other networks. Holm's correction is over the distinct
hypotheses of a question: a contrast over the same pairs as another one counts once, and noise is no hypothesis.

Sources: Q. McNemar, Psychometrika 12 (1947) 153-157, exact form. S. Holm, Scandinavian Journal of
Statistics 6 (1979) 65-70.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from btfer.bench.published import published_tables
from btfer.bench.report.contrasts import Contrast, contrasts, matched
from btfer.bench.report.intervals import UNCOUNTED, Interval, mean_interval, t_interval
from btfer.bench.report.seed_groups import BTFER, VALIDATION, Answers, SeedGroup, aligned
from btfer.bench.train.protocol import CONSERVATIVE_CAP

Array = np.ndarray[Any, Any]

NETWORKS, CELLS, IMAGES = "networks", "cells", "images"
LEAST_NETWORKS = 5
LEAST_UNITS = 3
LEVEL = 0.05
CONFOUNDED = "affectnet"
"""The authors' copy of it at 48 px is another one than at 224 px."""


@dataclass(frozen=True)
class Finding:
    """What a contrast came to. unit: what interval and sign test are over.

    up, down: units of each sign. p: of the sign test; p_holm: corrected over the question. clean: the
    interval without suspect published numbers. gap: mean absolute difference of cells. noise: both levels are the
    same by definition. confounded: all of its pairs differ in more than the factor. pairs: what is compared.
    """

    contrast: Contrast
    cells: int
    networks: int
    unit: str
    interval: Interval | None
    mean: float
    gap: float
    up: int
    down: int
    p: float
    p_holm: float = 1.0
    clean: Interval | None = None
    noise: bool = False
    confounded: bool = False
    pairs: frozenset[Any] = field(default=frozenset(), compare=False, repr=False)


@dataclass(frozen=True)
class PairedRuns:
    """Two runs of one seed on the same images. gained: right only with the other level; lost: only with the base."""

    contrast: Contrast
    base: str
    other: str
    seed: int
    images: int
    gained: int
    lost: int
    interval: Interval
    p: float
    p_holm: float = 1.0


def published_findings() -> list[Finding]:
    """Every contrast on the paper's numbers alone."""
    rows = published_tables().rename(columns={"accuracy": "value"})
    rows["pretrained"] = rows["weights"] != "none"
    rows["same_weights"] = rows["training_set"] == "affectnet"
    found, every = [], list(rows.itertuples())
    for contrast in contrasts(rows, CONFOUNDED):
        pairs = matched(every, contrast)
        if pairs:
            values = [(base.architecture, other.value - base.value) for base, other in pairs]
            sound = [v for v, pair in zip(values, pairs, strict=True) if not _suspect(pair)]
            clean = _over_units(sound)[1]
            noise = all(base.same_weights for base, _ in pairs) and contrast.factor == "balance"
            facts: dict[str, Any] = {
                "clean": clean,
                "noise": noise,
                "confounded": contrast.factor == "resolution"
                and contrast.where.get("training_set") == CONFOUNDED,
                "pairs": frozenset((base.Index, other.Index) for base, other in pairs),
            }
            found.append(replace(_finding(contrast, values), **facts))
    return _corrected(found)


def our_findings(cells: Sequence[SeedGroup]) -> tuple[list[Finding], list[PairedRuns]]:
    """Every contrast on our comparable cells, and each pair of runs behind it."""
    if not cells:
        return [], []
    rows = pd.DataFrame([_row(cell) for cell in cells])
    every = list(rows.itertuples())
    found: list[Finding] = []
    pairs: dict[tuple[SeedGroup, SeedGroup], list[PairedRuns]] = {}
    for contrast in contrasts(rows):
        both = [(b.cell, o.cell) for b, o in matched(every, contrast, ("protocol", "pictures"))]
        both = [(base, other) for base, other in both if _shared_seeds(base, other)]
        if not both:
            continue
        finding = _our_finding(contrast, both)
        found.append(replace(finding, pairs=frozenset((id(b), id(o)) for b, o in both)))
        for base, other in both:
            if (base, other) not in pairs:  # the same pair is in several contrasts of a question
                pairs[base, other] = _pairs(contrast, base, other)
    return _corrected(found), _corrected([one for every in pairs.values() for one in every])


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction: adjusted p-values in the order given."""
    adjusted, highest = [1.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = highest
    return adjusted


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p-value of McNemar's test; 1 where no image tells the two apart."""
    n = gained + lost
    return float(binomtest(gained, n).pvalue) if n else 1.0


def _same_weights(cell: SeedGroup) -> bool:
    """Whether the simple and the conservative weighting are the same numbers for a cell."""
    definition, counts = cell.run.definition, cell.run.training_counts or [0]
    unweighted = definition.protocol.get("unweighted", ())
    capped = min(counts) == 0 or max(counts) / min(counts) > CONSERVATIVE_CAP
    return definition.architecture in unweighted or not capped


def _row(cell: SeedGroup) -> dict[str, Any]:
    facts = cell.facts
    # A release has its own name; what a validation part is of, its cells say already.
    pictures = _digest(cell) if cell.scored_on == BTFER else ""
    return vars(facts) | {
        "pictures": pictures,
        "pretrained": facts.weights != "none",
        "same_weights": _same_weights(cell),
        "cell": cell,
    }


def _digest(cell: SeedGroup) -> str:
    return cell.run.release.digest if cell.run.release else ""


def _suspect(pair: tuple[Any, Any]) -> bool:
    return bool(pair[0].suspect or pair[1].suspect)


def _finding(contrast: Contrast, values: list[tuple[str, float]]) -> Finding:
    unit, interval, units = _over_units(values)
    up, down = int((units > 1e-9).sum()), int((units < -1e-9).sum())
    differences = np.array([value for _, value in values])
    return Finding(
        contrast,
        len(values),
        len({name for name, _ in values}),
        unit,
        interval,
        float(units.mean()),
        float(np.abs(differences).mean()),
        up,
        down,
        mcnemar(up, down),  # the sign test has the same form
    )


def _over_units(values: list[tuple[str, float]]) -> tuple[str, Interval | None, Array]:
    """Unit, interval (None where there are too few) and the values of the units."""
    by_network: dict[str, list[float]] = {}
    for name, value in values:
        by_network.setdefault(name, []).append(value)
    if len(by_network) >= LEAST_NETWORKS:
        unit, units = NETWORKS, np.array([np.mean(found) for found in by_network.values()])
    else:
        unit, units = CELLS, np.array([value for _, value in values])
    return unit, t_interval(units) if len(units) >= LEAST_UNITS else None, units


def _our_finding(contrast: Contrast, both: list[tuple[SeedGroup, SeedGroup]]) -> Finding:
    values, per_picture = [], []
    for base, other in both:
        gains, truth = _mean_gain(base, other)
        values.append((base.facts.architecture, float(gains.mean())))
        per_picture.append((gains, truth))
    found = _finding(contrast, values)
    if found.interval is None:
        gains, truth = _joined(per_picture)
        up, down = int((gains > 1e-9).sum()), int((gains < -1e-9).sum())
        interval, p = mean_interval(gains, truth), mcnemar(up, down)
        found = replace(found, unit=IMAGES, interval=interval, up=up, down=down, p=p)
    noise = contrast.factor == "balance" and all(_same_weights(base) for base, _ in both)
    return replace(found, noise=noise)


def _joined(found: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Gains of one or two cells: averaged over the same images, or one after the other."""
    first = found[0][1]
    if all(np.array_equal(truth, first) for _, truth in found):
        return np.mean([gains for gains, _ in found], axis=0), first
    return np.concatenate([g for g, _ in found]), np.concatenate([t for _, t in found])


def _shared_seeds(base: SeedGroup, other: SeedGroup) -> list[tuple[Answers, Answers]]:
    by_seed = {one.seed: one for one in other.answers}
    return [(one, by_seed[one.seed]) for one in base.answers if one.seed in by_seed]


def _gains(base: Answers, other: Answers) -> tuple[Array, Array]:
    """Per image that both count: 1 gained, -1 lost, 0 same; and the index of these images."""
    images = base.images
    theirs = aligned(other, images)
    shared = np.flatnonzero((base.codes != UNCOUNTED) & (theirs != UNCOUNTED))
    truth = images.truth[shared]
    right = (theirs[shared] == truth).astype(int) - (base.codes[shared] == truth).astype(int)
    return right, shared


def _mean_gain(base: SeedGroup, other: SeedGroup) -> tuple[Array, Array]:
    """Gain per image, mean over seeds, and the true classes."""
    truth = base.answers[0].images.truth
    total, seen = np.zeros(len(truth)), np.zeros(len(truth))
    for one, two in _shared_seeds(base, other):
        gains, shared = _gains(one, two)
        total[shared] += gains
        seen[shared] += 1
    counted = seen > 0
    return total[counted] / seen[counted], truth[counted]


def _pairs(contrast: Contrast, base: SeedGroup, other: SeedGroup) -> list[PairedRuns]:
    found = []
    for one, two in _shared_seeds(base, other):
        gains, shared = _gains(one, two)
        gained, lost = int((gains > 0).sum()), int((gains < 0).sum())
        interval = mean_interval(gains.astype(float), one.images.truth[shared])
        where = "" if base.scored_on != VALIDATION else ", validation"
        first, second = f"{base.title}{where}", f"{other.title}{where}"
        p = mcnemar(gained, lost)
        found.append(
            PairedRuns(contrast, first, second, one.seed, len(shared), gained, lost, interval, p)
        )
    return found


def _corrected(found: list[Any]) -> list[Any]:
    """Holm over the distinct hypotheses of each question, findings or pairs; noise is left as it is."""
    out = list(found)
    for question in {one.contrast.question for one in found}:
        same: dict[Any, list[int]] = {}
        for n, one in enumerate(found):
            if one.contrast.question == question and not getattr(one, "noise", False):
                same.setdefault(getattr(one, "pairs", n), []).append(n)
        adjusted = holm([found[places[0]].p for places in same.values()])
        for places, p in zip(same.values(), adjusted, strict=True):
            for n in places:
                out[n] = replace(found[n], p_holm=p)
    return out
