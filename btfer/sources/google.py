"""Google image search, off by default: its pages change without notice, and it soon asks for a captcha.

Two shapes are read, both as they were last known: the JSON that the picture page of Google's own
apps loads (`ischj`), and the scripts of the page for browsers (`AF_initDataCallback`).
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from bs4 import BeautifulSoup

from btfer.queries import Query
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

HL = {"zh": "zh-CN"}  # Google wants the country as well
_JSON = '{"ischj":'
_SCRIPT = re.compile(r"AF_initDataCallback\(\{.*?data:\s*(?:function\(\)\s*\{\s*return\s*)?", re.S)
_PAGE = re.compile(r"ijn:(\d+)")
_PAGE_FACTS = "2003"  # the key of [_, id, page address, title, ...] within a picture's record


def google(base_url: str = "https://www.google.com") -> Source:
    """The source, at an address that a test may set."""
    return Source("google", base_url, GoogleFeeder, GoogleParser, max_pages=10, min_delay_s=1.0)


class GoogleFeeder(SearchFeeder):
    """Photos only, strict safe search, in the query's language."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, number=0)


class GoogleParser(SearchParser):
    """Reads the JSON's `ischj.metadata[]`, or the pictures' records in the page's scripts."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        text = response.body.decode("utf-8", "replace")
        found = list(_from_json(text) if _JSON in text else _from_scripts(text))
        if not found and not _says_nothing_found(text):
            raise self.changed(_cause(response.url, text))
        yield from found
        if found:
            number = _PAGE.search(unquote(response.url))
            next_number = int(number[1]) + 1 if number else 1
            yield NextPage(_address(self.source.base_url, self.query, next_number))


def _from_json(text: str) -> Iterator[ImageResult]:
    # Before it stands )]}', so that no browser runs it as a script.
    answer, _ = json.JSONDecoder().raw_decode(text, text.index(_JSON))
    for item in answer["ischj"].get("metadata", []):
        if "original_image" in item:  # none: a video or a product
            about = item.get("result") or {}
            creators = (about.get("iptc") or {}).get("creator") or []
            yield ImageResult(
                file_url=item["original_image"]["url"],
                page_url=about.get("referrer_url") or "",
                title=about.get("page_title") or "",
                author=", ".join(creators),
            )


def _from_scripts(text: str) -> Iterator[ImageResult]:
    for start in _SCRIPT.finditer(text):
        data, _ = json.JSONDecoder().raw_decode(text, start.end())
        for record in _records(data):
            about: list[Any] = next((one[_PAGE_FACTS] for one in record if _has_facts(one)), [])
            page_url, title = (*about[2:4], "", "")[:2]
            yield ImageResult(file_url=record[3][0], page_url=page_url or "", title=title or "")


def _records(data: object) -> Iterator[list[Any]]:
    """Lists [_, id, [thumbnail, h, w], [image, h, w], ...]: where they are has changed, they have not."""
    if isinstance(data, dict):
        data = list(data.values())
    if not isinstance(data, list):
        return
    if len(data) > 3 and _is_image(data[2]) and _is_image(data[3]):
        yield data
        return
    for part in data:
        yield from _records(part)


def _is_image(part: object) -> bool:
    """Whether it is [address, height, width]."""
    return (
        isinstance(part, list)
        and len(part) >= 3
        and str(part[0]).startswith("http")
        and all(isinstance(side, int) for side in part[1:3])
    )


def _has_facts(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get(_PAGE_FACTS), list)


def _says_nothing_found(text: str) -> bool:
    """A list that is there, and empty; or the sentence that stands in place of one."""
    if _JSON in text:
        answer, _ = json.JSONDecoder().raw_decode(text, text.index(_JSON))
        return not answer["ischj"].get("metadata")
    return BeautifulSoup(text, "lxml").select_one("#topstuff .card-section") is not None


def _cause(url: str, text: str) -> str:
    """What came in place of results, as far as it is known."""
    if "//consent.google" in url + text:
        return "Google asks for consent to cookies (consent.google)"
    if urlsplit(url).path.startswith("/sorry/") or 'id="captcha-form"' in text:
        return "Google asks for a captcha (/sorry/)"
    if "/enablejs" in text:
        return "Google asks for a browser that runs scripts (enablejs)"
    return "the page has neither 'ischj' nor pictures in AF_initDataCallback"


def _address(base_url: str, query: Query, number: int) -> str:
    keys = {
        "q": query.phrase,
        "tbm": "isch",
        "asearch": "isch",
        "async": f"_fmt:json,p:1,ijn:{number}",
        "safe": "active",
        "hl": HL.get(query.language, query.language) or "en",
        "tbs": "itp:photo",
    }
    return f"{base_url}/search?{urlencode(keys)}"
