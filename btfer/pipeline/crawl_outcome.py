"""What became of every URL of one crawl or import, in numbers that must add up."""

from dataclasses import dataclass, field

from btfer.catalogue.journal import Fetched
from btfer.catalogue.rows import FetchTask
from btfer.errors import BtferError

LOST_SHOWN = 10


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
        if fetched.state == "kept":
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


def _first(what: str, texts: list[str], most: int = 5) -> list[str]:
    """The first of some texts, a line each, and how many more there are."""
    more = [f"  and {len(texts) - most} more"] if len(texts) > most else []
    return [*(f"  {what}: {text}" for text in texts[:most]), *more]


def _sum(reasons: dict[str, int]) -> int:
    return sum(reasons.values())
