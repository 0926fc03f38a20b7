"""Which column of a stranger's table names the image, and which holds the answer.

A table of predictions often has the truth beside the answer, and a row number beside the file name. What is
taken is what fits the release; where two columns may be meant, or one is the release's own labels, nobody guesses.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from btfer.bench.datasets import LEAST_DOUBTED, SAME_AS_LABELS, ImageSet
from btfer.csv_reader import CsvRow, CsvTable
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression

FILE_COLUMNS = (
    *("file", "file_name", "filename", "file_path", "filepath", "path"),
    *(
        "image",
        "image_id",
        "image_name",
        "image_file",
        "image_path",
        "img",
        "img_path",
        "id",
        "name",
    ),
)
ANSWER_COLUMNS = (
    *(
        "predicted",
        "prediction",
        "predictions",
        "pred",
        "preds",
        "predicted_label",
        "predicted_class",
    ),
    *("pred_label", "pred_class", "label_pred", "y_pred", "yhat", "y_hat", "answer", "output"),
    *("predicted_expression", "predicted_emotion", "dominant_emotion", "top1", "top_1"),
)
"""Names that say that the column is an answer."""

UNCLEAR_COLUMNS = (
    *("label", "labels", "class", "expression", "expressions", "emotion", "emotions", "category"),
)
"""Names that truth and answer both go by."""

TRUTH_COLUMNS = (
    *("true", "truth", "true_label", "label_true", "true_class", "y_true", "y", "target"),
    *("ground_truth", "groundtruth", "gt", "actual", "expected", "reference"),
)
OTHER_CLASSES = ("contempt", "contemptuous", "bored", "boredom", "confused", "confusion", "pain")
"""What systems say that know more classes than ours."""

NO_ANSWERS = (
    *("none", "no face", "no-face", "no_face", "noface", "no face detected", "not detected"),
    *("unknown", "uncertain", "nf", "n/a", "nan", "null", "-"),
)
PROBABILITIES = "probabilities"
"""What --column calls the columns of probabilities, one for each class."""

_HOW_SURE = {"score", "scores", "conf", "confidence", "prob", "probs", "probability"}
_WORDS = (
    "p|prob|probs|probability|probabilities|score|scores|conf|confidence|emotion|emotions|expression|expressions|"
    "pred|prediction|predictions|logit|logits|softmax"
)
_AROUND = re.compile(
    rf"^((?:{_WORDS})[ _.-]+)*(\d+[ _.-]+)?(?=\D)|[ _.-]+(?:{_WORDS})$|\s*\(?%\)?$"
)
"""What tools write around the name of a class: `emotion.happy`, `happy_score`, `0_happy`, `happy (%)`."""

MOST_SHOWN = 300  # characters of a list of columns in a message


@dataclass(frozen=True)
class Columns:
    """Which columns are read. image: names the picture. label: holds the answer in words; empty = `numbers` do.

    numbers: the columns of probabilities. checked: a column of answers that must agree with the numbers, or empty.
    """

    image: str
    label: str = ""
    numbers: tuple[str, ...] = ()
    checked: str = ""


def choose_columns(
    table: CsvTable, images: ImageSet, find: Callable[[str], int | None], column: str = ""
) -> Columns:
    """The columns of a table of predictions. find: place of an image by what a row calls it; None = not there.

    column: the one that the user says holds the answer, or PROBABILITIES. Raises UsageError with the names to
    choose from, where none or several may be meant.
    """
    _check_header(table, find)
    image = _image_column(table, find)
    rest = [name for name in table.columns if name != image]
    numbers = tuple(name for name in rest if class_or_none(name))
    if column:
        return _asked(table, image, rest, numbers, column)
    numbers = _one_of_each(table, rest, numbers)
    truth = _Truth(table, images, find, image)
    labels = _label_columns(table, rest)
    if numbers:
        if truth.is_in_numbers(numbers):
            raise UsageError(
                f"{table.path}: the columns {', '.join(numbers)} are the release's own labels, with the same numbers "
                f"for every image of a class; if they are really the answers, pass --column {PROBABILITIES}"
            )
        clear = [name for name in labels if _plain(name) in ANSWER_COLUMNS]
        return Columns(image, numbers=numbers, checked=clear[0] if clear else "")
    return Columns(image, label=_one_label_column(table, labels, truth))


def class_or_none(name: str) -> str | None:
    """The class that a column or a label is named after: `happy`, `p_happy` as in our own tables, `emotion.happy`."""
    try:
        return parse_expression(_AROUND.sub("", _plain(name)))
    except UsageError:
        return None


def _one_of_each(table: CsvTable, rest: Sequence[str], numbers: tuple[str, ...]) -> tuple[str, ...]:
    """One column for each class, or none at all; logits beside probabilities are left alone.

    Raises UsageError where a class has no column, or several that are not logits.
    """
    plain = tuple(name for name in numbers if not _is_logit(name))
    if len({class_or_none(name) for name in plain}) == len(EXPRESSIONS):
        numbers = plain
    meant = [class_or_none(name) for name in numbers]
    if twice := next((name for name in EXPRESSIONS if meant.count(name) > 1), ""):
        both = [name for name in numbers if class_or_none(name) == twice]
        raise UsageError(
            f"{table.path}: the columns {' and '.join(both)} both mean {twice}: leave one set of columns out"
        )
    missing = [name for name in EXPRESSIONS if name not in meant]
    if numbers and missing:
        others = ", ".join(name for name in rest if name not in numbers) or "none"
        raise UsageError(
            f"{table.path}: the columns {', '.join(numbers)} name classes, and none names {', '.join(missing)}; "
            f"the other columns are: {others[:MOST_SHOWN]}"
        )
    return numbers


def _is_logit(name: str) -> bool:
    return bool(re.match(r"logits?[ _.-]|.*[ _.-]logits?$", _plain(name)))


def is_other_class(name: str) -> bool:
    """Whether a column is named after a class that is none of ours, such as contempt."""
    return _AROUND.sub("", _plain(name)) in OTHER_CLASSES


def number(text: str, name: str) -> float:
    """What a cell says: `0.25`, `25 %`, and `0,25` as a spreadsheet in Germany writes it."""
    plain = text.removesuffix("%")
    if "." not in plain and plain.count(",") == 1:
        plain = plain.replace(",", ".")
    try:
        value = float(plain) / (100 if text.endswith("%") else 1)
        if "_" in plain:  # Python reads 1_000
            raise ValueError
    except ValueError:
        raise UsageError(f"{name} is '{text[:20]}', not a number") from None
    if not math.isfinite(value):
        raise UsageError(f"{name} is '{text[:20]}', not a probability")
    return value


def _plain(name: str) -> str:
    return name.strip().lower()


def _check_header(table: CsvTable, find: Callable[[str], int | None]) -> None:
    """Raise UsageError where the first line is an image's, or its columns are parted by another sign."""
    if found := next((name for name in table.columns if find(name) is not None), ""):
        raise UsageError(
            f"{table.path} has no header: its first line is the image '{found}'; begin it with a line such as "
            f"file,{','.join(EXPRESSIONS)} in the order of its columns"
        )
    only = table.columns[0]
    if len(table.columns) == 1 and (sign := next((one for one in "|: " if one in only), "")):
        raise UsageError(
            f"{table.path} has one column, '{only[:80]}': part columns by comma, semicolon or tab, not by '{sign}'"
        )


def _image_column(table: CsvTable, find: Callable[[str], int | None]) -> str:
    """The column whose cells are images of the release; of several names that fit, the one that fits best.

    Where no column has a fitting name, such as the index that pandas writes without one, those are looked at whose
    cells are mostly images of the release.
    """
    named = [name for name in table.columns if _plain(name) in FILE_COLUMNS]
    named = named or [name for name in table.columns if _names_images(table, name, find)]
    if not named:
        raise UsageError(
            f"{table.path} has no column that names the image: name it {' or '.join(FILE_COLUMNS[:8])}; its columns "
            f"are: {', '.join(table.columns)[:MOST_SHOWN]}"
        )
    places = {name: [find(row[name]) for row in table] for name in named}
    hits = {name: sum(one is not None for one in found) for name, found in places.items()}
    best = max(hits, key=lambda name: hits[name])  # the first of equals
    rivals = [name for name in hits if hits[name] == hits[best] and places[name] != places[best]]
    if hits[best] and rivals:
        raise UsageError(
            f"{table.path}: the columns {best} and {rivals[0]} both name images, and not the same ones: "
            "leave one out"
        )
    return best


def _names_images(table: CsvTable, name: str, find: Callable[[str], int | None]) -> bool:
    """Whether most cells do; row numbers never: an image called `7.png` must not be taken for the seventh."""
    hits = (not row[name].isdigit() and find(row[name]) is not None for row in table)
    return 2 * sum(hits) > len(table)


def _label_columns(table: CsvTable, rest: Sequence[str]) -> list[str]:
    """Columns that may be the answer: full of names of classes; where there is none, those with a fitting name.

    A column called an answer counts whatever it holds: where it has numbers, the names beside it may be the truth,
    or what was searched for.
    """
    open_ = [name for name in rest if _plain(name) not in TRUTH_COLUMNS and not class_or_none(name)]
    full = [name for name in open_ if _holds_labels(table, name)]
    if not full:
        return [n for n in open_ if _plain(n) in (*ANSWER_COLUMNS, *UNCLEAR_COLUMNS)]
    if any(_is_answer(name) for name in full):
        return full
    return [name for name in open_ if name in full or _is_answer(name)]


def _is_answer(name: str) -> bool:
    """Whether a column is called an answer: `pred`, `pred_idx`, `predicted id`; not `pred_score`, how sure it was."""
    words = re.split(r"[ _.-]+", _plain(name))
    return _plain(name) in ANSWER_COLUMNS or (
        any(word.startswith("pred") for word in words) and not _HOW_SURE.intersection(words)
    )


def _holds_labels(table: CsvTable, name: str) -> bool:
    cells = {_plain(row[name]) for row in table} - {"", *NO_ANSWERS}
    return bool(cells) and all(cell in OTHER_CLASSES or class_or_none(cell) for cell in cells)


def _one_label_column(table: CsvTable, labels: list[str], truth: "_Truth") -> str:
    same = {name for name in labels if truth.is_in(name)}
    if len(labels) > 1:
        named = ", ".join(
            f"{name} (the release's own labels)" if name in same else name for name in labels
        )
        raise UsageError(f"{table.path}: any of {named} may be the answer; say which with --column")
    if not labels:
        raise UsageError(
            f"{table.path} needs a column for each class, or one of "
            f"{', '.join((*ANSWER_COLUMNS[:4], *UNCLEAR_COLUMNS))} with their names; its columns are: "
            f"{', '.join(table.columns)[:MOST_SHOWN]}"
        )
    if same and _plain(labels[0]) not in ANSWER_COLUMNS:
        others = [name for name in table.columns if name not in labels]
        raise UsageError(
            f"{table.path}: the column {labels[0]} is the release's own labels, not an answer; the other "
            f"columns are {', '.join(others)}: say which with --column ({labels[0]} too, if it is one)"
        )
    return labels[0]


def _asked(
    table: CsvTable, image: str, rest: Sequence[str], numbers: tuple[str, ...], column: str
) -> Columns:
    found = [name for name in rest if name == column.strip()]
    found = found or [name for name in rest if _plain(name) == _plain(column)]
    if len(found) > 1:
        raise UsageError(f"{table.path}: --column '{column}' may be any of {', '.join(found)}")
    if found and not class_or_none(column):
        return Columns(image, label=found[0])
    if numbers and _plain(column) == PROBABILITIES:
        return Columns(image, numbers=_one_of_each(table, rest, numbers))
    choice = [name for name in rest if not class_or_none(name)]
    choice += [PROBABILITIES] if numbers else []
    raise UsageError(
        f"{table.path} has no answers in a column '{column}'; choose one of {', '.join(choice)}"
    )


class _Truth:
    """The release's own labels, in the order of a table's rows."""

    def __init__(
        self, table: CsvTable, images: ImageSet, find: Callable[[str], int | None], image: str
    ) -> None:
        placed = [(row, find(row[image])) for row in table]
        self.rows: list[tuple[CsvRow, str]] = [
            (row, EXPRESSIONS[images.labels[place]]) for row, place in placed if place is not None
        ]

    def is_in(self, name: str) -> bool:
        """Whether a column says what the release says."""
        said = [(class_or_none(row[name]), label) for row, label in self.rows if row[name]]
        return _same(said)

    def is_in_numbers(self, names: Sequence[str]) -> bool:
        """Whether columns say what the release says with one row of numbers for each class, 1 and 0 or smoothed.

        A network's numbers differ from picture to picture; those of its hard answers are not all right.
        """
        said = [_numbers(row, names) for row, _ in self.rows]
        kinds = set(said) - {()}
        hard = all(sorted(set(one)) == [0, 1] and sum(one) == 1 for one in kinds)
        if len(kinds) > len(EXPRESSIONS) or not (hard or len(said) >= LEAST_DOUBTED):
            return False
        labels = [label for _, label in self.rows]
        return _same(list(zip([_top(one, names) for one in said], labels, strict=True)))


def _same(said: list[tuple[str | None, str]]) -> bool:
    return bool(said) and float(np.mean([one == label for one, label in said])) >= SAME_AS_LABELS


def _numbers(row: CsvRow, names: Sequence[str]) -> tuple[float, ...]:
    """Rounded as 32-bit floats may differ; empty for a row with a cell that is none."""
    try:
        return tuple(round(number(row[name], name), 6) for name in names)
    except UsageError:
        return ()


def _top(found: tuple[float, ...], names: Sequence[str]) -> str | None:
    """The class of the highest number; None where several are."""
    if not found or found.count(max(found)) > 1:
        return None
    return class_or_none(names[found.index(max(found))])
