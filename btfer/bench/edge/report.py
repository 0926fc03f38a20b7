"""The table and the plot of what networks cost on a small computer."""

import io
from datetime import date
from pathlib import Path

from btfer.bench.edge.measure import EdgeRow, as_rows
from btfer.csv_writer import as_csv
from btfer.files import write_atomic

TITLES = ("network", "form", "MB", "median ms", "p95 ms", "memory MB", "accuracy", "lost (95 %)")
SHAPES = "os^DvP*X"


def printed(rows: list[EdgeRow]) -> list[list[str]]:
    """The rows under TITLES."""
    return [
        [
            f"{one.architecture} {one.resolution}",
            one.form,
            f"{one.size_mb:.2f}",
            f"{one.median_ms:.2f}",
            f"{one.p95_ms:.2f}",
            f"{one.memory_mb:.0f}",
            f"{one.accuracy:.3f}",
            _lost(one),
        ]
        for one in rows
    ]


def write_edge(rows: list[EdgeRow], reports_dir: Path) -> Path:
    """Write edge.csv, edge.md and edge.png to `reports_dir`/<today>; the folder."""
    folder = reports_dir / date.today().isoformat()
    table = as_rows(rows)
    write_atomic(folder / "edge.csv", as_csv(list(table[0]), table))
    lines = [list(TITLES), ["---"] * len(TITLES), *printed(rows)]
    markdown = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    write_atomic(folder / "edge.md", markdown.encode())
    write_atomic(folder / "edge.png", plot(rows))
    return folder


def plot(rows: list[EdgeRow]) -> bytes:
    """A PNG: accuracy by latency, a colour for each form, a shape for each run, its area by the file's size.

    The bars are the interval of what is lost, below and above the trained network's accuracy.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    forms = list(dict.fromkeys(one.form for one in rows))
    runs = list(dict.fromkeys(one.run for one in rows))
    largest = max(one.size_mb for one in rows)
    for one in rows:
        colour = f"C{forms.index(one.form)}"
        shape = SHAPES[runs.index(one.run) % len(SHAPES)]
        area = 30 + 300 * one.size_mb / largest
        axes.scatter(
            one.median_ms, one.accuracy, s=area, color=colour, marker=shape, alpha=0.8, zorder=2
        )
        if one.form != "keras":
            trained = one.accuracy + one.loss
            span = (trained - one.loss_high, trained - one.loss_low)
            axes.vlines(one.median_ms, *span, color=colour, zorder=1)
    for number, form in enumerate(forms):
        axes.scatter([], [], color=f"C{number}", label=form)
    for number, run in enumerate(runs):
        name = next(f"{one.architecture} {one.resolution}" for one in rows if one.run == run)
        axes.scatter([], [], color="grey", marker=SHAPES[number % len(SHAPES)], label=name)
    axes.set(
        xscale="log",
        xlabel=f"milliseconds for one image, median, {rows[0].threads} thread(s)",
        ylabel=f"accuracy on {rows[0].release}",
        title="Forms of each network; the larger the mark, the larger the file",
    )
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _lost(one: EdgeRow) -> str:
    if one.form == "keras":
        return ""
    return f"{one.loss:+.3f} ({one.loss_low:+.3f} to {one.loss_high:+.3f})"
