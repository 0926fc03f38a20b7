from pathlib import Path

import pandas as pd

from btfer.bench.report import write_report
from btfer.bench.report.crossings import cross_figure, cross_latex, crossings, matrix
from btfer.bench.report.results import results_frame
from btfer.bench.report.seed_groups import read_groups
from btfer.bench.runs.store import RunStore
from btfer.csv_reader import read_csv
from tests.bench.drawn_runs import draw_run


def found_in(runs: Path) -> pd.DataFrame:
    return crossings(results_frame(read_groups(RunStore(runs).all())))


def test_every_training_set_stands_against_its_held_out_part_and_every_release(
    tmp_path: Path,
) -> None:
    draw_run(tmp_path, training="rafdb", accuracy=0.9)
    draw_run(tmp_path, training="fer2013", accuracy=0.5)
    draw_run(tmp_path, "lenet5", training="fer2013", accuracy=0.4)
    found = found_in(tmp_path)
    table = matrix(found)
    assert {(one.network.split()[0].lower(), one.training_set) for one in table.lines} == {
        ("resnet18", "RAF-DB"),
        ("resnet18", "FER2013"),
        ("lenet5", "FER2013"),
    }
    assert {"RAF-DB, held out", "FER2013, held out"} < set(table.tested)
    for line in table.lines:
        place = table.tested.index(f"{line.training_set}, held out")
        assert line.cells[place] is not None
        assert sum(one is None for one in line.cells) == 1  # the other set's held-out part
    accuracy, low, high = next(one for one in table.lines[0].cells if one is not None)
    assert low <= accuracy <= high


def test_the_heat_map_is_of_one_network_and_the_files_stand_beside_the_page(tmp_path: Path) -> None:
    assert cross_figure(found_in(tmp_path)) is None
    for training in ("rafdb", "a_b & c"):
        draw_run(tmp_path / "runs", training=training)
    found = found_in(tmp_path / "runs")
    drawn = cross_figure(found)
    assert drawn is not None
    assert "by training set" in drawn.panels[0].alt
    assert "a\\_b \\& c" in cross_latex(matrix(found))
    page = write_report(tmp_path / "runs", tmp_path / "reports")
    assert "Every training set against everything tested" in page.read_text()
    assert len(list(read_csv(page.parent / "cross.csv", required=("tested_on",)))) == len(found)
    assert "a_b & c, held out" in (page.parent / "cross.md").read_text()
    assert (page.parent / "cross.tex").is_file()
