"""Flickr through its API: photos with licence and author, for people with a key.

Reference: https://www.flickr.com/services/api/flickr.photos.search.html. Its terms allow 3,600 calls
an hour and ask that a photo that is shown links to its page.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from btfer.errors import NetworkError
from btfer.licences import FLICKR, RULES, terms
from btfer.parsing import parse_json
from btfer.queries import Query
from btfer.sources.records import number, text, web_address
from btfer.sources.search import ImageResult, NextPage, NotSetUp, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 100
LAST_RESULT = 4000  # Flickr repeats itself beyond
PAGES = "https://www.flickr.com/photos"
SIZES = ("url_l", "url_o", "url_c", "url_z")  # 1024 px on the long side, original, 800, 640
REFUSALS = {10, 100, 105, 106}  # search is down, wrong key, service is down, operation failed
WRONG_KEY = 100
LICENCES = FLICKR
"""Name and address of each of Flickr's licence numbers."""


def flickr(key: str, licences: str = "any", base_url: str = "https://api.flickr.com") -> Source:
    """The source, for photos of a rule of `btfer.licences.RULES`. Raises NotSetUp without a key."""
    if not key:
        raise NotSetUp(
            "flickr needs a key: get one at https://www.flickr.com/services/api/keys and set "
            "BTFER_FLICKR_KEY"
        )
    return Source(
        "flickr",
        base_url,
        FlickrFeeder,
        FlickrParser,
        key_variable="BTFER_FLICKR_KEY",
        key=key,
        key_parameter="api_key",
        filters={"license": ",".join(_asked_for(licences))},
        states_licences=True,
        max_pages=LAST_RESULT // PAGE_SIZE,
        min_delay_s=1.0,
    )


class FlickrFeeder(SearchFeeder):
    """Photos only (no drawings, no videos), safe ones only, the most relevant first."""

    def first_page(self, query: Query) -> str:
        """The address of the first results; the key is not in it."""
        return _address(self.source, query, page=1)


class FlickrParser(SearchParser):
    """Reads `photos.photo[]`."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        answer = parse_json(response.body)
        if answer["stat"] != "ok":
            raise self._failed(number(answer.get("code")), text(answer.get("message")))
        photos = answer["photos"]
        page = number(photos["page"])
        yield from self.each(photos["photo"], _image)
        if page < number(photos["pages"]):
            yield NextPage(_address(self.source, self.query, page + 1))

    def _failed(self, code: int, message: str) -> NetworkError:
        if code == WRONG_KEY:
            return self.refused(f"{message}; set {self.source.key_variable} to a valid key")
        return (
            self.refused(message)
            if code in REFUSALS
            else self.changed(f"the API answers '{message}'")
        )


def _asked_for(rule: str) -> list[str]:
    """The numbers of the licences that a rule takes."""
    return [number for number, licence in LICENCES.items() if RULES[rule](terms(*licence))]


def _image(photo: dict[str, Any]) -> ImageResult | None:
    """None: its owner lets nobody load it."""
    size = next((one for one in SIZES if web_address(photo.get(one))), None)
    if size is None:
        return None
    owner = text(photo.get("owner"))
    licence, licence_url = LICENCES.get(
        text(photo.get("license")), ("", "")
    )  # '' = a new one, or none stated
    return ImageResult(
        file_url=text(photo[size]),
        page_url=f"{PAGES}/{owner}/{text(photo['id'])}" if owner else "",
        title=text(photo.get("title")),
        licence=licence,
        licence_url=licence_url,
        author=text(photo.get("ownername")),
        width=number(photo.get(size.replace("url", "width"))),
        height=number(photo.get(size.replace("url", "height"))),
    )


def _address(source: Source, query: Query, page: int) -> str:
    keys = {
        "method": "flickr.photos.search",
        "format": "json",
        "nojsoncallback": 1,
        "text": query.phrase,
        "extras": ",".join(("license", "owner_name", *SIZES)),
        "safe_search": 1,
        "content_type": 1,
        "media": "photos",
        "sort": "relevance",
        "per_page": PAGE_SIZE,
        "page": page,
    }
    return f"{source.base_url}/services/rest/?{urlencode({**keys, **source.filters})}"
