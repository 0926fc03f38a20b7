"""What a cell will cost: multiplications of each network, epochs as the paper's authors had them, and time."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from btfer.bench.architectures import ARCHITECTURES, architecture
from btfer.bench.experiments.cells import GridCell
from btfer.bench.runs.record import RunRecord
from btfer.bench.train.protocol import Protocol

if TYPE_CHECKING:
    import keras

# Epochs that the authors' notebooks ran before they stopped, at the median: head, then all; from scratch.
TYPICAL_EPOCHS = {48: (37, 41, 89), 224: (20, 29, 104)}
BACKWARD = 3  # a training step costs about three times as much as a prediction
STEP_SECONDS = 0.005  # what a step costs however small the network
# Of what a product of large matrices reaches, a network's training does; measured with resnet18 and
# sequential_4conv at 48.
EFFICIENCY = 0.3

SOME_IMAGES = (10_000, 2_500)
SOME_RATE = 1e12

MEGA = 1e6


def multiply_adds(model: "keras.Model") -> int:
    """Multiplications with an addition of one prediction, in convolutions and dense layers."""
    leaves = (
        one for one in model._flatten_layers(include_self=False) if not hasattr(one, "layers")
    )
    return sum(map(_of_layer, leaves))


def seconds_of_run(
    name: str,
    resolution: int,
    images: tuple[int, int],
    epochs: float,
    rate: float,
    batch_size: int,
) -> float:
    """Seconds that a training takes. images: learnt from, steered by. rate: multiply-adds a second."""
    learn, check = images
    each = architecture(name).multiply_adds[resolution] * MEGA
    steps = math.ceil(learn / batch_size)
    epoch = (BACKWARD * learn + check) * each / rate + steps * STEP_SECONDS
    return epochs * epoch


def likely_epochs(
    resolution: int, protocol: Protocol, two_phases: bool, most: int | None = None
) -> float:
    """Epochs until early stopping, as the authors had them; never more than allowed."""
    head, everything, scratch = TYPICAL_EPOCHS[resolution]
    limit = most or protocol.max_epochs
    if two_phases:
        return min(head, protocol.head_epochs, limit) + min(everything, limit, protocol.max_epochs)
    return min(scratch, limit, protocol.max_epochs)


def epochs_of(cell: GridCell, protocol: Protocol, most: int | None = None) -> float:
    """`likely_epochs` of a cell."""
    two_phases = cell.weights != "none" or cell.architecture in protocol.head_first
    return likely_epochs(cell.resolution, protocol, two_phases, most)


def cost_beside_others(cell: GridCell, protocol: Protocol, most: int | None = None) -> float:
    """Seconds that a cell would take with a training set and on a machine that are the same for all.

    To compare cells by: it is the same number on every machine. most: epochs of a phase.
    """
    epochs = epochs_of(cell, protocol, most)
    return seconds_of_run(
        cell.architecture, cell.resolution, SOME_IMAGES, epochs, SOME_RATE, protocol.batch_size
    )


def rate_of_runs(records: Iterable[RunRecord]) -> float | None:
    """Multiply-adds a second in the finished runs, at their median; None where there are none."""
    rates = []
    for record in records:
        size, speed = record.definition.resolution, record.images_per_second
        known = _multiply_adds_of(record.definition.architecture)
        if speed and size in known:
            rates.append(BACKWARD * known[size] * MEGA * speed)
    return float(np.median(rates)) if rates else None


def rate_of_processor() -> float:
    """Multiply-adds a second that a training may reach here, from one product of two matrices."""
    side = 1024
    matrix = np.ones((side, side), np.float32)
    matrix @ matrix
    started = time.perf_counter()
    matrix @ matrix
    return EFFICIENCY * side**3 / (time.perf_counter() - started)


def _multiply_adds_of(name: str) -> Mapping[int, float]:
    """Millions by side in pixels; nothing for what is no network of ours."""
    return ARCHITECTURES[name].multiply_adds if name in ARCHITECTURES else {}


def _of_layer(layer: Any) -> int:
    kernels = [one for one in layer.weights if one.name.endswith("kernel")]
    if not kernels or not hasattr(layer, "_inbound_nodes") or not layer._inbound_nodes:
        return 0
    shape = layer.output.shape
    places = math.prod(shape[1:-1])
    return sum(places * math.prod(kernel.shape) for kernel in kernels)
