"""Crawl: search the sources with the query plan and fetch what they show; or take photos in from disk.

Searching and fetching run side by side in threads that write nothing. Everything they bring comes
out of one queue, and what a search finds is in the journal before it is fetched: so a crawl that
was stopped, or killed, goes on where it was.
"""

import queue
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Condition
from typing import Any
from urllib.parse import urlsplit

from btfer import files, licences, paths
from btfer.catalogue import Catalogue, journal, photos, withdrawals
from btfer.catalogue.forgotten_hashes import ForgottenHashes
from btfer.catalogue.journal import Fetched, Sighting
from btfer.catalogue.rows import FetchTask
from btfer.engine import map_unordered, one_by_one
from btfer.errors import NetworkError, UsageError
from btfer.expressions import parse_expression
from btfer.images import Intake, describe_photo
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.progress import SILENT, Progress
from btfer.queries import Query, QueryPlan
from btfer.settings import Settings
from btfer.sources import SOURCES, open_source
from btfer.sources import folder as on_disk
from btfer.sources.download import DownloadResult, PhotoDownloader, end_threads
from btfer.sources.hosts import CrawlStopped
from btfer.sources.search import Source
from btfer.sources.searcher import QueryDone, ResultPage, Searcher, SearchesEnded
from btfer.sources.web import Manners, Web

DUPLICATE = "duplicate bytes"
WITHDRAWN = "withdrawn"
ENOUGH_IN_HAND = 5_000  # URLs of one source waiting to be fetched: then its searches pause
MAX_IN_HAND = 20_000  # what the threads may choose from, so that slow hosts do not hold up others
PAGE = 1_000
MAX_BATCH = 32  # arrivals written in one transaction
GATHER_S = 0.1
WRITERS = 16  # photos written at a time: each waits for the disk
Watch = Callable[[CrawlOutcome], None]


def chosen_queries(plan: QueryPlan, classes: Collection[str], limit: int | None) -> list[Query]:
    """The plan's queries of some classes (none named = all), at most `limit` of them."""
    labels = {parse_expression(name) for name in classes}
    queries = [one for one in plan.queries if not labels or one.expression in labels]
    return queries[:limit]


def run(
    cat: Catalogue,
    settings: Settings,
    sources: Sequence[str | Source],
    plan: QueryPlan,
    *,
    per_query: int = 100,
    target_per_class: int | None = None,
    limit: int | None = None,
    retry: Sequence[str] = (),
    classes: Sequence[str] = (),
    web: Web | None = None,
    threads: int = 32,
    watch: Watch | None = None,
) -> CrawlOutcome:
    """Search and fetch; what an earlier crawl has done is not done again.

    sources: names, or Sources at another address. target_per_class: photos of a class, old ones
    included, after which no more of it are searched or fetched. limit: at most so many queries of
    the plan. retry: `failed`, or reasons of lost URLs, to be tried again. web: with manners of its
    own. watch: called with the growing outcome. Raises UsageError, Busy, and NetworkError when no
    search at all succeeded.
    """
    for name, value in (("--per-query", per_query), ("--target-per-class", target_per_class)):
        if value is not None and value < 1:
            raise UsageError(f"{name} must be 1 or more, got {value}")
    if not sources:
        raise UsageError(f"name a source with --source: {', '.join(SOURCES)}")
    queries = chosen_queries(plan, classes, limit)
    labels = {parse_expression(name) for name in classes}
    with files.only_one(settings.data_dir, "crawl"), ExitStack() as stack:
        opened = [stack.enter_context(open_source(one, settings)) for one in dict.fromkeys(sources)]
        web = web or Web(Manners.of(settings, trusted_hosts=_ours(opened)))
        pool = stack.enter_context(ThreadPoolExecutor(WRITERS))
        writer = _Writer(cat, settings, pool, target_per_class)
        wanted = {"classes": labels, "retry": retry_reasons(retry)}
        engine = one_by_one(settings.engine, settings.workers, warm_up=(describe_photo, b""))
        decode = stack.enter_context(engine)
        crawl = _Crawl(writer, opened, web, watch or _silent, **wanted)
        crawl.go(queries, per_query, threads, decode)
        return writer.settled()


def retry_reasons(words: Iterable[str]) -> list[str]:
    """Reasons as the journal has them: `timeout,429` is `timeout` and `http 429`."""
    split = [word.strip() for text in words for word in text.split(",")]
    return [f"http {word}" if word.isdecimal() else word for word in split if word]


def import_folder(
    cat: Catalogue,
    settings: Settings,
    folder: Path,
    labels_csv: Path | None = None,
    progress: Progress = SILENT,
) -> CrawlOutcome:
    """Take in every photo below a folder; the originals are copied and left alone.

    Files that failed before are tried again; what a CSV states of rights replaces what an earlier one
    stated. Raises UsageError for a folder or a CSV that cannot be right, before anything is taken in.
    """
    listed = on_disk.list_folder(folder, labels_csv, settings.data_dir)
    root = folder.resolve()
    paths = {journal.url_id(one.sighting.url): one.path for one in listed}
    with files.only_one(settings.data_dir, "crawl"), ThreadPoolExecutor(WRITERS) as pool:
        writer = _Writer(cat, settings, pool)
        writer.outcome.what = "files"
        writer.outcome.notes += listed.notes
        stated = [one.sighting for one in listed if one.states_rights]
        if stated and (n := journal.restate(cat, stated)):
            writer.outcome.notes.append(
                f"{n} files were imported before with other rights: what the CSV states holds now"
            )
        for asked, seen in on_disk.by_label(listed).items():
            writer.write_down(asked, seen)
        tasks = [one for one in _pending_files(writer) if one.id in paths]
        taken = {paths[one.id]: one for one in writer.admit(tasks, rule="any")}
        workers: dict[str, Any] = {"engine": settings.engine, "workers": settings.workers}
        results = map_unordered(on_disk.read_file, taken, **workers)
        for number, (path, data, result) in enumerate(results, start=1):
            intake = result if isinstance(result, Intake) else None
            fetched = result if isinstance(result, Fetched) else Fetched("kept")
            writer.finish([DownloadResult(taken[path], fetched, data, intake)])
            if fetched.state != "kept":
                writer.outcome.lost.append(f"{path.relative_to(root)}: {fetched.reason}")
            progress.update("import", number, len(taken))
        return writer.settled()


class _Crawl:
    """A crawl under way: a thread for each source searches, many fetch, and this one writes."""

    def __init__(
        self, writer: "_Writer", sources: Sequence[Source], web: Web, watch: Watch, **pending: Any
    ) -> None:
        self._writer = writer
        self._web = web
        self._watch = watch
        self._sources = {one.name: one for one in sources}
        self._pending = pending  # which URLs of the journal are wanted: classes, retry
        self._events: queue.Queue[Any] = queue.Queue(MAX_BATCH)  # bounds the memory
        self._room = Condition()
        self._in_hand: Counter[str] = Counter()
        self._cursor = dict.fromkeys(self._sources, 0)
        self._dry: set[str] = set()
        self._searching = len(sources)

    def go(
        self, queries: Sequence[Query], per_query: int, threads: int, run: Callable[..., Any]
    ) -> None:
        """Run to the end; however it is left, the threads end. run: where photos are decoded."""
        downloader = PhotoDownloader(self._web, self._events, threads, run)
        searchers = [self._searcher(one, queries, per_query) for one in self._sources.values()]
        try:
            downloader.start()
            for searcher in searchers:
                searcher.start()
            while self._hand_out(downloader) or self._searching:
                self._take(self._next_events(), per_query)
                self._drop_full(downloader)
                self._watch(self._writer.outcome)
        finally:
            downloader.close()
            self._web.stop()
            with self._room:
                self._room.notify_all()
            end_threads([*downloader.workers, *searchers], self._events)

    def _searcher(self, source: Source, queries: Sequence[Query], per_query: int) -> Searcher:
        to_ask = self._writer.not_answered(source, queries, per_query)
        return Searcher(source, to_ask, self._web, per_query, self._events, self._wanted)

    def _wanted(self, source: Source, asked: Query) -> bool:
        """Called by the searchers: waits while there is enough to fetch. Raises Stopped."""
        with self._room:
            while self._in_hand[source.name] >= ENOUGH_IN_HAND and not self._web.gate.stopped:
                self._room.wait()
        if self._web.gate.stopped:
            raise CrawlStopped
        return not self._writer.outcome.is_full(asked.expression)

    def _hand_out(self, downloader: PhotoDownloader) -> int:
        """Give the threads what the journal has for them; how many URLs they have in hand."""
        for name in self._sources:
            while name not in self._dry and self._in_hand[name] < MAX_IN_HAND:
                page = self._writer.pending(
                    name, among=self._sources, after=self._cursor[name], **self._pending
                )
                if len(page) < PAGE:
                    self._dry.add(name)
                if page:
                    self._cursor[name] = page[-1].sighting
                tasks = self._writer.admit(page)
                self._in_hand[name] += len(tasks)
                downloader.add(tasks)
        return self._in_hand.total()

    def _next_events(self) -> list[Any]:
        """What came, gathered for a moment: a transaction costs nearly the same for one as for many."""
        events = [self._events.get()]
        deadline = time.monotonic() + GATHER_S
        while len(events) < MAX_BATCH and not isinstance(
            events[-1], ResultPage
        ):  # which threads await
            try:
                events.append(self._events.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        return events

    def _take(self, events: list[Any], per_query: int) -> None:
        arrivals = [one for one in events if isinstance(one, DownloadResult)]
        self._writer.finish(arrivals)
        self._off_hand(one.task for one in arrivals)
        for event in events:
            if isinstance(event, Exception):
                raise event
            if isinstance(event, ResultPage):
                self._writer.write_down(event.query, event.sightings)
                self._dry.discard(event.source.name)
            if isinstance(event, QueryDone):
                self._writer.searched(event, per_query)
            if isinstance(event, SearchesEnded):
                self._searching -= 1
                self._writer.outcome.searches_failed += [event.why] if event.why else []

    def _off_hand(self, tasks: Iterable[FetchTask]) -> None:
        with self._room:
            self._in_hand.subtract(task.source for task in tasks)
            self._room.notify_all()

    def _drop_full(self, downloader: PhotoDownloader) -> None:
        """Take back what has become needless; it stays in the journal."""
        outcome = self._writer.outcome
        if outcome.target is not None:
            self._off_hand(downloader.in_queue.drop(lambda one: outcome.is_full(one.expression)))


class _Writer:
    """The only writer of a crawl or an import, and the count of every URL's end."""

    def __init__(
        self,
        cat: Catalogue,
        settings: Settings,
        pool: ThreadPoolExecutor,
        target: int | None = None,
    ) -> None:
        self._cat = cat
        self._settings = settings
        self._pool = pool
        self._forgotten = ForgottenHashes(cat)
        for folder in paths.crawl_folders(settings.data_dir):
            files.remove_parts(folder)
        self.outcome = CrawlOutcome(
            waiting_before=journal.count_waiting(cat),
            target=target,
            have={} if target is None else photos.count_by_class(cat),
        )

    def not_answered(self, source: Source, queries: Sequence[Query], per_query: int) -> list[Query]:
        """The queries that a source has not answered in full before."""
        done = journal.searched(self._cat, source.name)
        to_ask = [one for one in queries if done.get(one.id, 0) < per_query]
        self.outcome.searches_planned += len(queries)
        self.outcome.searches_skipped += len(queries) - len(to_ask)
        return to_ask

    def write_down(self, asked: Query, seen: Sequence[Sighting]) -> None:
        """Put sightings in the journal."""
        new, known = journal.add_found(self._cat, asked, seen)
        self.outcome.found += new + known
        self.outcome.known += known

    def searched(self, event: QueryDone, per_query: int) -> None:
        """Write down that a search has ended; a failure is never an empty success."""
        source, asked, found = event.source.name, event.query, event.found
        if found is None:
            self.outcome.searches_spared += 1
            return
        self.outcome.searches += 1
        self.write_down(asked, [])  # the query, where nothing was shown
        if found.failure:
            self.outcome.searches_failed.append(f"{source} '{asked.phrase}': {found.failure}")
        else:
            n = len(found.sightings)
            journal.add_search(self._cat, asked, source, per_query=per_query, found=n)

    def pending(self, source: str, **which: Any) -> list[FetchTask]:
        """A page of what a source showed and is still to be fetched."""
        return journal.pending(self._cat, source, limit=PAGE, **which)

    def admit(self, waiting: Sequence[FetchTask], rule: str = "") -> list[FetchTask]:
        """Those that may be fetched and are needed; what may never be is refused here."""
        allowed = licences.RULES[rule or self._settings.licences]
        addresses = [address for one in waiting for address in (one.url, one.page_url)]
        gone = withdrawals.among(self._cat, addresses)
        tasks, refused = [], []
        for one in waiting:
            if gone & {one.url, one.page_url}:
                refused.append(DownloadResult(one, Fetched("refused", WITHDRAWN, attempts=0)))
            elif not allowed(licences.terms(one.licence, one.licence_url)):
                refused.append(DownloadResult(one, Fetched("refused", "licence", attempts=0)))
            elif not self.outcome.is_full(one.expression):
                tasks.append(one)
        self.finish(refused)
        return tasks

    def finish(self, arrivals: Sequence[DownloadResult]) -> None:
        """Write the files, then the rows: a row means that the files are there."""
        hashes = {one.intake.sha256 for one in arrivals if one.intake}
        known = photos.known(self._cat, hashes)
        addresses = {one.fetched.final_url for one in arrivals}
        gone = withdrawals.among(self._cat, hashes | addresses) | self._copies(arrivals, known)
        ends = [_end(one, known, gone) for one in arrivals]
        self._write_photos(
            (one.data, intake)
            for one, (_, fetched, intake) in zip(arrivals, ends, strict=True)
            if intake and fetched.reason != DUPLICATE
        )
        new = journal.finish(self._cat, ends)
        for one, (_, fetched, _) in zip(arrivals, ends, strict=True):
            is_new = fetched.photo in new and fetched.reason != DUPLICATE
            self.outcome.count(one.task, fetched, is_new)

    def _copies(self, arrivals: Sequence[DownloadResult], known: Collection[str]) -> set[str]:
        """Photos that look like one that was forgotten: re-encoded, resized or mirrored."""
        new = [one.intake for one in arrivals if one.intake and one.intake.sha256 not in known]
        return self._forgotten.among({one.sha256: (one.phash, one.mirror_phash) for one in new})

    def _write_photos(self, new: Iterable[tuple[bytes, Intake]]) -> None:
        """Photos and thumbnails, several at a time: each waits for the disk."""
        folder = self._settings.data_dir
        for written in [self._pool.submit(_write_photo, folder, *one) for one in new]:
            written.result()

    def settled(self) -> CrawlOutcome:
        """The outcome, every URL accounted for. Raises NetworkError if there was nothing but failed searches."""
        outcome = self.outcome
        outcome.waiting = journal.count_waiting(self._cat)
        outcome.check()
        if outcome.searches_failed and not outcome.found and not outcome.ended:
            raise NetworkError(
                f"no search brought anything; the first that failed: {outcome.searches_failed[0]}. "
                "Check the network (btfer crawl doctor) and run again, or choose other sources "
                "with --source"
            )
        return outcome


def _silent(outcome: CrawlOutcome) -> None:
    """Progress that nobody watches."""


def _ours(sources: Iterable[Source]) -> frozenset[str]:
    return frozenset(urlsplit(one.base_url).hostname or "" for one in sources if one.is_ours)


def _pending_files(writer: _Writer) -> Iterable[FetchTask]:
    """All files that were listed and not taken in, or that failed before."""
    after = 0
    while page := writer.pending(on_disk.NAME, after=after, retry=["failed"]):
        yield from page
        after = page[-1].sighting


def _write_photo(data_dir: Path, data: bytes, intake: Intake) -> None:
    files.write_atomic(paths.photo_path(data_dir, intake.sha256, intake.format), data)
    files.write_atomic(paths.thumbnail_path(data_dir, intake.sha256), intake.thumbnail)


def _end(
    one: DownloadResult, known: set[str], gone: set[str]
) -> tuple[str, Fetched, Intake | None]:
    """What to write down for an arrival. known: photos that are there already, to which its own is added."""
    intake, fetched = one.intake, one.fetched
    if intake is None:
        return one.task.id, fetched, None
    if gone & {intake.sha256, fetched.final_url}:
        return one.task.id, replace(fetched, state="refused", reason=WITHDRAWN), None
    reason = DUPLICATE if intake.sha256 in known else ""
    known.add(intake.sha256)
    return one.task.id, replace(fetched, reason=reason, photo=intake.sha256), intake
