"""Crawl: search the sources with the query plan and fetch what they show.

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
from threading import Condition
from typing import Any
from urllib.parse import urlsplit

from btfer import files
from btfer.catalogue import Catalogue
from btfer.catalogue.rows import FetchTask
from btfer.engine import one_by_one
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.images import describe_photo
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.crawl_writer import PAGE, WRITERS, Writer
from btfer.queries import Query, QueryPlan
from btfer.settings import Settings
from btfer.sources import SOURCES, open_source
from btfer.sources.download import DownloadResult, PhotoDownloader, end_threads
from btfer.sources.hosts import CrawlStopped
from btfer.sources.search import Source
from btfer.sources.searcher import QueryDone, ResultPage, Searcher, SearchesEnded
from btfer.sources.web import Manners, Web

ENOUGH_IN_HAND = 5_000  # URLs of one source waiting to be fetched: then its searches pause
MAX_IN_HAND = 20_000  # what the threads may choose from, so that slow hosts do not hold up others
MAX_BATCH = 32  # arrivals written in one transaction
GATHER_S = 0.1
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
        writer = Writer(cat, settings, pool, target_per_class)
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


class _Crawl:
    """A crawl under way: a thread for each source searches, many fetch, and this one writes."""

    def __init__(
        self, writer: Writer, sources: Sequence[Source], web: Web, watch: Watch, **pending: Any
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


def _silent(outcome: CrawlOutcome) -> None:
    """Progress that nobody watches."""


def _ours(sources: Iterable[Source]) -> frozenset[str]:
    return frozenset(urlsplit(one.base_url).hostname or "" for one in sources if one.is_ours)
