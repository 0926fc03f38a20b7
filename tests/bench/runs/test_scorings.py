"""One run on several releases: each keeps its predictions, its scores and its leaks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.report import write_report
from btfer.bench.report.seed_groups import comparable, read_groups
from btfer.bench.runs.listing import run_rows
from btfer.bench.runs.record import NotARecord, ReleaseRef, RunRecord
from btfer.bench.runs.store import RunStore
from btfer.bench.systems.prediction_files import AnswerSource, keep_run
from btfer.pipeline.forget.runs import tables_with
from tests.bench.conftest import draw_release
from tests.bench.drawn_runs import draw_predictions, draw_run

MODEL = AnswerSource("net.onnx", "abc")


def answers(images: ImageSet, right: int) -> Any:
    """Right for the first `right` images, else the next class."""
    said = images.labels.copy()
    said[right:] = (said[right:] + 1) % 7
    return np.eye(7)[said]


def test_another_system_keeps_what_it_said_of_each_release(tmp_path: Path) -> None:
    one = load_release(draw_release(tmp_path / "r1", 2))
    two = load_release(draw_release(tmp_path / "r2", 3, first=300))
    first = keep_run(tmp_path / "runs", "net", answers(one, 14), one, MODEL)
    second = keep_run(tmp_path / "runs", "net", answers(two, 7), two, MODEL)
    assert first.id == second.id
    again = keep_run(tmp_path / "runs", "net", answers(one, 7), one, MODEL)
    assert [(run.release_name, run.cross_scores["accuracy"]) for run in again.scorings] == [
        ("r1", 0.5),
        ("r2", pytest.approx(1 / 3, abs=1e-6)),
    ]
    assert {len(pd.read_parquet(run.predictions_path)) for run in again.scorings} == {14, 21}
    [stored] = RunStore(tmp_path / "runs").all()
    assert stored.scorings == again.scorings
    rows = run_rows(RunStore(tmp_path / "runs"))
    assert [(row.release, row.cross_domain) for row in rows] == [("r1", 0.5), ("r2", 0.333333)]


def on_a_second_release(folder: Path, accuracy: float, name: str = "drawn-2") -> RunRecord:
    """Score a drawn run once more."""
    store = RunStore(folder.parent)
    record = store.read(folder)
    assert record
    release = ReleaseRef(name, "0123456789abcdef")
    table = draw_predictions(accuracy, 7, "others")
    table.to_parquet(folder / record.predictions_name(release.digest))
    return store.write(record.scored_on(release, "cross_domain", {"accuracy": accuracy}))


@pytest.mark.slow
def test_a_run_on_two_releases_has_two_cells_and_no_table_mixes_them(tmp_path: Path) -> None:
    folder = draw_run(tmp_path / "runs", accuracy=0.9)
    draw_run(tmp_path / "runs", "lenet5")
    record = on_a_second_release(folder, 0.3)
    assert record.with_leaks("r", {"faces": 4}).on("r").leaks == {"faces": 4}  # type: ignore[union-attr]
    page = write_report(tmp_path / "runs", tmp_path / "reports")
    results = pd.read_csv(page.parent / "results.csv").query("state == 'done'")
    accuracy = results.query("score == 'accuracy' and architecture == 'resnet18'")
    assert set(accuracy["scored_on"]) == {"validation", "btfer"}
    on_release = accuracy.query("scored_on == 'btfer'").set_index("pictures")["ours"]
    assert len(on_release) == 2
    assert on_release["drawn-1"] > on_release["drawn-2"] + 0.2
    html = page.read_text()
    assert "Table 2: networks at 48 x 48 (ours by protocol paper, on drawn-1)" in html
    assert "Table 2: networks at 48 x 48 (ours by protocol paper, on drawn-2)" in html


def test_two_releases_of_one_name_are_told_apart(tmp_path: Path) -> None:
    on_a_second_release(draw_run(tmp_path), 0.3, name="drawn-1")
    names = {one.pictures for one in read_groups(RunStore(tmp_path).all()) if one.digest}
    assert names == {"drawn-1 (r)", "drawn-1 (012345)"}


@pytest.mark.slow
def test_of_runs_that_mean_the_same_the_newest_is_shown_and_their_number_told(
    tmp_path: Path,
) -> None:
    images = load_release(draw_release(tmp_path / "r1", 2))
    for number, right in enumerate((14, 3, 9)):
        source = AnswerSource("theirs.csv", f"digest {number}")
        newest = keep_run(tmp_path / "runs", "theirs", answers(images, right), images, source)
    [shown] = comparable(read_groups(RunStore(tmp_path / "runs").all()))
    assert (shown.run.id, shown.same) == (newest.id, 3)
    page = write_report(tmp_path / "runs", tmp_path / "reports")
    assert "<td>1 of 3</td>" in page.read_text()
    results = pd.read_csv(page.parent / "results.csv").query("score == 'accuracy' and same == 3")
    assert results.set_index("shown")["ours"].to_dict()[True] == pytest.approx(9 / 14, abs=1e-6)
    assert list(results["shown"]).count(False) == 2


def test_coverage_and_leaks_stand_beside_the_score_in_the_ranking(tmp_path: Path) -> None:
    images = load_release(draw_release(tmp_path / "r1", 2))
    said = answers(images, 14)
    said[::2] = np.nan
    keep_run(tmp_path / "runs", "shy", said, images, MODEL)
    folder = draw_run(tmp_path / "runs", uncounted=8)
    record = RunStore(folder.parent).read(folder)
    assert record
    RunStore(folder.parent).write(record.changed(leaks={"faces": 3, "images": 280}))
    page = write_report(tmp_path / "runs", tmp_path / "reports")
    results = pd.read_csv(page.parent / "results.csv").query("score == 'accuracy'")
    shy = results[results["architecture"] == "shy"].iloc[0]
    assert (shy["ours"], shy["coverage"], shy["accuracy_answered"]) == (0.5, 0.5, 1)
    mine = results[results["scored_on"] == "btfer"].query("architecture == 'resnet18'").iloc[0]
    assert (mine["coverage"], mine["leaks"], mine["images"]) == (1, 3, 272)
    html = page.read_text()
    assert "<td>0.500</td><td>1.000</td><td>-</td>" in html
    assert "<td>1.000</td><td>" in html
    assert "<td>3</td>" in html


@pytest.mark.parametrize(
    "found",
    [
        {"also_scored": {}},
        {"also_scored": [{"release": {"name": "r", "digest": "d"}, "metrics": {}}]},
        {"predictions": "../../secret.parquet"},
        {"scored": 5},
    ],
)
def test_a_damaged_scoring_is_no_record(found: dict[str, Any], tmp_path: Path) -> None:
    values = json.loads((draw_run(tmp_path) / "run.json").read_text())
    with pytest.raises(NotARecord):
        RunRecord.from_json(values | found, tmp_path)


def test_forgetting_takes_a_face_out_of_the_predictions_of_its_own_release(tmp_path: Path) -> None:
    folder = draw_run(tmp_path)
    record = on_a_second_release(folder, 0.3)
    tables = {one.release_name: one.predictions_path for one in record.scorings}
    face = pd.read_parquet(tables["drawn-1"])["file"].iloc[3]
    pd.read_parquet(tables["drawn-1"]).to_parquet(tables["drawn-2"])  # another face by that name
    [found], unread = tables_with(tmp_path, {"drawn-1": {face}})
    assert (found.path, found.rows, unread) == (tables["drawn-1"], 1, [])
    [other], _ = tables_with(tmp_path, {"drawn-2": {face}})
    assert other.path == tables["drawn-2"]
