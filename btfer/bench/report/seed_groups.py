"""Runs that differ in nothing but the seed, as one group, with what each predicted for each image."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from btfer.bench.published import paper_name
from btfer.bench.report.intervals import UNCOUNTED
from btfer.bench.runs.record import RunRecord
from btfer.bench.train.protocol import BALANCES
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]
VALIDATION, TEST, BTFER, IN_DOMAIN = "validation", "test", "btfer", "in_domain"
PARTS = {
    "validation": (VALIDATION, "predictions_val.parquet"),
    "test": (TEST, "predictions_test.parquet"),
    "cross_domain": (BTFER, "predictions_btfer.parquet"),
    "in_domain": (IN_DOMAIN, "predictions_btfer.parquet"),
}
"""What a run may be scored on: name in its metrics, our name, file of predictions."""

STRATA = ("ethnicity", "gender", "age")
"""Columns of predictions that say what a query asked for."""

_ROW = ("label", "predicted", "counts")


@dataclass(frozen=True)
class ScoredImages:
    """What was scored. files: names, object [N]. truth: int8 [N], label order. strata: object [N] by column."""

    files: Array
    truth: Array
    strata: dict[str, Array]


@dataclass(frozen=True)
class Answers:
    """One run's predictions. codes: int8 [N], a class in label order, or UNCOUNTED."""

    run: RunRecord
    seed: int
    images: ScoredImages
    codes: Array


@dataclass(frozen=True)
class GroupFacts:
    """What defines a group, seed apart. The fields are columns of results.csv.

    scored_on: one of VALIDATION, TEST, BTFER, IN_DOMAIN. pictures: name of the release or training set
    whose images were scored.
    """

    architecture: str
    weights: str
    training_set: str
    resolution: int
    balance: str
    protocol: str
    scored_on: str
    pictures: str | None


@dataclass(frozen=True, eq=False)
class SeedGroup:
    """One network, training set, balance and protocol, scored on one set of images; an Answers for each seed."""

    definition: str
    scored_on: str
    answers: tuple[Answers, ...]

    @property
    def run(self) -> RunRecord:
        """The record of the first seed: all but the seed is the same in the others."""
        return self.answers[0].run

    @property
    def facts(self) -> GroupFacts:
        """What a row of a table says about the group, scores apart."""
        run, definition = self.run, self.run.definition
        on_release = self.scored_on in (BTFER, IN_DOMAIN)
        return GroupFacts(
            architecture=definition.architecture,
            weights=definition.weights,
            training_set=paper_name(run.training),
            resolution=definition.resolution,
            balance=definition.balance,
            protocol=definition.protocol_name,
            scored_on=self.scored_on,
            pictures=(run.release_name or None) if on_release else run.training,
        )

    @cached_property
    def joint(self) -> tuple[ScoredImages, Array]:
        """The images, and the predictions of all seeds for them, int8 [seeds, N]."""
        images = self.answers[0].images
        return images, np.stack([aligned(one, images) for one in self.answers])

    @property
    def title(self) -> str:
        """A short name for headings and plots."""
        facts = self.facts
        if facts.balance not in BALANCES:
            return f"{facts.architecture} ({facts.training_set})"
        weights = "" if facts.weights == "none" else f" {facts.weights}"
        where = f"{facts.training_set}, {facts.balance}"
        return f"{facts.architecture}{weights} {facts.resolution} px, {where}"


def aligned(one: Answers, images: ScoredImages) -> Array:
    """The codes of a run, int8 [N], in the order of `images`; UNCOUNTED for what it did not see."""
    if one.images.files is images.files or np.array_equal(one.images.files, images.files):
        return one.codes
    found = pd.Series(one.codes, index=one.images.files).reindex(images.files)
    return found.fillna(UNCOUNTED).to_numpy(np.int8)


def read_groups(runs: Iterable[RunRecord]) -> list[SeedGroup]:
    """The groups of all runs that have predictions, seeds in order.

    Raises UsageError for a file of predictions that cannot be read.
    """
    seen: dict[bytes, ScoredImages] = {}
    grouped: dict[tuple[str, str], list[Answers]] = {}
    for run in runs:
        for metric in run.metrics:
            scored_on, name = PARTS.get(metric, ("", ""))
            if scored_on and (run.folder / name).is_file():
                key = (_but_the_seed(run, scored_on), scored_on)
                grouped.setdefault(key, []).append(_answers(run, run.folder / name, seen))
    return [
        SeedGroup(*key, tuple(sorted(found, key=lambda one: one.seed)))
        for key, found in grouped.items()
    ]


def comparable(groups: Iterable[SeedGroup]) -> list[SeedGroup]:
    """One group for each combination that a table has a place for: no trial where there is a full one.

    Full is: all images, the protocol's own split, full precision; then the longest allowed training, and
    most seeds.
    """
    best: dict[tuple[Any, ...], SeedGroup] = {}
    for group in sorted(groups, key=_weight):
        place = tuple(value for name, value in vars(group.facts).items() if name != "pictures")
        best[place] = group
    return list(best.values())


def _weight(group: SeedGroup) -> tuple[bool, bool, bool, float, int, str]:
    of = group.run.definition
    own = of.protocol.get("split", "")
    return (
        not of.limit,
        f"; {own}:" in of.split,
        not of.mixed_precision,
        float("inf") if of.epochs is None else of.epochs,
        len(group.answers),
        group.definition,
    )


def _but_the_seed(run: RunRecord, scored_on: str) -> str:
    release = run.release.digest if run.release and scored_on == BTFER else None
    return json.dumps([run.definition.without_seed(), run.training, release], sort_keys=True)


def _answers(run: RunRecord, path: Path, seen: dict[bytes, ScoredImages]) -> Answers:
    try:
        present = [one for one in STRATA if one in pq.read_schema(path).names]
        table = pq.read_table(path, columns=["file", *_ROW, *present]).to_pandas()
        truth, codes = _codes(table["label"]), _codes(table["predicted"])
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path} is not a table of predictions ({error}): delete its folder and run btfer bench again"
        ) from error
    codes[~table["counts"].to_numpy(bool)] = UNCOUNTED
    return Answers(run, run.definition.seed, _shared(table, truth, present, seen), codes)


def _codes(words: "pd.Series[str]") -> Array:
    codes = pd.Categorical(words, categories=list(EXPRESSIONS)).codes
    if (codes < 0).any():
        raise ValueError("it has a label that is not one of the classes")
    return np.array(codes, np.int8)


def _shared(
    table: pd.DataFrame, truth: Array, strata: list[str], seen: dict[bytes, ScoredImages]
) -> ScoredImages:
    """The same images once in memory, however many runs were scored on them."""
    files = table["file"].to_numpy(object)
    key = "\0".join(files).encode() + truth.tobytes()
    if key not in seen:
        columns = {name: table[name].fillna("").to_numpy(object) for name in strata}
        seen[key] = ScoredImages(files, truth, columns)
    return seen[key]
