"""A site on loopback that is searched like Bing and Commons, for the tests of the crawl."""

import json
from collections.abc import Callable
from dataclasses import replace
from html import escape

import sqlalchemy as sa
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue import Catalogue
from btfer.catalogue.store import Row
from btfer.catalogue.tables import fetch
from btfer.queries import Query, QueryPlan
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.web import Manners
from tests.conftest import as_bytes, draw_photo

HAPPY = Query("mujer feliz", "happy", "es", "White", "female", "adult", "v1")
SAD = Query("sad man", "sad", "en", "Black", "male", "adult", "v1")
PLAN = QueryPlan([HAPPY, SAD], "v1", [])
FAST = Manners(host_delay_s=0, allow_private_hosts=True, back_off_s=0.01, max_bytes=100_000)


class Site:
    """Search pages of Bing's and Commons' shape and the pictures they show, on one loopback server."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.results: dict[str, list[str]] = {}
        self.titles: dict[str, str] = {}
        self.sizes: dict[str, tuple[int, int]] = {}  # which Commons states of a picture
        self.silent: set[str] = set()  # pictures of which Commons states no licence
        self.captcha = ""  # the phrase that gets another page
        base = server.url_for("").rstrip("/")
        self.source, self.commons = (
            replace(make(base), min_delay_s=0) for make in (bing, commons)
        )  # search pages and pictures are on one host here
        server.no_handler_status_code = 404
        server.expect_request("/images/async").respond_with_handler(self._bing)
        server.expect_request("/w/api.php").respond_with_handler(self._commons)

    def show(self, asked: Query, path: str, body: bytes, **answer: object) -> str:
        """Serve bytes at a path, and list them among the results of a query."""
        self.server.expect_request(path).respond_with_data(body, **answer)  # type: ignore[arg-type]
        return self.add(asked, self.server.url_for(path))

    def answer(self, asked: Query, path: str, handler: Callable[[Request], Response]) -> str:
        """As `show`, with an answer made for each request."""
        self.server.expect_request(path).respond_with_handler(handler)
        return self.add(asked, self.server.url_for(path))

    def add(self, asked: Query, url: str) -> str:
        self.results.setdefault(asked.phrase, []).append(url)
        return url

    def fetches(self) -> list[str]:
        ignored = ("/images/async", "/w/api.php", "/robots.txt", "/.well-known/tdmrep.json")
        return [request.path for request, _ in self.server.log if request.path not in ignored]

    def _bing(self, request: Request) -> Response:
        if request.args["q"] == self.captcha:
            return Response("<html>Are you a robot?</html>", mimetype="text/html")
        first = int(request.args["first"]) - 1
        urls = self.results.get(request.args["q"], [])[first : first + 35]
        known = [
            {"murl": url, "purl": f"{url}#page", "t": self.titles.get(url, "")} for url in urls
        ]
        items = [f'<a class="iusc" m="{escape(json.dumps(one))}">x</a>' for one in known]
        return Response(f'<ul class="dgControl_list">{"".join(items)}</ul>', mimetype="text/html")

    def _commons(self, request: Request) -> Response:
        first = int(request.args.get("gsroffset", 0))
        asked = request.args["gsrsearch"].removesuffix(" filetype:bitmap")
        urls = self.results.get(asked, [])
        pages = [
            {"title": f"File:{n}.jpg", "index": n, "imageinfo": [self._info(url)]}
            for n, url in enumerate(urls[first : first + 20], start=first + 1)
        ]
        more = {"continue": {"gsroffset": first + 20}} if first + 20 < len(urls) else {}
        answer = {"batchcomplete": True, "query": {"pages": pages}} | more
        return Response(json.dumps(answer), mimetype="application/json")

    def _info(self, url: str) -> dict[str, object]:
        width, height = self.sizes.get(url, (640, 480))
        stated = {"extmetadata": []} if url in self.silent else {}
        return _commons_info(url) | {"width": width, "height": height} | stated


def _commons_info(url: str) -> dict[str, object]:
    return {
        "url": url,
        "width": 640,
        "height": 480,
        "mime": "image/jpeg",
        "user": "Uploader",
        "descriptionurl": f"{url}#description",
        "extmetadata": {
            "LicenseShortName": {"value": "CC BY 4.0"},
            "LicenseUrl": {"value": "https://creativecommons.org/licenses/by/4.0"},
            "Artist": {"value": "A Painter"},
        },
    }


def jpeg(seed: int) -> bytes:
    """The picture of a seed."""
    return as_bytes(draw_photo(seed))


def rows(cat: Catalogue) -> list[Row]:
    """The whole journal."""
    return cat.rows(sa.select(fetch).order_by(fetch.c.url))


def row_of(cat: Catalogue, url: str) -> Row:
    """The journal's line of one URL."""
    [row] = [one for one in rows(cat) if one["url"] == url]
    return row
