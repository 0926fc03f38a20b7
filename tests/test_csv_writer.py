"""What we write is text in every spreadsheet, and comes back as it was."""

import csv
import io
import random
from pathlib import Path

import pandas as pd
import pytest

from btfer.csv_reader import read_csv
from btfer.csv_writer import as_csv, cell, frame_as_csv, plain

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=cmd|' /C calc'!A0",
    "＝1+1",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_with_a_formula(text: str) -> None:
    for value in (text, f"'{text}", f"a;{text}", f"a\t{text}"):
        for delimiter in (",", ";", "\t"):
            line = as_csv(["n", "a", "b"], [{"n": "x", "a": value, "b": 1}]).decode()
            rows = csv.reader(io.StringIO(line, newline=""), delimiter=delimiter)
            cells = [one for row in rows for one in row]
            assert not [one for one in cells if one.startswith(("=", "+", "-", "@", "\t", "＝"))]
        assert plain(cell(value)) == value


@pytest.mark.parametrize("value", ["-0.5", "+3", "1e-5", "-1e+05", -0.5, -3, None, ".5", "0.25"])
def test_a_number_stays_a_number(value: object) -> None:
    assert cell(value) == value


def test_any_text_comes_back_as_it_was(tmp_path: Path) -> None:
    draw = random.Random(1)
    texts = [
        "".join(draw.choices("'=+-@;,\t\r\n\"a1.e ＝", k=draw.randint(0, 8))) for _ in range(20_000)
    ]
    data = as_csv(["n", "text"], ({"n": n, "text": text} for n, text in enumerate(texts)))
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [plain(row["text"]) for row in rows] == texts
    words = [text for text in texts if text.strip() == text and not set(text) & set("\r\n")]
    (tmp_path / "a.csv").write_bytes(
        as_csv(["n", "text"], ({"n": 1, "text": one} for one in words))
    )
    assert [row["text"] for row in read_csv(tmp_path / "a.csv")] == words


def test_a_table_of_numbers_is_written_as_before_and_its_texts_are_marked() -> None:
    frame = pd.DataFrame(
        {"model": ["=1", "b", None], "score": [-0.5, float("nan"), 1e-7], "n": [1, -2, 3]}
    )
    plain_text = frame.to_csv(index=False, lineterminator="\n")
    assert frame_as_csv(frame).decode() == plain_text.replace("=1", "'=1")
    assert frame_as_csv(frame[["score", "n"]]).decode() == frame[["score", "n"]].to_csv(index=False)
