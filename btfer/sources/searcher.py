"""One thread for each source: it asks the plan's queries one after another, and passes on what it finds."""

import queue
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

from btfer.catalogue.journal import Sighting
from btfer.queries import Query
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.hosts import CrawlStopped
from btfer.sources.proxy import bare_address
from btfer.sources.search import SearchResult, Source, search
from btfer.sources.source import SourceBlocked
from btfer.sources.web import Web

GIVE_UP_AFTER = 5  # failed searches in a row: the source is down, or does not want us
# Pauses in units of `Manners.back_off_s`, which is a second:
UNREACHABLE = (2.0, 10.0)  # before a first search that got no answer is tried again
SUSPICIOUS = (10.0, 40.0)  # after all other queries, before suspicious ones are asked again
BLOCKED = 20.0  # after a captcha, doubled each time
_POLL_S = 0.2


@dataclass(frozen=True)
class ResultPage:
    """The new sightings of one page of results."""

    source: Source
    query: Query
    sightings: list[Sighting]


@dataclass(frozen=True)
class QueryDone:
    """The end of one query to one source, after its pages; `found` is None where the query was not needed."""

    source: Source
    query: Query
    found: SearchResult | None


@dataclass(frozen=True)
class SearchesEnded:
    """A source has no query left, or was left for the reason given."""

    source: Source
    why: str = ""


class Searcher(Thread):
    """Asks one source query after query, and at the end those again whose answer was suspicious.

    wanted: called before each; waits until there is room for more, and says whether to ask at all.
    images_of: how many images to ask a query for. fruitful: languages in which the source has shown something before.
    """

    def __init__(
        self,
        source: Source,
        queries: Sequence[Query],
        web: Web,
        images_of: Callable[[Query], int],
        events: "queue.Queue[Any]",
        wanted: Callable[[Source, Query], bool],
        fruitful: Collection[str] = (),
    ) -> None:
        super().__init__(name=f"search {source.name}", daemon=True)
        self._source = source
        self._queries = queries
        self._web = web
        self._images_of = images_of
        self._events = events
        self._wanted = wanted
        self._fruitful = set(fruitful)
        self._failed_in_a_row = 0
        self._answered = False
        self._doubtful: dict[Query, SearchResult] = {}

    def run(self) -> None:
        """Ask all queries; an unexpected error is put in the queue too."""
        try:
            why = self._ask_all(self._queries)
            for pause in SUSPICIOUS:
                why = why or self._ask_again(pause)
            self._settle_empty()
            for query, found in list(self._doubtful.items()):
                self._end(query, found)
            self._events.put(SearchesEnded(self._source, why))
        except CrawlStopped:
            return
        except Exception as error:
            self._events.put(error)

    def _ask_all(self, queries: Sequence[Query]) -> str:
        """Why queries were skipped; '' = none was."""
        for query in queries:
            if not self._wanted(self._source, query):
                self._end(query, None)
                continue
            found = self._ask(query)
            if not self._answered and _is_unreachable(found):
                return f"{self._source.name} cannot be reached{self._way()} ({found.failure})"
            self._count(query, found)
            if found.suspicious or self._is_empty(found):
                self._doubtful[query] = found
            else:
                self._end(query, found)
            if self._failed_in_a_row == GIVE_UP_AFTER:
                return (
                    f"{self._source.name}: {GIVE_UP_AFTER} searches in a row failed; "
                    "its other queries were skipped"
                )
            if isinstance(found.failure, SourceBlocked):
                self._pause(BLOCKED * 2 ** (self._failed_in_a_row - 1))
        return ""

    def _way(self) -> str:
        """The proxy, which may be what is wrong."""
        proxy = self._web.manners.proxy
        return f" through the proxy {bare_address(proxy)}" if proxy else ""

    def _ask_again(self, pause: float) -> str:
        """Ask the suspicious queries once more, after a pause; why some were skipped."""
        self._settle_empty()
        if not self._doubtful:
            return ""
        self._pause(pause)
        return self._ask_all(list(self._doubtful))

    def _settle_empty(self) -> None:
        """An empty answer is one, unless the source shows something for other queries of its language."""
        for query, found in list(self._doubtful.items()):
            if self._is_empty(found):
                if query.language not in self._fruitful:
                    self._end(query, found)
                    continue
                found.suspicious = f"it shows nothing, but does for others in '{query.language}'"

    def _end(self, query: Query, found: SearchResult | None) -> None:
        self._doubtful.pop(query, None)
        self._events.put(QueryDone(self._source, query, found))

    def _ask(self, query: Query) -> SearchResult:
        """One search. The first of all is tried again where nobody answers."""
        for pause in (*UNREACHABLE, None):
            found = search(
                self._source, query, self._web, self._images_of(query), partial(self._show, query)
            )
            if self._answered or not _is_unreachable(found) or pause is None:
                break
            self._pause(pause)
        return found

    def _count(self, query: Query, found: SearchResult) -> None:
        self._answered |= found.failure is None
        if found.failure:
            self._failed_in_a_row += 1
        elif found.sightings:
            self._failed_in_a_row = 0
            self._fruitful.add(query.language)

    def _is_empty(self, found: SearchResult) -> bool:
        """Whether it shows nothing and gives no reason, which our own site is believed."""
        nothing = not found.sightings and not found.failure and not found.suspicious
        return nothing and not self._source.is_ours

    def _pause(self, back_offs: float) -> None:
        """Wait. Raises CrawlStopped."""
        until = time.monotonic() + back_offs * self._web.manners.back_off_s
        while (left := until - time.monotonic()) > 0:
            if self._web.gate.stopped:
                raise CrawlStopped
            time.sleep(min(left, _POLL_S))

    def _show(self, query: Query, new: list[Sighting]) -> None:
        self._events.put(ResultPage(self._source, query, new))


def _is_unreachable(found: SearchResult) -> bool:
    failure = found.failure
    return isinstance(failure, NotFetched) and failure.status is None and failure.state == "failed"
