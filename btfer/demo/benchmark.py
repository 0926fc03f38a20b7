"""Networks of three sizes, trained on the sample's training part, ranked on the release, and the best as TFLite."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from btfer import bench
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.errors import BtferError, MissingExtra
from btfer.paths import training_dir
from btfer.sample.training_pack import SET_NAME, unpack
from btfer.settings import Settings

NETWORKS = {"small_3conv": 150, "small_4conv": 15, "lenet5": 30}
"""Epochs of each: so many that all three together learn within a minute on two cores."""

PROTOCOL = "short"


@dataclass(frozen=True)
class SmallFile:
    """The best network as a TFLite file. title: of the run. size_mb: of the file.

    same: answers equal to those of Keras, of `images`; ms: mean time for an image on one thread; both None where it
    was not run, for the reason in `remark`.
    """

    title: str
    file: Path
    size_mb: float
    images: int
    same: int | None = None
    ms: float | None = None
    remark: str = ""

    def in_words(self) -> str:
        """One line for people."""
        what = f"{self.title} as TFLite, {self.size_mb:.1f} MB"
        if self.same is None:
            return f"{what}; {self.remark}"
        return f"{what}: {self.same} of {self.images} answers as Keras gives them, {self.ms:.1f} ms an image"


def train(
    settings: Settings, release: Path, epochs: int | None, say: Callable[[str], None]
) -> list[RunRecord]:
    """A record for each of NETWORKS, trained on the training part and scored on the release.

    epochs: of each at most; None = as NETWORKS says.
    """
    folder = unpack(training_dir(settings.data_dir))
    say(f"7. bench: {len(NETWORKS)} networks learn from {folder}, and are asked about the release")
    records = []
    for name, planned in NETWORKS.items():
        request = bench.BenchRequest(
            data_dir=settings.data_dir,
            release=release,
            training={SET_NAME: folder},
            architectures=[name],
            seeds=[settings.seed],
            epochs=min(planned, epochs or planned),
            protocol=PROTOCOL,
        )
        [record] = bench.bench(request)
        if not record.is_done:
            raise BtferError(f"{name} could not be trained: {record.error or record.state}")
        say(f"   {_in_words(record)}")
        records.append(record)
    return records


def _in_words(record: RunRecord) -> str:
    right = float(record.cross_scores["accuracy"])
    took = f", {record.seconds:.0f} s of training" if record.seconds else ""
    return f"{record.definition.architecture}: {right:.1%} right after {record.epochs} epochs{took}"


def on_a_small_computer(
    data_dir: Path, trained: Sequence[RunRecord], say: Callable[[str], None]
) -> SmallFile | None:
    """The best network exported to TFLite and asked about the release; its answers beside those of Keras.

    None where Keras computes with another backend than TensorFlow, which alone can write such a file.
    """
    best = max(trained, key=lambda one: float(one.cross_scores.get("accuracy", 0)))
    if best.backend != "tensorflow":
        say(f"8. export: no TFLite file, which Keras on {best.backend} cannot write")
        return None
    from btfer.bench.edge.export import ExportSpec
    from btfer.bench.edge.measure import EdgeRequest, exported, scored_images
    from btfer.bench.edge.runtimes import load_file

    run, request = RunStore(data_dir / "runs").trained(best.folder), EdgeRequest(data_dir)
    file = exported(run, ExportSpec(), request)
    predicted, pixels, _, _ = scored_images(run, request)
    made = SmallFile(run.name, file, file.stat().st_size / 1e6, len(pixels))
    try:
        network = load_file(file, threads=1)
    except MissingExtra as error:
        made = replace(made, remark=f"not run: {error}")
    else:
        started = perf_counter()
        answers = network.run(pixels.astype(np.float32)).argmax(axis=1)
        ms = 1000 * (perf_counter() - started) / len(pixels)
        made = replace(made, same=int((answers == predicted).sum()), ms=ms)
    say(f"8. export: {made.in_words()}")
    return made
