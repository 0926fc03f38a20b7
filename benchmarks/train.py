"""Input and training beside the paper's way, on drawn pictures, in one run (`make benchmark-train`).

    python benchmarks/train.py [--only 48|224] [--quick]

The paper's way is Keras's ImageDataGenerator.flow_from_directory with the paper's settings. Input alone:
images a second out of each, augmented, in batches of 32; rounds alternate, and the best counts, since other
work on the machine only adds to it. Training: short epochs in turns with the same network fed by the paper's
way, by btfer, and by one tensor that never changes, which no input can beat; of all steps the median.
"""

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import results
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from PIL import Image
from rich.console import Console
from rich.table import Table

from btfer.bench.architectures import architecture
from btfer.bench.datasets import ImageSet, load_folder
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.phases import ALL, prepare
from btfer.bench.train.protocol import PAPER
from btfer.expressions import EXPRESSIONS

SIDE_PX = 256  # of the drawn files, as of the crops that btfer makes
NAMES = ["paper", "ours", "constant"]
MOST_SHARE = 0.05  # of a step, for input
MS, US = 1e3, 1e6

Seconds = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """images: of an epoch. rounds: epochs with each source, the paper's way in every third.

    must, aim: input alone, times the paper's way.
    """

    size_px: int
    network: str
    images: int
    rounds: int
    aim: int
    must: int = 4


CASES = (
    Case(48, "sequential_3conv", images=192, rounds=6, aim=15),
    Case(224, "mobilenet", images=64, rounds=2, aim=7),
)


def draw_folder(folder: Path, count: int) -> Path:
    """JPEGs with the detail of a photo: noise of all scales, strongest where coarse."""
    for number in range(count):
        rng = np.random.default_rng(number)
        total = np.zeros((SIDE_PX, SIDE_PX, 3), np.float32)
        for side, strength in ((4, 60), (16, 30), (64, 16), (SIDE_PX, 8)):
            coarse = Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
            total += np.asarray(coarse.resize((SIDE_PX, SIDE_PX)), np.float32) * strength
        path = folder / EXPRESSIONS[number % len(EXPRESSIONS)] / f"{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((total / 114).clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return folder


def papers_way(folder: Path, size_px: int) -> Any:
    """Batches as the authors' notebooks make them."""
    what = PAPER.augmentation
    generator = ImageDataGenerator(
        rescale=PAPER.rescale,
        rotation_range=what.rotation_degrees,
        width_shift_range=what.shift,
        height_shift_range=what.shift,
        zoom_range=what.zoom,
        horizontal_flip=what.horizontal_flip,
    )
    return generator.flow_from_directory(folder, (size_px, size_px), batch_size=PAPER.batch_size)


def our_way(images: ImageSet, size_px: int, cache: Path) -> ImageBatches:
    """Batches as `btfer bench` makes them."""
    pixels = load_pixels(images, size_px, cache)
    return ImageBatches(
        pixels,
        images.labels,
        np.arange(len(images)),
        classes=len(EXPRESSIONS),
        batch_size=PAPER.batch_size,
        augmentation=PAPER.augmentation,
        skip_remainder=True,
    )


def constant(batches: ImageBatches) -> Any:
    """The feed's first batch as tensors, again and again: what costs nothing."""
    images, labels = batches[0]
    if keras.backend.backend() != "tensorflow":
        return Same((images, labels), len(batches))
    import tensorflow as tf

    return tf.data.Dataset.from_tensors((images, labels)).repeat(len(batches))


class Same(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """One batch as each of `count`."""

    def __init__(self, batch: Any, count: int) -> None:
        super().__init__()
        self.batch, self.count = batch, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Any:
        return self.batch


def endless(source: Any) -> Iterator[Any]:
    """Epoch after epoch."""
    while True:
        for number in range(len(source)):
            yield source[number]
        source.on_epoch_end()


class Stopwatch:
    """Seconds on the wall, and of all cores for this process, since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        """[wall, CPU]."""
        return np.array([time.perf_counter() - self.wall, time.process_time() - self.cpu])


def an_image(source: Any, seconds: float) -> Seconds:
    """Seconds an image, when nothing is to be done but to take batches for so long."""
    batches = endless(source)
    next(batches)
    watch, count = Stopwatch(), 0
    while watch.read()[0] < seconds:
        count += len(next(batches)[1])
    return watch.read() / count


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Seconds of each step of an epoch: its wait for input, and its work."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start."""
        self.steps: list[Seconds] = []
        self.watch = Stopwatch()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the time since the last step's end."""
        self.steps.append(self.watch.read())
        self.watch = Stopwatch()


def steps(model: keras.Model, source: Any) -> Seconds:
    """Seconds of each step of one epoch of `fit`, [steps, 2]."""
    clock = Clock()
    model.fit(source, verbose=0, shuffle=False, callbacks=[clock])
    return np.array(clock.steps)


def best(work: Callable[[str], Seconds], names: list[str], rounds: int) -> dict[str, Seconds]:
    """The least of each name, taken in turns."""
    found = [[work(name) for name in names] for _ in range(rounds)]
    return {name: np.min(times, axis=0) for name, *times in zip(names, *found, strict=True)}


def training(case: Case, sources: dict[str, Any]) -> tuple[dict[str, Seconds], float]:
    """Seconds a step with each source, [wall, CPU], at the median; and how much longer our first steps take."""
    shape = (case.size_px, case.size_px, 3)
    model = architecture(case.network).build(shape, len(EXPRESSIONS))
    prepare(model, PAPER, ALL)
    model.fit(Same(sources["ours"][0], 1), verbose=0)  # the graph is traced, and not measured
    found: dict[str, list[Seconds]] = {name: [] for name in NAMES}
    for number in range(case.rounds):
        for name in NAMES if number % 3 == 0 else NAMES[1:]:
            found[name].append(steps(model, sources[name]))
    times = {name: np.median(np.concatenate(found[name]), axis=0) for name in NAMES}
    first = np.median([one[0, 0] for one in found["ours"]])
    return times, float(first - times["ours"][0])


def measure(
    case: Case, folder: Path, cache: Path, seconds: float
) -> tuple[list[tuple[str, ...]], list[results.Measured]]:
    """Rows of the table (what, paper's way, ours, constant, result), and the figures to keep."""
    images = load_folder(folder)
    watch = Stopwatch()
    batches = our_way(images, case.size_px, cache)
    decoded = len(images) / watch.read()[0]
    sources = {
        "paper": papers_way(folder, case.size_px),
        "ours": batches,
        "constant": constant(batches),
    }
    alone = best(lambda name: an_image(sources[name], seconds), ["paper", "ours"], 2)
    times = alone["paper"] / alone["ours"]
    step, begin = training(case, sources)
    waits = {name: 1 - step["constant"] / one for name, one in step.items()}
    size = f"{case.size_px} px: "
    kept = [
        results.Measured(f"{size}input alone, beside the paper's way", 1 / alone["ours"][0], "images/s",
                         1 / alone["paper"][0]),
        results.Measured(f"{size}training {case.network}, beside the paper's way",
                         PAPER.batch_size / step["ours"][0], "images/s", PAPER.batch_size / step["paper"][0]),
        results.Measured(f"{size}share of a step for input", waits["ours"][0], "share", waits["paper"][0],
                         f"<= {MOST_SHARE}"),
    ]  # fmt: skip
    rows = [
        (f"{size}decode once, images/s", "", f"{decoded:,.0f}", "", ""),
        (f"{size}input alone, images/s", *(f"{1 / alone[n][0]:,.0f}" for n in NAMES[:2]), "",
         f"{times[0]:.1f}x: {_verdict(times[0] >= case.must, f'must {case.must}x')}, "
         f"{_verdict(times[0] >= case.aim, f'aim {case.aim}x')}"),
        (f"{size}  CPU, us an image", *(f"{alone[n][1] * US:,.0f}" for n in NAMES[:2]), "",
         f"{times[1]:.1f}x"),
        (f"{size}training {case.network}, images/s",
         *(f"{PAPER.batch_size / step[n][0]:,.1f}" for n in NAMES),
         f"{step['paper'][0] / step['ours'][0]:.2f}x"),
        (f"{size}  share of a step for input", *(f"{waits[n][0]:.1%}" for n in NAMES[:2]), "",
         _verdict(waits["ours"][0] <= MOST_SHARE, f"at most {MOST_SHARE:.0%}")),
        (f"{size}  share of its CPU time", *(f"{waits[n][1]:.1%}" for n in NAMES[:2]), "", ""),
        (f"{size}  more in an epoch's first step, ms", "", f"{begin * MS:.0f}", "", ""),
    ]  # fmt: skip
    return rows, kept


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", type=int, choices=[case.size_px for case in CASES])
    parser.add_argument("--quick", action="store_true", help="a few images: that it runs")
    results.add_save(parser)
    args = parser.parse_args()
    kept = []
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # in Keras's generator
    table = Table("", *NAMES, "ours to paper", title=f"{keras.backend.backend()} backend")
    with tempfile.TemporaryDirectory() as scratch:
        for case in CASES:
            if args.only in (None, case.size_px):
                case = replace(case, images=64, rounds=1) if args.quick else case
                folder = draw_folder(Path(scratch) / str(case.size_px), case.images)
                rows, more = measure(case, folder, Path(scratch), 0.2 if args.quick else 2)
                kept += more
                for row in rows:
                    table.add_row(*row)
    Console(width=120).print(table)
    if args.save:
        results.save(kept)


def _verdict(good: bool, words: str) -> str:
    return f"{words} {'pass' if good else 'MISS'}"


if __name__ == "__main__":
    main()
