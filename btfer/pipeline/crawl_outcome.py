"""What became of every URL of one crawl or import, in numbers that must add up."""

import math
from dataclasses import dataclass, field

from btfer.catalogue.journal import Fetched
from btfer.catalogue.rows import FetchTask
from btfer.errors import BtferError

LOST_SHOWN = 10
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
    searches_spared: int = 0  # their class had its target already
    searches_failed: list[str] = field(default_factory=list)
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
    what: str = "URLs"  # an import has files
    lost: list[str] = field(default_factory=list)  # files of an import, each with the reason
    notes: list[str] = field(default_factory=list)  # about the CSV of an import

    def check(self) -> None:
        """Raises BtferError unless every URL is accounted for."""
        gone = self.ended + self.waiting
        if self.to_end != gone:
            raise BtferError(
                f"the crawl's count does not add up: {self.to_end} URLs came in, {gone} are "
                f"accounted for ({self}); please report this with the catalogue"
            )

    @property
    def to_end(self) -> int:
        """URLs that this crawl has come to know or taken up so far, ended ones included."""
        return self.found - self.known + self.waiting_before + self.retried

    @property
    def ended(self) -> int:
        """URLs whose fate is known."""
        return self.kept + _sum(self.refused) + _sum(self.failed)

    def count(self, task: FetchTask, fetched: Fetched, is_new: bool) -> None:
        """Add the end of one URL."""
        self.retried += task.state != "found"
        if fetched.state == "found":
            self.held[fetched.reason] = self.held.get(fetched.reason, 0) + 1
        elif fetched.state == "kept":
            self.kept += 1
            self.new_photos += is_new
            label = task.expression
            self.have[label] = self.have.get(label, 0) + is_new
        else:
            reasons = self.refused if fetched.state == "refused" else self.failed
            reasons[fetched.reason] = reasons.get(fetched.reason, 0) + 1

    def is_full(self, label: str) -> bool:
        """Whether a class has its target."""
        return self.target is not None and self.have.get(label, 0) >= self.target

    def lines(self) -> list[str]:
        """The outcome as text: one line a fate, then a line a reason."""
        return [
            *self._search_lines(),
            *self._url_lines(),
            *self._loss_lines(),
            *self._class_lines(),
            *self.notes,
        ]

    def _search_lines(self) -> list[str]:
        failed = self.searches_failed
        if not self.searches_planned + len(failed):
            return []  # an import
        spared = f", {self.searches_spared} not needed" if self.searches_spared else ""
        more = [f"  and {len(failed) - 5} more"] if len(failed) > 5 else []
        return [
            f"{self.searches} searches, {self.searches_skipped} done before{spared}, {len(failed)} failed",
            *(f"  search failed: {text}" for text in failed[:5]),
            *more,
        ]

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
        words = [f"{label} {n}" for label, n in sorted(self.have.items()) if label]
        return [f"photos of {self.target} wanted: {', '.join(words)}"]


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
