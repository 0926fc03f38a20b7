"""What strangers' servers answer: pages of sources, robots.txt, opt-outs, headers, cookies, and HTTP itself."""

import json
import math
import socket
from collections.abc import Iterator
from functools import cache
from html import escape
from threading import Thread
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from btfer.catalogue.journal import Sighting
from btfer.sources.cookies import SourceCookies
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.manners import AGENT
from btfer.sources.optout import opted_out, page_opted_out
from btfer.sources.robots import read_rules, text_of
from btfer.sources.source import SearchResult
from btfer.sources.web import Manners, Web
from btfer.urls import alike, ascii_host, identity, is_web_address, other_scheme, shortened
from tests.fuzz import cases
from tests.fuzz.driver import fuzz
from tests.sources.test_any_field import look
from tests.sources.test_pages import PAGES, READ

PAGE_OF = {row[0].split(".")[0]: row[0] for row in READ}
JSON_SOURCES = [name for name, page in PAGE_OF.items() if page.endswith(".json")]
URLS = (
    "https://a.org/x",
    "http://a.org:80/p/é?utm_a=1&b=%zz",
    "https://a.org/" + "a" * 500 + "?q=*",
)


@cache
def page(name: str) -> bytes:
    """The answer of a source as it is kept for its tests."""
    return (PAGES / PAGE_OF[name]).read_bytes()


@cache
def record(name: str) -> Any:
    """The same as JSON; of a page of HTML, the JSON within."""
    if name in JSON_SOURCES:
        return json.loads(page(name))
    soup = BeautifulSoup(page(name), "lxml")
    if name == "bing":
        return [json.loads(str(link["m"])) for link in soup.select("a.iusc")[:3]]
    tag = soup.select_one("[data-state]")
    assert tag is not None
    return json.loads(str(tag["data-state"]))


def around(name: str, found: Any) -> str:
    """A page with other JSON within."""
    if name == "bing":
        said = [json.dumps(one) for one in (found if isinstance(found, list) else [found])]
        links = [f'<a class="iusc" m="{escape(one)}"></a>' for one in said]
        return f'<ul class="dgControl_list">{"".join(links)}</ul>'
    if name == "yandex":
        return f'<div data-state="{escape(json.dumps(found))}"></div>'
    return json.dumps(found)


def is_an_answer(found: SearchResult) -> None:
    """It is read, or it is a failure; what was read fits into a catalogue."""
    for one in found.sightings:
        assert isinstance(one, Sighting)
        assert one.url.strip()
        texts = (one.url, one.page_url, one.title, one.licence, one.licence_url, one.author)
        for text in (*texts, one.copy_url):
            assert "\0" not in text
            text.encode()
        assert 0 <= one.width < 10**9
        assert 0 <= one.height < 10**9


@pytest.mark.parametrize("name", sorted(PAGE_OF))
@fuzz(10, data=st.data())
def test_a_page_of_a_source_with_other_bytes(name: str, data: st.DataObject) -> None:
    body = data.draw(cases.damaged([page(name)]))
    is_an_answer(look(name, body.decode("utf-8", "surrogateescape")))


@pytest.mark.parametrize("name", sorted({*JSON_SOURCES, "bing", "yandex"}))
@fuzz(15, data=st.data())
def test_a_page_of_a_source_with_other_values(name: str, data: st.DataObject) -> None:
    is_an_answer(look(name, around(name, data.draw(cases.odd_records(record(name))))))


HTML = (
    "<html>", "<a class='iusc' m='", '{"murl": "http://a.org/a.jpg"}', "'>", "<a href='/imgres?imgurl=", "&w=", "'>",
    "<div data-state='", "<![x[", "<![", "<!--", "<!DOCTYPE", "<?xml?>", "]]>", "<meta name='robots' content='noai'>",
    "<script>", "</script", "<", "&#x110000;", "&#0;", "\0", "\ud800", '{"ischj":', "<svg>", "<table>", "</p>",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(PAGE_OF))
@fuzz(10, body=cases.odd_texts(HTML))
def test_a_source_that_answers_with_something_else(name: str, body: str) -> None:
    is_an_answer(look(name, body))


@fuzz(30, text=cases.odd_texts(HTML), name=st.sampled_from(sorted(PAGE_OF)))
def test_a_page_that_shows_a_picture(text: str, name: str) -> None:
    assert isinstance(page_opted_out(text, AGENT), bool)
    assert isinstance(page_opted_out(text_of(page(name)) + text, AGENT), bool)


ROBOTS = (
    "User-agent: *\n", "User-agent: btfer\n", "User-agent btfer/1\r\n", "Disallow: /\n", "Allow: /*a*a*b$\n", "*", "$",
    "Crawl-delay: ", "1e400", "nan", "-3", "9" * 5000, "\n", "\r", "\u2028", "Content-Signal: ai-train=no\n",
    "Content-Usage: /x train-ai=n\n", "Request-rate: 1/0\n", "Visit-time: 9999-0000\n", "Sitemap: http://[\n", "#", "%",
    "%zz", ": ", "\0", "\ufeff", "é", "\ud800",
)  # fmt: skip
TDMREP = [{"location": "/*a*.jpg$", "tdm-reservation": 1}, {"location": "/", "tdm-reservation": 0}]


@fuzz(
    40,
    robots=cases.odd_texts(ROBOTS),
    tdmrep=cases.odd_records(TDMREP),
    url=st.sampled_from(URLS) | st.text(max_size=30).map(lambda text: f"http://a.org/{text}"),
)
def test_the_rules_of_a_site(robots: str, tdmrep: Any, url: str) -> None:
    data = robots.encode("utf-8", "surrogatepass")
    rules = read_rules(AGENT, text_of(data), json.dumps(tdmrep))
    assert math.isfinite(rules.pace_s)
    assert rules.pace_s >= 0
    assert isinstance(rules.may_fetch(url), bool)
    assert isinstance(rules.opted_out(url), bool)


@fuzz(20, data=st.binary(max_size=200), mark=st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff"]))
def test_a_robots_txt_of_any_bytes(data: bytes, mark: bytes) -> None:
    rules = read_rules(AGENT, text_of(mark + data), text_of(data))
    assert isinstance(rules.may_fetch(URLS[0]), bool)
    assert isinstance(rules.opted_out(URLS[0]), bool)


HEADERS = {
    "X-Robots-Tag": ("noai", "btfer: noindex", "unavailable_after: x", ",", ":"),
    "TDM-Reservation": ("1", "0", "1, 1"),
    "Content-Signal": ("ai-train=no", "=", "search=yes,"),
    "Content-Usage": ("train-ai=n", "?0"),
    "Set-Cookie": ("a=b; Domain=.org", "a=b; Expires=Mon, 99 Jan 99999 00:00:00", "a=b; Max-Age=1e9", "=;;", "a"),
    "Retry-After": (
        "0", "3", "0.5", "-1", "9" * 400, "9" * 5000, "Mon, 01 Jan 99999 00:00:00 GMT", "Mon, 99 Foo 2026", "1m",
    ),
    "Content-Length": ("0", "5", "-1", "9" * 30, "9" * 5000, "5, 6", "²", "x"),
    "Location": ("/", "//", "http://[", "http://a:b/", "data:,x", "?", "\xe9", "http://127.0.0.1:0/"),
    "Content-Encoding": ("gzip", "deflate, gzip", "br", "zstd", "x"),
    "Transfer-Encoding": ("chunked", "gzip, chunked"),
    "Content-Type": ("image/jpeg", "text/html; charset=\0"),
}  # fmt: skip


@st.composite
def headers(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Some headers, some of them twice, with values that servers should not send."""
    found = []
    for _ in range(draw(st.integers(0, 5))):
        name = draw(st.sampled_from(sorted(HEADERS)))
        latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=12)
        found.append((name, draw(st.sampled_from(HEADERS[name]) | latin)))
    return found


@fuzz(30, sent=headers())
def test_the_headers_of_an_answer(sent: list[tuple[str, str]]) -> None:
    found = HTTPHeaderDict(sent)
    assert isinstance(opted_out(found, AGENT), bool)
    cookies = SourceCookies()
    cookies.take("https://www.a.org/search", found)
    assert set(cookies.header("https://www.a.org/more")) <= {"Cookie"}


class RawServer:
    """Answers every request with the bytes that it was given, and closes."""

    def __init__(self) -> None:
        self.answer = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/a.jpg"
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65_536)
                    connection.sendall(self.answer)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    found = RawServer()
    yield found
    found.close()


QUICK = Manners(
    host_delay_s=0,
    allow_private_hosts=True,
    back_off_s=0.0,
    max_wait_s=0.05,
    attempts=2,
    timeout_s=2,
    wall_clock_s=2,
    max_bytes=50_000,
    max_redirects=3,
)
STATUS = (
    "200 OK",
    "302 Found",
    "404 Not Found",
    "429 Slow",
    "503 Busy",
    "600 x",
    "99999",
    "",
    "2²0",
    "204 -",
    "100 x",
)


def end_of(url: str, obey: bool) -> str:
    """The state of a URL in the journal, or that it was answered."""
    try:
        Web(QUICK).get(url, obey_robots=obey)
    except NotFetched as error:
        return error.state if error.reason else "no reason"
    return "answered"


@fuzz(
    15,
    status=st.sampled_from(STATUS),
    sent=headers(),
    body=st.binary(max_size=60)
    | st.sampled_from([b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\nx"]),
    changes=st.lists(st.nothing(), max_size=0) | cases.mutations(2),
    obey=st.booleans(),
)
def test_an_answer_of_any_bytes(
    server: RawServer,
    status: str,
    sent: list[tuple[str, str]],
    body: bytes,
    changes: list[cases.Mutation],
    obey: bool,
) -> None:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in sent)]
    whole = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body
    server.answer = cases.mutated(whole, changes)
    assert end_of(server.url, obey) in ("answered", "refused", "failed", "found")


@fuzz(
    40,
    text=st.text(max_size=40)
    | cases.odd_texts(
        (
            "http://",
            "https:",
            "//",
            "a.org",
            ":80",
            ":",
            "@",
            "[",
            "]",
            "::1",
            "%41",
            "%",
            "?utm_a=1",
            "#",
            "..",
            "é",
        ),
        most=8,
    ),
)
def test_any_text_as_a_web_address(text: str) -> None:
    one = identity(text)
    assert identity(one) == one
    assert identity(other_scheme(one)) in (other_scheme(one), other_scheme(one).strip())
    assert isinstance(is_web_address(text), bool)
    assert len(shortened(text)) <= 120
    alike(text)
    ascii_host(text)
