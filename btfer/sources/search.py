"""What every source shares: icrawler's Feeder and Parser, run so that nothing is lost and no failure is quiet.

icrawler's own loop lets a parser that raises, or a page that cannot be fetched, end the search as if
all were well, and its queue to the downloader drops what does not fit. Here the parser runs in the
caller's thread, its findings go into a dict, and the reason of an early end comes back with them.
"""

import queue
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from icrawler.utils import Signal

from btfer.catalogue.journal import Sighting
from btfer.errors import NetworkError, UsageError
from btfer.queries import Query
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.icrawler_parts import Feeder, Parser
from btfer.sources.web import Web, WebResponse

MAX_PAGES = 100
OnPage = Callable[[list[Sighting]], None]


@dataclass(frozen=True)
class Rights:
    """Licence and author, as a picture's own page states them."""

    licence: str
    licence_url: str
    author: str


class PageChanged(NetworkError):
    """A source answered with a page that its parser does not understand."""


class SourceRefused(NetworkError):
    """A source answered that it does not serve us: a wrong key, or too many requests."""


class NotSetUp(UsageError):
    """A source needs a key or a contact that the settings do not have."""


@dataclass(frozen=True)
class Source:
    """One place photos come from: how its first page is asked for, and how its pages read.

    headers and key go with its search requests only: never to the hosts of pictures, nor into a
    message or the journal.
    """

    name: str
    base_url: str
    feeder: type["SearchFeeder"]
    parser: type["SearchParser"]
    needs_contact: bool = False
    key_variable: str = ""  # what sets the key, where there is one
    key: str = field(default="", compare=False, repr=False)
    key_parameter: str = ""  # of the search address, for a key that is not in a header
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    filters: Mapping[str, str] = field(default_factory=dict, compare=False)  # of every search
    states_licences: bool = False  # of every picture, so that a page without any has changed
    max_pages: int = MAX_PAGES  # of one query
    min_delay_s: float = 0.0  # between two of its search pages
    is_ours: bool = False  # the built-in site: may be on a private address, needs no pause
    rights: dict[str, "Rights"] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class ImageResult:
    """One image of a result page, '' where the page does not say; the search makes a Sighting of it."""

    file_url: str
    page_url: str = ""
    title: str = ""
    licence: str = ""
    licence_url: str = ""
    author: str = ""


@dataclass(frozen=True)
class NextPage:
    """The address of a further page of results."""

    url: str


@dataclass
class SearchResult:
    """What one search found, in the source's order; `failure` is why it ended early, if it did."""

    sightings: list[Sighting] = field(default_factory=list)
    failure: NetworkError | None = None


class SearchFeeder(Feeder):
    """Feeds the address of a search's first page; later ones come from the pages themselves."""

    source: Source

    @property
    def base_url(self) -> str:
        """Where the source is."""
        return self.source.base_url

    def feed(self, query: Query) -> None:
        """Put the first page in the queue."""
        self.output(self.first_page(query))

    def first_page(self, query: Query) -> str:
        """The address of the first page of results."""
        raise NotImplementedError


class SearchParser(Parser):
    """Reads pages until `per_query` images are found, or no page is left.

    A source overrides `parse`: it yields an ImageResult for each image and a NextPage for a further
    page, and raises `changed` for an unknown shape, `refused` for an answer that says no.
    """

    source: Source
    query: Query
    sightings: dict[str, Sighting]
    on_page: OnPage
    handed_over = 0

    def parse(self, response: WebResponse, **_: Any) -> Iterator[ImageResult | NextPage]:
        """All images and further pages of one page."""
        raise NotImplementedError

    def worker_exec(self, per_query: int) -> None:
        """Read page after page. Raises NetworkError."""
        self.sightings = {}
        for _ in range(self.source.max_pages):
            before = len(self.sightings)
            try:
                url = self.in_queue.get_nowait()
            except queue.Empty:
                return
            self._read(url)
            self.hand_over(per_query)
            if len(self.sightings) >= per_query or len(self.sightings) == before:
                return  # a page without anything new would go on for ever

    def hand_over(self, per_query: int) -> None:
        """Call `on_page` with what is new since the last call."""
        new = list(self.sightings.values())[self.handed_over : per_query]
        self.handed_over += len(new)
        if new:
            self.on_page(new)

    def output(self, task: ImageResult | NextPage) -> None:
        """Add an image to the sightings, or a further page to the queue."""
        if isinstance(task, NextPage):
            self.input(task.url)
        elif _storable(task.file_url) not in self.sightings:
            sighting = Sighting(
                url=_storable(task.file_url),
                source=self.source.name,
                page_url=_storable(task.page_url),
                title=_storable(task.title),
                licence=_storable(task.licence),
                licence_url=_storable(task.licence_url),
                author=_storable(task.author),
                rank=len(self.sightings) + 1,
            )
            self.sightings[sighting.url] = sighting

    def changed(self, why: str) -> PageChanged:
        """The error for a page that the parser does not understand."""
        name = self.source.name
        return PageChanged(
            self._without_key(f"the result page of {name} has changed and cannot be read: {why}")
        )

    def refused(self, why: str) -> SourceRefused:
        """The error for an answer that says no."""
        return SourceRefused(self._without_key(f"{self.source.name} refused the search: {why}"))

    def _read(self, url: str) -> None:
        page = self._page(url)
        try:
            for task in self.parse(page):
                self.output(task)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise self.changed(f"{type(error).__name__}: {error}") from error

    def _page(self, url: str) -> WebResponse:
        """Fetch a page; the key is added here, so that no address that is kept has it."""
        source = self.source
        key = f"&{urlencode({source.key_parameter: source.key})}" if source.key_parameter else ""
        try:
            return self.session.get(
                url + key, language=self.query.language, obey_robots=False, headers=source.headers
            )
        except NotFetched as error:
            if not source.key:
                raise
            if error.status in (401, 403):
                why = (
                    f"{error.reason}; check that {source.key_variable} is right and has not expired"
                )
                raise self.refused(why) from None
            clean = NotFetched(
                error.state, error.reason, url=url, status=error.status, wait_s=error.retry_after_s
            )
            clean.attempts = error.attempts
            raise clean from None

    def _without_key(self, text: str) -> str:
        return text.replace(self.source.key, "(key)") if self.source.key else text


def _storable(text: str) -> str:
    """Text that every database takes: titles are cut in the middle of an emoji, and worse."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _ignore_page(new: list[Sighting]) -> None:
    """Where only the whole is wanted."""


def search(
    source: Source, query: Query, web: Web, per_query: int, on_page: OnPage = _ignore_page
) -> SearchResult:
    """Ask one source one query: at most `per_query` sightings, and why it ended early if it did.

    on_page: called with the new sightings of each page, so that downloads begin before the last page.
    """
    signal = Signal()
    feeder = source.feeder(1, signal, web)
    parser = source.parser(1, signal, web)
    parser.source, parser.query, parser.sightings = source, query, {}
    parser.on_page = on_page
    feeder.source = source
    feeder.connect(parser)
    if source.min_delay_s:
        web.gate.slow_down(urlsplit(source.base_url).hostname or "", source.min_delay_s)
    failure = None
    try:
        feeder.feed(query)
        parser.worker_exec(per_query)
    except NetworkError as error:
        failure = error
    parser.hand_over(per_query)  # of a page that broke off
    return SearchResult(list(parser.sightings.values())[:per_query], failure)
