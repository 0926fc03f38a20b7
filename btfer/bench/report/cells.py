"""Runs that differ in nothing but the seed, as one cell, with what each answered for each picture."""

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
from btfer.bench.train.protocol import BALANCES
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

Array = np.ndarray[Any, Any]
Run = dict[str, Any]

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
    """What was scored. files: names [N]. truth: int8 [N]. strata: columns of N words."""

    files: Array
    truth: Array
    strata: dict[str, Array]


@dataclass(frozen=True)
class Answers:
    """One run's answers. codes: int8 [N], a class or UNCOUNTED."""

    run: Run
    seed: int
    pictures: ScoredImages
    codes: Array


@dataclass(frozen=True, eq=False)
class SeedGroup:
    """One network, training set, balance and protocol, scored on one set of pictures; an Answers for each seed."""

    definition: str
    scored_on: str
    answers: tuple[Answers, ...]

    @property
    def run(self) -> Run:
        """The record of the first seed: all but the seed is the same in the others."""
        return self.answers[0].run

    @property
    def facts(self) -> dict[str, Any]:
        """What a row of a table says about the cell, scores apart."""
        run, definition = self.run, self.run["definition"]
        release = run.get("release") or {}
        return {
            "architecture": definition["architecture"],
            "weights": definition["weights"],
            "training_set": paper_name(run["training"]),
            "resolution": definition["resolution"],
            "balance": definition["balance"],
            "protocol": definition["protocol"]["name"],
            "scored_on": self.scored_on,
            "pictures": release.get("name")
            if self.scored_on in (BTFER, IN_DOMAIN)
            else run["training"],
        }

    @cached_property
    def joint(self) -> tuple[ScoredImages, Array]:
        """The pictures, and the answers of all seeds for them, int8 [seeds, N]."""
        pictures = self.answers[0].pictures
        return pictures, np.stack([aligned(one, pictures) for one in self.answers])

    @property
    def title(self) -> str:
        """A short name for headings and plots."""
        facts = self.facts
        if facts["balance"] not in BALANCES:
            return f"{facts['architecture']} ({facts['training_set']})"
        weights = "" if facts["weights"] == "none" else f" {facts['weights']}"
        where = f"{facts['training_set']}, {facts['balance']}"
        return f"{facts['architecture']}{weights} {facts['resolution']} px, {where}"


def aligned(one: Answers, pictures: ScoredImages) -> Array:
    """The codes of a run in the order of `pictures`; UNCOUNTED for what it did not see."""
    if one.pictures.files is pictures.files or np.array_equal(one.pictures.files, pictures.files):
        return one.codes
    found = pd.Series(one.codes, index=one.pictures.files).reindex(pictures.files)
    return found.fillna(UNCOUNTED).to_numpy(np.int8)


def read_cells(runs: Iterable[Run]) -> list[SeedGroup]:
    """The cells of all runs (records with their `folder`) that have predictions, seeds in order.

    Raises UsageError for a file of predictions that cannot be read.
    """
    seen: dict[bytes, ScoredImages] = {}
    grouped: dict[tuple[str, str], list[Answers]] = {}
    for run in runs:
        for metric in run["metrics"]:
            scored_on, name = PARTS.get(metric, ("", ""))
            if scored_on and (run["folder"] / name).is_file():
                key = (_but_the_seed(run, scored_on), scored_on)
                grouped.setdefault(key, []).append(_answers(run, run["folder"] / name, seen))
    return [
        SeedGroup(*key, tuple(sorted(found, key=lambda one: one.seed)))
        for key, found in grouped.items()
    ]


def comparable(cells: Iterable[SeedGroup]) -> list[SeedGroup]:
    """One cell for each combination that a table has a place for: no trial where there is a full one.

    Full is: all pictures, the protocol's own split, full precision; then the longest allowed training, and
    most seeds.
    """
    best: dict[tuple[Any, ...], SeedGroup] = {}
    for cell in sorted(cells, key=_weight):
        best[tuple(value for name, value in cell.facts.items() if name != "pictures")] = cell
    return list(best.values())


def _weight(cell: SeedGroup) -> tuple[bool, bool, bool, float, int, str]:
    of = cell.run["definition"]
    epochs, own = of.get("epochs"), of["protocol"].get("split", "")
    return (
        not of.get("limit"),
        f"; {own}:" in of.get("split", ""),
        not of.get("mixed_precision"),
        float("inf") if epochs is None else epochs,
        len(cell.answers),
        cell.definition,
    )


def _but_the_seed(run: Run, scored_on: str) -> str:
    rest = {name: value for name, value in run["definition"].items() if name != "seed"}
    release = (run.get("release") or {}).get("digest") if scored_on == BTFER else None
    return json.dumps([rest, run["training"], release], sort_keys=True)


def _answers(run: Run, path: Path, seen: dict[bytes, ScoredImages]) -> Answers:
    try:
        present = [one for one in STRATA if one in pq.read_schema(path).names]
        table = pq.read_table(path, columns=["file", *_ROW, *present]).to_pandas()
        truth, codes = _codes(table["label"]), _codes(table["predicted"])
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path} is no table of predictions ({error}): delete its folder and run btfer bench again"
        ) from error
    codes[~table["counts"].to_numpy(bool)] = UNCOUNTED
    return Answers(run, run["definition"]["seed"], _shared(table, truth, present, seen), codes)


def _codes(words: "pd.Series[str]") -> Array:
    codes = pd.Categorical(words, categories=list(EXPRESSIONS)).codes
    if (codes < 0).any():
        raise ValueError("a label that is no expression")
    return np.array(codes, np.int8)


def _shared(
    table: pd.DataFrame, truth: Array, strata: list[str], seen: dict[bytes, ScoredImages]
) -> ScoredImages:
    """The same pictures once in memory, however many runs were scored on them."""
    files = table["file"].to_numpy(object)
    key = "\0".join(files).encode() + truth.tobytes()
    if key not in seen:
        columns = {name: table[name].fillna("").to_numpy(object) for name in strata}
        seen[key] = ScoredImages(files, truth, columns)
    return seen[key]
