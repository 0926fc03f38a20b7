"""The crawl as one watches it: photos by class, cell and source, rate and time left, what is lost, who is slow."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from btfer.pipeline.crawl_outcome import CrawlOutcome

LINE_EVERY_S = 30.0
DRAW_EVERY_S = 0.25


@contextmanager
def crawl_view() -> Iterator[Callable[["CrawlOutcome"], None]]:
    """A live table on stderr; where that is no terminal, a line now and then."""
    from rich.console import Console
    from rich.live import Live

    from btfer.cli import output

    console = Console(stderr=True)
    started = time.monotonic()
    if output.is_quiet() or not console.is_terminal:
        yield _every(LINE_EVERY_S, lambda one: output.logger.info(line(one, started)))
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _every(DRAW_EVERY_S, lambda one: live.update(_drawing(one, started), refresh=True))


def line(outcome: "CrawlOutcome", started: float) -> str:
    """The state of a crawl for a log: the summary, and the hosts that hold it up."""
    return "; ".join(one for one in (summary(outcome, started), slow_hosts(outcome)) if one)


def summary(outcome: "CrawlOutcome", started: float) -> str:
    """The state of a crawl in one line. started: time.monotonic() of its begin."""
    elapsed_s = max(time.monotonic() - started, 1e-9)
    left_s = seconds_left(outcome, elapsed_s)
    left = "" if left_s is None else f", about {_duration(left_s)} left"
    return (
        f"{_searches(outcome):,} of {outcome.searches_planned:,} searches, {outcome.ended:,} of "
        f"{outcome.to_end:,} URLs, {outcome.new_photos:,} new photos, "
        f"{outcome.ended / elapsed_s:.1f} URLs/s{left}"
    )


def seconds_left(outcome: "CrawlOutcome", elapsed_s: float) -> float | None:
    """How long it will still take at the present rate; None = that cannot be said yet.

    With a target, until the photos are there; else until what is to be searched and fetched is done,
    of which searches may find more.
    """
    if outcome.target is not None:
        labels = {one.expression for one in outcome.planned} or outcome.have.keys()
        missing = sum(max(0, outcome.target - outcome.have.get(one, 0)) for one in labels)
        parts = [(missing, outcome.new_photos)]
    else:
        done = _searches(outcome) - outcome.searches_skipped
        to_search = outcome.searches_planned - _searches(outcome)
        parts = [(outcome.to_end - outcome.ended, outcome.ended), (to_search, done)]
    if any(left and not done for left, done in parts):
        return None
    return max(left / done * elapsed_s if left else 0.0 for left, done in parts)


def cells(outcome: "CrawlOutcome") -> str:
    """How evenly the cells are filled, in one line; '' without a plan."""
    if not outcome.planned:
        return ""
    counts = [outcome.cells[one] for one in outcome.planned]
    return f"cells: {len(counts):,}, {counts.count(0):,} still empty, the fullest has {max(counts):,} photos"


def sources(outcome: "CrawlOutcome") -> str:
    """What each source has brought, in one line."""
    parts = [
        f"{name} {one.kept:,} kept of {one.asked:,}" for name, one in outcome.by_source.items()
    ]
    return f"sources: {', '.join(parts) or 'nothing yet'}"


def slow_hosts(outcome: "CrawlOutcome", most: int = 3, least: int = 3) -> str:
    """The hosts for which most URLs wait; '' where none holds things up."""
    slow = [f"{name} {n}" for name, n in outcome.in_hand.most_common(most) if n >= least]
    return f"waiting for: {', '.join(slow)}" if slow else ""


def _searches(outcome: "CrawlOutcome") -> int:
    return outcome.searches + outcome.searches_skipped + outcome.searches_spared


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def losses(outcome: "CrawlOutcome", most: int = 8) -> str:
    """The commonest reasons for loss."""
    reasons = sorted((outcome.refused | outcome.failed).items(), key=lambda item: -item[1])
    more = f", and {len(reasons) - most} more reasons" if len(reasons) > most else ""
    return "lost: " + (", ".join(f"{word} {n:,}" for word, n in reasons[:most]) or "none") + more


def _drawing(outcome: "CrawlOutcome", started: float) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    most = outcome.target or max(outcome.have.values(), default=1) or 1
    for label, n in sorted(outcome.have.items()):
        of = f"{n:,} of {outcome.target:,}" if outcome.target else f"{n:,}"
        table.add_row(label or "unlabelled", ProgressBar(most, n, width=40), of)
    texts = (cells(outcome), sources(outcome), losses(outcome), slow_hosts(outcome))
    return Group(table, summary(outcome, started), *(one for one in texts if one))


def _every(seconds: float, show: Callable[["CrawlOutcome"], None]) -> Callable[..., None]:
    shown = 0.0

    def maybe(outcome: "CrawlOutcome") -> None:
        nonlocal shown
        if time.monotonic() - shown >= seconds:
            shown = time.monotonic()
            show(outcome)

    return maybe
