"""Bing image search: the HTML fragment that its result page loads as one scrolls."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

from bs4 import BeautifulSoup, Tag

from btfer.queries import Query
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 35
SETLANG = {"zh": "zh-Hans"}  # Bing wants the script as well
LAST_RESULT = 1000  # Bing repeats itself beyond
_MARKS = dict.fromkeys((0xE000, 0xE001))  # around the words of a title that were asked for


def bing(base_url: str = "https://www.bing.com") -> Source:
    """The source, at an address that a test may set."""
    return Source("bing", base_url, BingFeeder, BingParser)


class BingFeeder(SearchFeeder):
    """Photos only, strict safe search, in the query's language."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, first=1)


class BingParser(SearchParser):
    """Each image is an `a.iusc` whose attribute `m` is JSON: murl (image), purl (page), t (title).

    A page after the first may be empty: the end. One with a head of its own is no list of results.
    """

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        soup = BeautifulSoup(response.body, "lxml", from_encoding="utf-8")
        links = soup.select("a.iusc")
        first = int(parse_qs(urlsplit(response.url).query).get("first", ["1"])[0])
        is_page = first == 1 or soup.title is not None
        if not links and is_page and not _says_nothing_found(soup):
            raise self.changed("the page has no image links (a.iusc)")
        yield from map(_image, links)
        if links and first + len(links) < LAST_RESULT:
            yield NextPage(_address(self.source.base_url, self.query, first=first + len(links)))


def _image(link: Tag) -> ImageResult:
    known = json.loads(str(link["m"]))
    return ImageResult(
        file_url=known["murl"],
        page_url=known.get("purl", ""),
        title=(known.get("t") or "").translate(_MARKS),
    )


def _says_nothing_found(soup: BeautifulSoup) -> bool:
    """A result list that is there, and empty."""
    return soup.select_one(".dgControl, .dgControl_list, .no_results, #no_results") is not None


def _address(base_url: str, query: Query, first: int) -> str:
    keys = {
        "q": query.phrase,
        "first": first,
        "count": PAGE_SIZE,
        "adlt": "strict",
        "setlang": SETLANG.get(query.language, query.language) or "en",
        "qft": "+filterui:photo-photo",
    }
    return f"{base_url}/images/async?{urlencode(keys)}"
