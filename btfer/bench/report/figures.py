"""The paper's figures 10 to 28, from runs or, where there are none, from the published numbers."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pandas as pd

from btfer.bench.published import class_counts
from btfer.bench.report.drawing import BLUE, LONG_NAMES, ORANGE, Drawing, Panel, grouped_bars, panel
from btfer.bench.report.numbers import OURS, PUBLISHED, set_name
from btfer.bench.report.seed_groups import BTFER, VALIDATION, SeedGroup
from btfer.bench.train.protocol import class_weights
from btfer.expressions import EXPRESSIONS

SIZES = (48, 224)
BALANCES = ("simple", "conservative")
STARTS = {"none": "random", "imagenet": "ImageNet", "vggface": "VGGFace"}
TOP = 5
PART_NAMES = {VALIDATION: "validation", BTFER: "BTFER"}
OVER_BARS = "Bars: accuracy on BTFER. Black lines: on validation images."


def paper_figures(numbers: pd.DataFrame, source: str) -> list[Drawing]:
    """Every figure that the numbers are enough for. numbers: columns of `numbers.COLUMNS`."""
    if numbers.empty:
        return []
    drawings = [one(numbers, source) for one in (_by_weights, _top_five, _by_set, _by_start)]
    return [*_resolutions(numbers, source), *(one for one in drawings if one.panels)]


def weight_figures(cells: list[SeedGroup]) -> list[Drawing]:
    """Figures 10 to 13: class counts before and after weighting, of each training set; RAF-DB's with no runs."""
    counts = {c.facts.training_set: c.run.training_counts for c in cells if c.run.training_counts}
    if counts:
        return [_class_weights(name, found, OURS) for name, found in counts.items()]
    published = class_counts()
    rafdb = published.loc[published["training_set"] == "rafdb", "train"].tolist()
    return [_class_weights("rafdb", rafdb, PUBLISHED)]


def _resolutions(numbers: pd.DataFrame, source: str) -> Iterator[Drawing]:
    """Figure 14 for each training set; the paper has RAF-DB only."""
    for name, rows in numbers.groupby("training_set", sort=False):
        kinds = rows["balance"].tolist()
        balance = "conservative" if "conservative" in kinds else kinds[0]
        rows = rows[rows["balance"] == balance]
        order = rows.groupby("network")["value"].max().sort_values().index.tolist()
        panels = [
            panel(
                lambda axes, found=found, order=order: _dots(axes, found, order),
                f"accuracy on {PART_NAMES[part]} by network at 48 and 224 px",
                0.9 + 0.19 * len(order),
                LONG_NAMES,
            )
            for part in PART_NAMES
            if not (found := rows[rows["scored_on"] == part]).empty
        ]
        yield Drawing(
            f"Fig. 14: accuracy by network at 48 and 224 px, trained on {set_name(str(name))}",
            f"First on validation images, then on BTFER; {balance} weighting.",
            source,
            panels,
        )


def _dots(axes: Any, rows: pd.DataFrame, order: list[str]) -> None:
    place = {name: y for y, name in enumerate(order)}
    ends = rows.groupby("network")["value"].agg(["min", "max"])
    axes.hlines(
        [place[one] for one in ends.index], ends["min"], ends["max"], color="#bbb", zorder=0
    )
    for size, colour, mark in ((48, ORANGE, "o"), (224, BLUE, "s")):
        found = rows[rows["resolution"] == size]
        y = [place[name] for name in found["network"]]
        if found["low"].notna().all():
            axes.hlines(y, found["low"].astype(float), found["high"].astype(float), color=colour)
        if len(found):
            axes.plot(found["value"], y, mark, color=colour, label=f"{size} px", markersize=5)
    axes.set_yticks(range(len(order)), order)
    axes.set(
        ylim=(-0.7, len(order) - 0.3), xlabel=f"accuracy, {PART_NAMES[rows['scored_on'].iloc[0]]}"
    )
    axes.grid(alpha=0.3)
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)


def _by_weights(numbers: pd.DataFrame, source: str) -> Drawing:
    """Figures 15 to 18; networks that were started from more than one kind of weights."""
    kinds = numbers.groupby("architecture")["weights"].nunique()
    several = kinds[kinds > 1].index.tolist()
    chosen = "vgg16" if "vgg16" in several else (several or [""])[0]
    mine = numbers[numbers["architecture"] == chosen]
    panels = []
    for size, balance in product(SIZES, BALANCES):
        rows = mine[(mine["resolution"] == size) & (mine["balance"] == balance)]
        if not rows.empty:
            series = {label: rows[rows["weights"] == start] for start, label in STARTS.items()}
            panels.append(_averages(rows, series, f"{size} px, {balance}"))
    title = f"Fig. 15-18: accuracy of {chosen} by the weights it starts from"
    return Drawing(title, OVER_BARS, source, panels)


def _by_start(numbers: pd.DataFrame, source: str) -> Drawing:
    """Figures 25 to 28: both weightings, with and without pretraining; networks without any are in neither."""
    numbers = numbers[numbers["balance"].isin(BALANCES)]
    panels = []
    for size, pretrained in product(SIZES, (False, True)):
        rows = numbers[
            (numbers["resolution"] == size) & ((numbers["weights"] != "none") == pretrained)
        ]
        if rows.empty:
            continue
        series = {name: rows[rows["balance"] == name] for name in BALANCES}
        start = "pretrained" if pretrained else "from scratch"
        panels.append(_averages(rows, series, f"{size} px, {start}"))
    title = "Fig. 25-28: average accuracy by class weighting, with and without pretraining"
    return Drawing(title, OVER_BARS, source, panels)


def _by_set(numbers: pd.DataFrame, source: str) -> Drawing:
    """Figures 21 to 24: averages over networks."""
    panels = []
    for size, balance in product(SIZES, BALANCES):
        rows = numbers[(numbers["resolution"] == size) & (numbers["balance"] == balance)]
        if not rows.empty:
            sets = _sets(rows)
            bars = {
                label: _means(rows[rows["scored_on"] == p], sets) for p, label in PART_NAMES.items()
            }
            panels.append(_bar_panel(sets, bars, None, f"{size} px, {balance}"))
    title = "Fig. 21-24: average accuracy over networks by training set"
    return Drawing(title, "Mean over all networks.", source, panels)


def _averages(rows: pd.DataFrame, series: dict[str, pd.DataFrame], title: str) -> Panel:
    """Bars: means on BTFER. Ticks: on validation."""
    sets = _sets(rows)
    kept = {name: one for name, one in series.items() if not one.empty}
    bars = {name: _means(one[one["scored_on"] == BTFER], sets) for name, one in kept.items()}
    ticks = {name: _means(one[one["scored_on"] == VALIDATION], sets) for name, one in kept.items()}
    return _bar_panel(sets, bars, ticks, title)


def _bar_panel(sets: list[str], bars: Any, ticks: Any, title: str) -> Panel:
    def draw(axes: Any) -> None:
        grouped_bars(axes, [set_name(one) for one in sets], bars, ticks)
        axes.set(ylim=(0, 1), ylabel="accuracy", xlabel=title)

    return panel(draw, f"accuracy by training set, {title}")


def _sets(rows: pd.DataFrame) -> list[str]:
    return list(rows["training_set"].unique())


def _means(rows: pd.DataFrame, sets: Sequence[str]) -> list[float | None]:
    means = rows.groupby("training_set")["value"].mean()
    return [float(means[one]) if one in means else None for one in sets]


def _top_five(numbers: pd.DataFrame, source: str) -> Drawing:
    """Figures 19 and 20: the best five by validation accuracy, smallest first, on the first training set."""
    name = (
        "rafdb" if (numbers["training_set"] == "rafdb").any() else numbers["training_set"].iloc[0]
    )
    panels = []
    for size in SIZES:
        rows = numbers[(numbers["training_set"] == name) & (numbers["resolution"] == size)]
        keys = ["network", "balance", "parameters"]
        wide = rows.pivot_table(index=keys, columns="scored_on", values="value").reset_index()
        if VALIDATION in wide:
            best = wide.sort_values(VALIDATION).groupby("network").tail(1).tail(TOP)
            panels.append(_top_panel(best.sort_values("parameters", ascending=False), size))
    title = f"Fig. 19-20: the five best on validation images of {set_name(name)}, by parameters"
    return Drawing(
        title, "Smallest network on top; the better of the two weightings.", source, panels
    )


def _top_panel(best: pd.DataFrame, size: int) -> Panel:
    pairs = zip(best["network"], best["parameters"].astype(float), strict=True)
    labels = [f"{name}\n{parameters / 1e6:.1f}M" for name, parameters in pairs]

    def draw(axes: Any) -> None:
        shift = 0.2
        for part, colour in ((VALIDATION, BLUE), (BTFER, ORANGE)):
            shift = -shift
            if part in best:
                y = [place - shift for place in range(len(best))]
                axes.barh(y, best[part], 0.38, color=colour, label=PART_NAMES[part])
                for place, value in zip(y, best[part], strict=True):
                    if value == value:
                        axes.text(value + 0.01, place, f"{value:.2f}", va="center", fontsize=8)
        axes.set_yticks(range(len(best)), labels)
        axes.set(xlim=(0, 1), xlabel=f"accuracy, {size} px")
        axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)

    return panel(draw, f"five best networks at {size} px", 3.2, LONG_NAMES)


def _class_weights(name: str, counts: list[int], source: str) -> Drawing:
    weighted = {"before": [float(n) for n in counts]}
    if min(counts) > 0:
        for balance in BALANCES:
            factors = class_weights(counts, balance)
            weighted[balance] = [n * factors[label] for label, n in enumerate(counts)]

    def draw(axes: Any, title: str, values: list[float]) -> None:
        axes.bar(range(len(values)), values, color=BLUE)
        for x, value in enumerate(values):
            axes.text(x, value, f"{value:.0f}", ha="center", va="bottom", fontsize=7)
        axes.set_xticks(range(len(values)), EXPRESSIONS, rotation=40, ha="right")
        axes.set(ylabel="images x weight", xlabel=title, ylim=(0, max(values) * 1.12))

    panels = [
        panel(
            lambda axes, t=title, v=values: draw(axes, t, v),
            f"images per class, {title}",
            bottom_inches=0.9,
        )
        for title, values in weighted.items()
    ]
    title = f"Fig. 10-13: classes of {set_name(name)} before and after weighting"
    return Drawing(
        title, "What each class weighs in the loss: images times weight.", source, panels
    )
