"""Baidu image search, off by default: the JSON that its page loads as one scrolls, often closed to crawlers.

Reference: the engine `baidu` of searxng; since 2026-06-26 a search must bring the cookies of a visit to
the first page, and is answered with `antiFlag` without them.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from btfer.parsing import parse_json
from btfer.queries import Query
from btfer.sources.records import number, parts, plain, text, web_address
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 30
CAPTCHA_HOST = "wappass.baidu.com"
_SIGNS = {"_z2C$q": ":", "_z&e3B": ".", "AzdH3F": "/"}
_LETTERS = str.maketrans("wkv1ju2it3hs4g5rq6fp7eo8dn9cm0bla", "abcdefghijklmnopqrstuvw1234567890")
_ESCAPE = re.compile(r"\\(.)", re.S)


def baidu(base_url: str = "https://image.baidu.com") -> Source:
    """The source, at an address that a test may set."""
    return Source("baidu", base_url, BaiduFeeder, BaiduParser, first_visit="/", min_delay_s=2.0)


class BaiduFeeder(SearchFeeder):
    """Asks for static pictures; Baidu has no switch for safe search."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, first=0)


class BaiduParser(SearchParser):
    """Reads `data[]`, whose last item is empty, and goes on up to `listNum`."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        if CAPTCHA_HOST in response.url or CAPTCHA_HOST.encode() in response.body:
            raise self.blocked(f"Baidu asks for a captcha ({CAPTCHA_HOST})")
        answer = _loads(response.body)
        if answer.get("antiFlag"):
            raise self.blocked(f"Baidu turns crawlers away ('{text(answer.get('message'))}')")
        items = [item for item in answer["data"] if item]
        yield from self.each(items, _image)
        first = int(parse_qs(urlsplit(response.url).query)["pn"][0])
        following = first + PAGE_SIZE
        total = number(answer.get("listNum")) or number(answer.get("displayNum"))
        if items and following < total:
            yield NextPage(_address(self.source.base_url, self.query, following))


def decoded(address: str) -> str:
    """A plain image address from one that Baidu has obfuscated; plain ones stay as they are."""
    if address.startswith("http"):
        return address
    for sign, meant in _SIGNS.items():
        address = address.replace(sign, meant)
    return address.translate(_LETTERS)


def _image(item: dict[str, Any]) -> ImageResult:
    """The original if it is named, else the largest copy that Baidu keeps."""
    original = next(iter(parts(item.get("replaceUrl"))), {})
    named = (text(original.get("ObjURL")), decoded(text(item.get("objURL"))))
    copies = [web_address(item.get(key)) for key in ("hoverURL", "middleURL", "thumbURL")]
    known = next(filter(None, map(web_address, named)), "")
    copy = next(filter(None, copies), "")
    return ImageResult(
        file_url=known or copy,
        page_url=text(original.get("FromURL")) or decoded(text(item.get("fromURL"))),
        title=text(item.get("fromPageTitleEnc")) or plain(item.get("fromPageTitle")),
        copy_url=copy if known else "",
        width=number(item.get("width")) if known else 0,
        height=number(item.get("height")) if known else 0,
    )


def _loads(body: bytes) -> dict[str, Any]:
    r"""JSON in which signs are escaped that need not be, such as \'. Raises ValueError."""
    page = body.decode("utf-8", "replace")
    page = _ESCAPE.sub(lambda pair: pair[0] if pair[1] in '"\\/bfnrtu' else pair[1], page)
    answer: dict[str, Any] = parse_json(page, strict=False)  # titles have line breaks
    return answer


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
