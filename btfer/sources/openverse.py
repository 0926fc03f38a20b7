"""Openverse through its API: openly licensed photos of many collections, a few pages of each query.

Reference: https://api.openverse.org/v1/. Its terms forbid to scrape the catalogue, as a whole or in
large part: so it is asked with a key and a contact, slowly, for at most 20 pages of a query.
"""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from btfer.parsing import parse_json
from btfer.queries import Query
from btfer.sources.records import number, part, text
from btfer.sources.search import ImageResult, NextPage, NotSetUp, SearchFeeder, SearchParser, Source
from btfer.sources.web import Web, WebResponse

PAGE_SIZE = 20
MAX_PAGES = 20
RENEW_AT = 0.9  # of a token's life
TYPES = {"any": "", "stated": "", "derivatives": "modification", "free": "commercial,modification"}
"""The `license_type` for each rule of `btfer.licences.RULES`; '' = all, since Openverse has open licences only."""
_NAMES = {"cc0": "CC0", "pdm": "Public Domain Mark"}


def openverse(
    token: str = "",
    licences: str = "any",
    base_url: str = "https://api.openverse.org",
    *,
    client_id: str = "",
    client_secret: str = "",
) -> Source:
    """The source, for photos of a rule of `btfer.licences.RULES`: with a token, or with what fetches one.

    Raises NotSetUp without either.
    """
    if not token and not (client_id and client_secret):
        raise NotSetUp(
            "openverse needs a client id and secret: register as "
            "https://api.openverse.org/v1/#tag/auth explains and set BTFER_OPENVERSE_CLIENT_ID and "
            "BTFER_OPENVERSE_CLIENT_SECRET (or BTFER_OPENVERSE_TOKEN, which lasts for some hours)"
        )
    fetches = bool(client_id and client_secret)
    access = OpenverseAccess(base_url, client_id, client_secret)
    return Source(
        "openverse",
        base_url,
        OpenverseFeeder,
        OpenverseParser,
        needs_contact=True,
        key_variable=f"BTFER_OPENVERSE_{'CLIENT_SECRET' if fetches else 'TOKEN'}",
        key=client_secret if fetches else token,
        headers={} if fetches else {"Authorization": f"Bearer {token}"},
        fetch_headers=access.headers if fetches else None,
        filters={"license_type": TYPES[licences]} if TYPES[licences] else {},
        states_licences=True,
        max_pages=MAX_PAGES,
        min_delay_s=1.0,
    )


class OpenverseAccess:
    """An access token, fetched with a client's id and secret and renewed before it runs out.

    Reference: https://api.openverse.org/v1/#tag/auth (`auth_tokens/token/`, OAuth 2 client credentials).
    """

    def __init__(self, base_url: str, client_id: str, client_secret: str) -> None:
        self._url = f"{base_url}/v1/auth_tokens/token/"
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._token = ""
        self._until = 0.0

    def headers(self, web: Web, anew: bool) -> dict[str, str]:
        """What goes with a search. anew: the token that went with the last one was refused. Raises NetworkError."""
        if anew or time.monotonic() >= self._until:
            answer = part(parse_json(web.post(self._url, self._form).body))
            self._token = text(answer["access_token"])
            self._until = time.monotonic() + number(answer["expires_in"]) * RENEW_AT
        return {"Authorization": f"Bearer {self._token}"}


class OpenverseFeeder(SearchFeeder):
    """Photographs only, none that is marked as sensitive."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        return _address(self.source, query, page=1)


class OpenverseParser(SearchParser):
    """Reads `results[]`, and goes on up to `page_count`."""

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        answer = parse_json(response.body)
        page = number(answer["page"])
        yield from self.each(answer["results"], _image)
        if page < min(number(answer["page_count"]), MAX_PAGES):
            yield NextPage(_address(self.source, self.query, page + 1))


def _image(result: dict[str, Any]) -> ImageResult | None:
    """None: marked as sensitive, which was not asked for."""
    if result.get("mature"):
        return None
    return ImageResult(
        file_url=text(result["url"]),
        page_url=text(result.get("foreign_landing_url")),
        title=text(result.get("title")),
        licence=_name(text(result.get("license")), text(result.get("license_version"))),
        licence_url=text(result.get("license_url")),
        author=text(result.get("creator")),
        width=number(result.get("width")),
        height=number(result.get("height")),
    )


def _name(licence: str, version: str) -> str:
    """`by-sa`, `2.0` is CC BY-SA 2.0."""
    if not licence:
        return ""
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
