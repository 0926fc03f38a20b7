"""Runs with the tiny network, written down without any training."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.runs.inputs import input_spec
from btfer.bench.runs.predictions import predictions_table, write_table
from btfer.bench.runs.record import RunDefinition
from btfer.bench.train.devices import set_precision
from btfer.bench.train.protocol import PAPER
from tests.bench.conftest import tiny_network

DEFINITION: dict[str, Any] = {
    "architecture": "sequential_4conv",
    "weights": "none",
    "resolution": 48,
    "balance": "none",
    "seed": 1,
    "protocol": {"name": "paper", "resize": PAPER.resize, "rescale": PAPER.rescale},
    "epochs": 1,
    "fold": "",
}


def plain_network() -> keras.Model:
    """A keras.Sequential, which Keras loads in another state than other models."""
    layers = keras.layers
    classes = layers.Dense(7, activation="softmax")
    parts = [layers.AveragePooling2D(8), layers.Flatten(), layers.Dense(16), classes]
    return keras.Sequential([keras.Input((48, 48, 3)), *parts])


def store(runs_dir: Path, images: ImageSet, *, plain: bool = False, half: bool = False) -> Path:
    """A run folder as `bench` would leave it, scored on `images`, of a network that learnt nothing.

    half: it computed in half precision.
    """
    id_ = "abcd12345678"
    keras.utils.set_random_seed(1)
    set_precision(half)
    network = plain_network() if plain else tiny_network((48, 48, 3), 7)
    set_precision(False)
    head = network.layers[-1]
    head.dtype_policy = "float32"
    head.set_weights([40 * head.get_weights()[0], head.get_weights()[1]])  # so that it takes sides
    folder = runs_dir / id_
    folder.mkdir(parents=True)
    network.save(folder / "model.keras")
    spec = input_spec(RunDefinition(DEFINITION))
    pixels = load_pixels(images, 48, runs_dir / "_cache")
    said = np.asarray(network(spec.values(pixels), training=False))
    every = np.arange(len(images))
    table = predictions_table(images, every, said, np.ones(len(images), bool))
    write_table(folder / "predictions_btfer.parquet", table)
    record = {
        "id": id_,
        "state": "done",
        "error": None,
        "definition": DEFINITION | ({"mixed_precision": True} if half else {}),
        "training": "faces",
        "parameters": network.count_params(),
        "release": {"name": images.name, "digest": images.digest},
        "metrics": {},
    }
    (folder / "run.json").write_text(json.dumps(record))
    return folder
