"""Accuracy against cost with the Pareto front, and confusion matrices."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from btfer.bench.report.drawing import (
    BLUE,
    COLOURS,
    ORANGE,
    Drawing,
    Panel,
    log_axis,
    panel,
    pareto,
    short,
)
from btfer.bench.report.intervals import confusions
from btfer.bench.report.numbers import set_name
from btfer.bench.report.seed_groups import BTFER, SeedGroup
from btfer.expressions import EXPRESSIONS

SIZES = ((48, ORANGE, "o"), (224, BLUE, "s"))
MOST_MATRICES = 12
MOST_OF_A_TITLE = 52  # columns
EDGE_TABLE = "edge.csv"
"""What `btfer bench edge` leaves in the folder of a report."""


def cost_figures(numbers: pd.DataFrame, source: str) -> list[Drawing]:
    """Accuracy on BTFER by parameters, and by time a training step takes where that was measured."""
    rows = numbers[numbers["scored_on"] == BTFER]
    found = []
    for column, label, title in (
        ("parameters", "parameters, millions", "Accuracy against parameters"),
        ("seconds_per_step", "seconds per training step", "Accuracy against time"),
    ):
        measured = rows[rows[column].notna()]
        panels = [
            _scatter(one, column, label, set_name(str(name)))
            for name, one in measured.groupby("training_set", sort=False)
        ]
        if panels:
            caption = (
                "On BTFER, the better weighting of each network. Line: the Pareto front, networks that "
                "no other beats in both."
            )
            found.append(Drawing(title, caption, source, panels))
    return found


def edge_figure(reports_dir: Path) -> Drawing | None:
    """Accuracy by latency on a small computer, from the newest edge.csv; None where nothing was measured."""
    tables = sorted(reports_dir.glob(f"*/{EDGE_TABLE}"))
    if not tables:
        return None
    rows = pd.read_csv(tables[-1])
    panels = [
        _edge_panel(found, f"{release}, {threads} thread(s)")
        for (release, threads), found in rows.groupby(["release", "threads"], sort=False)
    ]
    caption = "One image at a time, each network in each form. Line: the Pareto front."
    return Drawing("Accuracy against latency", caption, "ours", panels)


def _edge_panel(rows: pd.DataFrame, where: str) -> Panel:
    cost, value = rows["median_ms"].astype(float).tolist(), rows["accuracy"].astype(float).tolist()
    pairs = zip(rows["architecture"], rows["resolution"], rows["form"], strict=True)
    names = [f"{name} {size} {form}" for name, size, form in pairs]

    def draw(axes: Any) -> None:
        for form, colour in zip(rows["form"].unique(), COLOURS, strict=False):
            found = rows[rows["form"] == form]
            axes.plot(found["median_ms"], found["accuracy"], "o", color=colour, label=form)
        _front(axes, cost, value, names)
        log_axis(axes, f"ms for an image, median; {short(where, 28)}", cost)
        axes.set(ylabel="accuracy")
        axes.grid(alpha=0.3)
        axes.legend(
            ncols=4, loc="lower center", bbox_to_anchor=(0.45, 1.0), frameon=False, fontsize=8
        )

    return panel(draw, f"accuracy by latency on {where}", 3.4, 0.75)


def confusion_figure(cells: list[SeedGroup]) -> Drawing | None:
    """Matrices of the best cells on a release, all seeds together."""
    scored = [cell for cell in cells if cell.scored_on == BTFER] or cells
    ranked = sorted(scored, key=_accuracy, reverse=True)[:MOST_MATRICES]
    if not ranked:
        return None
    left = len(scored) - len(ranked)
    caption = "Rows: true class, columns: predicted; percent of the true class, all seeds together."
    if left:
        caption += f" The best {MOST_MATRICES}; {left} more are under Runs."
    return Drawing(
        "Confusion matrices", caption, "ours", [confusion_panel(cell) for cell in ranked]
    )


def _accuracy(cell: SeedGroup) -> float:
    images, codes = cell.joint
    return float((codes == images.truth).mean())


def confusion_panel(cell: SeedGroup) -> Panel:
    """The confusion matrix of a cell, in percent of the true class, all seeds together."""
    images, codes = cell.joint
    matrix = confusions(images.truth, codes).sum(axis=0)
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    shares = shares[
        :, : len(EXPRESSIONS)
    ]  # what was answered with none of them is missing in the row

    def draw(axes: Any) -> None:
        axes.imshow(shares, vmin=0, vmax=1, cmap="cividis")
        for (y, x), share in np.ndenumerate(shares):
            ink = "black" if share > 0.5 else "white"
            axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", color=ink, fontsize=8)
        axes.set_xticks(range(len(EXPRESSIONS)), EXPRESSIONS, rotation=40, ha="right")
        axes.set_yticks(range(len(EXPRESSIONS)), EXPRESSIONS)
        axes.set_title(
            f"{short(cell.title, MOST_OF_A_TITLE)}\non {short(str(cell.facts.pictures), MOST_OF_A_TITLE)}",
            fontsize=8,
        )

    return panel(draw, f"confusion matrix of {cell.title}", 4.2, 0.8, 0.8)


def _scatter(rows: pd.DataFrame, column: str, label: str, name: str) -> Panel:
    best = rows.sort_values("value").groupby(["network", "resolution"]).tail(1)
    scale = 1e6 if column == "parameters" else 1.0
    cost, value = (
        (best[column].astype(float) / scale).tolist(),
        best["value"].astype(float).tolist(),
    )
    names = best["network"].tolist()

    def draw(axes: Any) -> None:
        for size, colour, mark in SIZES:
            here = [n for n, one in enumerate(best["resolution"]) if one == size]
            if here:
                xy = [cost[n] for n in here], [value[n] for n in here]
                axes.plot(*xy, mark, color=colour, alpha=0.75, markersize=5, label=f"{size} px")
        _front(axes, cost, value, names)
        log_axis(axes, label, cost)
        axes.set(ylabel="accuracy on BTFER", title=f"trained on {short(name)}")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")

    return panel(draw, f"accuracy by {label}, trained on {name}", 3.4, 0.75)


def _front(axes: Any, cost: list[float], value: list[float], names: list[str]) -> None:
    """The Pareto front as a line, with names."""
    front = pareto(cost, value)
    axes.plot([cost[n] for n in front], [value[n] for n in front], color="black", linewidth=1)
    for number, n in enumerate(front):
        away = 6 if number % 2 else -10
        axes.annotate(
            names[n], (cost[n], value[n]), (4, away), textcoords="offset points", fontsize=7
        )
