"""Yandex image search, off by default: the page for browsers, whose state is JSON in an attribute.

Reference: the engine `yandex` of searxng (2026-05-16). It soon asks for a captcha, and has no known
switch for safe search.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bs4 import BeautifulSoup

from btfer.parsing import parse_json
from btfer.queries import Query
from btfer.sources.records import html_page, number, part, parts, text, web_address
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse


def yandex(base_url: str = "https://yandex.com") -> Source:
    """The source, at an address that a test may set."""
    return Source("yandex", base_url, YandexFeeder, YandexParser, min_delay_s=2.0)


class YandexFeeder(SearchFeeder):
    """Photos only."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, page=0)


class YandexParser(SearchParser):
    """Reads `initialState.serpList.items.entities` of the page's state, whose values are the pictures."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        is_captcha = response.headers.get("x-yandex-captcha") == "captcha"
        if is_captcha or "/showcaptcha" in urlsplit(response.url).path:
            raise self.blocked("Yandex asks for a captcha")
        items = _items(html_page(response.body))
        if items is None:
            raise self.changed("the page has no state with a list of pictures (serpList)")
        yield from self.each(items, _image)
        if items:
            page = parse_qs(urlsplit(response.url).query).get("p", ["0"])[0]
            yield NextPage(_address(self.source.base_url, self.query, number(page) + 1))


def _items(page: BeautifulSoup) -> list[Any] | None:
    """The records of a page; None where it has no list of them."""
    for tag in page.select("[data-state]"):
        known = part(parse_json(str(tag["data-state"])))
        found = part(part(part(known.get("initialState")).get("serpList")).get("items"))
        if "entities" in found:
            return list(part(found["entities"]).values())
    return None


def _image(item: dict[str, Any]) -> ImageResult:
    """The largest of the places where a picture is shown, else the copy that Yandex keeps."""
    about, viewer = part(item.get("snippet")), part(item["viewerData"])
    places = parts(viewer.get("dups")) + parts(viewer.get("preview"))
    largest = max(places, key=lambda one: number(one.get("h")), default={})
    original, copy = (
        web_address(largest.get("url")),
        web_address(part(viewer.get("thumb")).get("url")),
    )
    return ImageResult(
        file_url=original or copy,
        page_url=web_address(about.get("url")),
        title=text(about.get("title")),
        copy_url=copy if original else "",
        width=number(largest.get("w")),
        height=number(largest.get("h")),
    )


def _address(base_url: str, query: Query, page: int) -> str:
    keys: dict[str, str | int] = {"text": query.phrase, "type": "photo"}
    if page:
        keys["p"] = page
    return f"{base_url}/images/search?{urlencode(keys)}"
