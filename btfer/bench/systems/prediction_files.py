"""What other systems say of a release's faces, scored like a run and kept like one.

The run's folder has the same files as that of a trained network, so that reports take it as it is:
its training is `external`, and its architecture is the name that it was given.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.runs.record import EXTERNAL, ReleaseRef, RunDefinition, RunRecord, run_id
from btfer.bench.runs.store import RunStore
from btfer.bench.systems.prediction_columns import (
    NO_ANSWERS,
    OTHER_CLASSES,
    PROBABILITIES,
    Columns,
    choose_columns,
    class_or_none,
)
from btfer.csv_reader import CsvRow, read_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.files import only_one, sha256_file, write_atomic
from btfer.progress import SILENT, Progress

Array = np.ndarray[Any, Any]
Others = Literal["wrong", "drop"]

NO_ANSWER = (math.nan,) * len(EXPRESSIONS)
NO_CLASS_OF_OURS = (0.0,) * len(EXPRESSIONS)
"""The probabilities of an answer such as contempt: there is one, and it is none of the seven."""

MOST = 1e6  # what a probability, a percentage or a score may be; beyond it, sums of floats mean nothing


@dataclass(frozen=True)
class AnswerSource:
    """What gave the answers. name, digest: tell one run from another. resolution: side in pixels that it takes.

    seconds: that it took; None = unknown. others: an answer that is no class of ours is wrong, or the image is
    dropped from the scores.
    """

    name: str
    digest: str
    resolution: int = 256  # the side of a release's images
    seconds: float | None = None
    others: Others = "wrong"


def by_class(named: Mapping[str, float]) -> list[float]:
    """Probabilities in label order from those by a system's own names: mapped by meaning, never by place.

    Names of no class, such as contempt, are left out and the rest made to sum to 1. Raises UsageError
    where a class has no name, or two, and for what can be no probability, percentage or score.
    """
    found: dict[str, float] = {}
    for name, value in named.items():
        label = class_or_none(name)
        if label in found:
            raise UsageError(f"two of the names {', '.join(named)} mean {label}")
        if label:
            found[label] = float(value)
    missing = [label for label in EXPRESSIONS if label not in found]
    if missing:
        raise UsageError(f"no class of {', '.join(named)} means {', '.join(missing)}")
    total = sum(found.values())
    if not all(0 <= one <= MOST for one in found.values()) or not total > 0:
        raise UsageError(f"these are not probabilities: {dict(named)}")
    return [found[label] / total for label in EXPRESSIONS]


def read_predictions(file: Path, images: ImageSet, column: str = "") -> Array:
    """Probabilities, float [N, classes] in the order of `images`, from a CSV of any framework.

    A row names an image (`images/sad/sad-001.png`, `sad-001.png` or `sad-001`) and has a column of probabilities
    for each class, under any known name, or its answer in words; `prediction_columns` finds which columns these
    are. A row of empty cells is an image without an answer, NaN here; an answer that is no class of ours, such as
    contempt, is zeros. column: the one with the answer, where several may be. Raises UsageError that names the
    row or the columns.
    """
    rows = read_csv(file)
    places = _places(images)
    columns = choose_columns(rows, images, lambda name: _find(places, name), column)
    out, seen = np.full((len(images), len(EXPRESSIONS)), np.nan), set()
    for row in rows:
        place = _find(places, row[columns.image])
        if place is None or place in seen:
            what = "twice" if place in seen else f"which {images.name} does not have"
            raise UsageError(f"{file}, line {row.line}: '{row[columns.image]}', {what}")
        seen.add(place)
        try:
            out[place] = _answer(row, columns)
        except UsageError as error:
            raise UsageError(f"{file}, line {row.line}: {error}") from None
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
    """Score probabilities and write them as a run; its record.

    probabilities: float [N, classes]; NaN = no answer, zeros = an answer that is no class of ours. Both count as
    wrong, the second unless `source.others` is `drop`; the record says how many had no answer. What the same
    source said of another release is kept beside. Raises UsageError where no image has an answer.
    """
    from btfer.bench.runs.plots import confusion
    from btfer.bench.runs.predictions import predictions_table, table_scores, write_table

    unanswered = np.asarray(np.isnan(probabilities).any(axis=1))
    other = np.asarray(~unanswered & ~(probabilities.sum(axis=1) > 0))
    if (unanswered | other).all():
        raise UsageError(f"{name} has no answer for any image of {images.name}")
    definition = _definition(name, source)
    folder = runs_dir / run_id(definition)
    release = ReleaseRef(images.name, images.digest)
    store = RunStore(runs_dir)
    with only_one(folder, "run"):
        record = store.read(folder) or _new(definition, folder)
        counts = ~other if source.others == "drop" else np.ones(len(images), bool)
        table = predictions_table(images, np.arange(len(images)), probabilities, counts)
        write_table(folder / record.predictions_name(images.digest), table)
        found = table_scores(table)
        write_atomic(folder / "confusion.png", confusion(found["confusion"], images.name))
        scored = record.scored_on(release, "cross_domain", found, unanswered=int(unanswered.sum()))
        seconds = {} if source.seconds is None else {"seconds": source.seconds}
        return store.write(scored.changed(state="done", error=None, source=source.name, **seconds))


def score_file(
    runs_dir: Path,
    file: Path,
    name: str,
    images: ImageSet,
    *,
    column: str = "",
    others: Others = "wrong",
    progress: Progress = SILENT,
) -> RunRecord:
    """Read a CSV of predictions and keep it as a run; its record. Raises UsageError as `read_predictions`."""
    probabilities = read_predictions(file, images, column)
    digest = sha256_file(file) + (f" {column}" if column else "")
    source = AnswerSource(file.name, digest, others=others)
    record = keep_run(runs_dir, name or file.stem, probabilities, images, source)
    _tell(probabilities, others, progress)
    return record


def _tell(probabilities: Array, others: Others, progress: Progress) -> None:
    """Say what was no answer, or none of ours."""
    unanswered = int(np.isnan(probabilities).any(axis=1).sum())
    other = int((probabilities.sum(axis=1) == 0).sum())
    if unanswered:
        progress.say(
            f"{unanswered} of {len(probabilities)} images have no answer: they count as wrong, and the coverage "
            "stands beside the accuracy"
        )
    if other:
        what = "left out of the scores" if others == "drop" else "counted as wrong"
        progress.say(
            f"{other} answers are no class of {', '.join(EXPRESSIONS)}: {what} (--other-classes)"
        )


def _new(definition: RunDefinition, folder: Path) -> RunRecord:
    return RunRecord(folder.name, "running", None, definition, EXTERNAL, folder=folder)


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
        | ({} if source.others == "wrong" else {"others": source.others})
    )


def _answer(row: CsvRow, columns: Columns) -> list[float] | tuple[float, ...]:
    if columns.label:
        return _of_label(row[columns.label])
    cells = {name: row[name] for name in columns.numbers}
    said = row[columns.checked] if columns.checked else ""
    if not any(cells.values()) and not said:
        return NO_ANSWER
    found = by_class({name: _number(text, name) for name, text in cells.items()})
    if said and found[_highest(said, found)] < max(found) - 1e-6:
        raise UsageError(
            f"{columns.checked} is '{said}', and the probabilities say {EXPRESSIONS[int(np.argmax(found))]}: "
            f"--column {columns.checked} takes the one, --column {PROBABILITIES} the others"
        )
    return found


def _of_label(text: str) -> list[float] | tuple[float, ...]:
    """One hot, of an answer in words."""
    word = text.strip().lower()
    if word in ("", *NO_ANSWERS):
        return NO_ANSWER
    if word in OTHER_CLASSES:
        return NO_CLASS_OF_OURS
    predicted = parse_expression(text)
    return [float(label == predicted) for label in EXPRESSIONS]


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{name} is '{text[:20]}', not a number") from None
    if not math.isfinite(value):
        raise UsageError(f"{name} is '{text[:20]}', not a probability")
    return value


def _highest(said: str, found: list[float]) -> int:
    """The place of a class said in words; where it is none of ours, of the most probable one."""
    label = class_or_none(said)
    return EXPRESSIONS.index(label) if label else int(np.argmax(found))


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
