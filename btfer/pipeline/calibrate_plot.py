"""The picture of a calibration, as PNG bytes: precision and recall over the distance, with their intervals."""

import io

from matplotlib.figure import Figure

from btfer.pipeline.calibrate_hashes import LEAST_PRECISION, HashCurve
from btfer.pipeline.calibrate_table import AtDistance, Score, Share

COLOURS = {"hash alone": "#d55e00", "confirmed": "#0072b2"}


def plot(rows: list[AtDistance], suggested: int | None) -> bytes:
    """Two panels, precision and recall; a band for each interval, a line at the suggested distance."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2, sharey=True), ("precision", "recall"), strict=True):
        for label, colour in COLOURS.items():
            _curve(axes, [(row.max_bits, _share(row, label, name)) for row in rows], label, colour)
        if suggested is not None:
            axes.axvline(suggested, color="black", linestyle=":", label=f"suggested: {suggested}")
        axes.set(xlabel="largest Hamming distance, bits", title=name, ylim=(0, 1.03))
        axes.set_xticks(range(0, rows[-1].max_bits + 1, 2))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def plot_hashes(curves: list[HashCurve]) -> bytes:
    """All hashes in one: precision over recall, a curve for each, and a mark at its best step."""
    figure = Figure(figsize=(5.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for one in curves:
        known = [(r, p) for r, p in zip(one.recall, one.precision, strict=True) if p is not None]
        [line] = (
            axes.plot(*zip(*known, strict=True), marker=".", label=one.name) if known else [None]
        )
        if line and one.best is not None:
            axes.plot([one.found], [LEAST_PRECISION], marker="v", color=line.get_color())
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.03), ylim=(0, 1.03))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def _share(row: AtDistance, label: str, name: str) -> Share:
    score: Score = row.by_hash if label == "hash alone" else row.confirmed
    return score.precision if name == "precision" else score.recall


def _curve(axes, points: list[tuple[int, Share]], label: str, colour: str) -> None:  # type: ignore[no-untyped-def]
    known = [(bits, one) for bits, one in points if one.point is not None]
    x = [bits for bits, _ in known]
    axes.plot(x, [one.point for _, one in known], label=label, color=colour, marker=".")
    low, high = ([getattr(one, end) for _, one in known] for end in ("low", "high"))
    axes.fill_between(x, low, high, color=colour, alpha=0.15)
