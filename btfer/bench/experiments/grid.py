"""Many runs: every combination of options is a cell; a cell that fails is recorded and the rest go on."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from btfer.bench.architectures.weight_files import NOTICES
from btfer.bench.architectures.weights import given_digest
from btfer.bench.datasets import (
    ImageSet,
    Indices,
    Split,
    held_out_part,
    stratified_folds,
    stratified_split,
)
from btfer.bench.experiments.apart import CellEnd, each_apart
from btfer.bench.experiments.cells import IN_DOMAIN, SPLIT_SEED, GridCell
from btfer.bench.experiments.clock import Clock
from btfer.bench.experiments.cost import (
    epochs_of,
    rate_of_processor,
    rate_of_runs,
    seconds_of_run,
)
from btfer.bench.experiments.run import (
    Experiment,
    RunContext,
    ScoringTarget,
    new_record,
    run_one,
)
from btfer.bench.runs import plots
from btfer.bench.runs.predictions import table_scores, write_table
from btfer.bench.runs.record import ReleaseRef, RunDefinition, RunRecord, run_id
from btfer.bench.runs.store import RunStore
from btfer.bench.train.protocol import Protocol
from btfer.bench.train.recipe import PLAIN, Recipe
from btfer.csv_writer import frame_as_csv
from btfer.engine import SERIAL, Engine
from btfer.errors import BtferError, Busy, UsageError
from btfer.files import only_one, write_atomic
from btfer.progress import Progress

WAIT_SECONDS = 1.0
INNER_SHARE = 0.2  # of a fold's training part: early stopping must not look at what is scored

Leaks = Callable[[str], Mapping[str, Any]]
"""Name of a training set -> what it holds of the release: `faces` of its `images`, and more, as JSON."""


@dataclass(frozen=True)
class GridContext:
    """What all cells of a grid share. store: where the runs are kept. splits: training sets by name.

    epochs: at most, per phase. folds: of an in-domain cell. weights_from: file or folder of
    pretrained weights; None = Keras's cache. cross: score each run on the held-out parts of the other training
    sets too. augment, mixed_precision, replicas, limit, recipe: as in
    `btfer.bench.experiments.run`.
    """

    store: RunStore
    protocol: Protocol
    splits: dict[str, Split]
    release: ImageSet | None
    epochs: int | None = None
    folds: int = 3
    weights_from: Path | None = None
    augment: str = "auto"
    mixed_precision: bool = False
    replicas: int = 1
    limit: int | None = None
    recipe: Recipe = PLAIN
    cross: bool = False

    def run_context(self, folder: Path) -> RunContext:
        """Where a run in `folder` works."""
        return RunContext(folder, self.store, self.weights_from, self.augment)

    def folder(self, definition: RunDefinition) -> Path:
        """The folder of a run."""
        return self.store.runs_dir / run_id(definition)


def run_grid(wanted: list[GridCell], grid: GridContext, engine: Engine = SERIAL) -> list[RunRecord]:
    """Run each cell; their records, in order. A failed one has the state `failed` and its error.

    engine: `serial` = one after another in this process; otherwise each has a process of its own, as many at once as
    there are GPUs or `engine.workers`, and one that fails is tried once more. A cell that another command is just
    running is left to it, and looked at again when the others are done.
    """
    for weights in sorted({cell.weights for cell in wanted} & set(NOTICES)):
        grid.store.progress.say(NOTICES[weights])
    run = _one_by_one if engine.name == "serial" else each_apart
    clock = Clock(expected_seconds(wanted, grid))
    every = range(len(wanted))
    ends = {one.number: one for one in run(every, wanted, grid, clock, engine)}
    busy = [number for number in every if ends[number].is_busy]
    if len(busy) < len(wanted):
        ends |= {one.number: one for one in run(busy, wanted, grid, clock, engine)}
    return [ends[number].record for number in every]


def _one_by_one(
    numbers: Sequence[int],
    wanted: list[GridCell],
    grid: GridContext,
    clock: Clock,
    engine: Engine,
) -> Iterator[CellEnd]:
    """As `each_apart`, in this process and once each."""
    for number in numbers:
        clock.begin(number)
        grid.store.progress.say(f"[{number + 1}/{len(wanted)}] {wanted[number]}{clock.left()}")
        record, is_busy = run_cell(wanted[number], grid)
        clock.done(number, record)
        yield CellEnd(number, record, is_busy)


def with_leaks(records: list[RunRecord], grid: GridContext, leaks: Leaks) -> list[RunRecord]:
    """The records, those scored on the release with what their training set holds of it."""
    scored = {one.training for one in records if _is_scored(one, grid.release)}
    found = {name: _when_free(leaks, name, grid.store.progress) for name in sorted(scored)}
    for name, one in found.items():
        grid.store.progress.say(
            f"{name}: {one['faces']} of the release's {one['images']} faces are also in it"
        )
    return [
        _keep_leaks(one, found[one.training], grid.store) if _is_scored(one, grid.release) else one
        for one in records
    ]


def _when_free(leaks: Leaks, name: str, progress: Progress) -> Mapping[str, Any]:
    """What a set holds; where another process is just searching, when that has done."""
    told = False
    while True:
        try:
            return leaks(name)
        except Busy as error:
            if not told:
                progress.say(f"{error}; waiting for it")
                told = True
            time.sleep(WAIT_SECONDS)


def _is_scored(record: RunRecord, release: ImageSet | None) -> bool:
    if not (record.is_done and record.cross_scores and record.release and release):
        return False
    return record.release.digest == release.digest


def _keep_leaks(record: RunRecord, leaks: Mapping[str, Any], store: RunStore) -> RunRecord:
    """Add the leaks to what is on disk, unless another process has it."""
    with suppress(Busy), only_one(record.folder, "run"):
        now = store.read(record.folder)
        if now and record.release:
            store.write(now.with_leaks(record.release.digest, leaks))
    return record.changed(leaks=leaks)


def record_of(cell: GridCell, grid: GridContext) -> RunRecord | None:
    """What is on disk of a cell; None where nothing is."""
    return grid.store.read(folder_of(cell, grid))


def folder_of(cell: GridCell, grid: GridContext) -> Path:
    """The folder of a cell's run."""
    return grid.folder(_definition(cell, _experiment(cell, grid), grid))


def expected_seconds(wanted: list[GridCell], grid: GridContext) -> list[float]:
    """Seconds that each cell will take, by the finished runs here, else by the speed of the processor."""
    rate = rate_of_runs(grid.store.all()) or rate_of_processor()
    return [_expected(cell, grid, rate) for cell in wanted]


def _expected(cell: GridCell, grid: GridContext, rate: float) -> float:
    protocol = grid.protocol
    epochs = epochs_of(cell, protocol, grid.epochs)
    images = _sizes(cell, grid)
    times = 1 if cell.training else grid.folds
    return times * seconds_of_run(
        cell.architecture, cell.resolution, images, epochs, rate, protocol.batch_size
    )


def _sizes(cell: GridCell, grid: GridContext) -> tuple[int, int]:
    if cell.training:
        split = grid.splits[cell.training]
        return len(split.train_indices), len(split.validation_indices)
    rest = len(_release(grid)) * (grid.folds - 1) // grid.folds
    return round(rest * (1 - INNER_SHARE)), round(rest * INNER_SHARE)


def _experiment(cell: GridCell, grid: GridContext) -> Experiment:
    return Experiment(
        cell.architecture,
        cell.weights,
        cell.resolution,
        cell.balance,
        cell.seed,
        grid.protocol,
        grid.epochs,
        limit=grid.limit,
        weights_digest=given_digest(cell.architecture, cell.weights, grid.weights_from),
        mixed_precision=grid.mixed_precision,
        replicas=grid.replicas,
        recipe=grid.recipe,
    )


def finished_record(cell: GridCell, grid: GridContext) -> RunRecord | None:
    """The record of a cell of which nothing is left to do, as it is on the grid's release; else None."""
    record = record_of(cell, grid)
    if not (record and record.is_done and record.training == (cell.training or IN_DOMAIN)):
        return None
    if any(record.folder.glob("*.npz")):  # it was killed before it put its states away
        return None
    if not cell.training:
        return record
    others = [held_out_part(one) for one in _others(cell, grid)] if grid.cross else []
    if not all(record.is_tested_on(one.name, one.digest) for one in others):
        return None
    return record.on(grid.release.digest) if grid.release else record


def unrun_record(cell: GridCell, grid: GridContext) -> RunRecord:
    """The record of a cell of which nothing is done."""
    definition = _definition(cell, _experiment(cell, grid), grid)
    return new_record(definition, cell.training or IN_DOMAIN, grid.folder(definition))


def run_cell(cell: GridCell, grid: GridContext) -> tuple[RunRecord, bool]:
    """Run a cell in this process: its record, and whether another process is just running it."""
    experiment = _experiment(cell, grid)
    definition = _definition(cell, experiment, grid)
    folder, store = grid.folder(definition), grid.store
    training = cell.training or IN_DOMAIN
    try:
        if not cell.training:
            with only_one(folder, "run"):
                return _cross_validate(experiment, definition, grid, folder), False
        release = grid.release
        target = ScoringTarget(release, np.arange(len(release))) if release else None
        split, context = grid.splits[cell.training], grid.run_context(folder)
        others = [held_out_part(one) for one in _others(cell, grid)] if grid.cross else []
        return run_one(experiment, split, target, context, others), False
    except Busy:
        store.progress.say("left out: another process is running it")
        return store.read(folder) or new_record(definition, training, folder), True
    except Exception as error:  # one network out of memory must not stop a night's grid
        store.progress.say(f"failed: {error}")
        known = store.read(folder) or new_record(definition, training, folder)
        failed = known.changed(state="failed", error=f"{type(error).__name__}: {error}")
        with suppress(
            BtferError
        ):  # where nothing can be written, the next cell may still have room
            store.write(failed)
        return failed, False


def _others(cell: GridCell, grid: GridContext) -> list[Split]:
    """The training sets that a cell does not learn from; the same images by another name are none."""
    own = grid.splits[cell.training]
    return [one for one in grid.splits.values() if one.train.digest != own.train.digest]


def _definition(cell: GridCell, experiment: Experiment, grid: GridContext) -> RunDefinition:
    if cell.training:
        split = grid.splits[cell.training]
        return experiment.definition(split.digest, split.how, split.train.votes_digest)
    whole = replace(experiment, fold=f"all of {grid.folds}")
    return whole.definition(_release(grid).digest, IN_DOMAIN, _release(grid).votes_digest)


def _release(grid: GridContext) -> ImageSet:
    if grid.release is None:
        raise UsageError(
            "nothing to train on: give a training set, or a release for in-domain runs"
        )
    return grid.release


def _cross_validate(
    experiment: Experiment, definition: RunDefinition, grid: GridContext, folder: Path
) -> RunRecord:
    """Train k times on the release without a fold, score that fold; scores over all images at once."""
    known = grid.store.read(folder)
    if known and known.is_done:
        return known
    release = _release(grid)
    record = grid.store.write(new_record(definition, IN_DOMAIN, folder))
    parts, tables, histories = [], [], []
    folds = stratified_folds(release.labels, grid.folds, SPLIT_SEED)
    for number, held_out in enumerate(folds, start=1):
        fold = replace(experiment, fold=f"{number} of {grid.folds}")
        here = folder / f"fold-{number}"
        target = ScoringTarget(release, held_out)
        split = _fold_split(release, held_out)
        parts.append(run_one(fold, split, target, grid.run_context(here)))
        tables.append(pd.read_parquet(parts[-1].predictions_path).assign(fold=number))
        histories.append(pd.read_csv(here / "history.csv").assign(fold=number))
    table = pd.concat(tables).sort_values("file")
    write_table(folder / record.predictions_name(release.digest), table)
    write_atomic(folder / "history.csv", frame_as_csv(pd.concat(histories)))
    found = table_scores(table)
    write_atomic(folder / "confusion.png", plots.confusion(found["confusion"], IN_DOMAIN))
    record = record.changed(**_merged(parts))
    record = record.scored_on(ReleaseRef(release.name, release.digest), "in_domain", found)
    return grid.store.write(record.changed(state="done"))


def check_folds(release: ImageSet, folds: int) -> None:
    """Raise UsageError where a class cannot be in every fold, or early stopping would have nothing to look at."""
    for held_out in stratified_folds(release.labels, folds, SPLIT_SEED):
        if not len(_fold_split(release, held_out).validation_indices):
            raise UsageError(
                f"{release.name} has {len(release)} images: too few for {folds} folds, as nothing is left for "
                "early stopping: take more folds or more images a class"
            )


def _fold_split(release: ImageSet, held_out: Indices) -> Split:
    """What a fold learns from, and a share of it for early stopping: never the held-out images."""
    rest = np.setdiff1d(np.arange(len(release)), held_out)
    learn, check = stratified_split(release.labels[rest], INNER_SHARE, SPLIT_SEED)
    return Split(IN_DOMAIN, release, release, rest[learn], rest[check], IN_DOMAIN)


def _merged(parts: list[RunRecord]) -> dict[str, Any]:
    """Fields of the record of a cross-validation from those of its folds."""
    return {
        "parameters": parts[0].parameters,
        "epochs": sum(one.epochs or 0 for one in parts),
        "seconds": round(sum(one.seconds or 0 for one in parts), 1),
        "seconds_per_step": _median([one.seconds_per_step for one in parts]),
        "images_per_second": _median([one.images_per_second for one in parts]),
        "folds": [one.id for one in parts],
        "pretrained": parts[0].pretrained,
    }


def _median(values: list[float | None]) -> float:
    return float(np.median([one for one in values if one is not None]))
