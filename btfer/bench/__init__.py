"""Train Keras networks by the paper's protocol and rank them on a release. Importing this loads no Keras."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.bench.architectures import ARCHITECTURES
from btfer.bench.experiments.cells import (
    GRIDS,
    PAPER_SETS,
    QUICK,
    SPLIT_SEED,
    GridCell,
    cells,
    paper_cells,
    shard,
)
from btfer.bench.train.protocol import protocol_named
from btfer.errors import UsageError
from btfer.extras import require
from btfer.paths import training_dir
from btfer.quiet import quiet_stderr

if TYPE_CHECKING:
    from btfer.bench.datasets import ImageSet, Split
    from btfer.bench.experiments.grid import GridContext

# TensorFlow greets with a page of notices, and warns of each new model; it reads this when imported.
if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    logging.getLogger("tensorflow").setLevel(logging.ERROR)

Say = Callable[[str], None]


def bench(
    *,
    data_dir: Path,
    release: Path | None,
    training: dict[str, Path],
    architectures: list[str],
    resolutions: list[int],
    balances: list[str],
    weights: list[str],
    protocol: str,
    seeds: list[int],
    epochs: int | None,
    folds: int,
    on_progress: Say,
    weights_from: Path | None = None,
    grid: str = "quick",
    split: str = "",
    limit: int | None = None,
    part: str = "",
    dry: bool = False,
    augment: str = "auto",
    mixed_precision: bool = False,
    replicas: int = 1,
    leaks: Callable[[str], dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Run every combination on every training set and score it on the release; a record for each.

    training: folders by name; empty = all of data_dir/training; none there either = k-fold
    cross-validation on the release itself, named in-domain. An empty list of an option is its default
    in the grid: `quick`, or `paper` for the cells of Tables 2 and 3. epochs: at most, per phase.
    weights_from: file or folder of pretrained weights; None = Keras's cache. split: way to part a
    training set; empty = the protocol's. limit: at most so many pictures of a class to learn from.
    part: `i/n` = every n-th cell from the i-th on. dry: run nothing, and return what would be run, a
    row for each cell. augment: where training pictures are warped, `host`, `device` or `auto` = on the
    device where there is a GPU. mixed_precision: compute in half precision. replicas: GPUs of this
    machine that share each batch, 32 pictures on each. leaks: what the named training set holds of the
    release, told and recorded beside each cross-domain score. Runs are kept in data_dir/runs; what is
    finished there is not repeated. Raises UsageError before anything is trained, where an option or a
    folder cannot be right, and MissingExtra without the benchmark's packages.
    """
    require("bench", "btfer bench")
    rules = protocol_named(protocol)
    folders = training or find_sets(data_dir)
    names = _sets_of(grid, folders)
    options = (architectures, resolutions, balances, weights, seeds)
    wanted = _cells(grid, *options, names)
    absent = [name for name in names if name not in folders]
    wanted = shard(wanted, part) if part else wanted
    looked = looked_for(data_dir)
    if not folders and (not dry if grid == "paper" else release is None):
        raise UsageError(f"nothing to train on: {looked}; put a set there, or --train NAME=FOLDER")
    if not folders and (limit or split):
        raise UsageError("--limit and --split are about training sets, and none is here: " + looked)
    if not folders and grid != "paper":
        on_progress(f"no training set: {looked}; going on in-domain, k-fold on the release itself")
    if absent:
        on_progress(f"no training set {', '.join(absent)}: {looked}; their cells are left out")
    with quiet_stderr():
        _load_keras()
    from btfer.bench.datasets import load_release
    from btfer.bench.experiments.grid import GridContext, run_grid, with_leaks
    from btfer.bench.train.devices import check_devices

    scored = load_release(release) if release else None
    parted = _splits(folders, scored, split or rules.split, limit, data_dir / "runs", on_progress)
    check_devices(augment, replicas)
    how = (augment, mixed_precision, replicas)
    shared = GridContext(
        data_dir / "runs", rules, parted, scored, epochs, folds, weights_from, *how, limit
    )
    if dry:
        return _plan(wanted, shared, absent)
    here = [cell for cell in wanted if cell.training not in absent]
    records = run_grid(here, shared, on_progress)
    return with_leaks(records, shared, leaks, on_progress) if leaks else records


def _load_keras() -> None:
    """Keras with its backend. Raises UsageError where that is unknown or not installed."""
    try:
        import keras

        keras.ops.zeros(1)  # the devices are looked for, and missed aloud, at the first tensor
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


def list_architectures() -> list[dict[str, Any]]:
    """The networks: name, family, parameters by side in pixels (seven classes), weights."""
    return [
        {
            "name": one.name,
            "family": one.family,
            "parameters": {str(size): n for size, n in one.parameters.items()},
            "weights": list(one.weights),
        }
        for one in ARCHITECTURES.values()
    ]


def _sets_of(grid: str, folders: dict[str, Path]) -> list[str]:
    """The training sets that a grid is about: those found, and in the paper's grid the paper's three too."""
    if grid not in GRIDS:
        raise UsageError(f"'{grid}' is no grid: use {' or '.join(GRIDS)}")
    if grid == "quick":
        return list(folders)
    return list(
        dict.fromkeys([*(name for name in PAPER_SETS if not _has(name, folders)), *folders])
    )


def _has(name: str, folders: dict[str, Path]) -> bool:
    from btfer.bench.datasets.folders import kind_named

    return any(kind_named(one) == name for one in folders)


def _cells(
    grid: str,
    architectures: list[str],
    resolutions: list[int],
    balances: list[str],
    weights: list[str],
    seeds: list[int],
    names: list[str],
) -> list[GridCell]:
    if grid == "paper":
        return paper_cells(architectures, resolutions, balances, weights, seeds, names)
    return cells(
        architectures or list(QUICK),
        resolutions or [48],
        balances or ["conservative"],
        weights or ["none"],
        seeds,
        names,
    )


def _splits(
    folders: dict[str, Path],
    release: "ImageSet | None",
    how: str,
    limit: int | None,
    runs_dir: Path,
    say: Say,
) -> dict[str, "Split"]:
    """Each set parted, with its counts beside the paper's told. A release is not trained on and scored."""
    from btfer.bench.datasets import beside_table_1, limited, load_training

    parted = {}
    for name, path in folders.items():
        split = load_training(path, name, SPLIT_SEED, how, runs_dir / "_cache")
        if release and split.train.digest == release.digest:
            raise UsageError(
                f"training set '{name}' is the release {release.name} that is scored: leave --train "
                "out for in-domain runs, or take another set"
            )
        parted[name] = limited(split, limit) if limit else split
        say("\n".join([f"{name}: {parted[name].how}", *beside_table_1(parted[name])]))
    return parted


def _plan(wanted: list[GridCell], grid: "GridContext", absent: list[str]) -> list[dict[str, Any]]:
    """A row for each cell: what it is, how far it is, and what it will take."""
    from btfer.bench.experiments.grid import expected_seconds, record_of

    here = [cell for cell in wanted if cell.training not in absent]
    seconds = dict(zip(here, expected_seconds(here, grid), strict=True))
    return [
        {
            "architecture": cell.architecture,
            "weights": cell.weights,
            "resolution": cell.resolution,
            "balance": cell.balance,
            "training": cell.training or "in-domain",
            "seed": cell.seed,
            "parameters": cell.parameters,
            "state": record_of(cell, grid).get("state", "to do") if cell in seconds else "no set",
            "seconds": round(seconds[cell], 1) if cell in seconds else None,
        }
        for cell in wanted
    ]
