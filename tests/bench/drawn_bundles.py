"""Bundles as other people hand them in, with drawn answers; and releases whose pictures are specks."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.runs.predictions import predictions_table, write_table
from btfer.bench.runs.record import ReleaseRef, RunDefinition, RunRecord, run_id
from btfer.bench.runs.store import RunStore
from btfer.bench.submit.bundle import Card, as_bytes, predictions_csv
from btfer.bench.submit.scores import all_scores
from btfer.expressions import EXPRESSIONS

CLASSES = len(EXPRESSIONS)


def speck_release(path: Path, per_class: int = 12, *, first: int = 0) -> ImageSet:
    """A release of tiny pictures, each with what its query asked for."""
    lines = ["file_name,label,ethnicity,gender,age"]
    for label, name in enumerate(EXPRESSIONS):
        folder = path / "images" / "test" / name
        folder.mkdir(parents=True)
        for number in range(first, first + per_class):
            file = folder / f"{name}-{number:03d}.png"
            Image.new("RGB", (4, 4), (label * 30, number % 250, 0)).save(file)
            who = ("woman", "man")[number % 2]
            lines.append(f"{file.relative_to(path).as_posix()},{name},,{who},adult")
    (path / "metadata.csv").write_text("\n".join(lines) + "\n")
    return load_release(path)


def drawn_answers(
    images: ImageSet, accuracy: float, seed: int, *, silent: int = 0, hard: bool = False
) -> np.ndarray[Any, Any]:
    """Probabilities, float [N, classes]: right about as often as `accuracy`; the first `silent` have no answer."""
    rng = np.random.default_rng(seed)
    n, truth = len(images), images.labels
    guess = np.where(rng.random(n) < accuracy, truth, (truth + 1 + rng.integers(0, 6, n)) % 7)
    sure = np.ones(n) if hard else rng.uniform(0.3, 0.99, n)
    found = np.repeat((1 - sure)[:, None] / (CLASSES - 1), CLASSES, axis=1)
    found[np.arange(n), guess] = sure
    found[:silent] = np.nan
    return found


def drawn_card(images: ImageSet, answers: np.ndarray[Any, Any], name: str, **changed: Any) -> Card:
    """An honest card of these answers, but for what is `changed`."""
    digest = hashlib.sha256(predictions_csv(images.files, answers)).hexdigest()
    card = Card(
        name=name,
        part="cross_domain",
        run=digest[:12],
        definition=digest,
        release={"name": images.name, "digest": images.digest},
        stated={"training": "rafdb", "protocol": "paper", "resolution": 48},
        claimed=all_scores(images.labels, answers),
        versions={"btfer": "0.2.0"},
        predictions_sha256=digest,
    )
    return replace(card, **changed)


def draw_bundle(
    folder: Path,
    images: ImageSet,
    name: str = "net",
    accuracy: float = 0.6,
    seed: int = 1,
    *,
    silent: int = 0,
    hard: bool = False,
    **changed: Any,
) -> Path:
    """Write one bundle. changed: other parts of its card."""
    answers = drawn_answers(images, accuracy, seed, silent=silent, hard=hard)
    card = drawn_card(images, answers, name, **changed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{card.run}-{card.part}-{len(list(folder.iterdir()))}.zip"
    path.write_bytes(as_bytes(card, predictions_csv(images.files, answers)))
    return path


def draw_scored_run(
    runs_dir: Path, images: ImageSet, answers: np.ndarray[Any, Any], **changed: Any
) -> RunRecord:
    """A finished run with these answers for a release, as `btfer bench` leaves it. changed: fields of its record."""
    definition = RunDefinition(
        {
            "architecture": "lenet5",
            "weights": "none",
            "resolution": 48,
            "balance": "none",
            "seed": 1,
            "protocol": {"name": "paper"},
        }
    )
    folder = runs_dir / run_id(definition)
    every = np.arange(len(images))
    counts = np.ones(len(images), bool)
    write_table(
        folder / "predictions_btfer.parquet", predictions_table(images, every, answers, counts)
    )
    record = RunRecord(
        id=folder.name,
        state="done",
        error=None,
        definition=definition,
        training="rafdb",
        release=ReleaseRef(images.name, images.digest),
        metrics={"cross_domain": {"accuracy": 0.5}},
        folder=folder,
    )
    known = {
        "parameters": 61_000,
        "seconds_per_step": 0.01,
        "leaks": {"faces": 2, "images": len(images)},
        "keras": "3.15.0",
    }
    named = {"release": record.release, "metrics": record.metrics}
    return RunStore(runs_dir).write(record.changed(**named | known | changed))
