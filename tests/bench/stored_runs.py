"""Runs with the tiny network, written down without any training."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.inputs import form_of
from btfer.bench.pixels import load_pixels
from btfer.bench.predictions import predictions_table, write_table
from btfer.bench.protocol import PAPER, protocol_named
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


def store(runs_dir: Path, images: ImageSet, *, id_: str = "abcd12345678", seed: int = 1) -> Path:
    """A run folder as `bench` would leave it, scored on `images`, of a network that learnt nothing."""
    assert protocol_named("paper") == PAPER
    keras.utils.set_random_seed(seed)
    network = tiny_network((48, 48, 3), 7)
    head = network.layers[-1]
    head.set_weights([40 * head.get_weights()[0], head.get_weights()[1]])  # so that it takes sides
    folder = runs_dir / id_
    folder.mkdir(parents=True)
    network.save(folder / "model.keras")
    form = form_of(DEFINITION)
    pixels = load_pixels(images, 48, runs_dir / "_cache")
    said = np.asarray(network(form.values(pixels), training=False))
    every = np.arange(len(images))
    table = predictions_table(images, every, said, np.ones(len(images), bool))
    write_table(folder / "predictions_btfer.parquet", table)
    record = {
        "id": id_,
        "state": "done",
        "error": None,
        "definition": DEFINITION,
        "training": "faces",
        "parameters": network.count_params(),
        "release": {"name": images.name, "digest": images.digest},
        "metrics": {},
    }
    (folder / "run.json").write_text(json.dumps(record))
    return folder
