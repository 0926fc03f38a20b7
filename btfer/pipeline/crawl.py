"""Crawl: search the sources with the query plan, then fetch what they showed; or take photos in from disk.

Two steps with the journal between them. A search writes down every URL at once; the fetch works
off what the journal says is still to be had. So nothing is lost between them, and a crawl that was
stopped, or killed, goes on where it was.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from btfer import files, layout
from btfer.catalogue import Catalogue, journal, photos
from btfer.catalogue.journal import Fetched, Sighting
from btfer.catalogue.store import Row
from btfer.engine import map_unordered
from btfer.errors import NetworkError, UsageError
from btfer.expressions import parse_expression
from btfer.images import Intake
from btfer.queries import Plan, Query
from btfer.settings import Settings
from btfer.sources import SOURCES, open_source
from btfer.sources import folder as on_disk
from btfer.sources.download import PhotoDownloader
from btfer.sources.losses import NotFetched
from btfer.sources.search import Found, Source, search
from btfer.sources.web import Manners, Web

DUPLICATE = "duplicate bytes"
GIVE_UP_AFTER = 5  # failed searches in a row: the source is down, or does not want us
Progress = Callable[[str, int, int], None]


# ---- rules ----


@dataclass
class CrawlOutcome:
    """Every URL of one crawl: found + resumed = known + kept + refused + failed."""

    searches: int = 0
    searches_skipped: int = 0  # asked and answered in an earlier crawl
    searches_failed: list[str] = field(default_factory=list)
    found: int = 0
    known: int = 0  # of the found ones, already in the journal
    resumed: int = 0  # found in an earlier crawl and fetched, or tried again, in this one
    kept: int = 0
    new_photos: int = 0  # of the kept ones; the others have the bytes of another photo
    refused: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def is_balanced(self) -> bool:
        """Whether every URL is accounted for."""
        lost = sum(self.refused.values()) + sum(self.failed.values())
        balanced = self.found + self.resumed == self.known + self.kept + lost
        return balanced and self.resumed >= 0

    def lines(self) -> list[str]:
        """The outcome as text: one line a fate, reasons with their counts."""
        texts = [
            *self._search_lines(),
            f"{self.found + self.resumed} URLs: {self.found} found, {self.resumed} from before",
            f"  {self.known} known already",
            f"  {self.kept} kept: {self.new_photos} new photos, "
            f"{self.kept - self.new_photos} with the bytes of another",
        ]
        for name, reasons in (("refused", self.refused), ("failed", self.failed)):
            words = ", ".join(f"{word} {n}" for word, n in sorted(reasons.items()))
            texts.append(f"  {sum(reasons.values())} {name}" + (f": {words}" if words else ""))
        if self.failed:
            texts.append("failed URLs can be tried again: --retry failed, or --retry REASON")
        return texts

    def _search_lines(self) -> list[str]:
        if not self.searches + self.searches_skipped:
            return []  # an import
        failed = self.searches_failed
        more = [f"  and {len(failed) - 5} more"] if len(failed) > 5 else []
        return [
            f"{self.searches} searches, {self.searches_skipped} done before, {len(failed)} failed",
            *(f"  search failed: {text}" for text in failed[:5]),
            *more,
        ]

    def count(self, fetched: Fetched, is_new: bool) -> None:
        """Add the end of one URL."""
        if fetched.state == "kept":
            self.kept += 1
            self.new_photos += is_new
        else:
            reasons = self.refused if fetched.state == "refused" else self.failed
            reasons[fetched.reason] = reasons.get(fetched.reason, 0) + 1


def chosen_queries(plan: Plan, classes: Sequence[str], limit: int | None) -> list[Query]:
    """The plan's queries of some classes (none named = all), at most `limit` of them."""
    labels = {parse_expression(name) for name in classes}
    queries = [one for one in plan.queries if not labels or one.expression in labels]
    return queries[:limit]


# ---- the stage ----


def run(
    cat: Catalogue,
    settings: Settings,
    sources: Sequence[str | Source],
    plan: Plan,
    *,
    per_query: int = 100,
    limit: int | None = None,
    retry: Sequence[str] = (),
    classes: Sequence[str] = (),
    web: Web | None = None,
    threads: int = 16,
    on_progress: Progress | None = None,
) -> CrawlOutcome:
    """Search and fetch; what an earlier crawl has done is not done again.

    sources: names, or Sources at another address. limit: at most so many queries of the plan.
    retry: `failed`, or reasons of failed URLs, to be tried again. web: with manners of its own.
    Raises UsageError, Busy, and NetworkError when a source's first search reaches nobody, or when
    no search at all succeeded.
    """
    if per_query < 1:
        raise UsageError(f"--per-query must be 1 or more, got {per_query}")
    if not sources:
        raise UsageError(f"name a source with --source: {', '.join(SOURCES)}")
    queries = chosen_queries(plan, classes, limit)
    stage = _Stage(cat, settings, on_progress or _silent)
    with files.only_one(settings.data_dir, "crawl"), ExitStack() as stack:
        opened = [stack.enter_context(open_source(one)) for one in dict.fromkeys(sources)]
        _check_contact(opened, settings)
        web = web or Web(Manners.of(settings, trusted_hosts=_ours(opened)))
        for source in opened:
            stage.search_all(source, queries, web, per_query)
        rows = _pending(cat, opened, classes, retry)
        stage.fetch_all(web, rows, threads)
    return stage.settled()


def import_folder(
    cat: Catalogue,
    settings: Settings,
    folder: Path,
    labels_csv: Path | None = None,
    on_progress: Progress | None = None,
) -> CrawlOutcome:
    """Take in every photo below a folder; the originals are copied and left alone.

    Files that failed before are tried again. Raises UsageError for a folder or a CSV that cannot be
    right, before anything is taken in.
    """
    listed = on_disk.list_folder(folder, labels_csv)
    ids = {journal.url_id(one.sighting.url): one.path for one in listed}
    stage = _Stage(cat, settings, on_progress or _silent)
    with files.only_one(settings.data_dir, "crawl"):
        for asked, seen in on_disk.by_label(listed).items():
            stage.write_down(asked, seen)
        rows = _pending_of(cat, ids)
        stage.take_all({path: key for key, path in ids.items() if key in rows})
    return stage.settled()


class _Stage:
    """One crawl under way: the only writer, and the count of every URL's end."""

    def __init__(self, cat: Catalogue, settings: Settings, say: Progress) -> None:
        self._cat = cat
        self._settings = settings
        self._say = say
        self.outcome = CrawlOutcome()

    def search_all(
        self, source: Source, queries: Sequence[Query], web: Web, per_query: int
    ) -> None:
        """Ask a source every query that it has not answered in full before."""
        done = journal.searched(self._cat, source.name)
        failed_in_a_row, answered = 0, False
        for number, asked in enumerate(queries, start=1):
            if done.get(asked.id, 0) >= per_query:
                self.outcome.searches_skipped += 1
            else:
                found = search(source, asked, web, per_query)
                self.write_down(asked, found.sightings)
                if found.failure is None:
                    journal.add_search(
                        self._cat,
                        asked,
                        source.name,
                        per_query=per_query,
                        found=len(found.sightings),
                    )
                self._count_search(source, asked, found, answered)
                answered |= found.failure is None
                failed_in_a_row = failed_in_a_row + 1 if found.failure else 0
            self._say(f"search {source.name}", number, len(queries))
            if failed_in_a_row == GIVE_UP_AFTER:
                text = f"{source.name}: {GIVE_UP_AFTER} searches in a row failed, the rest was left"
                self.outcome.searches_failed.append(text)
                return

    def write_down(self, asked: Query, seen: Sequence[Sighting]) -> None:
        """Put sightings in the journal."""
        new, known = journal.add_found(self._cat, asked, seen)
        self.outcome.found += new + known
        self.outcome.known += known

    def fetch_all(self, web: Web, rows: Sequence[Row], threads: int) -> None:
        """Fetch URLs in threads."""
        self._count_queue(len(rows))
        downloader = PhotoDownloader(web, rows, threads=max(1, min(threads, len(rows))))
        with closing(downloader.arrivals()) as arrivals:
            for number, one in enumerate(arrivals, start=1):
                self._finish(one.task["id"], one.fetched, one.data, one.intake)
                self._say("fetch", number, len(rows))

    def take_all(self, ids: dict[Path, str]) -> None:
        """Read files, with their journal ids, in worker processes."""
        self._count_queue(len(ids))
        engine, workers = self._settings.engine, self._settings.workers
        taken = map_unordered(on_disk.read_file, ids, engine=engine, workers=workers)
        for number, (path, data, result) in enumerate(taken, start=1):
            intake = result if isinstance(result, Intake) else None
            fetched = result if isinstance(result, Fetched) else Fetched("kept")
            self._finish(ids[path], fetched, data, intake)
            self._say("import", number, len(ids))

    def settled(self) -> CrawlOutcome:
        """The outcome, once every URL is accounted for. Raises NetworkError if no search succeeded."""
        outcome = self.outcome
        assert outcome.is_balanced(), outcome
        if outcome.searches and not outcome.found and outcome.searches_failed:
            first = outcome.searches_failed[0]
            raise NetworkError(f"no search brought anything, and some failed; the first: {first}")
        return outcome

    def _count_queue(self, n: int) -> None:
        """What is to be fetched and was not found for the first time in this crawl is from before."""
        self.outcome.resumed = n - (self.outcome.found - self.outcome.known)

    def _count_search(self, source: Source, asked: Query, found: Found, answered: bool) -> None:
        """Count a search; a failure is never an empty success."""
        self.outcome.searches += 1
        failure = found.failure
        if isinstance(failure, NotFetched) and failure.status is None and not answered:
            raise NetworkError(
                f"{source.name} cannot be reached ({failure}): check the network and run again, "
                "or choose other sources with --source"
            ) from failure
        if failure:
            self.outcome.searches_failed.append(f"{source.name} '{asked.phrase}': {failure}")

    def _finish(self, fetch_id: str, fetched: Fetched, data: bytes, intake: Intake | None) -> None:
        """Write the files, then the row: a row means that the files are there."""
        if intake is not None:
            reason = DUPLICATE if photos.has(self._cat, intake.sha256) else ""
            fetched = replace(fetched, reason=reason, photo=intake.sha256)
            if not reason:
                _write_photo(self._settings.data_dir, data, intake)
        self.outcome.count(fetched, journal.finish(self._cat, fetch_id, fetched, intake))


def _silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def _check_contact(sources: Iterable[Source], settings: Settings) -> None:
    for source in sources:
        if source.needs_contact and not settings.contact:
            raise UsageError(
                f"{source.name} asks every crawler for a contact: set BTFER_CONTACT, or contact in "
                f"btfer.toml, to your e-mail or page; or choose other sources with --source"
            )


def _ours(sources: Iterable[Source]) -> frozenset[str]:
    return frozenset(urlsplit(one.base_url).hostname or "" for one in sources if one.is_ours)


def _pending(
    cat: Catalogue, sources: Iterable[Source], classes: Sequence[str], retry: Sequence[str]
) -> list[Row]:
    labels = {parse_expression(name) for name in classes}
    rows = journal.pending(cat, [one.name for one in sources], retry=retry)
    return [row for row in rows if not labels or row["expression"] in labels]


def _pending_of(cat: Catalogue, ids: Iterable[str]) -> set[str]:
    rows = journal.pending(cat, [on_disk.NAME], retry=["failed"])
    return {row["id"] for row in rows} & set(ids)


def _write_photo(data_dir: Path, data: bytes, intake: Intake) -> None:
    files.write_atomic(layout.photo_path(data_dir, intake.sha256, intake.format), data)
    files.write_atomic(layout.thumbnail_path(data_dir, intake.sha256), intake.thumbnail)
