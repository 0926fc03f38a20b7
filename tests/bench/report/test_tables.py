from pathlib import Path

import pytest

from btfer.bench.architectures import ARCHITECTURES
from btfer.bench.published import MARKS, paper_name, published_tables
from btfer.bench.report.drawing import pareto
from btfer.bench.report.results import results_frame
from btfer.bench.report.seed_groups import SeedGroup, read_groups
from btfer.bench.report.strata import gaps, strata_frame
from btfer.bench.report.tables import latex, markdown, table_lines
from btfer.bench.runs.store import RunStore
from tests.bench.drawn_runs import draw_predictions, draw_run


@pytest.fixture
def cells(tmp_path: Path) -> list[SeedGroup]:
    for seed in (0, 1):
        draw_run(tmp_path, training="raf_db", seed=seed)
    draw_run(tmp_path, "lenet5", training="my set", balance="simple")
    return read_groups(RunStore(tmp_path).all())


def test_published_rows_name_networks_that_can_be_run() -> None:
    rows = published_tables()
    assert len(rows) == 512
    for one in rows.itertuples():
        ARCHITECTURES[str(one.architecture)].check(int(one.resolution), str(one.weights))
        assert set(str(one.marks).split()) <= set(MARKS)
        assert bool(one.marks) == bool(one.reason)
    assert not rows.duplicated(
        ["architecture", "weights", "training_set", "resolution", "balance", "scored_on"]
    ).any()


@pytest.mark.parametrize(
    ("model", "training_set", "resolution", "balance", "scored_on", "accuracy", "mark"),
    [
        ("VGG16 IN", "rafdb", 48, "conservative", "validation", 0.79, ""),
        ("ResNet50 VF", "rafdb", 224, "conservative", "btfer", 0.60, ""),
        ("RepVGG", "fer2013", 48, "conservative", "btfer", 0.20, "recall_not_accuracy"),
        ("VGG16 VF", "fer2013", 224, "simple", "validation", 0.71, "other_set"),
        ("VGG16 IN", "rafdb", 224, "simple", "btfer", 0.59, "no_notebook"),
        ("AlexNet", "fer2013", 48, "conservative", "validation", 0.59, "misfiled"),
        ("ResNet50 IN", "fer2013", 224, "simple", "btfer", 0.50, "notebook_differs"),
    ],
)
def test_published_numbers_are_as_printed_and_marked(
    model: str,
    training_set: str,
    resolution: int,
    balance: str,
    scored_on: str,
    accuracy: float,
    mark: str,
) -> None:
    rows = published_tables()
    [one] = rows[
        (rows["model"] == model)
        & (rows["training_set"] == training_set)
        & (rows["resolution"] == resolution)
        & (rows["balance"] == balance)
        & (rows["scored_on"] == scored_on)
    ].itertuples()
    assert one.accuracy == accuracy
    assert mark in one.marks.split() if mark else one.marks == ""


@pytest.mark.parametrize("name", ["RAF-DB", "rafdb", "Raf_DB"])
def test_a_users_name_finds_the_papers_set(name: str) -> None:
    assert paper_name(name) == "rafdb"
    assert paper_name("My Set") == "My Set"


def test_markdown_has_ours_below_published_and_says_what_is_not_run(cells: list[SeedGroup]) -> None:
    text = markdown(table_lines(results_frame(cells), 2, "paper"), "Table 2")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert {len(row) for row in rows} == {20}
    published = next(row for row in rows if row[0] == "| ResNet18" and row[3] == "published")
    ours = rows[rows.index(published) + 1]
    assert ours[3] == "ours"
    assert ours[4] == "not run"  # simple weighting
    assert ours[15].startswith("0.")
    assert "±" in ours[15]
    assert any(row[0] == "| VGG16 IN" and row[3] == "published; not run" for row in rows)
    [mine] = [row for row in rows if row[2] == "my set"]
    assert mine[0] == "| LeNet5"
    assert "| a: " not in text
    assert "a: the authors' repository has no output of this run" in text


def test_latex_is_balanced_and_has_twenty_columns(cells: list[SeedGroup]) -> None:
    text = latex(table_lines(results_frame(cells), 2, "paper"), "Table_2")
    body = [
        line for line in text.splitlines() if line.endswith("\\\\") and "multicolumn" not in line
    ]
    rows = [line for line in body if "caption" not in line]
    assert {line.count(" & ") for line in rows} == {19}
    assert text.count("{") == text.count("}")
    assert all(line.count("$") % 2 == 0 for line in rows)
    assert "Table\\_2" in text


def test_an_untouched_test_part_stands_where_validation_would(tmp_path: Path) -> None:
    folder = draw_run(tmp_path, protocol={"name": "strict"})
    draw_predictions(0.9, 1, "test").to_parquet(folder / "predictions_test.parquet")
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text.replace('"validation":', '"test": {}, "validation":'))
    results = results_frame(read_groups(RunStore(tmp_path).all()))
    [line] = [one for one in table_lines(results, 2, "strict") if one.run]
    shown = line.at(("conservative", "validation", "accuracy"))
    rows = results[(results["state"] == "done") & (results["score"] == "accuracy")]
    by_part = rows.set_index("scored_on")["ours"]
    assert set(by_part.index) == {"validation", "test", "btfer"}
    assert shown.ours == by_part["test"] != by_part["validation"]
    assert shown.published == 0.81


def test_groups_are_by_query_intent_and_small_ones_are_kept_out_of_gaps(
    cells: list[SeedGroup],
) -> None:
    on_release = [one for one in cells if one.scored_on == "btfer"]
    rows = strata_frame(on_release[:1])
    by_group = rows[rows["label"] == "all"].set_index("group")
    assert list(by_group.index) == ["female", "male", "adult", "child"]
    assert by_group.loc["child", "images"] == 7
    assert by_group.loc["child", "too_small"]
    assert by_group["images"].sum() == 2 * 280
    assert (by_group["low"] <= by_group["value"]).all()
    found = {one.stratum: one for one in gaps(rows)}
    assert set(found) == {"class", "gender"}
    assert (found["gender"].best, found["gender"].worst) == ("female", "male")
    assert found["gender"].p is not None
    assert found["gender"].p < 0.001
    recall = rows[(rows["stratum"] == "class") & (rows["label"] == "happy")]
    pictures, codes = on_release[0].joint
    assert recall["value"].item() == pytest.approx(
        (codes == 3)[:, pictures.truth == 3].mean(), abs=1e-6
    )


def test_the_front_has_what_no_other_beats_in_both() -> None:
    assert pareto([3, 1, 2, 1], [0.9, 0.5, 0.4, 0.6]) == [3, 0]
