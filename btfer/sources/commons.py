"""Wikimedia Commons through its API: every file with licence and author.

Reference: https://www.mediawiki.org/wiki/API:Search and API:Imageinfo (extmetadata). Its policy
asks for a User-Agent with a contact.
"""

import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from btfer.errors import NetworkError
from btfer.parsing import parse_json
from btfer.queries import Query
from btfer.sources.records import number, part, plain, text
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 50
BUSY = {"maxlag", "ratelimited", "readonly"}  # the API's words for 'not now'
MAX_WIDTH_PX = 1920  # a file that is wider comes scaled: originals of 50 MB help nobody


def commons(base_url: str = "https://commons.wikimedia.org") -> Source:
    """The source, at an address that a test may set."""
    return Source(
        "commons", base_url, CommonsFeeder, CommonsParser, needs_contact=True, states_licences=True
    )


class CommonsFeeder(SearchFeeder):
    """Searches bitmaps in the file namespace."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, {})


class CommonsParser(SearchParser):
    """Reads `query.pages[].imageinfo[0]`, and goes on where `continue` says: a page of it may be empty."""

    full_page = 0

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        answer = parse_json(response.body)
        if "error" in answer:
            raise self._failed(part(answer["error"]))
        if not {"query", "batchcomplete", "continue"} & set(answer):
            raise self.changed("the answer has neither 'query' nor 'batchcomplete'")
        pages = part(answer.get("query")).get("pages") or []
        yield from self.each(sorted(pages, key=_rank), _image)
        if "continue" in answer:
            yield NextPage(_address(self.source.base_url, self.query, part(answer["continue"])))

    def _failed(self, error: dict[str, Any]) -> NetworkError:
        why = text(error.get("info")) or str(error)
        if error.get("code") in BUSY:
            return self.refused(why)
        return self.changed(f"the API answers '{why}'")


def _rank(page: object) -> int:
    return number(part(page).get("index")) or sys.maxsize


def _image(page: dict[str, Any]) -> ImageResult | None:
    """None: a file that was deleted meanwhile, or is hidden."""
    if not page.get("imageinfo"):
        return None
    info = page["imageinfo"][0]
    if info.get("filemissing") or info.get("filehidden"):
        return None
    facts = {
        key: plain(part(fact).get("value")) for key, fact in part(info.get("extmetadata")).items()
    }
    original, scaled = (
        _without_marks(text(info.get("url"))),
        _without_marks(text(info.get("thumburl"))),
    )
    is_scaled = bool(scaled) and (not original or number(info.get("width")) > MAX_WIDTH_PX)
    sides = ("thumbwidth", "thumbheight") if is_scaled else ("width", "height")
    return ImageResult(
        file_url=scaled if is_scaled else original,
        page_url=text(info.get("descriptionurl")),
        title=text(page.get("title")).removeprefix("File:"),
        licence=facts.get("LicenseShortName", "") or facts.get("UsageTerms", ""),
        licence_url=facts.get("LicenseUrl", ""),
        author=facts.get("Artist", "") or text(info.get("user")),
        width=number(info.get(sides[0])),
        height=number(info.get(sides[1])),
    )


def _without_marks(url: str) -> str:
    """The address of a file without what Commons adds since 2026 to count where it is used (`utm_...`)."""
    address, _, asked = url.partition("?")
    kept = "&".join(one for one in asked.split("&") if one and not one.startswith("utm_"))
    return f"{address}?{kept}" if kept else address


def _address(base_url: str, query: Query, further: dict[str, Any]) -> str:
    keys = {
        "action": "query",
        "format": "json",
        "formatversion": 2,
        "generator": "search",
        "gsrsearch": f"{query.phrase} filetype:bitmap",
        "gsrnamespace": 6,
        "gsrlimit": PAGE_SIZE,
        "prop": "imageinfo",
        "iiprop": "url|user|size|mime|sha1|extmetadata",
        "iiextmetadatafilter": "LicenseShortName|LicenseUrl|UsageTerms|Artist",
        "iiurlwidth": MAX_WIDTH_PX,
    }
    return f"{base_url}/w/api.php?{urlencode(keys | further)}"
