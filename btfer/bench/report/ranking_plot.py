"""The ranking as a plot: what the report opens with."""

from collections.abc import Sequence
from typing import Any

from btfer.bench.report.drawing import BLUE, ORANGE, Panel, panel, short
from btfer.bench.report.ranking import RankedRow
from btfer.bench.report.telling_apart import told_apart
from btfer.expressions import EXPRESSIONS

CHANCE = 1 / len(EXPRESSIONS)
MOST_ROWS = 30
NAMES_INCHES = 2.1  # left of the plot
LONGEST_LINE = 31  # columns there, in small letters


def ranking_panels(rows: Sequence[RankedRow]) -> list[tuple[str, Panel]]:
    """A plot for each release, by its name: its MOST_ROWS best, in the order of the ranking."""
    names = dict.fromkeys(one.pictures for one in rows)
    return [(name, ranking_panel([one for one in rows if one.pictures == name])) for name in names]


def ranking_panel(rows: Sequence[RankedRow]) -> Panel:
    """Accuracy with its 95 % interval, the best on top, and where chance is. rows: of one release, the best first."""
    shown = list(rows)[:MOST_ROWS]
    names = _names(shown)

    def draw(axes: Any) -> None:
        for y, one in enumerate(reversed(shown)):
            colour = ORANGE if one.from_bundle else BLUE
            axes.plot([one.low, one.high], [y, y], color=colour, linewidth=2.5, alpha=0.55)
            axes.plot([one.accuracy], [y], "o", color=colour, markersize=6)
            axes.annotate(
                f"{one.accuracy:.2f}",
                (one.accuracy, y),
                (0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
        axes.axvline(CHANCE, color="#777", linestyle=":", linewidth=1)
        axes.text(CHANCE, len(shown) - 0.45, " chance", fontsize=8, color="#555", va="center")
        axes.set_yticks(range(len(shown)), names[::-1], fontsize=8, linespacing=1.1)
        axes.set(xlim=(0, 1), ylim=(-0.6, len(shown) - 0.2), xlabel="accuracy, 95 % interval")
        axes.grid(axis="x", alpha=0.3)

    best = shown[0]
    alt = (
        f"accuracy with 95 % intervals of {len(shown)} networks on {best.pictures}; the best is "
        f"{best.model} with {best.accuracy:.3f}, chance is {CHANCE:.3f}"
    )
    height = 0.95 + (0.42 if "\n" in "".join(names) else 0.34) * len(shown)
    return panel(draw, alt, height, NAMES_INCHES)


def _names(rows: Sequence[RankedRow]) -> list[str]:
    """A name for each row; in a second line what tells it from others of that name."""
    names = [f"{one.model}{f' {one.resolution}' if one.resolution else ''}" for one in rows]
    parts = [(one.training_set, one.protocol, one.balance, one.by) for one in rows]
    return [
        "\n".join(filter(None, (short(name), short(", ".join(others), LONGEST_LINE))))
        for name, others in zip(names, told_apart(names, parts), strict=True)
    ]
