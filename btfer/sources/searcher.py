"""One thread for each source: it asks the plan's queries one after another, and passes on what it finds."""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

from btfer.catalogue.journal import Sighting
from btfer.queries import Query
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.hosts import CrawlStopped
from btfer.sources.search import SearchResult, Source, search
from btfer.sources.web import Web

GIVE_UP_AFTER = 5  # failed searches in a row: the source is down, or does not want us


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
    """A source has no query left, or was given up for the reason given."""

    source: Source
    why: str = ""


class Searcher(Thread):
    """Asks one source query after query.

    wanted: called before each; waits until there is room for more, and says whether to ask at all.
    """

    def __init__(
        self,
        source: Source,
        queries: Sequence[Query],
        web: Web,
        per_query: int,
        events: "queue.Queue[Any]",
        wanted: Callable[[Source, Query], bool],
    ) -> None:
        super().__init__(name=f"search {source.name}", daemon=True)
        self._source = source
        self._queries = queries
        self._web = web
        self._per_query = per_query
        self._events = events
        self._wanted = wanted

    def run(self) -> None:
        """Ask all queries; an unexpected error is put in the queue too."""
        try:
            self._events.put(SearchesEnded(self._source, self._ask_all()))
        except CrawlStopped:
            return
        except Exception as error:
            self._events.put(error)

    def _ask_all(self) -> str:
        """Why queries were skipped; '' = none was."""
        failed_in_a_row, answered = 0, False
        for query in self._queries:
            found = None
            if self._wanted(self._source, query):
                found = search(
                    self._source, query, self._web, self._per_query, partial(self._show, query)
                )
                if not answered and _is_unreachable(found):
                    return f"{self._source.name} cannot be reached ({found.failure})"
                answered |= found.failure is None
                failed_in_a_row = failed_in_a_row + 1 if found.failure else 0
            self._events.put(QueryDone(self._source, query, found))
            if failed_in_a_row == GIVE_UP_AFTER:
                return (
                    f"{self._source.name}: {GIVE_UP_AFTER} searches in a row failed; "
                    "its other queries were skipped"
                )
        return ""

    def _show(self, query: Query, new: list[Sighting]) -> None:
        self._events.put(ResultPage(self._source, query, new))


def _is_unreachable(found: SearchResult) -> bool:
    failure = found.failure
    return isinstance(failure, NotFetched) and failure.status is None and failure.state == "failed"
