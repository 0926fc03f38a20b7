"""What other systems say of a release's faces, scored like a run and kept like one.

The run's folder has the same files as that of a trained network, so that reports take it as it is:
its training is `external`, and its architecture is the name that it was given.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.runs.record import EXTERNAL, ReleaseRef, RunDefinition, RunRecord, run_id
from btfer.bench.runs.store import RunStore
from btfer.bench.systems.odd_answers import tell_of_odd_answers
from btfer.bench.systems.prediction_columns import (
    NO_ANSWERS,
    OTHER_CLASSES,
    PROBABILITIES,
    Columns,
    choose_columns,
    class_or_none,
    is_other_class,
    number,
)
from btfer.csv_reader import CsvRow, CsvTable, read_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.files import only_one, sha256_file, write_atomic
from btfer.progress import SILENT, Progress

Array = np.ndarray[Any, Any]
Others = Literal["wrong", "drop"]

NO_ANSWER = (math.nan,) * len(EXPRESSIONS)
NO_CLASS_OF_OURS = (0.0,) * len(EXPRESSIONS)
"""The probabilities of an answer such as contempt: there is one, and it is none of the seven."""

_NUMBERED = re.compile(
    r"(label|class)?[ _-]?[0-9]+([.,]0*)?"
)  # LABEL_5 is how transformers names no class

LONGEST_NAME = 255  # as of files, whose names are taken where none is given
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
        raise UsageError(f"these are not probabilities: {_shown(found)}{_why(found)}")
    return [found[label] / total for label in EXPRESSIONS]


def _shown(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in found.items())


def _why(found: Mapping[str, float]) -> str:
    """What numbers may be that are no probabilities, and what to do."""
    if min(found.values()) < 0:
        return "; of logits or log-probabilities take the softmax first, of each row"
    if not any(found.values()):
        return "; an image without an answer is a row with empty cells"
    return ""


def read_predictions(
    file: Path, images: ImageSet, column: str = "", progress: Progress = SILENT
) -> Array:
    """Probabilities, float [N, classes] in the order of `images`, from a CSV of any framework.

    A row names an image (`images/sad/sad-001.png`, `sad-001.png` or `sad-001`) and has a column of probabilities
    for each class, under any known name, or its answer in words; `prediction_columns` finds which columns these
    are. A row of empty cells is an image without an answer, NaN here; an answer that is no class of ours, such as
    contempt, is zeros. column: the one with the answer, where several may be. progress: is told of numbers that
    are rather scores. Raises UsageError that names the row or the columns.
    """
    _check_is_csv(file)
    rows = read_csv(file)
    places = _places(images)
    columns = choose_columns(rows, images, lambda name: _find(places, name), column)
    out, seen = np.full((len(images), len(EXPRESSIONS)), np.nan), dict[int, int]()
    for row in rows:
        place = _find(places, row[columns.image])
        if place is None or place in seen:
            what = _twice(seen[place]) if place in seen else _not_there(images)
            raise UsageError(f"{file}, line {row.line}: '{row[columns.image]}', {what}")
        seen[place] = row.line
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
    if not (out.sum(axis=1) > 0).any():
        raise UsageError(f"{file} has no answer for any image of {images.name}")
    _tell_of_sums(rows, columns, progress)
    _tell_of_ties(out, progress)
    return out


def _check_is_csv(file: Path) -> None:
    """Raise UsageError for JSON, a workbook and the like, with the line of pandas that makes a CSV of it."""
    suffix = file.suffix.lower()
    if reader := _OTHER_FORMATS.get(suffix):
        name = repr(file.name)
        raise UsageError(
            f"{file} is not CSV: with pandas, {reader.format(name)}.to_csv('answers.csv', index=False)"
        )
    if suffix in (".gz", ".zip", ".bz2", ".xz", ".zst"):
        raise UsageError(f"{file} is packed: unpack it first")
    if file.is_file() and _begins_as_json(file):
        raise UsageError(
            f"{file} holds JSON, whatever it is called: write a CSV with one row for each image, its name and a column "
            "for each class (with pandas, DataFrame(...).to_csv('answers.csv', index=False))"
        )


def _begins_as_json(file: Path) -> bool:
    with file.open("rb") as source:
        start = source.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    return re.match(rb'[\[{]\s*[\[{"]', start) is not None


_OTHER_FORMATS = {
    ".json": "read_json({})",
    ".jsonl": "read_json({}, lines=True)",
    ".ndjson": "read_json({}, lines=True)",
    ".xlsx": "read_excel({})",
    ".xls": "read_excel({})",
    ".ods": "read_excel({})",
    ".parquet": "read_parquet({})",
    ".feather": "read_feather({})",
    ".pkl": "read_pickle({})",
    ".html": "read_html({})[0]",
}
"""What reads other formats into a table."""


def _not_there(images: ImageSet) -> str:
    return f"which {images.name} does not have; its images are called as {images.files[0]}"


def _tell_of_sums(rows: CsvTable, columns: Columns, progress: Progress) -> None:
    """Say where each row has another sum, foreign classes included: probabilities have not, logits and scores have."""
    if not columns.numbers:
        return
    others = [name for name in rows.columns if is_other_class(name)]
    counted = (*columns.numbers, *others)
    cells = [[row[name] for name in counted] for row in rows]
    sums = [
        sum(number(one, "") for one in row if not _is_silent(one))
        for row in cells
        if not _is_silent(*row)
    ]
    if max(sums) - min(sums) > 0.1 * max(sums):
        progress.say(
            f"the numbers of an image sum to between {min(sums):.3g} and {max(sums):.3g}, so they are no "
            "probabilities: they were divided by their sum; the accuracy stays, and the calibration (ECE) means little"
        )


def _tell_of_ties(probabilities: Array, progress: Progress) -> None:
    """Say where the highest number stands at several classes: rounded ones may, and the first of them is taken."""
    known = np.nan_to_num(probabilities)
    highest = known.max(axis=1, keepdims=True)
    tied = int((((known == highest).sum(axis=1) > 1) & (highest[:, 0] > 0)).sum())
    if tied:
        progress.say(
            f"{tied} of {len(known)} images have the same highest number for several classes: the first in "
            "alphabetical order is taken; write more digits"
        )


def _twice(line: int) -> str:
    """What to do about a second row of an image: a row for each class, as pipelines list them, or for each face."""
    return (
        f"twice, in line {line} too: one row for each image is needed. A row for each class becomes one "
        "with pandas, table.pivot(index='file', columns='label', values='score'); of several faces, keep the one meant"
    )


def check_name(name: str) -> None:
    """Raise UsageError for a name that would break the lines of a table or steer a terminal."""
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise UsageError(
            f"{name[:40]!a} is no name for reports: give one printable line of at most {LONGEST_NAME} characters "
            "with --name"
        )


def keep_run(
    runs_dir: Path, name: str, probabilities: Array, images: ImageSet, source: AnswerSource
) -> RunRecord:
    """Score probabilities and write them as a run; its record.

    probabilities: float [N, classes]; NaN = no answer, zeros = an answer that is no class of ours. Both count as
    wrong, the second unless `source.others` is `drop`; the record says how many had no answer. What the same
    source said of another release is kept beside. Raises UsageError where no image has an answer, and as `check_name`.
    """
    from btfer.bench.runs.plots import confusion
    from btfer.bench.runs.predictions import predictions_table, table_scores, write_table

    check_name(name)
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
    if file.exists() and not file.is_file():  # it is read twice
        raise UsageError(f"{file} cannot be read: it is not a file; save it as one first")
    probabilities = read_predictions(file, images, column, progress)
    digest = sha256_file(file) + (f" {column}" if column else "")
    source = AnswerSource(file.name, digest, others=others)
    record = keep_run(runs_dir, name or file.stem, probabilities, images, source)
    _tell(probabilities, others, progress)
    tell_of_odd_answers(probabilities, images, progress)
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
    if _is_silent(*cells.values()) and _is_silent(said):
        return NO_ANSWER
    found = by_class({name: number(text, name) for name, text in cells.items()})
    if said and found[_highest(said, found)] < max(found) - 1e-6:
        raise UsageError(
            f"{columns.checked} is '{said}', and the probabilities say {EXPRESSIONS[int(np.argmax(found))]}: "
            f"--column {columns.checked} takes the one, --column {PROBABILITIES} the others"
        )
    return found


def _of_label(text: str) -> list[float] | tuple[float, ...]:
    """One hot, of an answer in words."""
    word = text.strip().lower()
    if _is_silent(word):
        return NO_ANSWER
    if word in OTHER_CLASSES:
        return NO_CLASS_OF_OURS
    if _NUMBERED.fullmatch(word):
        raise UsageError(
            f"'{text[:20]}' is a number, and every tool numbers the classes in an order of its own: write their names"
        )
    if text.lstrip()[:1] in ("{", "["):
        raise UsageError(
            f"the cell '{text[:30]}...' holds a list: write a column for each class, as pandas.json_normalize "
            "makes them of such answers"
        )
    predicted = class_or_none(text) or _parsed(text)
    return [float(label == predicted) for label in EXPRESSIONS]


def _parsed(text: str) -> str:
    try:
        return parse_expression(text)
    except UsageError as error:
        raise UsageError(f"{error}; an empty cell where there is no answer") from None


def _is_silent(*cells: str) -> bool:
    """Whether all cells say that there is no answer."""
    return all(cell.strip().lower() in ("", *NO_ANSWERS) for cell in cells)


def _highest(said: str, found: list[float]) -> int:
    """The place of a class said in words; where it is none of ours, of the most probable one."""
    label = class_or_none(said)
    return EXPRESSIONS.index(label) if label else int(np.argmax(found))


def _places(images: ImageSet) -> dict[str, int]:
    """The place of each image by its path, and by each end of it that no other has."""
    paths = [_bare_path(file) for file in images.files]
    counted = Counter(end for path in paths for end in _ends(path))
    return {
        end: place
        for place, path in enumerate(paths)
        for end in _ends(path)
        if counted[end] == 1 or end == path
    }


def _find(places: dict[str, int], name: str) -> int | None:
    """By the longest end of a name that is known, as it stands or as an address writes it (`%20`)."""
    for spelled in dict.fromkeys((name, unquote(name))):
        for end in _ends(_bare_path(spelled)):
            if end in places:
                return places[end]
    return None


def _ends(path: str) -> Iterator[str]:
    """`images/sad/1`, `sad/1`, `1`."""
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path


def _bare_path(name: str) -> str:
    """`./images\\sad\\sad-001.png` -> `images/sad/sad-001`."""
    path = name.strip().replace("\\", "/").removeprefix("./")
    folder, slash, last = path.rpartition("/")
    return folder + slash + (last.rsplit(".", 1)[0] if "." in last else last)
