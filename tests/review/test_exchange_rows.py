"""Cells of an exchanged verdict that cannot be right: one line, in which no cell is long."""

import pytest

from btfer.errors import UsageError
from btfer.review.exchange_rows import COLUMNS, ExchangedVerdict
from btfer.review.rules import check_reviewer

ROW = dict.fromkeys(COLUMNS, "") | {
    "round": "faces", "photo": "ab" * 32, "x": "1", "y": "2", "width": "3", "height": "4", "decision": "keep",
    "at": "2026-05-17T12:00:00+02:00",
}  # fmt: skip


def test_a_right_row_is_read() -> None:
    read = ExchangedVerdict.from_csv(ROW, "ann")
    assert (read.at, read.reviewer, read.box) == ("2026-05-17T10:00:00+00:00", "ann", (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("at", "0001-01-01T00:00:00+14:00"),  # a day earlier in UTC
        ("at", "9999-12-31T23:59:59-14:00"),
        ("undone", "0001-01-01T00:00:00+00:01"),
        ("at", "t" * 10_000),
        *((column, cell) for column in ("x", "height") for cell in ("nan", "inf", "-1e999", "x" * 10_000)),
        ("reviewer", "n" * 10_000),
        ("reviewer", "ann\x1b[2J"),
        ("reviewer", "ann\nben"),
        ("undone_by", "n" * 10_000),
        ("undone_by", "a\u2028x"),
        ("uid", "u" * 10_000),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_right_is_refused_in_one_short_line(column: str, cell: str) -> None:
    with pytest.raises(UsageError) as refused:
        ExchangedVerdict.from_csv(ROW | {column: cell}, "me")
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "name", ["Ann", "Zoë Ångström", "张伟", "نگار\u200cرضا", "O'Neill-Smith (team 2)", "n" * 200]
)
def test_names_of_people_are_taken(name: str) -> None:
    assert check_reviewer(f" {name} ") == name
