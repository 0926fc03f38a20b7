"""Runs that differ in nothing but the seed, as one group, with what each predicted for each image."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from btfer.bench.published import paper_name
from btfer.bench.report.intervals import OTHER, UNANSWERED, UNCOUNTED
from btfer.bench.runs import predictions
from btfer.bench.runs.record import EXTERNAL, RELEASE_PARTS, RunRecord
from btfer.bench.train.protocol import BALANCES
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]
VALIDATION, TEST, BTFER, IN_DOMAIN = "validation", "test", "btfer", "in_domain"
OTHER_SET = "other_set"
PARTS = {"validation": VALIDATION, "test": TEST, "cross_domain": BTFER, "in_domain": IN_DOMAIN}
"""What a run may be scored on: name in its metrics, our name; beside these, parts of other training sets."""

FILES = {"validation": "predictions_val.parquet", "test": "predictions_test.parquet"}
"""Predictions on the training set; those on a release are named by the record."""

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
    """One run's predictions. codes: int8 [N], a class in label order, or another code of `intervals`.

    scores: as the record has them.
    """

    run: RunRecord
    seed: int
    images: ScoredImages
    codes: Array
    scores: Mapping[str, Any]


@dataclass(frozen=True)
class GroupFacts:
    """What defines a group, seed apart. The fields are columns of results.csv.

    scored_on: one of VALIDATION, TEST, BTFER, IN_DOMAIN, OTHER_SET. pictures: name of the release or training set
    whose images were scored; where two releases have one name, with the digest behind it.
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
    """One network, training set, balance and protocol, scored on one set of images; an Answers for each seed.

    pictures: as in its facts. same: groups that mean the same, this one included; `comparable` shows one of them.
    """

    definition: str
    scored_on: str
    answers: tuple[Answers, ...]
    pictures: str = ""
    same: int = 1

    @property
    def run(self) -> RunRecord:
        """The record of the first seed: all but the seed is the same in the others."""
        return self.answers[0].run

    @property
    def facts(self) -> GroupFacts:
        """What a row of a table says about the group, scores apart."""
        run, definition = self.run, self.run.definition
        return GroupFacts(
            architecture=definition.architecture,
            weights=definition.weights,
            training_set=paper_name(run.training),
            resolution=definition.resolution,
            balance=definition.balance,
            protocol=definition.protocol_name,
            scored_on=self.scored_on,
            pictures=self.pictures or None,
        )

    @property
    def when(self) -> str:
        """When the last of its runs was scored, ISO 8601."""
        return max(one.run.when for one in self.answers)

    @property
    def digest(self) -> str:
        """Of the release that it was scored on; empty for images of the training set."""
        release = self.run.release
        return release.digest if release and self.scored_on in (BTFER, IN_DOMAIN) else ""

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
    """The groups of all runs that have predictions, seeds in order; a run counts on each release for itself.

    Raises UsageError for a file of predictions that cannot be read.
    """
    seen: dict[bytes, ScoredImages] = {}
    grouped: dict[tuple[str, str, str], list[Answers]] = {}
    for part in _scored_parts(runs):
        if part.path.is_file():
            key = (_but_the_seed(part), part.scored_on, part.other_set)
            grouped.setdefault(key, []).append(_answers(part, seen))
    found = [
        SeedGroup(definition, on, tuple(sorted(one, key=lambda each: each.seed)), other_set)
        for (definition, on, other_set), one in grouped.items()
    ]
    return _with_pictures(found)


@dataclass(frozen=True)
class _Part:
    """Something that a run was scored on. path: its predictions. images: digest; empty = of its training set."""

    run: RunRecord
    scored_on: str
    path: Path
    scores: Mapping[str, Any]
    images: str = ""
    other_set: str = ""


def _scored_parts(runs: Iterable[RunRecord]) -> Iterable[_Part]:
    """Each run with each part that it was scored on: its training set, the others, then each release."""
    for run in runs:
        for metric, file in FILES.items():
            if metric in run.metrics:
                yield _Part(run, PARTS[metric], run.folder / file, run.metrics[metric])
        for name, one in (run.other_sets or {}).items():
            path = run.folder / one["predictions"]
            yield _Part(run, OTHER_SET, path, one["scores"], one["digest"], name)
        for scoring in run.scorings:
            for metric in set(RELEASE_PARTS) & set(PARTS) & set(scoring.metrics):
                digest = scoring.release.digest if scoring.release else ""
                path = scoring.predictions_path
                yield _Part(scoring, PARTS[metric], path, scoring.metrics[metric], digest)


def _with_pictures(groups: list[SeedGroup]) -> list[SeedGroup]:
    """The groups with the name of what was scored, so that no two releases have the same."""
    digests: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        if group.digest:
            digests[group.run.release_name].add(group.digest)

    def name(group: SeedGroup) -> str:
        if group.scored_on == OTHER_SET:
            return group.pictures
        if not group.digest:
            return "" if group.scored_on in (BTFER, IN_DOMAIN) else group.run.training
        known = group.run.release_name
        return known if len(digests[known]) == 1 else f"{known} ({group.digest[:6]})"

    named = [replace(one, pictures=name(one)) for one in groups]
    return [replace(one, same=len(found)) for found in _by_place(named) for one in found]


def comparable(groups: Iterable[SeedGroup]) -> list[SeedGroup]:
    """One group for each combination that a table has a place for: no trial where there is a full one.

    Full is: all images, the protocol's own split, full precision; then the longest allowed training, most
    seeds, and the newest of what still means the same. What was scored on another release has another place.
    """
    return [max(found, key=_weight) for found in _by_place(groups)]


def _by_place(groups: Iterable[SeedGroup]) -> Iterable[list[SeedGroup]]:
    """The groups that mean the same, together; each knows how many they are."""
    by_place: dict[tuple[Any, ...], list[SeedGroup]] = {}
    for group in groups:
        place = (*vars(group.facts).values(), group.digest)
        by_place.setdefault(place, []).append(group)
    return by_place.values()


def _weight(group: SeedGroup) -> tuple[bool, bool, bool, float, int, str, str]:
    of = group.run.definition
    own = of.protocol.get("split", "")
    return (
        not of.limit,
        f"; {own}:" in of.split,
        not of.mixed_precision,
        float("inf") if of.epochs is None else of.epochs,
        len(group.answers),
        group.when,
        group.definition,
    )


def _but_the_seed(part: _Part) -> str:
    run = part.run
    return json.dumps(
        [run.definition.without_seed(), run.training, part.images or None], sort_keys=True
    )


def _answers(part: _Part, seen: dict[bytes, ScoredImages]) -> Answers:
    run, path = part.run, part.path
    try:
        present = [one for one in STRATA if one in pq.read_schema(path).names]
        table = pq.read_table(path, columns=["file", *_ROW, *present]).to_pandas()
        truth = _codes(table["label"], EXPRESSIONS)
        codes = _codes(table["predicted"], _PREDICTED)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path} is not a table of predictions ({error}): delete its folder and run btfer bench again"
        ) from error
    uncounted = ~table["counts"].to_numpy(bool)
    # Older versions of btfer did not count what another system had no answer for.
    older = run.training == EXTERNAL and not (codes[uncounted] == OTHER).all()
    codes[uncounted] = UNANSWERED if older else UNCOUNTED
    images = _shared(table, truth, present, seen)
    return Answers(run, run.definition.seed, images, codes, part.scores)


_PREDICTED = (*EXPRESSIONS, predictions.OTHER, predictions.NO_ANSWER)  # in the order of their codes


def _codes(words: "pd.Series[str]", known: tuple[str, ...]) -> Array:
    codes = pd.Categorical(words, categories=list(known)).codes
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
