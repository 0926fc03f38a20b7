"""The table and the plot of what networks cost on a small computer."""

import io
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from btfer.bench.edge.measure import EdgeRow, as_rows
from btfer.csv_writer import as_csv
from btfer.errors import UsageError
from btfer.files import only_writer, write_atomic
from btfer.parsing import parse_json

TITLES = ("network", "form", "MB", "median ms", "p95 ms", "memory MB", "accuracy", "lost (95 %)")
SHAPES = "os^DvP*X"
STORED = "edge.json"  # in the folder of a run


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


def keep_row(row: EdgeRow, folder: Path) -> None:
    """Write a measurement beside the others of its run, in place of an older one of the same."""
    with only_writer(folder):
        known = {_measured_of(one): one for one in _stored(folder)}
        rows = as_rows([*(known | {_measured_of(row): row}).values()])
        write_atomic(folder / STORED, f"{json.dumps(rows, indent=2)}\n".encode())


def kept_rows(runs_dir: Path) -> list[EdgeRow]:
    """Everything that was ever measured of the runs that are there, by run, in the order of measuring."""
    files = [*runs_dir.glob(f"*/{STORED}"), *runs_dir.glob(f"*/fold-*/{STORED}")]
    return [row for file in sorted(files) for row in _stored(file.parent)]


def _stored(folder: Path) -> list[EdgeRow]:
    file = folder / STORED
    try:
        return [EdgeRow(**one) for one in parse_json(file.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{file} is damaged ({error}): delete it, and run btfer bench edge again"
        ) from None


def _measured_of(row: EdgeRow) -> tuple[str, int, str]:
    return row.form, row.threads, row.digest


def write_edge(rows: list[EdgeRow], reports_dir: Path) -> Path:
    """Write edge.csv, edge.md and edge.png of these rows to `reports_dir`/<today>; the folder."""
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
        xlabel=f"milliseconds for one image, median, {_either(one.threads for one in rows)} thread(s)",
        ylabel=f"accuracy on {_either(one.release for one in rows)}",
        title="Forms of each network; the larger the mark, the larger the file",
    )
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _either(values: Iterable[object]) -> str:
    return " or ".join(dict.fromkeys(map(str, values)))


def _lost(one: EdgeRow) -> str:
    if one.form == "keras":
        return ""
    return f"{one.loss:+.3f} ({one.loss_low:+.3f} to {one.loss_high:+.3f})"
