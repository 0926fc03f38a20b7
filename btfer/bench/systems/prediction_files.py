"""What other systems say of a release's faces, scored like a run and kept like one.

The run's folder has the same files as that of a trained network, so that reports take it as it is:
its training is `external`, and its architecture is the name that it was given.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.runs.record import EXTERNAL, ReleaseRef, RunDefinition, RunRecord, run_id
from btfer.bench.runs.store import RunStore
from btfer.csv_reader import CsvRow, read_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.files import sha256_file, write_atomic

Array = np.ndarray[Any, Any]

FILE_COLUMNS = ("file", "file_name", "image", "image_id", "id", "path", "filename")
LABEL_COLUMNS = ("predicted", "prediction", "label", "expression", "emotion")
NO_ANSWER = (math.nan,) * len(EXPRESSIONS)


@dataclass(frozen=True)
class AnswerSource:
    """What gave the answers. name, digest: tell one run from another. resolution: side in pixels that it takes.

    seconds: that it took; None = unknown.
    """

    name: str
    digest: str
    resolution: int = 256  # the side of a release's images
    seconds: float | None = None


def by_class(named: Mapping[str, float]) -> list[float]:
    """Probabilities in label order from those by a system's own names: mapped by meaning, never by place.

    Names of no class, such as contempt, are left out and the rest made to sum to 1. Raises UsageError
    where a class has no name, or two.
    """
    found: dict[str, float] = {}
    for name, value in named.items():
        label = _class_or_none(name)
        if label in found:
            raise UsageError(f"two of the names {', '.join(named)} mean {label}")
        if label:
            found[label] = float(value)
    missing = [label for label in EXPRESSIONS if label not in found]
    if missing:
        raise UsageError(f"no class of {', '.join(named)} means {', '.join(missing)}")
    total = sum(found.values())
    if not total > 0 or min(found.values()) < 0:
        raise UsageError(f"these are not probabilities: {dict(named)}")
    return [found[label] / total for label in EXPRESSIONS]


def read_predictions(file: Path, images: ImageSet) -> Array:
    """Probabilities, float [N, classes] in the order of `images`, from a CSV of any framework.

    A row names an image (one of `FILE_COLUMNS`: `images/sad/sad-001.png`, `sad-001.png` or `sad-001`)
    and has a column of probabilities for each class, under any known name, or one of `LABEL_COLUMNS`.
    A row of empty cells is an image without an answer, NaN here. Raises UsageError that names the row.
    """
    rows = read_csv(file)
    columns = list(rows.columns)
    key = _first(columns, FILE_COLUMNS, f"{file} has no column that names the image")
    places = _places(images)
    out, seen = np.full((len(images), len(EXPRESSIONS)), np.nan), set()
    for row in rows:
        number = row.line
        place = _find(places, row[key])
        if place is None or place in seen:
            what = "twice" if place in seen else f"which {images.name} does not have"
            raise UsageError(f"{file}, line {number}: '{row[key]}', {what}")
        seen.add(place)
        try:
            out[place] = _answer(row, columns, key)
        except (UsageError, ValueError) as error:
            raise UsageError(f"{file}, line {number}: {error}") from None
    if len(seen) < len(images):
        first = next(name for place, name in enumerate(images.files) if place not in seen)
        raise UsageError(
            f"{file} has {len(seen)} of the {len(images)} images of {images.name}; {first} is "
            "missing: an image without an answer is a row with empty cells"
        )
    return out


def keep_run(
    runs_dir: Path, name: str, probabilities: Array, images: ImageSet, source: AnswerSource
) -> RunRecord:
    """Score probabilities (float [N, classes], NaN = no answer) and write them as a run; its record.

    Images without an answer do not count, and the record says how many. Raises UsageError where no image
    has an answer.
    """
    from btfer.bench.runs.plots import confusion
    from btfer.bench.runs.predictions import predictions_table, table_scores, write_table

    answered = np.asarray(~np.isnan(probabilities).any(axis=1))
    if not answered.any():
        raise UsageError(f"{name} has no answer for any image of {images.name}")
    definition = _definition(name, source)
    folder = runs_dir / run_id(definition)
    filled = np.where(answered[:, None], probabilities, 1 / len(EXPRESSIONS))
    table = predictions_table(images, np.arange(len(images)), filled, answered)
    write_table(folder / "predictions_btfer.parquet", table)
    found = table_scores(table)
    write_atomic(folder / "confusion.png", confusion(found["confusion"], images.name))
    record = RunRecord(
        id=folder.name,
        state="done",
        error=None,
        definition=definition,
        training=EXTERNAL,
        release=ReleaseRef(images.name, images.digest),
        metrics={"cross_domain": found},
        folder=folder,
    )
    seconds = {} if source.seconds is None else {"seconds": source.seconds}
    unanswered = int((~answered).sum())
    return RunStore(runs_dir).write(
        record.changed(unanswered=unanswered, source=source.name, **seconds)
    )


def score_file(runs_dir: Path, file: Path, name: str, images: ImageSet) -> RunRecord:
    """Read a CSV of predictions and keep it as a run; its record. Raises UsageError as `read_predictions`."""
    probabilities = read_predictions(file, images)
    source = AnswerSource(file.name, sha256_file(file))
    return keep_run(runs_dir, name or file.stem, probabilities, images, source)


def _definition(name: str, source: AnswerSource) -> RunDefinition:
    """The keys of an experiment, so that a table of runs has no hole."""
    return RunDefinition(
        {
            "architecture": name,
            "weights": EXTERNAL,
            "resolution": source.resolution,
            "balance": EXTERNAL,
            "seed": 0,
            "protocol": {"name": EXTERNAL},
            "epochs": None,
            "fold": "",
            "data": source.digest,
            "split": source.name,
        }
    )


def _answer(row: CsvRow, columns: list[str], key: str) -> list[float] | tuple[float, ...]:
    given = {name: row[name] for name in columns if name != key}
    numbers = {name: text for name, text in given.items() if _class_or_none(name)}
    labels = [given[name] for name in LABEL_COLUMNS if name in given]
    if numbers:
        if not any(numbers.values()):
            return NO_ANSWER
        return by_class({_bare(name): float(text) for name, text in numbers.items()})
    if not labels:
        raise UsageError(f"needs a column for each class, or one of {', '.join(LABEL_COLUMNS)}")
    if not labels[0]:
        return NO_ANSWER
    predicted = parse_expression(labels[0])
    return [float(label == predicted) for label in EXPRESSIONS]


def _bare(name: str) -> str:
    """`p_happy` is how our own tables name a column of probabilities."""
    return name.strip().lower().removeprefix("p_")


def _class_or_none(name: str) -> str | None:
    try:
        return parse_expression(_bare(name))
    except UsageError:
        return None


def _places(images: ImageSet) -> dict[str, int]:
    """The place of each image by its path and by its name alone, where no other has the same."""
    paths = [_bare_path(file) for file in images.files]
    last = Counter(path.rsplit("/", 1)[-1] for path in paths)
    places = {path: place for place, path in enumerate(paths)}
    names = {path.rsplit("/", 1)[-1]: place for place, path in enumerate(paths)}
    return {name: place for name, place in names.items() if last[name] == 1} | places


def _find(places: dict[str, int], name: str) -> int | None:
    path = _bare_path(name)
    return places.get(path, places.get(path.rsplit("/", 1)[-1]))


def _bare_path(name: str) -> str:
    """`./images\\sad\\sad-001.png` -> `images/sad/sad-001`."""
    path = name.strip().replace("\\", "/").removeprefix("./")
    folder, slash, last = path.rpartition("/")
    return folder + slash + (last.rsplit(".", 1)[0] if "." in last else last)


def _first(columns: Iterable[str], wanted: tuple[str, ...], problem: str) -> str:
    found = {name.strip().lower(): name for name in columns}
    for name in wanted:
        if name in found:
            return found[name]
    raise UsageError(f"{problem}: name it {' or '.join(wanted)}")
