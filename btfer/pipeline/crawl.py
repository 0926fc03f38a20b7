"""Crawl: search the sources with the query plan and fetch what they show.

Searching and fetching run side by side in threads that write nothing. Everything they bring comes
out of one queue, and what a search finds is in the journal before it is fetched: so a crawl that
was stopped, or killed, goes on where it was.
"""

import difflib
import math
import queue
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from threading import Condition, Event
from typing import Any
from urllib.parse import urlsplit

from btfer.catalogue import Catalogue, photos
from btfer.catalogue.journal import SUSPICIOUS
from btfer.catalogue.rows import FetchTask
from btfer.catalogue.stage_lock import only_one
from btfer.engine import Engine, one_by_one
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.images import CRASHED, describe_photo
from btfer.pipeline.crawl_backlog import Backlog
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.crawl_shares import Shares
from btfer.pipeline.crawl_writer import PAGE, WRITERS, Writer
from btfer.queries import Query, QueryPlan
from btfer.settings import Settings
from btfer.sources import SOURCES, open_source, that_state_licences
from btfer.sources.download import DownloadResult, PhotoDownloader, end_threads
from btfer.sources.hosts import CrawlStopped
from btfer.sources.search import Source
from btfer.sources.searcher import QueryDone, ResultPage, Searcher, SearchesEnded
from btfer.sources.web import Manners, Web

ENOUGH_IN_HAND = 5_000  # URLs of one source waiting to be fetched: then its searches pause
MAX_IN_HAND = 20_000  # what the threads may choose from, so that slow hosts do not hold up others
MAX_BATCH = 32  # arrivals written in one transaction
GATHER_S = 0.1
IDLE_S = 0.5  # without an event; then it is looked whether to stop
HOLDS_CHANGE_S = 1.0
STAY_S = 6 * 3600.0  # the longest that --wait stays for one host
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
    again: Sequence[str] = (),
    classes: Sequence[str] = (),
    wait: bool = False,
    web: Web | None = None,
    threads: int = 32,
    watch: Watch | None = None,
    stop: Event | None = None,
) -> CrawlOutcome:
    """Search and fetch; what an earlier crawl has done is not done again.

    sources: names, or Sources at another address. target_per_class: photos of a class, old ones
    included, dealt out evenly over its cells (groups of people and languages): a cell that has its
    share is neither searched nor fetched, and what one cannot give the others give at the end.
    limit: at most so many queries of the plan. retry: `failed`, or reasons of lost URLs, to be tried
    again. again: phrases of the plan to be searched once more, or `suspicious` for all whose answers
    were so. wait: stay until hosts that want to be left alone may be asked again. web: with manners
    of its own. watch: called with the growing outcome. stop: set, it ends the crawl as soon as what
    has come is written; the outcome is the same, with `stopped`. Raises UsageError, Busy, and
    NetworkError when no search at all succeeded.
    """
    for name, value in (("--per-query", per_query), ("--target-per-class", target_per_class)):
        if value is not None and value < 1:
            raise UsageError(f"{name} must be 1 or more, got {value}")
    if not sources:
        raise UsageError(f"name a source with --source: {', '.join(SOURCES)}")
    queries = chosen_queries(plan, classes, limit)
    labels = {parse_expression(name) for name in classes}
    once_more = _known_phrases(plan, again)
    if unknown := sorted(plan.additions.keys() - SOURCES.keys()):
        raise UsageError(
            f"sources.toml of the plan: unknown source '{unknown[0]}'; choose one of {', '.join(SOURCES)}"
        )
    with only_one(cat, settings.data_dir, "crawl"), ExitStack() as stack:
        opened = [stack.enter_context(open_source(one, settings)) for one in dict.fromkeys(sources)]
        opened, left_out = that_state_licences(opened, settings.licences)
        web = web or Web(Manners.of(settings, trusted_hosts=_ours(opened)))
        pool = stack.enter_context(ThreadPoolExecutor(WRITERS))
        have = photos.count_by_cell(cat)
        shares = Shares(target_per_class, have, (one.cell for one in queries))
        writer = Writer(cat, settings, pool, _begun(shares))
        writer.outcome.notes += [
            f"{name} was not searched: it states no licence (--licences {settings.licences})"
            for name in left_out
        ]
        wanted = {"classes": labels, "retry": retry_reasons(retry)}
        engine = one_by_one(
            Engine.of(settings), died=lambda _: CRASHED, warm_up=(describe_photo, b"")
        )
        decode = stack.enter_context(engine)
        opened = [_with_additions(one, plan) for one in opened]
        backlog = Backlog(shares, threads)
        patience_s = STAY_S if wait else web.manners.max_wait_s
        crawl = _Crawl(writer, opened, web, backlog, watch or _silent, patience_s, **wanted)
        images_of = partial(plan.images_of, per_query=per_query)
        crawl.go(queries, images_of, decode, once_more, stop or Event())
        return writer.settled()


def _begun(shares: Shares) -> CrawlOutcome:
    """The outcome before anything has come; it counts in the same cells as the shares."""
    have: dict[str, int] = {}
    for cell, n in shares.have.items() if shares.target else ():
        label = cell.expression or photos.UNLABELLED
        have[label] = have.get(label, 0) + n
    return CrawlOutcome(target=shares.target, have=have, cells=shares.have, planned=shares.planned)


def _with_additions(source: Source, plan: QueryPlan) -> Source:
    """The source with the words that the plan adds to its searches."""
    return replace(source, additions=plan.additions.get(source.name, {}))


def _known_phrases(plan: QueryPlan, again: Iterable[str]) -> set[str]:
    """What is to be searched again, as the plan writes it. Raises UsageError for a phrase that the plan lacks."""
    phrases = {one.phrase.casefold(): one.phrase for one in plan.queries} | {SUSPICIOUS: SUSPICIOUS}
    unknown = [one for one in again if one.strip().casefold() not in phrases]
    if unknown:
        near = difflib.get_close_matches(unknown[0].casefold(), phrases, n=1)
        meant = f"; did you mean '{phrases[near[0]]}'?" if near else ""
        raise UsageError(
            f"--again '{unknown[0]}': write suspicious, or a phrase of the plan{meant}"
        )
    return {phrases[one.strip().casefold()] for one in again}


def retry_reasons(words: Iterable[str]) -> list[str]:
    """Reasons as the journal has them: `timeout,429` is `timeout` and `http 429`."""
    split = [word.strip() for text in words for word in text.split(",")]
    return [f"http {word}" if word.isdecimal() else word for word in split if word]


class _Crawl:
    """A crawl under way: a thread for each source searches, many fetch, and this one writes."""

    def __init__(
        self,
        writer: Writer,
        sources: Sequence[Source],
        web: Web,
        backlog: Backlog,
        watch: Watch,
        patience_s: float,
        **pending: Any,
    ) -> None:
        self._writer = writer
        self._patience_s = patience_s  # with a host that wants to be left alone
        self._web = web
        self._backlog = backlog
        self._shares = backlog.shares
        self._watch = watch
        self._sources = {one.name: one for one in sources}
        self._pending = pending  # which URLs of the journal are wanted: classes, retry
        self._events: queue.Queue[Any] = queue.Queue(MAX_BATCH)  # bounds the memory
        self._room = Condition()
        self._cursor = dict.fromkeys(self._sources, 0)
        self._dry: set[str] = set()
        self._searchers: list[Searcher] = []
        self._searching: set[str] = set()
        self._spared: dict[str, list[Query]] = {name: [] for name in self._sources}
        self._left: set[str] = set()  # sources that answer no more
        self._held: Counter[str] = Counter()  # URLs of each source whose hosts are left alone
        self._held_at = 0.0

    def go(
        self,
        queries: Sequence[Query],
        images_of: Callable[[Query], int],
        run: Callable[..., Any],
        again: Collection[str],
        stop: Event,
    ) -> None:
        """Run to the end; however it is left, the threads end. run: where photos are decoded."""
        self._images_of = images_of
        downloader = PhotoDownloader(self._web, self._events, self._backlog.threads, run)
        asked = {
            one.name: self._writer.not_answered(one, queries, images_of, again)
            for one in self._sources.values()
        }
        try:
            downloader.start()
            for name, to_ask in asked.items():
                self._search(name, to_ask)
            while not stop.is_set() and self._is_at_work(downloader):
                self._take(self._next_events())
                self._count_held()
                self._drop_full(downloader)
                self._writer.outcome.in_hand = self._backlog.in_hand_by_host()
                self._watch(self._writer.outcome)
            self._writer.outcome.stopped = stop.is_set()
            self._writer.outcome.come_back = self._web.gate.held()
        finally:
            downloader.close()
            self._web.stop()
            with self._room:
                self._room.notify_all()
            end_threads([*downloader.workers, *self._searchers], self._events)

    def _is_at_work(self, downloader: PhotoDownloader) -> bool:
        """Hand out what may be fetched; False once nothing is left to fetch, to search or to deal out again."""
        while not (self._hand_out(downloader) or self._searching):
            if not self._deal_again():
                return False
        is_end = not self._searching and len(self._dry) == len(self._sources)
        downloader.in_queue.last_call(self._patience_s if is_end else math.inf)
        return True

    def _search(self, name: str, queries: Sequence[Query]) -> None:
        """Have a source asked some queries, in a thread of its own."""
        source = self._sources[name]
        searcher = Searcher(
            source,
            queries,
            self._web,
            self._images_of,
            self._events,
            self._wanted,
            self._writer.fruitful(source),
        )
        self._searching.add(name)
        self._searchers.append(searcher)
        searcher.start()

    def _wanted(self, source: Source, asked: Query) -> bool:
        """Called by the searchers: waits while there is enough to fetch. Raises Stopped."""
        with self._room:
            while self._is_enough(source.name) and not self._web.gate.stopped:
                self._room.wait(HOLDS_CHANGE_S)
        if self._web.gate.stopped:
            raise CrawlStopped
        return not self._shares.is_full(asked.cell)

    def _is_enough(self, source: str) -> bool:
        """Whether there is enough to fetch, beside what hosts want to be left alone for."""
        return self._backlog.of_source[source] - self._held[source] >= ENOUGH_IN_HAND

    def _count_held(self) -> None:
        """Look now and then what waits for hosts that want to be left alone, so that searches go on meanwhile."""
        now = time.monotonic()
        if now - self._held_at >= HOLDS_CHANGE_S:
            self._held_at = now
            full = any(n >= ENOUGH_IN_HAND for n in self._backlog.of_source.values())
            self._held = self._backlog.of_hosts(self._web.gate.held()) if full else Counter()

    def _hand_out(self, downloader: PhotoDownloader) -> int:
        """Give the threads what the journal has for them; how many URLs are still to be fetched."""
        for name in self._sources:
            while name not in self._dry and self._backlog.of_source[name] < MAX_IN_HAND:
                page = self._writer.pending(
                    name, among=self._sources, after=self._cursor[name], **self._pending
                )
                if len(page) < PAGE:
                    self._dry.add(name)
                if page:
                    self._cursor[name] = page[-1].sighting
                self._backlog.add(self._writer.admit(page))
        downloader.add(self._backlog.take())
        return len(self._backlog)

    def _deal_again(self) -> bool:
        """Deal what classes lack among the cells that can give more, now that all have been asked; whether any can.

        URLs that are known come before further searches.
        """
        spared = {one.cell for queries in self._spared.values() for one in queries}
        known = set(self._backlog.aside)
        if not self._shares.deal([*known, *spared]):
            return False
        self._backlog.aside.clear()
        self._cursor = dict.fromkeys(self._sources, 0)
        self._dry.clear()
        for name, queries in self._spared.items():
            to_ask = [
                one
                for one in queries
                if one.cell not in known and not self._shares.is_full(one.cell)
            ]
            if to_ask and name not in self._left:
                self._spared[name] = [one for one in queries if one not in to_ask]
                self._writer.outcome.searches_spared -= len(to_ask)
                self._search(name, to_ask)
        return True

    def _next_events(self) -> list[Any]:
        """What came, gathered for a moment: a transaction costs nearly the same for one as for many."""
        try:
            events = [self._events.get(timeout=IDLE_S)]
        except queue.Empty:
            return []
        deadline = time.monotonic() + GATHER_S
        while len(events) < MAX_BATCH and not isinstance(
            events[-1], ResultPage
        ):  # which threads await
            try:
                events.append(self._events.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        return events

    def _take(self, events: list[Any]) -> None:
        arrivals = [one for one in events if isinstance(one, DownloadResult)]
        self._dry -= self._writer.finish(arrivals)
        self._off_hand(one.task for one in arrivals)
        for event in events:
            if isinstance(event, Exception):
                raise event
            if isinstance(event, ResultPage):
                self._writer.write_down(event.query, event.sightings)
                self._dry.discard(event.source.name)
            if isinstance(event, QueryDone):
                self._writer.searched(event, self._images_of(event.query))
                if event.found is None:
                    self._spared[event.source.name].append(event.query)
            if isinstance(event, SearchesEnded):
                self._searching.discard(event.source.name)
                if event.why:
                    self._left.add(event.source.name)
                    self._writer.outcome.sources_left.append(event.why)

    def _off_hand(self, tasks: Iterable[FetchTask]) -> None:
        with self._room:
            self._backlog.ended(tasks)
            self._room.notify_all()

    def _drop_full(self, downloader: PhotoDownloader) -> None:
        """Take back what has become needless; it stays in the journal."""
        full = {one for one in self._backlog.cells() if self._shares.is_full(one)}
        if not full:
            return
        begun = downloader.in_queue.drop(lambda one: one.cell in full)
        with self._room:
            for cell in full:
                self._backlog.give_up(cell, [one for one in begun if one.cell == cell])
            self._room.notify_all()


def _silent(outcome: CrawlOutcome) -> None:
    """Progress that nobody watches."""


def _ours(sources: Iterable[Source]) -> frozenset[str]:
    return frozenset(urlsplit(one.base_url).hostname or "" for one in sources if one.is_ours)
