"""The two plots of a run, as PNG bytes: learning curves and confusion matrix."""

import io
from typing import Any

from matplotlib.figure import Figure

from btfer.expressions import EXPRESSIONS


def curves(history: list[dict[str, float]]) -> bytes:
    """Accuracy and loss over epochs, training and validation; a line where phase 2 begins."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    epochs = [row["epoch"] for row in history]
    later = [row["epoch"] for row in history if row["phase"] == 2]
    for axes, name in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        axes.plot(epochs, [row[name] for row in history], label="training")
        axes.plot(epochs, [row[f"val_{name}"] for row in history], label="validation")
        if later and len(later) < len(history):
            axes.axvline(later[0] - 0.5, color="grey", linestyle=":", label="unfrozen")
        axes.set(xlabel="epoch", title=name)
        axes.grid(alpha=0.3)
        axes.legend()
    return _png(figure)


def confusion(matrix: list[list[int]], title: str) -> bytes:
    """Shares of each true class as colours, counts as numbers."""
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    shares = [[n / max(1, sum(row)) for n in row] for row in matrix]
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for y, row in enumerate(matrix):
        for x, n in enumerate(row):
            ink = "white" if shares[y][x] > 0.5 else "black"
            axes.text(x, y, str(n), ha="center", va="center", color=ink, fontsize=8)
    places: Any = range(len(EXPRESSIONS))
    axes.set_xticks(places, EXPRESSIONS, rotation=45, ha="right")
    axes.set_yticks(places, EXPRESSIONS)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()
