"""Train Keras networks by the paper's protocol and rank them on a release. Importing this loads no Keras."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from btfer.bench.architectures import ARCHITECTURES
from btfer.bench.protocol import protocol_named
from btfer.errors import UsageError
from btfer.layout import training_dir
from btfer.silence import quiet_stderr

# TensorFlow greets with a page of notices, and warns of each new model; it reads this when imported.
if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


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
    on_progress: Callable[[str], None],
    weights_from: Path | None = None,
    leaks: Callable[[str], dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Run every combination on every training set and score it on the release; a record for each.

    training: folders by name; empty = all of data_dir/training; none there either = k-fold
    cross-validation on the release itself, named in-domain. epochs: at most, per phase.
    weights_from: file or folder of pretrained weights; None = Keras's cache. Runs are kept in
    data_dir/runs; what is finished there is not repeated. leaks: what the named training set holds
    of the release, told and recorded beside each cross-domain score. Raises UsageError before anything is
    trained, where an option or a folder cannot be right.
    """
    rules = protocol_named(protocol)
    with quiet_stderr():
        import keras

        keras.ops.zeros(1)  # the devices are looked for, and missed aloud, at the first tensor
    from btfer.bench.datasets import find_training, load_release, load_training
    from btfer.bench.grid import SPLIT_SEED, Ground, cells, run_grid, with_leaks

    folders = training or find_training(training_dir(data_dir))
    wanted = cells(architectures, resolutions, balances, weights, seeds, folders)
    if release is None and not folders:
        raise UsageError(f"nothing to train on: no release, and no set in {training_dir(data_dir)}")
    splits = {name: load_training(path, name, SPLIT_SEED) for name, path in folders.items()}
    scored = load_release(release) if release else None
    ground = Ground(data_dir / "runs", rules, splits, scored, epochs, folds, weights_from)
    records = run_grid(wanted, ground, on_progress)
    return with_leaks(records, ground.runs_dir, leaks, on_progress) if leaks else records


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
