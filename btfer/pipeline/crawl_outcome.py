"""What became of every URL of one crawl or import, in numbers that must add up."""

import logging
import math
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from btfer.catalogue.journal import Fetched
from btfer.catalogue.rows import FetchTask
from btfer.errors import BtferError
from btfer.pipeline.crawl_tally import CrawlTally, host_of, shortened
from btfer.queries import Cell

LOST_SHOWN = 10
CELLS_SHOWN = 6
HOSTS_SHOWN = 3


@dataclass
class CrawlOutcome:
    """The count of one crawl, growing while it runs.

    found - known + waiting_before + retried = kept + refused + failed + waiting, where the two
    `waiting` are counted in the journal and all others as they happen.
    """

    searches: int = 0
    searches_planned: int = 0
    searches_skipped: int = 0  # asked and answered in an earlier crawl
    searches_spared: int = 0  # their cell had its share of the target
    searches_failed: list[str] = field(default_factory=list)
    searches_suspicious: list[str] = field(default_factory=list)  # asked again by the next crawl
    searches_doubtful: int = 0  # suspicious in several crawls: not asked again by themselves
    sources_left: list[str] = field(default_factory=list)  # each with the reason
    odd_records: dict[str, int] = field(default_factory=dict)  # that could not be read, by source
    found: int = 0
    known: int = 0  # of the found ones, already in the journal
    waiting_before: int = 0  # found in an earlier crawl, and not fetched then
    retried: int = 0  # lost in an earlier crawl, and asked for again in this one
    kept: int = 0
    new_photos: int = 0  # of the kept ones; the others have the bytes of another photo
    refused: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    waiting: int = 0  # for a later crawl: of other sources, or of classes that have their target
    held: dict[str, int] = field(default_factory=dict)  # of the waiting ones, those asked too soon
    come_back: dict[str, float] = field(default_factory=dict)  # in seconds, by host
    target: int | None = None
    have: dict[str, int] = field(
        default_factory=dict
    )  # photos by class; with a target, all there are
    by_source: dict[str, CrawlTally] = field(default_factory=dict)
    by_host: dict[str, CrawlTally] = field(default_factory=dict)
    cells: Counter[Cell] = field(
        default_factory=Counter
    )  # photos, those of earlier crawls included
    planned: list[Cell] = field(default_factory=list)  # that the plan asks for
    in_hand: Counter[str] = field(default_factory=Counter)  # URLs with the threads now, by host
    stopped: bool = False  # before it was done, by a signal
    what: str = "URLs"  # an import has files
    lost: list[str] = field(default_factory=list)  # files of an import, each with the reason
    notes: list[str] = field(default_factory=list)  # about the CSV of an import

    def check(self) -> None:
        """Raises BtferError unless every URL is accounted for."""
        gone = self.ended + self.waiting
        if self.to_end != gone:
            logging.getLogger("btfer").debug("does not add up: %s", self)
            # The lock of a crawl is this machine's, so that two machines can take in the same photos.
            raise BtferError(
                f"the count does not add up: {self.to_end} {self.what} came in, {gone} are accounted for. What was "
                "finished is kept. If another machine crawled or imported into this catalogue meanwhile, run the "
                "command again, on one machine at a time; else please report this, with the log of btfer --verbose"
            )

    @property
    def to_end(self) -> int:
        """URLs that this crawl has come to know or taken up so far, ended ones included."""
        return self.found - self.known + self.waiting_before + self.retried

    @property
    def ended(self) -> int:
        """URLs whose fate is known."""
        return self.kept + _sum(self.refused) + _sum(self.failed)

    def count(self, task: FetchTask, fetched: Fetched, is_new: bool, n_bytes: int = 0) -> None:
        """Add the end of one URL. n_bytes: of a new photo."""
        self.retried += task.state != "found"
        self.by_source.setdefault(task.source, CrawlTally()).count(fetched, n_bytes)
        self.by_host.setdefault(host_of(task.url), CrawlTally()).count(fetched, n_bytes)
        if fetched.state == "found":
            self.held[fetched.reason] = self.held.get(fetched.reason, 0) + 1
        elif fetched.state == "kept":
            self.kept += 1
            self.new_photos += is_new
            label = task.expression
            self.have[label] = self.have.get(label, 0) + is_new
            self.cells[task.cell] += is_new
        else:
            reasons = self.refused if fetched.state == "refused" else self.failed
            reasons[fetched.reason] = reasons.get(fetched.reason, 0) + 1

    def empty_cells(self) -> list[Cell]:
        """Cells of the plan without a photo."""
        return [one for one in self.planned if not self.cells[one]]

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        own["by_source"] = {name: asdict(one) for name, one in self.by_source.items()}
        own["by_host"] = {name: asdict(one) for name, one in self.by_host.items()}
        every = dict.fromkeys([*self.planned, *self.cells])
        own["cells"] = [one._asdict() | {"photos": self.cells[one]} for one in every]
        del own["planned"], own["in_hand"]
        return own

    def lines(self) -> list[str]:
        """The outcome as text: one line a fate, then a line a reason."""
        lines = [
            *self._search_lines(),
            *self._url_lines(),
            *self._loss_lines(),
            *self._class_lines(),
            *self.notes,
        ]
        return [shortened(one) for one in lines]

    def _search_lines(self) -> list[str]:
        failed, suspicious = self.searches_failed, self.searches_suspicious
        if not self.searches_planned + len(failed):
            return []  # an import
        spared = f", {self.searches_spared} not needed" if self.searches_spared else ""
        doubt = f", {len(suspicious)} suspicious" if suspicious else ""
        lines = [
            f"{self.searches} searches, {self.searches_skipped} done before{spared}, "
            f"{len(failed)} failed{doubt}",
            *(f"source left: {why}" for why in self.sources_left),
            *_first("search failed", failed),
            *_first("suspicious answer", suspicious),
        ]
        if suspicious:
            lines.append("  suspicious searches are asked again by the next crawl")
        if self.searches_doubtful:
            lines.append(
                f"  {self.searches_doubtful} searches had suspicious answers in several crawls; ask "
                "once more with: btfer crawl --again suspicious"
            )
        if self.odd_records:
            counts = ", ".join(f"{name} {n:,}" for name, n in sorted(self.odd_records.items()))
            lines.append(f"  odd records skipped, since they could not be read: {counts}")
        return lines

    def _url_lines(self) -> list[str]:
        fates = [
            (self.found, f"{self.what} found"),
            (self.waiting_before, "found in an earlier crawl and not fetched yet"),
            (self.retried, "lost in an earlier crawl and asked for again"),
            (-self.known, "known already"),
            (-self.kept, f"kept: {self.new_photos} new photos, "
                         f"{self.kept - self.new_photos} with the bytes of another"),
            (-_sum(self.refused), "refused"),
            (-_sum(self.failed), "failed, and may be tried again"),
            (-self.waiting, "still to be fetched by a later crawl"),
        ]  # fmt: skip
        return [f"{n:+9,d}  {text}" for n, text in fates if n or text.endswith("s found")]

    def _loss_lines(self) -> list[str]:
        lines = [
            f"  {name:8}{n:7,d}  {reason}"
            for name, reasons in (("refused", self.refused), ("failed", self.failed))
            for reason, n in sorted(reasons.items(), key=lambda item: -item[1])
        ]
        shown = self.lost[:LOST_SHOWN]
        lines += [f"    {text}" for text in shown]
        if len(self.lost) > len(shown):
            lines.append(f"    and {len(self.lost) - len(shown)} more")
        lines += [f"  {'waiting':8}{n:7,d}  {reason}" for reason, n in self.held.items()]
        if self.come_back:
            lines.append(
                f"crawl again in {_spoken(max(self.come_back.values()))}, or use --wait: {_named(self.come_back)}"
            )
        if self.failed and self.what == "files":
            lines.append(
                "put these files right, and run the same import again: it takes in the rest"
            )
        elif self.failed:
            lines.append("try again with: btfer crawl --retry failed, or --retry REASON")
        return lines

    def _class_lines(self) -> list[str]:
        if self.target is None:
            return []
        lacking = {one.expression: self.target for one in self.planned}
        missing = {label: n - self.have.get(label, 0) for label, n in sorted(lacking.items())}
        words = [f"{label} {n}" for label, n in sorted(self.have.items()) if label]
        lines = [f"photos of {self.target} wanted: {', '.join(words) or 'none'}"]
        if not self.stopped and any(n > 0 for n in missing.values()):
            short = ", ".join(f"{label} {n}" for label, n in missing.items() if n > 0)
            lines.append(f"  missing, since the plan's searches show no more: {short}")
        empty = self.empty_cells()
        if empty and self.target * len(lacking) >= len(self.planned):  # else some get none at all
            lines.append(f"  {named_cells(empty)}")
        return lines


def named_cells(empty: list[Cell], most: int = CELLS_SHOWN) -> str:
    """How many cells have no photo, and the first of them by name."""
    names = "; ".join(map(str, empty[:most]))
    more = f"; and {len(empty) - most} more" if len(empty) > most else ""
    return f"{len(empty)} cells without a photo: {names}{more}"


def _first(what: str, texts: list[str], most: int = 5) -> list[str]:
    """The first of some texts, a line each, and how many more there are."""
    more = [f"  and {len(texts) - most} more"] if len(texts) > most else []
    return [*(f"  {what}: {text}" for text in texts[:most]), *more]


def _named(hosts: dict[str, float]) -> str:
    """Hosts that must be left alone until then, in words."""
    first = sorted(hosts, key=hosts.__getitem__)[:HOSTS_SHOWN]
    more = f" and {len(hosts) - len(first)} more" if len(hosts) > len(first) else ""
    verb = "wants" if len(hosts) == 1 else "want"
    return f"{', '.join(first)}{more} {verb} to be left alone until then"


def _spoken(seconds: float) -> str:
    """A time to wait, rounded up: `3 minutes`."""
    for unit, length_s in (("hour", 3600), ("minute", 60)):
        if seconds > 1.5 * length_s:
            return f"{math.ceil(seconds / length_s)} {unit}s"
    return f"{math.ceil(seconds)} seconds"


def _sum(reasons: dict[str, int]) -> int:
    return sum(reasons.values())
