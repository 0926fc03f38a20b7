import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer.bench.report import print_table, results_table, write_report
from btfer.errors import Incomplete
from tests.bench.conftest import draw_folder, draw_release

Bench = Callable[..., list[dict[str, Any]]]


def run_of(name: str, **metrics: float) -> dict[str, Any]:
    averages = {"precision": 0.5, "recall": 0.5, "f1": 0.25}
    scores = {
        key: {"accuracy": value, "weighted": averages, "macro": {"f1": 0.125}}
        for key, value in metrics.items()
    }
    definition = {
        "architecture": name,
        "resolution": 48,
        "balance": "conservative",
        "weights": "none",
        "seed": 1,
        "protocol": {"name": "paper"},
    }
    facts = {"id": name, "state": "done", "error": None, "training": "rafdb", "release": None}
    return facts | {"definition": definition, "metrics": scores}


def test_rows_are_ranked_by_cross_domain_accuracy() -> None:
    runs = [
        run_of("a", validation=0.9, cross_domain=0.3),
        run_of("b"),
        run_of("c", validation=0.7, cross_domain=0.5),
    ]
    rows = results_table(runs)
    assert [row["architecture"] for row in rows] == ["c", "a", "b"]
    assert (rows[0]["cross_accuracy"], rows[0]["cross_f1"], rows[0]["val_macro_f1"]) == (
        0.5,
        0.25,
        0.125,
    )
    assert rows[2]["cross_accuracy"] is None


def test_in_domain_scores_never_stand_in_the_cross_columns() -> None:
    [row] = results_table([run_of("a", in_domain=0.8)])
    assert row["val_accuracy"] == 0.8
    assert all(row[name] is None for name in row if name.startswith("cross_"))


def test_the_printed_table_fits_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    long = run_of("sequential_4conv", validation=0.5, cross_domain=0.5)
    long |= {"training": "in-domain (k-fold)", "epochs": 230}
    failed = run_of("resnet18") | {"state": "failed", "error": "OSError: [disk] full"}
    print_table(results_table([long, failed]))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert "sequential_4conv" in out
    assert "in-domain (k-fold)" in out
    assert "failed: resnet18 48 conservative: OSError: [disk] full" in out


def test_the_report_needs_no_other_file(bench_tiny: Bench, tmp_path: Path) -> None:
    with pytest.raises(Incomplete, match="btfer bench"):
        write_report(tmp_path / "none", tmp_path / "reports")
    draw_folder(tmp_path / "faces", 4)
    bench_tiny(training={"<faces>": tmp_path / "faces"}, release=draw_release(tmp_path / "r", 2))
    page = write_report(tmp_path / "data" / "runs", tmp_path / "reports")
    html = page.read_text()
    assert html.count("data:image/png;base64,") == 2
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert "&lt;faces&gt;" in html
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", page.parent.name)
    with (page.parent / "results.csv").open() as file:
        [row] = csv.DictReader(file)
    assert row["train_set"] == "<faces>"
    assert (page.parent / "results.md").read_text().count("\n") == 3
