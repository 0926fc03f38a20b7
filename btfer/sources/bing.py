"""Bing image search: the HTML fragment that its result page loads as one scrolls.

Reference (2026-08): the engine `bing_images` of searxng for `mkt` and the page's shape, icrawler's
`builtin/bing.py` for the filters of `qft`. Under load Bing shows 5 to 30 pictures of 100.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

from bs4 import BeautifulSoup, Tag

from btfer.parsing import parse_json
from btfer.queries import Query
from btfer.sources.records import html_page, number, part, text
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 35
SETLANG = {"zh": "zh-Hans"}  # Bing wants the script as well
MARKETS = {
    "en": "en-US",
    "es": "es-ES",
    "fr": "fr-FR",
    "de": "de-DE",
    "pt": "pt-BR",
    "hi": "hi-IN",
    "zh": "zh-CN",
}
FILTERS = "+filterui:photo-photo+filterui:face-face+filterui:imagesize-custom_200_200"
"""Photos that show faces, at least 200 pixels wide and high."""
LAST_RESULT = 1000  # Bing repeats itself beyond
_MARKS = dict.fromkeys((0xE000, 0xE001))  # around the words of a title that were asked for
_SIZE = re.compile(r"(\d+)\s*[x×]\s*(\d+)")  # '1200 x 900 · jpeg', beside each picture
_HURDLES = 'form[action*="captcha"], [src*="/challenge"], [src*="captcha"], [id*="captcha"]'


def bing(base_url: str = "https://www.bing.com") -> Source:
    """The source, at an address that a test may set."""
    return Source("bing", base_url, BingFeeder, BingParser)


class BingFeeder(SearchFeeder):
    """Photos of faces only, strict safe search, in the query's language."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, first=1)


class BingParser(SearchParser):
    """Each image is an `a.iusc` whose attribute `m` is JSON: murl (image), turl (Bing's copy), purl (page), t (title).

    A page after the first may be empty: the end. One with a head of its own is no list of results.
    """

    full_page = PAGE_SIZE

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        soup = html_page(response.body)
        links = soup.select("a.iusc")
        first = int(parse_qs(urlsplit(response.url).query).get("first", ["1"])[0])
        is_page = first == 1 or soup.title is not None
        if not links and is_page and not _says_nothing_found(soup):
            if soup.select_one(_HURDLES):
                raise self.blocked("Bing asks for a captcha")
            raise self.changed("the page has no image links (a.iusc)")
        yield from self.each(links, _image)
        if links and first + len(links) < LAST_RESULT:
            yield NextPage(_address(self.source.base_url, self.query, first=first + len(links)))

    def language(self) -> str:
        """With the country, by which Bing chooses what it shows."""
        language = self.query.language
        market = MARKETS.get(language)
        return f"{market},{language};q=0.9" if market else language


def _image(link: Tag) -> ImageResult:
    known = part(parse_json(str(link["m"])))
    size = _SIZE.search(_beside(link))
    return ImageResult(
        file_url=text(known.get("murl")),
        page_url=text(known.get("purl")),
        title=text(known.get("t")).translate(_MARKS),
        copy_url=text(known.get("turl")),
        width=number(size[1]) if size else 0,
        height=number(size[2]) if size else 0,
    )


def _beside(link: Tag) -> str:
    """The words in the picture's own box, such as its size."""
    box = link.find_parent("div", class_="imgpt")
    about = box.select_one(".img_info") if box else None
    return about.get_text(" ", strip=True) if about else ""


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
        "qft": FILTERS,
    }
    if query.language in MARKETS:
        keys["mkt"] = MARKETS[query.language]
    return f"{base_url}/images/async?{urlencode(keys)}"
