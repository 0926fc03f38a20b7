"""The leaderboard's page: one file without fonts, pictures or scripts from elsewhere, which sorts by itself."""

import base64
import hashlib
from importlib.resources import files

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.leaderboard.board import Board, Submission
from btfer.bench.report.intervals import RESAMPLES, Interval
from btfer.bench.report.page import html_template
from btfer.bench.report.questions import LEVEL
from btfer.bench.report.strata import LEAST_IMAGES
from btfer.expressions import EXPRESSIONS

TITLES = {
    "cross_domain": "Trained elsewhere",
    "in_domain": "Trained on other images of this release",
}


def render(boards: list[Board], images: ImageSet, left_out: list[tuple[str, str]]) -> str:
    """The page as HTML; every word of a stranger's is escaped, and no script but the page's own may run."""
    script = files(__package__).joinpath("templates", "sort.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    html: str = html_template("btfer.bench.leaderboard", "leaderboard.html.j2").render(
        boards=boards,
        titles=TITLES,
        release=images,
        classes=EXPRESSIONS,
        groups=_group_names(boards),
        left_out=left_out,
        script=script,
        script_digest=digest,
        n=sum(len(one.entries) for one in boards),
        chance=1 / len(EXPRESSIONS),
        level=LEVEL,
        least=LEAST_IMAGES,
        resamples=RESAMPLES,
        bars=_bars,
        people=_people,
        whisker=_whisker,
    )
    return html


def _group_names(boards: list[Board]) -> list[tuple[str, str, int]]:
    """Stratum, group and number of images of each group; the same for all, since they are the release's."""
    first = boards[0].entries[0]
    return [(one.stratum, one.group, one.images) for one in first.groups]


def _bars(entry: Submission) -> list[tuple[float, float, float, float, int]]:
    """The bars of a reliability plot: left, width and height in percent, share of the fullest, images."""
    table = entry.reliability
    width, most = 100 / len(table), max(1.0, float(table[:, 0].max()))
    return [
        (
            round(number * width, 3),
            round(width, 3),
            round(100 * float(row[2]), 2),
            row[0] / most,
            int(row[0]),
        )
        for number, row in enumerate(table)
        if row[0] and not np.isnan(row[2])
    ]


def _whisker(one: Interval) -> tuple[float, float, float]:
    """Low end, width and middle of an interval in percent of the axis from 0 to 1."""
    low, high = 100 * max(0.0, one.low), 100 * min(1.0, one.high)
    return round(low, 2), round(high - low, 2), round(100 * one.value, 2)


def _people(value: float | int | None) -> str:
    """A number as people write it: `11.7 M`, `850 k`, or as it is."""
    if value is None:
        return "-"
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.1f} {unit}"
    return f"{value:.3g}"
