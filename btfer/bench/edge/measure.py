"""What a network costs on a small computer, and what making it small costs (BTFER, section 4.7).

Each form of it is a file that is exported, measured in a process of its own, and asked about the
faces of the release that the run was scored on. What is lost is the accuracy of the trained network,
on the same images, minus that of the file: with a 95 % bootstrap interval over images, by class.
"""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.edge.card import read_card
from btfer.bench.edge.export import ExportSpec, calibration_images, card_of, export
from btfer.bench.edge.runtimes import load_file
from btfer.bench.runs.store import MODEL, TrainedRun
from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.images import Pixels
from btfer.parsing import parse_json
from btfer.paths import releases_dir
from btfer.progress import SILENT, Progress

Array = np.ndarray[Any, Any]

SPECS = (
    ExportSpec(),
    ExportSpec(quantize="dynamic"),
    ExportSpec(quantize="float16"),
    ExportSpec(quantize="int8"),
    ExportSpec("onnx"),
)
TRAINED = "keras"
LOSS_ALLOWED = 0.02  # of accuracy, before it is pointed out
RESAMPLES = 2000


@dataclass(frozen=True)
class EdgeRow:
    """One form of one network.

    size_mb: of the file. median_ms, p95_ms: latency of one image. memory_mb: what the process grew
    by at its peak, runtime included. accuracy: on `images` images of the release. loss, loss_low,
    loss_high: accuracy lost against the trained network, with its interval. digest: of the release, its first
    digits. measured: when, ISO 8601 in UTC.
    """

    run: str
    architecture: str
    resolution: int
    form: str
    parameters: int
    size_mb: float
    threads: int
    median_ms: float
    p95_ms: float
    memory_mb: float
    release: str
    images: int
    accuracy: float
    loss: float = 0.0
    loss_low: float = 0.0
    loss_high: float = 0.0
    digest: str = ""
    measured: str = ""

    @property
    def remark(self) -> str:
        """What a reader must know of the loss; '' where it is under the allowed one."""
        if self.loss < LOSS_ALLOWED:
            return ""
        return (
            f"{self.architecture} {self.resolution} as {self.form} loses {self.loss:.3f} accuracy "
            f"({self.loss_low:.3f} to {self.loss_high:.3f}): {LOSS_ALLOWED} or more"
        )


@dataclass(frozen=True)
class EdgeRequest:
    """Where and how long to measure. release, calibration: folders; None = found by the run's record."""

    data_dir: Path
    release: Path | None = None
    calibration: Path | None = None
    threads: int = 1
    seconds: float = 3.0
    specs: tuple[ExportSpec, ...] = SPECS


def measure_run(
    run: TrainedRun, request: EdgeRequest, progress: Progress = SILENT
) -> Iterator[EdgeRow]:
    """The trained network first, then each form of it, each as soon as it is measured.

    Only images that count in the run's scores are asked about, in the pixels that the run was trained for.
    Raises UsageError for a run without a release.
    """
    trained, chosen, labels, images = scored_images(run, request)
    progress.say(f"{run.name}: measuring {TRAINED}")
    first = _row(run, request, TRAINED, run.folder / MODEL, images)
    yield replace(first, images=len(labels), accuracy=_accuracy(trained, labels))
    for form in request.specs:
        progress.say(f"{run.name}: exporting and measuring {form.name}")
        file = exported(run, form, request)
        predicted = load_file(file).run(chosen.astype(np.float32)).argmax(axis=1)
        low, high = loss_interval(labels, trained == labels, predicted == labels)
        lost = _accuracy(trained, labels) - _accuracy(predicted, labels)
        row = _row(run, request, form.name, file, images)
        row = replace(row, images=len(labels), accuracy=_accuracy(predicted, labels))
        yield replace(row, loss=round(lost, 6), loss_low=low, loss_high=high)


def exported(run: TrainedRun, spec: ExportSpec, request: EdgeRequest) -> Path:
    """The file of a spec in the run's folder `export`; made anew where it would be another one.

    That is where the network or btfer's export is newer, and for `int8` where the calibration is another one.
    """
    folder = run.folder / "export" / spec.name
    file = folder / f"model.{spec.format}"
    card, images = _card_in(file, run), None
    if spec.quantize == "int8":
        try:
            images = calibration_images(run, request.data_dir, request.calibration)
        except UsageError:  # the training set is not here any more
            if request.calibration or not card or "calibration" not in card:
                raise
            return file
    if card == card_of(run, spec, images):
        return file
    return export(run, spec, folder, lambda: images)


def _card_in(file: Path, run: TrainedRun) -> dict[str, Any] | None:
    """The card of a file that is not older than the network; None where there is none that can be read."""
    if not file.is_file() or file.stat().st_mtime < (run.folder / MODEL).stat().st_mtime:
        return None
    try:
        return read_card(file)
    except (ValueError, OSError, zipfile.BadZipFile):  # cut off
        return None


def loss_interval(labels: Array, before: Array, after: Array) -> tuple[float, float]:
    """95 % interval of accuracy before minus after, drawn over images within each class.

    labels: int [N]. before, after: bool [N], right or not, of the same images.
    """
    rng = np.random.default_rng(0)
    change = before.astype(int) - after.astype(int)
    totals = np.zeros(RESAMPLES)
    for label in np.unique(labels):
        of_class = change[labels == label]
        drawn = rng.integers(0, len(of_class), (RESAMPLES, len(of_class)))
        totals += of_class[drawn].sum(axis=1)
    low, high = np.percentile(totals / len(labels), [2.5, 97.5])
    return round(float(low), 6), round(float(high), 6)


def as_rows(found: list[EdgeRow]) -> list[dict[str, Any]]:
    """The rows for JSON and CSV."""
    return [asdict(one) for one in found]


def scored_images(run: TrainedRun, request: EdgeRequest) -> tuple[Array, Pixels, Array, ImageSet]:
    """What the trained network predicted (int [N]), these images as it saw them, their labels, and the release.

    Images: uint8 [N, size, size, 3], those that count in the run's scores. Raises UsageError for a run without a
    release, and where the release is another one.
    """
    predicted, images, places = _scored(run, request)
    spec, cache = run.input_spec, request.data_dir / "runs" / "_cache"
    pixels = load_pixels(images, spec.size_px, cache, spec.resize)
    return predicted, pixels[places], images.labels[places], images


def _scored(run: TrainedRun, request: EdgeRequest) -> tuple[Array, ImageSet, Array]:
    """What the trained network predicted (int [N]), the release, and the places of these images in it."""
    import pandas as pd

    record, release = run.record, run.record.release
    if not release:
        raise UsageError(
            f"{run.name} was never scored on a release; run btfer bench --release FOLDER"
        )
    images = load_release(request.release or releases_dir(request.data_dir) / release.name)
    scored = record.on(images.digest)
    if scored is None or not scored.predictions_path.is_file():
        names = ", ".join(one.release_name for one in record.scorings)
        raise UsageError(f"{run.name} was scored on {names}, which {images.root} is not")
    rows = pd.read_parquet(scored.predictions_path)
    rows = rows[rows["counts"]]
    place = {file: n for n, file in enumerate(images.files)}
    predicted = np.array([EXPRESSIONS.index(name) for name in rows["predicted"]])
    return predicted, images, np.array([place[file] for file in rows["file"]])


def _row(run: TrainedRun, request: EdgeRequest, form: str, file: Path, images: ImageSet) -> EdgeRow:
    definition, cost = run.record.definition, _measured(file, request)
    return EdgeRow(
        run=run.record.id,
        architecture=definition.architecture,
        resolution=definition.resolution,
        form=form,
        parameters=run.record.parameters or 0,
        size_mb=round(file.stat().st_size / 1e6, 3),
        threads=request.threads,
        median_ms=cost["median_ms"],
        p95_ms=cost["p95_ms"],
        memory_mb=cost["memory_mb"],
        release=images.name,
        images=0,
        accuracy=0.0,
        digest=images.digest[:12],
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _measured(file: Path, request: EdgeRequest) -> dict[str, float]:
    worker = [sys.executable, "-m", "btfer.bench.edge.worker"]
    command = [*worker, str(file), str(request.threads), str(request.seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise BtferError(f"{file} could not be measured: {last[0]}")
    return dict(parse_json(done.stdout.splitlines()[-1]))


def _accuracy(predicted: Array, labels: Array) -> float:
    return round(float((predicted == labels).mean()), 6)
