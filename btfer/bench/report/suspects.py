"""Faces on which good models agree against the label: confident learning on out-of-sample predictions.

Every prediction on a release is out of sample: of networks that were trained elsewhere, of the folds
that were held out, or of other systems. The probabilities of the better half of the runs are averaged;
cleanlab then finds the labels that they cannot be reconciled with, by each class's own threshold.
Source: Northcutt et al. 2021, https://arxiv.org/abs/1911.00068. A finding is a hint for people to look
again, never a verdict.
"""

import io
from collections import Counter
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.csv_reader import CsvRow, read_csv
from btfer.csv_writer import as_csv
from btfer.errors import Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.extras import require
from btfer.files import write_atomic
from btfer.paths import releases_dir
from btfer.progress import SILENT, Progress
from btfer.safe_paths import relative_name

Array = np.ndarray[Any, Any]

LEAST_ACCURACY = 2 / len(EXPRESSIONS)  # twice chance: what is worse is no evidence on labels
TABLE, SHEET = "suspects.csv", "suspects.png"
TILE_PX, COLUMNS, SHEET_ROWS = 150, 7, 12


@dataclass(frozen=True)
class Suspect:
    """A face whose label good models deny. p_label, p_suggested: their mean probabilities.

    agree: how many of the `models` say `suggested`.
    """

    release: str
    file: str
    label: str
    suggested: str
    p_label: float
    p_suggested: float
    agree: int
    models: int


@dataclass(frozen=True)
class LabelQuality:
    """The suspects of a release, the most doubtful label first; by how many models, and how often these are right.

    accuracy: of their mean probabilities, by the labels as they are. The lower, the less a suspect means.
    """

    release: str
    suspects: list[Suspect]
    models: int
    accuracy: float


def find_suspects(store: RunStore, images: ImageSet) -> LabelQuality:
    """The suspects of a release by the runs that were scored on it.

    Raises Incomplete where no run is good enough, MissingExtra without cleanlab.
    """
    require("bench", "the search for doubtful labels", "cleanlab")
    from cleanlab.filter import find_label_issues

    good = _good(store, images)
    if not good:
        raise Incomplete(
            f"none can be doubted yet: that takes a network that is right in {LEAST_ACCURACY:.0%} of {images.name}, "
            "twice chance; run btfer bench with more data, or with other networks"
        )
    every = np.stack(good)
    mean = every.mean(axis=0)
    found = find_label_issues(
        images.labels,
        mean,
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    suspects = [_suspect(images, every, mean, int(place)) for place in found]
    denied = [one for one in suspects if one.suggested != one.label and 2 * one.agree > one.models]
    accuracy = float((mean.argmax(axis=1) == images.labels).mean())
    return LabelQuality(images.name, denied, len(every), accuracy)


def doubt_labels(data_dir: Path, folder: Path, progress: Progress = SILENT) -> LabelQuality:
    """Look at the labels of the release that most runs were scored on, and write what is found to `folder`.

    Raises Incomplete where there is no such release in
    data_dir/releases, or no run that is good enough.
    """
    runs_dir, scored = data_dir / "runs", Counter[str]()
    store = RunStore(runs_dir, progress)
    for record in _scorings(store):
        name = record.release_name
        if name and (releases_dir(data_dir) / name / "metadata.csv").is_file():
            scored[name] += 1
    if not scored:
        raise Incomplete(f"no run was scored on a release in {releases_dir(data_dir)}")
    most = max(scored, key=lambda name: (scored[name], name))
    images = load_release(releases_dir(data_dir) / most)
    found = find_suspects(store, images)
    write_suspects(found.suspects, images, folder)
    return found


def write_suspects(suspects: list[Suspect], images: ImageSet, folder: Path) -> Path:
    """Write suspects.csv and a contact sheet of the first 84, suspects.png, to `folder`; the table."""
    names = [field.name for field in fields(Suspect)]
    table = as_csv(names, (asdict(one) for one in suspects))
    write_atomic(folder / SHEET, sheet(suspects[: COLUMNS * SHEET_ROWS], images.root))
    write_atomic(folder / TABLE, table)
    return folder / TABLE


def read_suspects(reports_dir: Path) -> tuple[list[Suspect], float]:
    """Those of the newest report that looked for some, and when it did (seconds since 1970).

    Raises Incomplete where none did.
    """
    tables = sorted(reports_dir.glob(f"*/{TABLE}"))
    if not tables:
        raise Incomplete(f"no report in {reports_dir} has checked labels yet: run btfer report")
    names = [field.name for field in fields(Suspect)]
    rows = read_csv(tables[-1], required=names, may_be_empty=True, own=True)
    return [_read_row(tables[-1], row) for row in rows], tables[-1].stat().st_mtime


def _read_row(table: Path, row: CsvRow) -> Suspect:
    where = f"{table}, line {row.line}"
    try:
        return Suspect(
            release=row["release"],
            file=str(relative_name(row["file"], where=where)),
            label=row["label"],
            suggested=row["suggested"],
            p_label=float(row["p_label"]),
            p_suggested=float(row["p_suggested"]),
            agree=int(row["agree"]),
            models=int(row["models"]),
        )
    except ValueError as error:
        raise UsageError(f"{where} is damaged: {error}: run btfer report again") from None


def sheet(suspects: list[Suspect], root: Path) -> bytes:
    """A PNG of the faces: what each is labelled, and what the models say instead."""
    rows = max(1, -(-len(suspects) // COLUMNS))
    paper = Image.new("RGB", (COLUMNS * TILE_PX, rows * (TILE_PX + 40)), "white")
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(size=14)
    if not suspects:
        pen.text((8, 8), "no label is in doubt", fill="black", font=font)
    for place, one in enumerate(suspects):
        x, y = place % COLUMNS * TILE_PX, place // COLUMNS * (TILE_PX + 40)
        with Image.open(root / one.file) as image:
            paper.paste(image.convert("RGB").resize((TILE_PX - 4, TILE_PX - 4)), (x + 2, y + 2))
        caption = f"labelled {one.label}\n{one.suggested} {one.p_suggested:.2f} ({one.agree}/{one.models})"
        pen.text((x + 4, y + TILE_PX), caption, fill="black", font=font)
    buffer = io.BytesIO()
    paper.save(buffer, "PNG")
    return buffer.getvalue()


def _scorings(store: RunStore) -> list[RunRecord]:
    return [one for run in store.all() for one in run.scorings]


def _good(store: RunStore, images: ImageSet) -> list[Array]:
    """Probabilities, float [N, classes], of the better half of the runs on the whole of this release.

    The same answers under several names speak once.
    """
    found, seen = [], set[bytes]()
    for record in _scorings(store):
        table = record.predictions_path
        if not record.release or record.release.digest != images.digest or not table.is_file():
            continue
        probabilities = _in_order(pd.read_parquet(table), images, table)
        accuracy = float((probabilities.argmax(axis=1) == images.labels).mean())
        answers = sha256(probabilities.tobytes()).digest()
        if accuracy >= LEAST_ACCURACY and answers not in seen:
            seen.add(answers)
            found.append((accuracy, probabilities))
    found.sort(key=lambda one: -one[0])
    return [probabilities for _, probabilities in found[: -(-len(found) // 2)]]


def _in_order(table: pd.DataFrame, images: ImageSet, path: Path) -> Array:
    by_file = table.set_index("file")
    missing = [file for file in images.files if file not in by_file.index]
    if missing:
        raise UsageError(
            f"{path} has no prediction of {missing[0]}: delete its folder and run btfer bench again"
        )
    columns = [f"p_{name}" for name in EXPRESSIONS]
    rows = by_file.loc[list(images.files), columns].to_numpy(float, copy=True)
    rows[~(rows.sum(axis=1) > 0)] = 1.0  # no answer, or none of ours, says nothing for any class
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _suspect(images: ImageSet, every: Array, mean: Array, place: int) -> Suspect:
    label, suggested = int(images.labels[place]), int(mean[place].argmax())
    return Suspect(
        release=images.name,
        file=images.files[place],
        label=EXPRESSIONS[label],
        suggested=EXPRESSIONS[suggested],
        p_label=round(float(mean[place, label]), 4),
        p_suggested=round(float(mean[place, suggested]), 4),
        agree=int((every[:, place].argmax(axis=1) == suggested).sum()),
        models=len(every),
    )
