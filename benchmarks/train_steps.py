"""Training steps of the paper's networks beside a loop written by hand, and what Tables 2 and 3 cost on this machine.

    KERAS_BACKEND=tensorflow python benchmarks/train_steps.py [--network NAME] [--side 48|224] [--batch N] [--quick]

Each network takes steps of 64 images (the paper's, or --batch) in turns: in Keras's `fit`, fed by btfer with the
paper's augmentation, and in a loop of its backend that does nothing but the step, on one batch that stays on the
device. The fastest step of each counts, as with timeit: whatever else the machine does only adds. The cost of the
tables is every cell of theirs (networks, training sets, both weightings, one seed) with the epochs that the authors'
notebooks ran at the median, at the images a second that were measured here, so it is given for this machine alone,
and only where every network of a table was measured.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import results
from rich.console import Console
from rich.table import Table
from train import Stopwatch, steps
from train_loops import by_hand

from btfer.bench.architectures import architecture
from btfer.bench.datasets import TABLE_1
from btfer.bench.datasets.split import POOLED_SHARE
from btfer.bench.experiments.cells import PAPER_BALANCES, PAPER_ROWS, PAPER_SETS, paper_cells
from btfer.bench.experiments.cost import BACKWARD, likely_epochs
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.phases import ALL, prepare
from btfer.bench.train.protocol import PAPER
from btfer.expressions import EXPRESSIONS

MOST_OVERHEAD = 0.05
VALIDATION_SHARE = POOLED_SHARE | {"fer2013": 7178 / 35887}  # its two parts for tests
TABLES = {48: "Table 2", 224: "Table 3"}
HOUR = 3600


@dataclass(frozen=True)
class Measured:
    """Seconds of the fastest step of `fit`, and of the fastest by hand. batch: images of a step."""

    network: str
    side: int
    batch: int
    ours: float
    hand: float

    @property
    def overhead(self) -> float:
        """Share of a step by hand that ours takes longer."""
        return self.ours / self.hand - 1


def drawn_batches(side: int, count: int, network: str, batch: int) -> ImageBatches:
    """Noise as cached pixels, with the paper's augmentation: what a step waits for does not depend on the picture."""
    rng = np.random.default_rng(0)
    images = batch * count
    pixels = rng.integers(0, 256, (images, side, side, 3), dtype=np.uint8)
    known = architecture(network)
    return ImageBatches(
        pixels,
        rng.integers(0, len(EXPRESSIONS), images),
        np.arange(images),
        classes=len(EXPRESSIONS),
        batch_size=batch,
        augmentation=PAPER.augmentation,
        skip_remainder=True,
        channels=known.channels,
    )


def measure(network: str, side: int, count: int, rounds: int, batch: int) -> Measured:
    """Steps in turns: `count` of `fit`, then `count` by hand, so often."""
    keras.utils.clear_session()
    batches = drawn_batches(side, count, network, batch)
    known = architecture(network)
    model = known.build((side, side, known.channels), len(EXPRESSIONS))
    prepare(model, PAPER, ALL)
    steps(model, batches)  # the graph is traced, and not measured
    hand = by_hand(model, *batches[0])
    hand()
    ours, theirs = list[float](), list[float]()
    for _ in range(rounds):
        ours += steps(model, batches)[:, 0].tolist()
        for _ in range(count):
            watch = Stopwatch()
            hand()
            theirs.append(float(watch.read()[0]))
    return Measured(network, side, batch, min(ours), min(theirs))


def table_hours(found: Sequence[Measured], side: int) -> float | None:
    """Hours of a table's cells, one seed; None where a network of it was not measured."""
    image = {one.network: one.ours / one.batch for one in found if one.side == side}
    if not {name for name, _ in PAPER_ROWS[side]} <= set(image):
        return None
    cells = paper_cells([], [side], PAPER_BALANCES, [], [0], PAPER_SETS)
    seconds = 0.0
    for cell in cells:
        images = sum(TABLE_1[cell.training])
        check = images * VALIDATION_SHARE[cell.training]
        images_each = images - check + check / BACKWARD
        two = cell.weights != "none" or cell.architecture in PAPER.head_first
        seconds += images_each * likely_epochs(side, PAPER, two) * image[cell.architecture]
    return seconds / HOUR


def networks_of(side: int) -> list[str]:
    """The paper's networks at a side, each once."""
    return list(dict.fromkeys(name for name, _ in PAPER_ROWS[side]))


def device() -> str:
    """What computes, in words."""
    if keras.backend.backend() == "jax":
        import jax

        return str(jax.devices()[0].device_kind)
    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    return (
        str(tf.config.experimental.get_device_details(found[0])["device_name"]) if found else "cpu"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", action="append", help="one of the paper's [all]")
    parser.add_argument("--side", type=int, choices=list(TABLES), help="[both]")
    parser.add_argument("--steps", type=int, default=4, help="in each turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns")
    parser.add_argument(
        "--batch", type=int, default=PAPER.batch_size, help="images of a step [%(default)s]"
    )
    parser.add_argument(
        "--precision",
        choices=["float32", "mixed_bfloat16", "mixed_float16"],
        default="float32",
        help="of Keras's layers",
    )
    parser.add_argument("--quick", action="store_true", help="one small network: that it runs")
    results.add_save(parser)
    args = parser.parse_args()
    if args.quick:
        args.network, args.side, args.steps, args.rounds = ["lenet5"], 48, 2, 1
    keras.mixed_precision.set_dtype_policy(args.precision)
    backend = f"{keras.backend.backend()}, {args.precision}, {device()}, {os.cpu_count()} cores"
    backend += f", steps of {args.batch}" if args.batch != PAPER.batch_size else ""
    console = Console(width=110)
    found = list[Measured]()
    for side in [args.side] if args.side else TABLES:
        for name in [one for one in args.network or networks_of(side) if one in networks_of(side)]:
            found.append(measure(name, side, args.steps, args.rounds, args.batch))
            console.print(_line(found[-1]))
    console.print(_shown(found, backend))
    for side, title in TABLES.items():
        hours = table_hours(found, side)
        if hours is not None:
            console.print(f"{title}, one seed, on this machine ({backend}): {hours:,.0f} hours")
    if args.save:
        results.save(_figures(found, backend))


def _line(one: Measured) -> str:
    return f"{one.network} {one.side}: {one.ours:.4f} s a step, by hand {one.hand:.4f}"


def _shown(found: Sequence[Measured], backend: str) -> Table:
    table = Table("network", "px", "images/s", "by hand", "overhead", "", title=backend)
    for one in found:
        verdict = "pass" if one.overhead < MOST_OVERHEAD else "MISS"
        rates = (f"{one.batch / seconds:,.1f}" for seconds in (one.ours, one.hand))
        table.add_row(one.network, str(one.side), *rates, f"{one.overhead:+.1%}", verdict)
    return table


def _figures(found: Sequence[Measured], backend: str) -> list[results.Measured]:
    figures = [
        results.Measured(
            f"{one.network} {one.side} px ({backend}), beside a loop by hand",
            one.batch / one.ours,
            "images/s",
            one.batch / one.hand,
            f"> {one.batch / one.hand / (1 + MOST_OVERHEAD):.6g}",
        )
        for one in found
    ]
    hours = {title: table_hours(found, side) for side, title in TABLES.items()}
    return figures + [
        results.Measured(f"{title}, one seed ({backend})", value, "hours")
        for title, value in hours.items()
        if value is not None
    ]


if __name__ == "__main__":
    main()
