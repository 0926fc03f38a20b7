import json
import re
from pathlib import Path

import pandas as pd
import pytest

from btfer.bench.report import print_table, results_table, write_report
from btfer.bench.runs.record import RunRecord
from btfer.errors import UsageError
from tests.bench.conftest import KeptLines
from tests.bench.drawn_runs import draw_run


def run_of(name: str, **metrics: float) -> RunRecord:
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
    return RunRecord.from_json(facts | {"definition": definition, "metrics": scores}, Path())


def test_rows_are_ranked_by_cross_domain_accuracy() -> None:
    runs = [
        run_of("a", validation=0.9, cross_domain=0.3),
        run_of("b"),
        run_of("c", validation=0.7, cross_domain=0.5),
    ]
    rows = results_table(runs)
    assert [row.architecture for row in rows] == ["c", "a", "b"]
    assert (rows[0].cross_accuracy, rows[0].cross_f1, rows[0].val_macro_f1) == (
        0.5,
        0.25,
        0.125,
    )
    assert rows[2].cross_accuracy is None


def test_in_domain_scores_never_stand_in_the_cross_columns() -> None:
    [row] = results_table([run_of("a", in_domain=0.8)])
    assert row.val_accuracy == 0.8
    assert all(value is None for name, value in vars(row).items() if name.startswith("cross_"))


def test_the_printed_table_fits_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    long = run_of("sequential_4conv", validation=0.5, cross_domain=0.5)
    long = long.changed(training="in-domain (k-fold)", epochs=230)
    failed = run_of("resnet18").changed(state="failed", error="OSError: [disk] full")
    print_table(results_table([long, failed]))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert "sequential_4conv" in out
    assert "in-domain (k-fold)" in out
    assert "failed: resnet18 48 conservative: OSError: [disk] full" in out


def test_scores_on_other_training_sets_are_printed_below(
    capsys: pytest.CaptureFixture[str],
) -> None:
    crossed = run_of("lenet5", validation=0.5).changed(
        other_sets={name: {"scores": {"accuracy": n / 8}} for name, n in (("a [b]", 1), ("fer", 3))}
    )
    print_table(results_table([run_of("resnet18", validation=0.9), crossed]))
    _, below = capsys.readouterr().out.split(
        "Accuracy on the held-out part of other training sets:"
    )
    heads, values = below.strip().splitlines()
    assert heads.split() == ["network", "px", "trained", "on", "a", "[b]", "fer"]
    assert values.split() == ["lenet5", "48", "rafdb", "0.125", "0.375"]


def test_without_runs_the_report_is_of_the_paper_alone_and_says_so(tmp_path: Path) -> None:
    page = write_report(tmp_path / "none", tmp_path / "reports")
    html = page.read_text()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", page.parent.name)
    assert "Nothing was run yet" in html
    assert "224 px instead of 48 px, on BTFER: accuracy +0.111" in html
    results = pd.read_csv(page.parent / "results.csv")
    assert len(results) == 512 * 4
    assert set(results["state"]) == {"not run"}
    assert results["ours"].isna().all()


def test_the_report_needs_no_other_file_and_tells_what_is_missing(tmp_path: Path) -> None:
    for balance in ("simple", "conservative"):
        for seed in (0, 1):
            draw_run(tmp_path / "runs", balance=balance, seed=seed)
    draw_run(tmp_path / "runs", "lenet5", training="<faces>", balance="none")
    lost = draw_run(tmp_path / "runs", "alexnet")
    for file in lost.glob("*.parquet"):
        file.unlink()
    for state in ("failed", "running"):
        folder = draw_run(tmp_path / "runs", "zfnet", seed=len(state))
        record = json.loads((folder / "run.json").read_text())
        broken = record | {"state": state, "metrics": {}, "release": None, "error": "<memory>"}
        (folder / "run.json").write_text(json.dumps(broken))
    other = {"weights": "external", "resolution": 256, "balance": "external"}
    draw_run(
        tmp_path / "runs", "<fer>", training="external", protocol={"name": "external"}, **other
    )
    edge = tmp_path / "reports" / "2024-01-01" / "edge.csv"
    edge.parent.mkdir(parents=True)
    edge.write_text(
        "architecture,resolution,form,threads,median_ms,release,accuracy\n"
        "lenet5,48,keras,1,8.2,drawn-1,0.21\nlenet5,48,int8,1,0.1,drawn-1,0.20\n"
    )
    page = write_report(tmp_path / "runs", tmp_path / "reports")
    html = page.read_text()
    assert "accuracy by latency on drawn-1, 1 thread(s)" in html
    assert "(ours by protocol external)" not in html
    assert "&lt;fer&gt; (external)" in html
    assert html.count("data:image/svg+xml;base64,") > 40
    assert not re.search(r'(src|href)="(?!data:|#|https://)', html)
    assert not re.search(r'(src)="https://', html)
    assert "&lt;faces&gt;" in html
    assert "&lt;memory&gt;" in html
    assert not re.search("<faces>|<memory>|<fer>", html)
    assert "9 runs, 1 failed, 1 not finished" in html
    assert f"their predictions are missing: {lost.name}" in html
    assert "508 of the paper's 512 cells are not run" in html
    assert "None" not in re.sub(r'data:[^"]*', "", html)
    names = {"index.html", "results.csv", "results.md", "results.tex", "strata.csv"}
    names |= {"cross.csv", "cross.md", "cross.tex"}
    assert {file.name for file in page.parent.iterdir()} == names


def test_predictions_that_cannot_be_read_are_an_error_and_a_damaged_record_is_skipped(
    tmp_path: Path,
) -> None:
    folder = draw_run(tmp_path / "runs")
    (folder / "predictions_btfer.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(
        UsageError, match=r"predictions_btfer.parquet is not a table of predictions"
    ):
        write_report(tmp_path / "runs", tmp_path / "reports")
    (folder / "run.json").write_text("{")
    told = KeptLines()
    page = write_report(tmp_path / "runs", tmp_path / "reports", told)
    assert "Nothing was run yet" in page.read_text()
    [line] = told.lines
    assert line.startswith(f"skipped {folder / 'run.json'}, which is not the record of a run: ")
