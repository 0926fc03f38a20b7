"""The end of a crawl or an import, whether it was done or stopped by a signal."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

import typer

from btfer.cli import output
from btfer.errors import BtferError

if TYPE_CHECKING:
    from btfer.pipeline.crawl_outcome import CrawlOutcome

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Stop:
    """Whether a signal has asked to stop, and which."""

    event: Event = field(default_factory=Event)
    signal: int = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The first signal ends the crawl in order; a second one ends it at once."""
        if self.event.is_set():
            raise KeyboardInterrupt
        self.signal = number
        self.event.set()
        name = signal.Signals(number).name
        output.logger.warning("%s: finishing what has come; once more ends at once", name)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """SIGINT, SIGTERM and SIGHUP set `event` as long as this lasts."""
    stop = Stop()
    heard = [one for one in SIGNALS if signal.getsignal(one) != signal.SIG_IGN]  # as nohup sets it
    before = {one: signal.signal(one, stop) for one in heard}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def show(outcome: "CrawlOutcome", as_json: bool, stopped_by: int = 0) -> None:
    """Print what became of every URL. Raises Exit with the code of the signal where one has stopped the crawl.

    Raises BtferError where sources were left before all of their queries were asked.
    """
    if as_json:
        print(json.dumps(outcome.facts(), indent=2))
    else:
        print(output.plain("\n".join(outcome.lines())))
        _tables(outcome)
        if outcome.new_photos and not outcome.stopped:
            print("next: btfer dedup, which looks for copies; then btfer app, to judge the photos")
    if outcome.stopped:
        raise typer.Exit(128 + stopped_by)
    if outcome.sources_left:
        raise BtferError(f"{len(outcome.sources_left)} of the sources were left: see above")


def _tables(outcome: "CrawlOutcome") -> None:
    """What was asked of each source and of the busiest hosts; an import has neither."""
    from btfer.pipeline.crawl_tally import COLUMNS, SHOWN, table

    if outcome.what != "URLs" or not outcome.by_source:
        return
    print()
    output.table(["source", *COLUMNS], table(outcome.by_source))
    print()
    output.table(["host", *COLUMNS], table(outcome.by_host, most=SHOWN))
