"""Openverse through its API: openly licensed photos of many collections, a few pages of each query.

Reference: https://api.openverse.org/v1/. Its terms forbid to scrape the catalogue, as a whole or in
large part: so it is asked with a key and a contact, slowly, for at most 20 pages of a query. An
access token lasts for some hours; get a new one when the source says that it has expired.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from btfer.queries import Query
from btfer.sources.search import ImageResult, NextPage, NotSetUp, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PAGE_SIZE = 20
MAX_PAGES = 20
TYPES = {"any": "", "stated": "", "derivatives": "modification", "free": "commercial,modification"}
"""The `license_type` for each rule of `btfer.licences.RULES`; '' = all, since Openverse has open licences only."""
_NAMES = {"cc0": "CC0", "pdm": "Public Domain Mark"}


def openverse(
    token: str, licences: str = "any", base_url: str = "https://api.openverse.org"
) -> Source:
    """The source, for photos of a rule of `btfer.licences.RULES`. Raises NotSetUp without a token."""
    if not token:
        raise NotSetUp(
            "openverse needs an access token: get one as https://api.openverse.org/v1/#tag/auth explains "
            "and set BTFER_OPENVERSE_TOKEN"
        )
    return Source(
        "openverse",
        base_url,
        OpenverseFeeder,
        OpenverseParser,
        needs_contact=True,
        key_variable="BTFER_OPENVERSE_TOKEN",
        key=token,
        headers={"Authorization": f"Bearer {token}"},
        filters={"license_type": TYPES[licences]} if TYPES[licences] else {},
        states_licences=True,
        max_pages=MAX_PAGES,
        min_delay_s=1.0,
    )


class OpenverseFeeder(SearchFeeder):
    """Photographs only, none that is marked as sensitive."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.source, query, page=1)


class OpenverseParser(SearchParser):
    """Reads `results[]`, and goes on up to `page_count`."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        answer = json.loads(response.body)
        for result in answer["results"]:
            if result["url"] and not result["mature"]:
                yield _image(result)
        if answer["page"] < min(answer["page_count"], MAX_PAGES):
            yield NextPage(_address(self.source, self.query, answer["page"] + 1))


def _image(result: dict[str, Any]) -> ImageResult:
    return ImageResult(
        file_url=result["url"],
        page_url=result["foreign_landing_url"] or "",
        title=result["title"] or "",
        licence=_name(result["license"], result["license_version"] or ""),
        licence_url=result["license_url"] or "",
        author=result["creator"] or "",
    )


def _name(licence: str, version: str) -> str:
    """`by-sa`, `2.0` is CC BY-SA 2.0."""
    return f"{_NAMES.get(licence, f'CC {licence.upper()}')} {version}".strip()


def _address(source: Source, query: Query, page: int) -> str:
    keys = {
        "q": query.phrase,
        "page": page,
        "page_size": PAGE_SIZE,
        "category": "photograph",
        "mature": "false",
    }
    return f"{source.base_url}/v1/images/?{urlencode({**keys, **source.filters})}"
