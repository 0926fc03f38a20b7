"""Train Keras networks by the paper's protocol and rank them on a release. Importing this loads no Keras.

datasets        training sets and releases as lists of labelled images; pixels decoded once
architectures   the networks, one decorated function each, and their pretrained weights
train           how one network is trained: protocol, batches, augmentation, checkpoints, devices
experiments     which runs there are to do, what each will cost, and doing them
runs            runs on disk: records, predictions, scores, plots
systems         other people's systems and model files, scored like a run
edge            networks as files for small computers, exported and measured
predict         what a trained network predicts for any photo
submit          a run as one file for others, and others' files checked
leaderboard     a page that ranks such files
report          the paper's tables beside ours
published       the paper's numbers
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from btfer.bench.architectures import ARCHITECTURES
from btfer.bench.experiments.cells import (
    GRIDS,
    MODERN,
    PAPER_SETS,
    QUICK,
    SPLIT_SEED,
    GridCell,
    cells,
    paper_cells,
)
from btfer.bench.experiments.cost import cost_beside_others
from btfer.bench.experiments.shards import shard
from btfer.bench.request import BenchRequest, NetworkRow, PlannedCell
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.bench.train.protocol import Protocol, protocol_named
from btfer.bench.train.recipe import Recipe
from btfer.engine import SERIAL, Engine
from btfer.errors import UsageError
from btfer.extras import require
from btfer.paths import training_dir
from btfer.progress import SILENT, Progress
from btfer.quiet import quiet_stderr

if TYPE_CHECKING:
    from btfer.bench.datasets import ImageSet, Split
    from btfer.bench.experiments.grid import GridContext, Leaks

__all__ = [
    "GRIDS",
    "BenchRequest",
    "NetworkRow",
    "PlannedCell",
    "bench",
    "find_sets",
    "list_architectures",
    "looked_for",
    "plan",
]

# TensorFlow prints a page of notices, and warns of each new model; it reads this when imported.
if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def bench(
    request: BenchRequest,
    progress: Progress = SILENT,
    *,
    leaks: "Leaks | None" = None,
    engine: Engine = SERIAL,
) -> list[RunRecord]:
    """Run every combination on every training set and score it on the release; a record for each.

    leaks: what the named training set holds of the release; shown and recorded beside each cross-domain
    score. engine: where the runs run, as in `experiments.grid.run_grid`. Runs are kept in data_dir/runs; what
    is finished there is not repeated. Raises UsageError before anything is trained, where an option or a
    folder cannot be right, and MissingExtra without the benchmark's packages.
    """
    if engine.name != "serial" and request.replicas > 1:
        raise UsageError(
            f"--replicas {request.replicas} shares each batch among GPUs, and --engine {engine.name} gives each run "
            "one: leave one of them out"
        )
    with nullcontext() if engine.name == "serial" else _gpus_left_alone():
        wanted, absent, grid = _prepare(request, progress, plan_only=False)
    from btfer.bench.experiments.grid import run_grid, with_leaks

    records = run_grid([cell for cell in wanted if cell.training not in absent], grid, engine)
    return with_leaks(records, grid, leaks) if leaks else records


def plan(request: BenchRequest, progress: Progress = SILENT) -> list[PlannedCell]:
    """What `bench` would run, a row for each cell, without running it. Raises UsageError as `bench`."""
    wanted, absent, grid = _prepare(request, progress, plan_only=True)
    from btfer.bench.experiments.grid import expected_seconds, record_of

    here = [cell for cell in wanted if cell.training not in absent]
    seconds = dict(zip(here, expected_seconds(here, grid), strict=True))

    def state(cell: GridCell) -> str:
        if cell not in seconds:
            return "no set"
        record = record_of(cell, grid)
        return record.state if record else "to do"

    return [
        PlannedCell(
            architecture=cell.architecture,
            weights=cell.weights,
            resolution=cell.resolution,
            balance=cell.balance,
            training=cell.training or "in-domain",
            seed=cell.seed,
            parameters=cell.parameters,
            state=state(cell),
            seconds=round(seconds[cell], 1) if cell in seconds else None,
        )
        for cell in wanted
    ]


def _prepare(
    request: BenchRequest, progress: Progress, *, plan_only: bool
) -> tuple[list[GridCell], list[str], "GridContext"]:
    """The cells, the training sets that are not there, and what all cells share; everything checked."""
    require("bench", "btfer bench")
    rules, recipe = _rules(request), Recipe(**request.recipe)
    if request.epochs and request.epochs > rules.max_epochs:
        progress.say(
            f"--epochs {request.epochs}: the protocol {rules.name} has {rules.max_epochs} at most, and that is taken"
        )
    folders = dict(request.training) or find_sets(request.data_dir)
    names = _sets_of(request.grid, folders)
    wanted = _cells(request, names)
    if request.part:
        wanted = _share(wanted, request, rules, progress)
    absent = [name for name in names if name not in folders]
    _check_sets(request, folders, absent, progress, plan_only=plan_only)
    with quiet_stderr():
        _load_keras()
    from btfer.bench.datasets import load_release
    from btfer.bench.experiments.grid import GridContext
    from btfer.bench.train.devices import check_devices
    from btfer.bench.train.losses import check_recipe

    release = load_release(request.release) if request.release else None
    store = RunStore(request.runs_dir, progress)
    splits = _splits(folders, release, request, store)
    check_devices(request.augment, request.replicas)
    check_recipe(
        recipe,
        mixed_precision=request.mixed_precision,
        replicas=request.replicas,
        augment=request.augment,
    )
    if recipe.soft_labels:
        _check_votes([one.train for one in splits.values()] or [release])
    if release and wanted and not plan_only:
        _check_release(release, wanted, request, store)
    grid = GridContext(
        store,
        rules,
        splits,
        release,
        epochs=request.epochs,
        folds=request.folds,
        weights_from=request.weights_from,
        augment=request.augment,
        mixed_precision=request.mixed_precision,
        replicas=request.replicas,
        limit=request.limit,
        recipe=recipe,
        cross=request.cross,
    )
    return wanted, absent, grid


def _rules(request: BenchRequest) -> Protocol:
    """The protocol. Raises UsageError for an unknown name."""
    return protocol_named(request.protocol or ("strict" if request.grid == "modern" else "paper"))


def _share(
    wanted: list[GridCell], request: BenchRequest, rules: Protocol, progress: Progress
) -> list[GridCell]:
    """The cells of the request's share; says so where there are none for it."""

    @cache
    def cost(cell: GridCell) -> float:
        return cost_beside_others(cell, rules, request.epochs)

    found = shard(wanted, request.part, cost)
    if not found:
        progress.say(f"nothing to do in share {request.part}: the grid has {len(wanted)} cells")
    return found


def _check_votes(sets: "Iterable[ImageSet | None]") -> None:
    """Raise UsageError where a set has no votes to learn from."""
    without = [one.name for one in sets if one and one.votes is None]
    if without:
        raise UsageError(
            f"--soft-labels needs votes, and {', '.join(without)} has none: FER2013 has them with "
            "fer2013new.csv beside its table or as FER+'s own parts, a release in the column votes of its metadata.csv"
        )


def _check_sets(
    request: BenchRequest,
    folders: Mapping[str, Path],
    absent: list[str],
    progress: Progress,
    *,
    plan_only: bool,
) -> None:
    """Raise UsageError where there is nothing to train on; say which sets are missing."""
    looked = looked_for(request.data_dir)
    paper = request.grid == "paper"
    if not folders and (not plan_only if paper else request.release is None):
        raise UsageError(f"nothing to train on: {looked}; put a set there, or --train NAME=FOLDER")
    if not folders and (request.limit or request.split):
        raise UsageError(f"--limit and --split need a training set, and there is none: {looked}")
    if not folders and not paper:
        progress.say(f"no training set: {looked}; going on in-domain, k-fold on the release itself")
    if request.cross and len(folders) < 2:
        raise UsageError(
            f"--cross needs two training sets or more: {looked}; give others with --train NAME=FOLDER"
        )
    if absent:
        progress.say(f"no training set {', '.join(absent)}: {looked}; their cells are left out")


def _check_release(
    release: "ImageSet", wanted: list[GridCell], request: BenchRequest, store: RunStore
) -> None:
    """Raise UsageError where an image cannot be read or a class is too small: not after hours of training."""
    from btfer.bench.datasets.pixels import load_pixels
    from btfer.bench.experiments.grid import check_folds

    if not all(cell.training for cell in wanted):
        check_folds(release, request.folds)
    size, resize = wanted[0].resolution, _rules(request).resize
    load_pixels(release, size, store.cache, resize, store.progress)


@contextmanager
def _gpus_left_alone() -> Iterator[None]:
    """Have Keras, if it is loaded in here, find no GPU: those are for the processes of the runs.

    Without JAX_PLATFORMS, JAX built for CUDA fails where no GPU is visible (jax-ml/jax issue 37668).
    """
    hidden = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    before = {name: os.environ.get(name) for name in hidden}
    os.environ.update(hidden)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _load_keras() -> None:
    """Keras with its backend. Raises UsageError where that is unknown or not installed."""
    try:
        import keras

        keras.ops.zeros(1)  # the devices are looked for, and complained about, at the first tensor
    except (ImportError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise UsageError(
            f"KERAS_BACKEND={backend} cannot be used ({error}): install {backend}, or use "
            "tensorflow, jax or torch"
        ) from error


def find_sets(data_dir: Path) -> dict[str, Path]:
    """The training sets of a data folder, by name."""
    from btfer.bench.datasets import find_training

    return find_training(training_dir(data_dir))


def looked_for(data_dir: Path) -> str:
    """Which training sets were looked for, and where, in words."""
    sets = ", ".join(PAPER_SETS)
    return f"looked for {sets} and folders of class folders in {training_dir(data_dir)}"


def list_architectures() -> list[NetworkRow]:
    """The networks, in the order of the tables."""
    return [
        NetworkRow(
            one.name,
            one.family,
            {str(size): total for size, total in one.parameters.items()},
            list(one.weights),
        )
        for one in ARCHITECTURES.values()
    ]


def _sets_of(grid: str, folders: Mapping[str, Path]) -> list[str]:
    """The training sets that a grid is about: those found, and in the paper's grid the paper's three too."""
    if grid not in GRIDS:
        raise UsageError(f"unknown grid '{grid}'; choose one of {', '.join(GRIDS)}")
    if grid != "paper":
        return list(folders)
    return list(
        dict.fromkeys([*(name for name in PAPER_SETS if not _has(name, folders)), *folders])
    )


def _has(name: str, folders: Mapping[str, Path]) -> bool:
    from btfer.bench.datasets.folders import kind_named

    return any(kind_named(one) == name for one in folders)


def _cells(request: BenchRequest, names: list[str]) -> list[GridCell]:
    if request.grid == "paper":
        return paper_cells(
            request.architectures,
            request.resolutions,
            request.balances,
            request.weights,
            request.seeds,
            names,
        )
    return cells(
        request.architectures or (MODERN if request.grid == "modern" else QUICK),
        request.resolutions or [48],
        request.balances or ["none" if request.recipe.get("class_balanced") else "conservative"],
        request.weights or ["none"],
        request.seeds,
        names,
    )


def _splits(
    folders: Mapping[str, Path], release: "ImageSet | None", request: BenchRequest, store: RunStore
) -> dict[str, "Split"]:
    """Each set split; its counts are shown beside the paper's. A release is not both learnt from and scored."""
    from btfer.bench.datasets import beside_table_1, limited, load_training
    from btfer.bench.datasets.folders import labels_in

    how = request.split or _rules(request).split
    splits = {}
    for name, path in folders.items():
        split = load_training(path, name, SPLIT_SEED, how, store.cache, request.labels)
        if release and split.train.digest == release.digest:
            raise UsageError(
                f"training set '{name}' is the release {release.name} that is scored: leave --train "
                "out for in-domain runs, or take another set"
            )
        splits[name] = limited(split, request.limit) if request.limit else split
        store.progress.say(
            "\n".join([f"{name}: {splits[name].how}", *beside_table_1(splits[name])])
        )
    if request.labels and not any(labels_in(one.how) for one in splits.values()):
        raise UsageError(
            "--labels has no effect here: no training set says its classes by numbers alone"
        )
    return splits
