"""Curves of what the hints find, by how strongly a face was degraded (`benchmarks/hints.py --save`)."""

from collections.abc import Iterable
from pathlib import Path

Point = tuple[str, str, float]  # family, strength, share found

PANELS = {
    "out of focus (Gaussian, of the face's height)": ("blur", "blur, noise 6", "blur, noise 12"),
    "moved (of the face's height)": ("moved",),
    "enlarged": ("enlarged", "enlarged linearly", "enlarged, noise 4", "enlarged, JPEG 80"),
    "JPEG quality": ("JPEG",),
    "light left": ("light",),
    "turned to the side": ("turned to",),
    "covered": ("mask", "half covered", "sunglasses"),
    "false alarms": ("as they are:",),
}
BAR = 0.9


def draw(points: Iterable[Point], beside: Path) -> Path:
    """A PNG beside a CSV of results; the file. What has one strength only is a bar."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = list(points)
    figure, axes = pyplot.subplots(2, 4, figsize=(14, 6), constrained_layout=True)
    for axis, (title, families) in zip(axes.flat, PANELS.items(), strict=True):
        of = {name: [(s, y) for f, s, y in found if f == name] for name in families}
        if title in ("covered", "false alarms"):
            bars = [(f if title == "covered" else s, y) for f in families for s, y in of[f]]
            axis.barh([name for name, _ in bars], [share for _, share in bars])
            axis.set_xlim(0, 1.02 if title == "covered" else 0.1)
        else:
            for name, curve in of.items():
                axis.plot([s for s, _ in curve], [y for _, y in curve], "o-", ms=3, label=name)
            axis.axhline(BAR, color="grey", lw=0.8, ls=":")
            axis.set_ylim(-0.02, 1.02)
            if len(families) > 1:
                axis.legend(fontsize=7)
        axis.set_title(title, fontsize=9)
        axis.tick_params(labelsize=7)
    figure.suptitle("Share of degraded faces that earn a hint, of the second half of the people")
    path = beside.with_suffix(".png")
    figure.savefig(path, dpi=70)
    pyplot.close(figure)
    return path
