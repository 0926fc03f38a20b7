"""Baidu image search, off by default: the JSON that its page loads as one scrolls, often closed to crawlers."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bs4 import BeautifulSoup

from btfer.queries import Query
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 30
_SIGNS = {"_z2C$q": ":", "_z&e3B": ".", "AzdH3F": "/"}
_LETTERS = str.maketrans("wkv1ju2it3hs4g5rq6fp7eo8dn9cm0bla", "abcdefghijklmnopqrstuvw1234567890")
_ESCAPE = re.compile(r"\\(.)", re.S)


def baidu(base_url: str = "https://image.baidu.com") -> Source:
    """The source, at an address that a test may set."""
    return Source("baidu", base_url, BaiduFeeder, BaiduParser, min_delay_s=1.0)


class BaiduFeeder(SearchFeeder):
    """Asks for static pictures; Baidu has no switch for safe search."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, first=0)


class BaiduParser(SearchParser):
    """Reads `data[]`, whose last item is empty, and goes on up to `listNum`."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        answer = _loads(response.body)
        if answer.get("antiFlag"):
            raise self.changed(f"it blocks crawlers ('{answer.get('message', '')}')")
        items = [item for item in answer["data"] if item]
        images = [image for image in map(_image, items) if image.file_url]
        if items and not images:
            raise self.changed("no item has an image address")
        yield from images
        first = int(parse_qs(urlsplit(response.url).query)["pn"][0])
        following = first + PAGE_SIZE
        if items and following < int(answer.get("listNum") or answer.get("displayNum") or 0):
            yield NextPage(_address(self.source.base_url, self.query, following))


def decoded(address: str) -> str:
    """A plain image address from one that Baidu has obfuscated; plain ones stay as they are."""
    if address.startswith("http"):
        return address
    for sign, plain in _SIGNS.items():
        address = address.replace(sign, plain)
    return address.translate(_LETTERS)


def _image(item: dict[str, Any]) -> ImageResult:
    """The original if it is named, else the largest copy that Baidu keeps."""
    original: dict[str, str] = next(iter(item.get("replaceUrl") or []), {})
    copies = (item.get(key) for key in ("hoverURL", "middleURL", "thumbURL"))
    addresses = (original.get("ObjURL"), decoded(item.get("objURL") or ""), *copies)
    title = item.get("fromPageTitleEnc") or _plain(item.get("fromPageTitle") or "")
    return ImageResult(
        file_url=next((one for one in addresses if one), ""),
        page_url=original.get("FromURL") or decoded(item.get("fromURL") or ""),
        title=title,
    )


def _loads(body: bytes) -> dict[str, Any]:
    r"""JSON in which signs are escaped that need not be, such as \'. Raises ValueError."""
    text = body.decode("utf-8", "replace")
    text = _ESCAPE.sub(lambda pair: pair[0] if pair[1] in '"\\/bfnrtu' else pair[1], text)
    answer: dict[str, Any] = json.loads(text, strict=False)  # titles have line breaks
    return answer


def _plain(html: str) -> str:
    return BeautifulSoup(html, "lxml").get_text(strip=True)


def _address(base_url: str, query: Query, first: int) -> str:
    keys = {
        "tn": "resultjson_com",
        "ipn": "rj",
        "fp": "result",
        "queryWord": query.phrase,
        "word": query.phrase,
        "ie": "utf-8",
        "oe": "utf-8",
        "lm": 7,  # static
        "pn": first,
        "rn": PAGE_SIZE,
    }
    return f"{base_url}/search/acjson?{urlencode(keys)}"
