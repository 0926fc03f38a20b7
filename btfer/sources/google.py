"""Google image search, off by default: its pages change without notice, and it soon asks for a captcha.

Its page for old telephones is asked for, which needs no scripts; the agent says that it is btfer as well.
Reference: the engines `google` and `google_images` of searxng, which went over to this page on
2026-08-20. The JSON of Google's own apps (`ischj`), which is no longer asked for, is still understood.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from bs4 import BeautifulSoup, Tag

from btfer import __version__
from btfer.queries import Query
from btfer.sources.manners import AGENT
from btfer.sources.records import html_page, number, part, text
from btfer.sources.search import ImageResult, NextPage, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 10  # by which Google counts, however many pictures a page has
PHONE = "Nokia6230i/2.0 (03.80) Profile/MIDP-2.0 Configuration/CLDC-1.1"
HL = {"zh": "zh-CN"}  # Google wants the country as well
THUMBNAIL = "https://encrypted-tbn0.gstatic.com/images?q=tbn:"
_JSON = '{"ischj":'


def google(base_url: str = "https://www.google.com", contact: str = "") -> Source:
    """The source, at an address that a test may set. contact: for the agent."""
    whom = f" (+{contact})" if contact else ""
    return Source(
        "google",
        base_url,
        GoogleFeeder,
        GoogleParser,
        headers={"User-Agent": f"{PHONE} {AGENT}/{__version__}{whom}"},
        max_pages=50,
        min_delay_s=2.0,
    )


class GoogleFeeder(SearchFeeder):
    """Photos only, safe search, in the query's language."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.base_url, query, start=0)


class GoogleParser(SearchParser):
    """Each image is a link to `/imgres?` that names imgurl, imgrefurl (page), w, h and tbnid (thumbnail)."""

    full_page = PAGE_SIZE

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        page = response.body.decode("utf-8", "replace")
        if _JSON in page:
            records = _from_json(page)
            yield from self.each(records, _image_of_json)
        else:
            soup = html_page(page)
            records = soup.select('a[href*="/imgres?"]')
            if not records:
                self._check(response.url, page, soup)
            yield from self.each(records, _image_of_link)
        if records:
            start = parse_qs(urlsplit(response.url).query).get("start", ["0"])[0]
            further = number(start) + PAGE_SIZE
            yield NextPage(_address(self.source.base_url, self.query, further))

    def _check(self, url: str, page: str, soup: BeautifulSoup) -> None:
        """Raise what a page without pictures means, unless it is a search that found nothing."""
        if "//consent.google" in url + page:
            raise self.blocked("Google asks for consent to cookies (consent.google)")
        if urlsplit(url).path.startswith("/sorry") or "/sorry/" in page or "captcha-form" in page:
            raise self.blocked("Google asks for a captcha (/sorry/)")
        if "/enablejs" in page:
            raise self.blocked("Google asks for a browser that runs scripts (enablejs)")
        if soup.select_one('input[name="q"]') is None:
            raise self.changed("the page has neither pictures (/imgres) nor a search box (q)")


def _image_of_link(link: Tag) -> ImageResult:
    asked = parse_qs(urlsplit(str(link["href"])).query)
    known = {name: values[0] for name, values in asked.items()}
    url = known.get("imgurl", "")
    thumbnail = known.get("tbnid", "")
    return ImageResult(
        file_url=url,
        page_url=known.get("imgrefurl", ""),
        title=unquote(urlsplit(url).path.rpartition("/")[2]),
        copy_url=THUMBNAIL + thumbnail if thumbnail else "",
        width=number(known.get("w")),
        height=number(known.get("h")),
    )


def _from_json(page: str) -> list[Any]:
    # Before it stands )]}', so that no browser runs it as a script.
    answer, _ = json.JSONDecoder().raw_decode(page, page.index(_JSON))
    records: list[Any] = answer["ischj"].get("metadata") or []
    return records


def _image_of_json(item: dict[str, Any]) -> ImageResult | None:
    """None: a video or a product."""
    if "original_image" not in item:
        return None
    image, about = part(item["original_image"]), part(item.get("result"))
    return ImageResult(
        file_url=text(image["url"]),
        page_url=text(about.get("referrer_url")),
        title=text(about.get("page_title")),
        author=text(part(about.get("iptc")).get("creator")),
        copy_url=text(part(item.get("thumbnail")).get("url")),
        width=number(image.get("width")),
        height=number(image.get("height")),
    )


def _address(base_url: str, query: Query, start: int) -> str:
    keys: dict[str, str | int] = {
        "q": query.phrase,
        "tbm": "isch",
        "hl": HL.get(query.language, query.language) or "en",
        "ie": "utf8",
        "oe": "utf8",
        "safe": "active",
        "tbs": "itp:photo",
    }
    if start:
        keys["start"] = start
    return f"{base_url}/wml/search?{urlencode(keys)}"
