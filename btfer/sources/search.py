"""What every source shares: icrawler's Feeder and Parser, run so that nothing is lost and no failure is quiet.

icrawler's own loop lets a parser that raises, or a page that cannot be fetched, end the search as if
all were well, and its queue to the downloader drops what does not fit. Here the parser runs in the
caller's thread, its findings go into a dict, and the reason of an early end comes back with them.
"""

import queue
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from icrawler.utils import Signal

from btfer.catalogue.journal import Sighting
from btfer.errors import NetworkError
from btfer.queries import Query
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.icrawler_parts import Feeder, Parser
from btfer.sources.records import OddRecord, web_address
from btfer.sources.source import (
    ImageResult,
    NextPage,
    NotSetUp,
    PageChanged,
    Rights,
    SearchResult,
    Source,
    SourceBlocked,
    SourceRefused,
)
from btfer.sources.web import Web, WebResponse

__all__ = [
    "ImageResult",
    "NextPage",
    "NotSetUp",
    "PageChanged",
    "Rights",
    "SearchFeeder",
    "SearchParser",
    "SearchResult",
    "Source",
    "SourceBlocked",
    "SourceRefused",
    "search",
]

MAX_USELESS_PAGES = 5  # one after another without a picture for us: the search ends there
MANY_RECORDS = 10  # shown, and none of them of use: that is no answer
UNREADABLE = (OddRecord, ValueError, LookupError, TypeError, AttributeError, RecursionError)
OnPage = Callable[[list[Sighting]], None]
OnAnswer = Callable[[WebResponse], None]


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

    A source overrides `parse`: it yields an ImageResult for each image, best through `each`, and a
    NextPage for a further page; it raises `changed` for an unknown shape, `refused` for an answer
    that says no, and `blocked` for a captcha and the like.
    """

    full_page = 1  # records; after a second page without any, less is an end and more is suspicious
    source: Source
    query: Query
    sightings: dict[str, Sighting]
    on_page: OnPage
    on_answer: OnAnswer
    handed_over = 0
    shown = 0  # records so far, whatever came of them
    odd = 0  # records that could not be read
    repeated = 0  # images that a page before had shown
    suspicious = ""

    def parse(self, response: WebResponse, **_: Any) -> Iterator[ImageResult | NextPage]:
        """All images and further pages of one page."""
        raise NotImplementedError

    def each(
        self, records: Iterable[Any], read: Callable[[Any], ImageResult | None]
    ) -> Iterator[ImageResult]:
        """The images of a page's records; `read` returns None for what is no picture for us.

        A record that cannot be read is skipped and counted. Raises PageChanged where most cannot.
        """
        n, odd, why = 0, 0, ""
        for record in records:
            n += 1
            self.shown += 1
            try:
                image = read(record)
                if image and not _storable(image.file_url).strip():
                    raise OddRecord("no image address")
            except UNREADABLE as error:
                odd += 1
                self.odd += 1
                why = why or f"{type(error).__name__}: {error}".removeprefix("OddRecord: ")
            else:
                yield from [image] if image else []
        if odd * 2 > n:
            raise self.changed(f"{odd} of {n} records cannot be read ({why})")

    def worker_exec(self, per_query: int) -> None:
        """Read page after page. Raises NetworkError."""
        self.sightings = {}
        useless, of_page_before = 0, 0
        for number in range(1, self.source.max_pages + 1):
            shown, found, repeated = self.shown, len(self.sightings), self.repeated
            try:
                url = self.in_queue.get_nowait()
            except queue.Empty:
                return
            self._read(url)
            self.hand_over()
            if number == 2 and self.shown == shown and 0 < self.full_page <= of_page_before:
                self.suspicious = "its second page is empty"
            of_page_before = self.shown - shown
            useless = 0 if len(self.sightings) > found else useless + 1
            if useless and self.repeated > repeated:
                return  # the same again, and so it would go on for ever
            if useless == MAX_USELESS_PAGES or len(self.sightings) >= per_query:
                return

    def hand_over(self) -> None:
        """Call `on_page` with what is new since the last call."""
        new = list(self.sightings.values())[self.handed_over :]
        self.handed_over += len(new)
        if new:
            self.on_page(new)

    def output(self, task: ImageResult | NextPage) -> None:
        """Add an image to the sightings, or a further page to the queue."""
        if isinstance(task, NextPage):
            self.input(task.url)
        elif _storable(task.file_url) in self.sightings:
            self.repeated += 1
        else:
            sighting = Sighting(
                url=_storable(task.file_url),
                source=self.source.name,
                page_url=_storable(task.page_url),
                title=_storable(task.title),
                licence=_storable(task.licence),
                licence_url=_storable(task.licence_url),
                author=_storable(task.author),
                rank=len(self.sightings) + 1,
                copy_url=_storable(web_address(task.copy_url)),
                width=task.width,
                height=task.height,
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

    def blocked(self, why: str) -> SourceBlocked:
        """The error for a page that stands in place of an answer. The next search comes as a new visitor."""
        self.source.cookies.clear()
        return SourceBlocked(self._without_key(f"{self.source.name} blocks the search: {why}"))

    def result(self, failure: NetworkError | None) -> SearchResult:
        """What was found up to the end, or up to a failure."""
        why = self.suspicious
        if isinstance(failure, SourceBlocked):
            why = str(failure)
        elif not failure and not self.sightings and self.shown >= MANY_RECORDS:
            why = f"it shows {self.shown} records, and none has a picture for us"
        return SearchResult(list(self.sightings.values()), failure, self.odd, why)

    def _read(self, url: str) -> None:
        page = self._page(url)
        self.on_answer(page)
        try:
            for task in self.parse(page):
                self.output(task)
        except UNREADABLE as error:
            raise self.changed(f"{type(error).__name__}: {error}") from error

    def _page(self, url: str) -> WebResponse:
        """Fetch a page; the key is added here, so that no address that is kept has it."""
        source = self.source
        key = f"&{urlencode({source.key_parameter: source.key})}" if source.key_parameter else ""
        try:
            self._visit()
            try:
                return self._ask(url + key)
            except NotFetched as error:
                if error.status != 401 or not source.fetch_headers:
                    raise
                return self._ask(url + key, anew=True)
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

    def _visit(self) -> None:
        """Open the page whose cookies a search must bring; without them the search says what is wrong."""
        source = self.source
        if source.first_visit and not source.cookies.visited:
            source.cookies.visited = True
            with suppress(NotFetched):
                self._ask(urljoin(source.base_url, source.first_visit))

    def _ask(self, url: str, *, anew: bool = False) -> WebResponse:
        """One request as this source wants it, with its cookies, and whatever cookies come back."""
        source = self.source
        fetched = source.fetch_headers(self.session, anew) if source.fetch_headers else {}
        answer: WebResponse = self.session.get(
            url,
            language=self.language(),
            obey_robots=False,
            headers={**source.headers, **fetched, **source.cookies.header(url)},
        )
        source.cookies.take(answer.url, answer.headers)
        return answer

    def language(self) -> str:
        """What Accept-Language says; a source may want the country as well."""
        return self.query.language

    def _without_key(self, text: str) -> str:
        return text.replace(self.source.key, "(key)") if self.source.key else text


def _storable(text: str) -> str:
    """Text that every database takes: titles are cut in the middle of an emoji, and worse."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _ignore(_: object) -> None:
    """Where only the whole is wanted."""


def search(
    source: Source,
    query: Query,
    web: Web,
    per_query: int,
    on_page: OnPage = _ignore,
    on_answer: OnAnswer = _ignore,
) -> SearchResult:
    """Ask one source one query, page after page until `per_query` sightings are found, all of the last page included.

    on_page: called with the new sightings of each page, so that downloads begin before the last page.
    on_answer: called with each page as it came, before it is read.
    """
    signal, query = Signal(), source.worded(query)
    feeder = source.feeder(1, signal, web)
    parser = source.parser(1, signal, web)
    parser.source, parser.query, parser.sightings = source, query, {}
    parser.on_page, parser.on_answer = on_page, on_answer
    feeder.source = source
    feeder.connect(parser)
    if source.min_delay_s and not source.is_ours:
        web.gate.slow_down(urlsplit(source.base_url).hostname or "", source.min_delay_s)
    failure = None
    try:
        feeder.feed(query)
        parser.worker_exec(per_query)
    except NetworkError as error:
        failure = error
    parser.hand_over()  # of a page that broke off
    return parser.result(failure)
