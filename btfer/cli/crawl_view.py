"""The crawl as one watches it: photos by class against the target, the rate, and why pictures are lost."""

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
        yield _every(LINE_EVERY_S, lambda one: output.logger.info(summary(one, started)))
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _every(DRAW_EVERY_S, lambda one: live.update(_drawing(one, started), refresh=True))


def summary(outcome: "CrawlOutcome", started: float) -> str:
    """The state of a crawl in one line. started: time.monotonic() of its begin."""
    rate = outcome.ended / max(time.monotonic() - started, 1e-9)
    done = outcome.searches + outcome.searches_skipped + outcome.searches_spared
    return (
        f"{done:,} of {outcome.searches_planned:,} searches, {outcome.ended:,} of "
        f"{outcome.to_end:,} URLs, {outcome.new_photos:,} new photos, {rate:.1f} URLs/s"
    )


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
    return Group(table, summary(outcome, started), losses(outcome))


def _every(seconds: float, show: Callable[["CrawlOutcome"], None]) -> Callable[..., None]:
    shown = 0.0

    def maybe(outcome: "CrawlOutcome") -> None:
        nonlocal shown
        if time.monotonic() - shown >= seconds:
            shown = time.monotonic()
            show(outcome)

    return maybe
