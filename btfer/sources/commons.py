"""Wikimedia Commons through its API: every file with licence and author.

Reference: https://www.mediawiki.org/wiki/API:Search and API:Imageinfo (extmetadata). Its policy
asks for a User-Agent with a contact.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from bs4 import BeautifulSoup

from btfer.errors import NetworkError
from btfer.queries import Query
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
    """Reads `query.pages[].imageinfo[0]`, and goes on where `continue` says."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        answer = json.loads(response.body)
        if "error" in answer:
            raise self._failed(answer["error"])
        if not {"query", "batchcomplete", "continue"} & set(answer):
            raise self.changed("the answer has neither 'query' nor 'batchcomplete'")
        pages = answer.get("query", {}).get("pages", [])
        for page in sorted(pages, key=lambda page: page["index"]):
            for info in page.get("imageinfo", []):  # none: the file was deleted meanwhile
                if not info.get("filemissing") and not info.get("filehidden"):
                    yield _image(page["title"], info)
        if "continue" in answer:
            yield NextPage(_address(self.source.base_url, self.query, answer["continue"]))

    def _failed(self, error: dict[str, str]) -> NetworkError:
        why = error.get("info", "") or str(error)
        if error.get("code") in BUSY:
            return self.refused(why)
        return self.changed(f"the API answers '{why}'")


def _image(title: str, info: dict[str, Any]) -> ImageResult:
    facts = {key: _plain(fact["value"]) for key, fact in info["extmetadata"].items()}
    wide = int(info["width"]) > MAX_WIDTH_PX
    return ImageResult(
        file_url=info["thumburl"] if wide and info.get("thumburl") else info["url"],
        page_url=info["descriptionurl"],
        title=title.removeprefix("File:"),
        licence=facts.get("LicenseShortName", "") or facts.get("UsageTerms", ""),
        licence_url=facts.get("LicenseUrl", ""),
        author=facts.get("Artist", "") or info.get("user", ""),
    )


def _plain(value: object) -> str:
    """The text of a value, which may be HTML."""
    text = str(value)
    return BeautifulSoup(text, "lxml").get_text(" ", strip=True) if "<" in text else text.strip()


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
