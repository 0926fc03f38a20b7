"""`btfer report`: everything that is known, as a page that needs no other file, CSV, Markdown and LaTeX."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from btfer.bench.report.runs import results_table, runs_markdown
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.csv_writer import frame_as_csv
from btfer.extras import require
from btfer.files import write_atomic
from btfer.progress import SILENT, Progress

if TYPE_CHECKING:
    from btfer.bench.report.tables import TableLine
    from btfer.bench.submit.checks import Checked

TITLES = {
    2: "Table 2: networks at 48 x 48",
    3: "Table 3: networks at 224 x 224",
}
PAPER_ONLY = "published"
"""The table's protocol while nothing was run."""


def write_report(
    runs_dir: Path,
    out_dir: Path,
    progress: Progress = SILENT,
    *,
    others: "Sequence[Checked]" = (),
) -> Path:
    """Write index.html, results.csv, strata.csv, results.md and results.tex to `out_dir`/<today>; the page.

    others: bundles of other people, which stand in the ranking, and in others.csv; what they claim otherwise than
    their predictions give is told. Without any run the report is of the paper's numbers alone, and says so. A record
    that cannot be read is skipped with one line. Raises UsageError for predictions that cannot be read, MissingExtra
    without the benchmark's packages.
    """
    require("bench", "btfer report")
    from btfer.bench.report import tables
    from btfer.bench.report.page import render
    from btfer.bench.report.ranking import others_csv
    from btfer.bench.report.results import results_frame
    from btfer.bench.report.seed_groups import comparable, read_groups
    from btfer.bench.report.strata import strata_frame

    runs = RunStore(runs_dir, progress).all()
    cells = read_groups(runs)
    chosen = comparable(cells)
    results = results_frame(cells, chosen)
    shown = results_frame(chosen) if len(chosen) < len(cells) else results
    known = tables.protocols(shown) or [PAPER_ONLY]
    releases: list[str | None] = [*tables.releases(shown)]
    lines = {
        _title(number, protocol, release if len(releases) > 1 else None): tables.table_lines(
            shown, number, protocol, release
        )
        for protocol in known
        for release in releases or [None]
        for number in TITLES
    }
    folder = out_dir / date.today().isoformat()
    write_atomic(folder / "results.csv", frame_as_csv(results))
    write_atomic(folder / "strata.csv", frame_as_csv(strata_frame(cells)))
    write_atomic(folder / "results.md", _markdown(runs, lines).encode())
    tex = "\n".join(tables.latex(found, title) for title, found in lines.items())
    write_atomic(folder / "results.tex", tex.encode())
    for one in others:
        for difference in one.differences:
            progress.say(f"{one.bundle.path.name} {difference}")
    if others:
        write_atomic(folder / "others.csv", others_csv(others))
    html = render(runs, chosen, shown, lines, out_dir, others)
    write_atomic(folder / "index.html", html.encode())
    return folder / "index.html"


def _title(number: int, protocol: str, release: str | None) -> str:
    if protocol == PAPER_ONLY:
        return f"{TITLES[number]} (published; nothing was run yet)"
    on = f", on {release}" if release else ""
    return f"{TITLES[number]} (ours by protocol {protocol}{on})"


def _markdown(runs: list[RunRecord], lines: "dict[str, list[TableLine]]") -> str:
    from btfer.bench.report import tables

    scorings = [one for run in runs for one in run.scorings]
    parts = [f"## Runs\n\n{runs_markdown(results_table(scorings))}"] if runs else []
    parts += [tables.markdown(found, title) for title, found in lines.items()]
    return "# Results\n\n" + "\n".join(parts)
