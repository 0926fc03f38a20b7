"""Every training set against everything that was scored: the held-out parts of all sets, and each release."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from btfer.bench.published import TRAINING_SETS, paper_name
from btfer.bench.report.drawing import LONG_NAMES, Drawing, panel, short
from btfer.bench.report.numbers import OURS
from btfer.bench.report.seed_groups import BTFER, OTHER_SET, TEST, VALIDATION
from btfer.bench.report.tables import latex_text
from btfer.csv_writer import frame_as_csv

NETWORK = ("model", "resolution", "balance", "protocol")
"""What must be the same in a row of the matrix, training set apart."""

COLUMNS = (
    *NETWORK,
    *("training_set", "tested_on", "part", "digest"),
    *("accuracy", "low", "high", "seeds", "images", "leaks"),
)
_ORDER = {
    TEST: 0,
    VALIDATION: 1,
    OTHER_SET: 2,
    BTFER: 3,
}  # what no training looked at stands for its set


@dataclass(frozen=True)
class CrossLine:
    """One network trained on one set. cells: accuracy with its interval by what was tested, None = not scored."""

    network: str
    training_set: str
    cells: tuple[tuple[float, float, float] | None, ...]


@dataclass(frozen=True)
class CrossMatrix:
    """The table. tested: names of its columns: held-out parts, then releases. lines: by network, then training set."""

    tested: tuple[str, ...]
    lines: tuple[CrossLine, ...]


def crossings(results: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS, a row for each network, training set and thing it was tested on. results: of comparable cells."""
    rows = results[
        (results["state"] == "done")
        & (results["score"] == "accuracy")
        & results["scored_on"].isin(list(_ORDER))
    ].assign(order=lambda one: one["scored_on"].map(_ORDER))
    rows = rows.sort_values("order", kind="stable")
    rows = rows.rename(columns={"pictures": "tested_on", "scored_on": "part", "ours": "accuracy"})
    own, other = rows["part"].isin([TEST, VALIDATION]), rows["part"] == OTHER_SET
    tested = rows["tested_on"].mask(own, rows["training_set"].map(_held_out))
    rows["tested_on"] = tested.mask(other, rows["tested_on"].map(paper_name).map(_held_out))
    key = [*NETWORK, "training_set", "tested_on"]
    return rows.drop_duplicates(key)[list(COLUMNS)].reset_index(drop=True)


def matrix(found: pd.DataFrame) -> CrossMatrix:
    """The rows of `crossings` as a table."""
    tested = tuple(dict.fromkeys(found["tested_on"]))
    lines = []
    for key, rows in found.groupby([*NETWORK, "training_set"], sort=True):
        model, resolution, balance, protocol, training = key
        by_test = {one.tested_on: (one.accuracy, one.low, one.high) for one in _rows(rows)}
        name = f"{model} {resolution} {balance}, {protocol}"
        cells = tuple(by_test.get(one) for one in tested)
        lines.append(CrossLine(name, _set_name(training), cells))
    return CrossMatrix(tested, tuple(lines))


def cross_csv(found: pd.DataFrame) -> bytes:
    """The rows of `crossings` as CSV."""
    return frame_as_csv(found)


def cross_markdown(table: CrossMatrix) -> str:
    """The table as Markdown, accuracy with its 95 % interval."""
    head = ["Network", "Trained on", *table.tested]
    rows = [head, ["---"] * len(head), *([*_first(one), *_texts(one)] for one in table.lines)]
    body = "".join("| " + " | ".join(_bare(text) for text in row) + " |\n" for row in rows)
    return f"## Every training set against everything tested\n\n{body}"


def cross_latex(table: CrossMatrix) -> str:
    """The same as a longtable (packages longtable, booktabs)."""
    out = [
        "% needs \\usepackage{longtable,booktabs}",
        f"\\begin{{longtable}}{{ll*{{{len(table.tested)}}}{{r}}}}",
        "\\caption{Every training set against everything tested: accuracy, 95\\,\\% interval}\\\\",
        "\\toprule",
        " & ".join(map(latex_text, ("Network", "Trained on", *table.tested))) + "\\\\",
        "\\midrule\\endhead",
        *(
            " & ".join(map(latex_text, [*_first(one), *_texts(one)])) + "\\\\"
            for one in table.lines
        ),
        "\\bottomrule",
        "\\end{longtable}",
    ]
    return "\n".join(out) + "\n"


def cross_figure(found: pd.DataFrame) -> Drawing | None:
    """A heat map of the one network that fills most of it, the more accurate of two; None for less than two cells.

    One network, since a mean over others in each cell would compare what cannot be compared.
    """
    if found.empty:
        return None
    by_network = found.groupby(list(NETWORK))["accuracy"].agg(["size", "mean"])
    best: Any = by_network.sort_values(["size", "mean"]).index[-1]
    rows = found[(found[list(NETWORK)] == list(best)).all(axis=1)]
    if len(rows) < 2:
        return None
    grid = rows.pivot(index="training_set", columns="tested_on", values="accuracy")
    grid = grid.reindex(columns=list(dict.fromkeys(rows["tested_on"])))
    model, resolution, balance, protocol = best
    name = f"{model} {resolution}, {balance}, {protocol}"
    shown = panel(
        lambda axes: _draw(axes, grid, name),
        f"accuracy of {name} by training set and by what it was tested on",
        1.6 + 0.45 * len(grid),
        LONG_NAMES,
        1.0,
    )
    caption = "Accuracy. Rows: what the network learnt from; columns: what it was tested on. Grey: not scored."
    return Drawing("Every training set against everything tested", caption, OURS, [shown])


def _draw(axes: Any, grid: pd.DataFrame, name: str) -> None:
    values = grid.to_numpy(float)
    axes.set_facecolor("#bbbbbb")
    axes.imshow(values, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            if value == value:
                ink = "black" if value > 0.5 else "white"
                axes.text(x, y, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=8)
    columns = [short(str(one), 16) for one in grid.columns]
    axes.set_xticks(range(len(columns)), columns, rotation=25, ha="right")
    axes.set_yticks(range(len(grid)), [short(_set_name(one), 20) for one in grid.index])
    axes.set_title(short(name, 52), fontsize=8)


def _held_out(training: str) -> str:
    return f"{_set_name(training)}, held out"


def _set_name(training: Any) -> str:
    return TRAINING_SETS.get(str(training), str(training))


def _rows(frame: pd.DataFrame) -> Sequence[Any]:
    return list(frame.itertuples())


def _first(line: CrossLine) -> list[str]:
    return [line.network, line.training_set]


def _texts(line: CrossLine) -> list[str]:
    return [
        "" if one is None else f"{one[0]:.3f} ({one[1]:.3f} to {one[2]:.3f})" for one in line.cells
    ]


def _bare(text: str) -> str:
    return text.replace("|", "\\|")
