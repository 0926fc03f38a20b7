"""One image of a packed file, and how the columns beside it say its class."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from btfer.errors import UsageError
from btfer.expressions import is_expression, parse_expression

LABEL_COLUMN = re.compile(
    r"(label|labels|emotion|emotions|expression|expressions|class|classes|target|cls)"
    r"([ _-]?(name|names|text|str|id|idx|index))?"
)
MOST_SHOWN = 40  # characters of what a file says


@dataclass(frozen=True)
class PackedImage:
    """One image.

    place: where it stands in its file, in words. label: its class by name, or a number where nothing in the file says
    what its numbers mean. data: the bytes of a JPEG, a PNG, ... name: its own file name; empty where it has none.
    """

    place: str
    label: str
    data: bytes
    name: str = ""


def label_columns(names: tuple[str, ...]) -> list[str]:
    """Those of some columns that may say a class, by their names."""
    return [name for name in names if LABEL_COLUMN.fullmatch(name.strip().lower())]


class LabelReader:
    """The class of one row after the other, out of the columns that say it: a name, where any of them has names.

    Raises UsageError for a row whose columns contradict each other, or the rows before it, and for one without a class.
    """

    def __init__(self) -> None:
        self._name_of: dict[tuple[str, str], str] = {}

    def label(self, cells: Mapping[str, str], where: str) -> str:
        """cells: text by column. where: the file and the row, for messages."""
        cells = {column: one_line(text) for column, text in cells.items()}
        named = {column: text for column, text in cells.items() if not is_number(text)}
        empty = next((column for column, text in cells.items() if not text), None)
        if empty is not None:
            raise UsageError(f"{where}: its {empty} is empty")
        numbers = {column: text for column, text in cells.items() if column not in named}
        chosen = named or numbers
        if len({_meaning(text) for text in chosen.values()}) != 1:
            said = ", ".join(
                f"{column} says {text[:MOST_SHOWN]}" for column, text in chosen.items()
            )
            raise UsageError(f"{where}: its class is not clear: {said}: keep one of the columns")
        label = next(iter(chosen.values()))
        if named:
            self._check_numbers(numbers, label, where)
        return label

    def _check_numbers(self, numbers: Mapping[str, str], label: str, where: str) -> None:
        for column, number in numbers.items():
            before = self._name_of.setdefault((column, number), label)
            if _meaning(before) != _meaning(label):
                raise UsageError(
                    f"{where}: {column} {number} is {label[:MOST_SHOWN]} here and {before[:MOST_SHOWN]} further up"
                )


def one_line(text: str) -> str:
    """A text with a space for each line end and the like, so that a message that shows it stays one line."""
    return " ".join(text.split())


def is_number(text: str) -> bool:
    """Whether a class is said by a number, right or wrong, and not by a name."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _meaning(text: str) -> str:
    return parse_expression(text) if is_expression(text) else text.lower()
