"""Any classifier in one file, run on a release's faces.

A file that `btfer export` wrote names its classes and its input itself. For others the caller gives
the names of its outputs, in their order, and the range of pixels that it takes; they are mapped by name.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.edge.card import read_card
from btfer.bench.edge.runtimes import Runnable, load_file
from btfer.bench.runs.record import RunRecord
from btfer.bench.systems.prediction_files import AnswerSource, by_class, keep_run
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import sha256_file

Array = np.ndarray[Any, Any]

BATCH = 32


@dataclass(frozen=True)
class Reading:
    """How a file's network is fed and read.

    classes: names of its outputs, in their order. low, high: input range, black to white. bgr: the model
    expects BGR input. size_px: side of the images, where the network leaves it free. Its text is part of
    a run's id.
    """

    classes: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0
    bgr: bool = False
    size_px: int = 224


def reading_of(labels: str, pixels: str, *, bgr: bool = False) -> Reading | None:
    """From `anger,happy,...` and `0,1`; None where no label is given. Raises UsageError."""
    if not labels:
        return None
    try:
        low, high = (float(text) for text in pixels.split(","))
    except ValueError:
        raise UsageError(
            f"--pixels '{pixels}' is not a range; write LOW,HIGH such as 0,1"
        ) from None
    return Reading(tuple(text.strip() for text in labels.split(",")), low, high, bgr)


def ask_file(
    file: Path, reading: Reading | None, images: ImageSet, cache: Path
) -> tuple[Array, int]:
    """Probabilities, float [N, classes] in label order, and the side in pixels that it took.

    reading: None = as the file itself says. Outputs that are not probabilities are taken as logits.
    Raises UsageError where the file does not say, or the names do not fit its outputs.
    """
    reading = reading or _own_reading(file)
    network = load_file(file)
    if network.channels not in (1, 3):
        raise UsageError(f"{file} takes {network.shape}: neither grey nor RGB images")
    side = network.side_px or reading.size_px
    pixels = load_pixels(images, side, cache)
    starts = range(0, len(images), BATCH)
    parts = [network.run(_fed(pixels[n : n + BATCH], network, reading)) for n in starts]
    outputs = np.concatenate(parts).reshape(len(images), -1).astype(float)
    if outputs.shape[1] != len(reading.classes):
        raise UsageError(
            f"{file} has {outputs.shape[1]} outputs, and {len(reading.classes)} names were given: "
            f"{', '.join(reading.classes)}"
        )
    named = [dict(zip(reading.classes, row, strict=True)) for row in as_probabilities(outputs)]
    return np.array([by_class(one) for one in named]), side


def score_model_file(
    runs_dir: Path, file: Path, name: str, reading: Reading | None, images: ImageSet
) -> RunRecord:
    """Run a model file on every face and keep its predictions as a run; its record. Raises UsageError as `ask_file`."""
    started = time.time()
    probabilities, side = ask_file(file, reading, images, runs_dir / "_cache")
    seconds = round(time.time() - started, 1)
    source = AnswerSource(file.name, _digest(file, reading), side, seconds)
    return keep_run(runs_dir, name or file.stem, probabilities, images, source)


def as_probabilities(outputs: Array) -> Array:
    """float [N, classes]: the rows as they are where all are probabilities, else their softmax."""
    if outputs.min() >= -1e-3 and np.allclose(outputs.sum(axis=1), 1, atol=0.02):
        return np.clip(outputs, 0, None)
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _fed(images: Array, network: Runnable, reading: Reading) -> Array:
    """uint8 [N, s, s, 3] RGB -> what the network takes."""
    if network.channels == 1:
        grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in images]
        images = np.stack(grey)[..., None]
    elif reading.bgr:
        images = images[..., ::-1]
    span = np.float32((reading.high - reading.low) / 255)
    values = images.astype(np.float32) * span + np.float32(reading.low)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if network.planar else values)


def _own_reading(file: Path) -> Reading:
    card = read_card(file)
    if card is None:
        raise UsageError(
            f"{file} does not name its classes: give their names in the order of its outputs, "
            f"such as --labels {','.join(EXPRESSIONS)}, and --pixels if its input range is not 0,1"
        )
    return Reading(tuple(card["classes"]), 0.0, 255.0)


def _digest(file: Path, reading: Reading | None) -> str:
    return sha256_file(file) + (f" {reading}" if reading else "")
