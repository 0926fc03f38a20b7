"""Which column of a stranger's table names the image, and which holds the answer.

A table of predictions often has the truth beside the answer, and a row number beside the file name. What is
taken is what fits the release; where two columns may be meant, or one is the release's own labels, nobody guesses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from btfer.bench.datasets import ImageSet
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

UNCLEAR_COLUMNS = ("label", "labels", "class", "expression", "emotion", "category")
"""Names that truth and answer both go by."""

TRUTH_COLUMNS = (
    *("true", "truth", "true_label", "label_true", "true_class", "y_true", "y", "target"),
    *("ground_truth", "groundtruth", "gt", "actual", "expected", "reference"),
)
OTHER_CLASSES = ("contempt", "contemptuous", "bored", "boredom", "confused", "confusion", "pain")
"""What systems say that know more classes than ours."""

NO_ANSWERS = ("none", "no face", "no-face", "noface", "unknown", "uncertain", "nf", "n/a", "nan")
PROBABILITIES = "probabilities"
"""What --column calls the columns of probabilities, one for each class."""

SAME_AS_TRUTH = 0.99  # of the answers; nobody's network agrees so well with labels that people gave


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
    image = _image_column(table, find)
    rest = [name for name in table.columns if name != image]
    numbers = tuple(name for name in rest if class_or_none(name))
    if column:
        return _asked(table, image, rest, numbers, column)
    truth = _Truth(table, images, find, image)
    labels = _label_columns(table, rest)
    if numbers:
        if truth.is_one_hot(numbers):
            raise UsageError(
                f"{table.path}: the columns {', '.join(numbers)} are the release's own labels, as 0 and 1; "
                f"if they are really the answers, pass --column {PROBABILITIES}"
            )
        clear = [name for name in labels if _plain(name) in ANSWER_COLUMNS]
        return Columns(image, numbers=numbers, checked=clear[0] if clear else "")
    return Columns(image, label=_one_label_column(table, labels, truth))


def class_or_none(name: str) -> str | None:
    """The class that a column or a label is named after; `p_happy` is how our own tables name probabilities."""
    try:
        return parse_expression(_plain(name).removeprefix("p_"))
    except UsageError:
        return None


def _plain(name: str) -> str:
    return name.strip().lower()


def _image_column(table: CsvTable, find: Callable[[str], int | None]) -> str:
    """The column whose cells are images of the release; of several names that fit, the one that fits best."""
    named = [name for name in table.columns if _plain(name) in FILE_COLUMNS]
    if not named:
        raise UsageError(
            f"{table.path} has no column that names the image: name it {' or '.join(FILE_COLUMNS)}"
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


def _label_columns(table: CsvTable, rest: Sequence[str]) -> list[str]:
    """Columns that may be the answer: full of names of classes; where there is none, those with a fitting name."""
    open_ = [name for name in rest if _plain(name) not in TRUTH_COLUMNS and not class_or_none(name)]
    full = [name for name in open_ if _holds_labels(table, name)]
    return full or [n for n in open_ if _plain(n) in (*ANSWER_COLUMNS, *UNCLEAR_COLUMNS)]


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
            f"{', '.join(table.columns)}"
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
    found = [name for name in rest if _plain(name) == _plain(column)]
    if found and not class_or_none(column):
        return Columns(image, label=found[0])
    if numbers and _plain(column) == PROBABILITIES:
        return Columns(image, numbers=numbers)
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

    def is_one_hot(self, names: Sequence[str]) -> bool:
        """Whether columns are 1 for the release's label and 0 for the others."""
        return _same(
            [(_hot([row[name] for name in names], names), label) for row, label in self.rows]
        )


def _same(said: list[tuple[str | None, str]]) -> bool:
    return bool(said) and float(np.mean([one == label for one, label in said])) >= SAME_AS_TRUTH


def _hot(cells: Sequence[str], names: Sequence[str]) -> str | None:
    """The class of the only 1 among zeros; None for other numbers."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return None
    if sorted(values) != [0.0] * (len(values) - 1) + [1.0]:
        return None
    return class_or_none(names[values.index(1.0)])
