"""What all plots of the report share: colours that everyone can tell apart, small panels, SVG without dates."""

import base64
import io
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008).
BLUE, ORANGE, GREEN, PINK, SKY = "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, "#d55e00", "#f0e442")
WIDTH_INCHES = 4.4
LONG_NAMES = 1.45
"""Left margin in inches for the names of networks."""

# Text stays text and margins are given, not searched for: a page has fifty panels.
_STYLE = {
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "btfer",
    "text.parse_math": False,  # a name with $ in it is a name
    "axes.spines.top": False,
    "axes.spines.right": False,
}

LONGEST_NAME = 24  # columns of a margin for names, of two for a wide letter
_NAMES_IN_A_ROW = 44  # columns below bars
_TILTED_INCHES = 0.95  # below bars whose names are turned

Values = Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """One plot. uri: an SVG as data URI. alt: what it shows, for those who cannot see it."""

    uri: str
    alt: str


@dataclass(frozen=True)
class Drawing:
    """One figure of the report: a few panels under a title. source: ours or published."""

    title: str
    caption: str
    source: str
    panels: list[Panel]


def panel(
    draw: Any,
    alt: str,
    height_inches: float = 2.9,
    left_inches: float = 0.6,
    bottom_inches: float = 0.5,
) -> Panel:
    """Call `draw(axes)` on a fresh panel with these margins; what came out."""
    with rc_context(_STYLE), warnings.catch_warnings():
        # Text stays text in the SVG: whoever looks at it has the font.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        figure = Figure(figsize=(WIDTH_INCHES, height_inches))
        figure.subplots_adjust(
            left=left_inches / WIDTH_INCHES,
            right=1 - 0.12 / WIDTH_INCHES,
            bottom=bottom_inches / height_inches,
            top=1 - 0.4 / height_inches,
        )
        draw(figure.subplots())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Panel(f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}", alt)


def grouped_bars(
    axes: Any,
    groups: Sequence[str],
    bars: dict[str, Values],
    ticks: dict[str, Values] | None = None,
) -> None:
    """A bar for each series in each group; ticks: series drawn as a black line over the bar of its name."""
    width = 0.8 / len(bars)
    for number, (name, values) in enumerate(bars.items()):
        x = np.arange(len(groups)) + (number - (len(bars) - 1) / 2) * width
        axes.bar(x, _floats(values), width * 0.92, label=name, color=COLOURS[number])
        if ticks and name in ticks:
            half = width * 0.46
            axes.hlines(_floats(ticks[name]), x - half, x + half, color="black", linewidth=1.6)
    names = [short(one, 16) for one in groups]
    if sum(map(_columns, names)) <= _NAMES_IN_A_ROW:
        axes.set_xticks(range(len(groups)), names)
    else:
        names = [short(one, 11) for one in groups]
        axes.set_xticks(range(len(groups)), names, rotation=25, ha="right")
        axes.figure.subplots_adjust(bottom=_TILTED_INCHES / axes.figure.get_figheight())
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(ncols=len(bars), loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)


def log_axis(axes: Any, label: str, values: Sequence[float]) -> None:
    """A logarithmic x axis with plain numbers: matplotlib's own labels are formulas, which are off here."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set(xscale="log", xlabel=label)
    wide = max(values) > 100 * min(values)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def short(text: str, most: int = LONGEST_NAME) -> str:
    """A name for a plot, cut where it has more than so many columns; a wide letter has two of them."""
    if _columns(text) <= most:
        return text
    while _columns(text) > most - 1:
        text = text[:-1]
    return f"{text}…"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def pareto(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Indices of what no other beats in both, cheapest first: lower cost, higher value."""
    front: list[int] = []
    for index in sorted(range(len(costs)), key=lambda one: (costs[one], -values[one])):
        if not front or values[index] > values[front[-1]]:
            front.append(index)
    return front


def _floats(values: Values) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]
