"""The plot that the report opens with."""

import base64
from pathlib import Path

from btfer.bench.report import write_report
from btfer.bench.report.ranking import ranking
from btfer.bench.report.ranking_plot import MOST_ROWS, ranking_panel, ranking_panels
from btfer.bench.report.results import results_frame
from btfer.bench.report.seed_groups import read_groups
from btfer.bench.runs.store import RunStore
from tests.bench.drawn_runs import draw_run


def drawing(uri: str) -> str:
    return base64.b64decode(uri.partition(",")[2]).decode()


def test_every_network_is_in_the_plot_and_it_stands_before_the_tables(tmp_path: Path) -> None:
    draw_run(tmp_path / "runs", accuracy=0.6)
    draw_run(tmp_path / "runs", "lenet5")
    rows = ranking(results_frame(read_groups(RunStore(tmp_path / "runs").all())))
    ((_, plot),) = ranking_panels(rows)
    svg = drawing(plot.uri)
    assert all(row.model in svg for row in rows)
    assert f"{rows[0].accuracy:.3f}" in plot.alt
    page = write_report(tmp_path / "runs", tmp_path / "reports").read_text()
    assert page.index(plot.uri) < page.index("<table")


def test_a_long_ranking_is_cut_and_a_long_name_too(tmp_path: Path) -> None:
    draw_run(tmp_path / "runs", accuracy=0.6)
    (row,) = ranking(results_frame(read_groups(RunStore(tmp_path / "runs").all())))
    long = [
        row.__class__(**{**vars(row), "model": f"<b>{n:02d} & a name without end"})
        for n in range(40)
    ]
    plot = ranking_panel(long)
    assert f"of {MOST_ROWS} networks" in plot.alt
    svg = drawing(plot.uri)
    assert "&lt;b&gt;29 &amp; a name" in svg
    assert "&lt;b&gt;30" not in svg
    assert "without end" not in svg


def test_no_run_has_no_plot() -> None:
    assert ranking_panels([]) == []
