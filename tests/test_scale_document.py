"""docs/scale.md is what the model makes of the saved results, and of no others."""

import csv
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import scale_model  # noqa: E402
from scale_model import Given  # noqa: E402


def test_the_document_is_what_the_script_makes_of_the_saved_results() -> None:
    assert scale_model.DOCUMENT.read_text() == scale_model.document(
        scale_model.constants(), Given()
    )


def test_every_constant_is_a_saved_row() -> None:
    known = scale_model.constants()
    for name in scale_model.ROWS:
        source = getattr(known, name)
        with (BENCHMARKS / "results" / source.file).open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["what"] == source.what]
        assert source.value in [float(row["value"]) for row in rows]
