"""Headers and metas that say no."""

from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer
from urllib3 import HTTPHeaderDict

from btfer.sources.optout import opted_out, page_opted_out
from btfer.sources.web import NotFetched, Web
from tests.sources.test_web import FAST, count, serve

NO = [
    [("tdm-reservation", "0"), ("tdm-reservation", "1")],
    [("TDM-Reservation", "0, 1")],
    [("Content-Signal", "search=yes, AI-Train=No")],
    [("Content-Signal", "search=yes"), ("content-signal", "ai-input=no")],
    [("Content-Usage", "train-ai=n")],
    [("Content-Usage", "bots=y, tdm=n")],
    [("X-Robots-Tag", "btfer/1.0: noai")],
]
YES = [
    [("tdm-reservation", "0")],
    [("Content-Signal", "search=no, ai-train=yes")],
    [("Content-Usage", "search=n, train-ai=y")],
    [("Content-Usage", "train-ai, odd=\x01=n")],
    [("X-Robots-Tag", "otherbot/1.0: noai")],
]


@pytest.mark.parametrize("headers", NO, ids=str)
def test_a_no_among_headers_is_one(headers: list[tuple[str, str]]) -> None:
    assert opted_out(HTTPHeaderDict(headers), "btfer")


@pytest.mark.parametrize("headers", YES, ids=str)
def test_what_is_no_no_is_none(headers: list[tuple[str, str]]) -> None:
    assert not opted_out(HTTPHeaderDict(headers), "btfer")


@pytest.mark.parametrize(
    ("meta", "no"),
    [
        ('<META NAME="Robots" CONTENT="index, NoAI">', True),
        ("<meta name=robots content=noimageai/>", True),
        ('<meta name="btfer" content="noimageindex">', True),
        ('<meta name="tdm-reservation" content="1"/>', True),
        ('<meta name="tdm-reservation" content="0"/>', False),
        ('<meta name="robots" content="noindex, nofollow">', False),  # the page, not its pictures
        ('<meta name="googlebot" content="noai">', False),
        ("<meta><meta name><meta content=noai>", False),
        ('<![x[ ]><![ >\n<meta name="robots" content="noai">', True),
        ("<![if !IE]><![endif]><![x[", False),
        ("<p>write &lt;meta name=robots content=noai&gt;</p>", False),
    ],
)
def test_metas_of_a_page(meta: str, no: bool) -> None:
    assert page_opted_out(f"<html><head>{meta}<title>x</title>", "btfer") is no


def test_a_page_is_asked_once_and_only_where_the_manners_say_so(httpserver: HTTPServer) -> None:
    page = serve(httpserver, "/page", b'<meta name="robots" content="noai">')
    Web(FAST).check_page(page)
    assert not httpserver.log
    web = Web(replace(FAST, check_pages=True))
    for url in (page, f"{page}#second-picture"):
        with pytest.raises(NotFetched, match="opt-out"):
            web.check_page(url)
    assert count(httpserver, "/page") == 1
    web.check_page(serve(httpserver, "/open", b"<p>Look!"))
    web.check_page(httpserver.url_for("/gone"))
    web.check_page("")
    with pytest.raises(NotFetched, match="opt-out"):
        web.check_page(serve(httpserver, "/held", b"", headers={"tdm-reservation": "1"}))
