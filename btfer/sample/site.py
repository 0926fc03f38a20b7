"""A loopback web site that finds the sample's pictures, in the shape of an image search, oddities included.

`/search` answers pages of results, `/page/<id>` is where a picture was found, `/img/<file>` the picture.
It reads no phrase: what a query intends comes as parameters beside it, see `btfer.sources.sample`.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from btfer.sample import SamplePicture, load_manifest, picture_path

RESULTS_PER_PAGE = 8
SLOW_S = 1.5
INTENT = ("expression", "ethnicity", "gender", "age")
ODDITIES = {
    "slow": "angry_03.jpg",
    "missing": "disgust_03.jpg",
    "moved": "fear_04.jpg",
    "optout": "happy_05.jpg",
    "private": "sad_03.jpg",
}
"""Addresses that answer oddly, beside the plain ones: /slow/angry_03.jpg and so on."""
_ROBOTS = "User-agent: *\nDisallow: /private/\n"
_LICENCE = "https://creativecommons.org/publicdomain/zero/1.0/"


@dataclass(frozen=True)
class Site:
    """A running site; `url` has no slash at its end."""

    url: str


@dataclass(frozen=True)
class SiteReply:
    """An HTTP answer of the site."""

    status: int
    body: bytes
    type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SitePages:
    """Every page of the site at `url`, by path and parameters."""

    url: str

    @cached_property
    def pictures(self) -> dict[str, SamplePicture]:
        """The pictures by file name."""
        return {one.file: one for one in load_manifest()}

    def answer(self, path: str, parameters: dict[str, str]) -> SiteReply:
        """The reply to a GET."""
        folder, _, name = path.strip("/").partition("/")
        if path == "/search":
            return self._search(parameters)
        if path == "/robots.txt":
            return SiteReply(200, _ROBOTS.encode(), "text/plain")
        if folder == "page" and f"{name}.jpg" in self.pictures:
            return _html(_landing(self.pictures[f"{name}.jpg"]))
        if folder == "img" and name in self.pictures:
            return _image(name)
        if folder in ODDITIES and ODDITIES[folder] == name:
            return self._odd(folder, name)
        return SiteReply(404, b"not found", "text/plain")

    def _odd(self, kind: str, name: str) -> SiteReply:
        if kind == "missing":
            return SiteReply(404, b"gone", "text/plain")
        if kind == "moved":
            return SiteReply(302, b"", "text/plain", (("Location", f"{self.url}/img/{name}"),))
        if kind == "slow":
            time.sleep(SLOW_S)
        if kind == "optout":
            return _image(name, (("X-Robots-Tag", "noai, noimageai"),))
        return _image(name)

    def _search(self, parameters: dict[str, str]) -> SiteReply:
        page = parameters.get("page", "1")
        if not page.isdigit() or int(page) < 1:
            return SiteReply(400, b"page must be a number from 1", "text/plain")
        found = self._addresses(parameters)
        start = (int(page) - 1) * RESULTS_PER_PAGE
        results = [self._result(*one) for one in found[start : start + RESULTS_PER_PAGE]]
        after = {**parameters, "page": str(int(page) + 1)}
        more = f'<a rel="next" href="/search?{escape(urlencode(after))}">more</a>'
        body = f'<div id="results">{"".join(results)}</div>'
        return _html(
            _page("Search", body + (more if start + RESULTS_PER_PAGE < len(found) else ""))
        )

    def _addresses(self, parameters: dict[str, str]) -> list[tuple[SamplePicture, str]]:
        """Every matching picture and its addresses, odd ones after the plain one."""
        odd = {name: kind for kind, name in ODDITIES.items()}
        return [
            (one, folder)
            for one in self.pictures.values()
            if matches(one, parameters)
            for folder in ("img", odd.get(one.file))
            if folder
        ]

    def _result(self, one: SamplePicture, folder: str) -> str:
        known = {
            "murl": f"{self.url}/{folder}/{one.file}",
            "purl": f"{self.url}/page/{one.file.removesuffix('.jpg')}",
            "t": one.title,
        }
        return f'<a class="iusc" m="{escape(json.dumps(known))}">{escape(one.title)}</a>\n'


def matches(one: SamplePicture, parameters: dict[str, str]) -> bool:
    """Whether a search finds a picture: the parameters that it gives must agree with what the picture is listed under.

    A parameter that is missing fits every picture; a picture listed under '' fits every value.
    """
    return all(
        not parameters.get(key) or getattr(one, key) in ("", parameters[key]) for key in INTENT
    )


@contextmanager
def serve_sample(port: int = 0) -> Iterator[Site]:
    """Run the site on 127.0.0.1 for as long as it is used; another port when that one is taken."""
    with _bind(port) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        server.pages = SitePages(url)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield Site(url)
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    pages: SitePages

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what goes wrong, except clients that leave before their answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        parameters = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        reply = self.server.pages.answer(parts.path, parameters)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _bind(port: int) -> _Server:
    try:
        return _Server(("127.0.0.1", port), _Handler)
    except OSError:
        if port == 0:
            raise
        return _Server(("127.0.0.1", 0), _Handler)


def _image(name: str, headers: tuple[tuple[str, str], ...] = ()) -> SiteReply:
    return SiteReply(200, picture_path(name).read_bytes(), "image/jpeg", headers)


def _html(text: str) -> SiteReply:
    return SiteReply(200, text.encode())


def _page(title: str, body: str, head: str = "") -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{head}'
        f"<title>{escape(title)}</title></head><body><h1>{escape(title)}</h1>\n"
        f"<p>Synthetic pictures of nobody.</p>\n{body}</body></html>"
    )


def _landing(one: SamplePicture) -> str:
    body = (
        f'<img src="/img/{one.file}" alt=""><p><a rel="license" href="{_LICENCE}">{one.licence}</a>'
    )
    return _page(one.title, body, f'<meta name="author" content="{escape(one.author)}">')
