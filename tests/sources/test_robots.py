"""What sites say of all their files, in the forms that servers send it."""

import json
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

from btfer.sources.robots import FIRST_BYTES, read_rules, text_of
from btfer.sources.web import Web
from tests.sources.test_web import FAST, JPEG, count, loss, serve

NO = "User-agent: *\nDisallow: /private/\n"
OURS = [
    "User-agent: BTFER\nDisallow: /",
    "User-agent: BTFER/1.0\nDisallow: /",
    "user-agent:btfer/2 (all)\ndisallow: /",
    "User-agent: other\nUser-agent: BtFer/*\nDisallow: /",
    "User-Agent btfer\nDisallow: /",
]


@pytest.mark.parametrize("text", OURS)
def test_a_group_is_ours_by_its_product_token(text: str) -> None:
    assert not read_rules("btfer", text + "\n\nUser-agent: *\nAllow: /").may_fetch(
        "https://a.org/x"
    )


def test_a_group_of_another_crawler_is_not_ours() -> None:
    for name in ("fer", "bt", "b", "btfer-image", "btferbot", "googlebot", "http"):
        rules = read_rules("btfer", f"User-agent: {name}\nDisallow: /")
        assert rules.may_fetch("https://a.org/x"), name


@pytest.mark.parametrize(
    "data",
    [NO.encode("utf-8-sig"), NO.encode("utf-16"), NO.encode("utf-16-le"), NO.encode("utf-16-be")],
    ids=["UTF-8 with a mark", "UTF-16", "little-endian", "big-endian"],
)
def test_a_robots_txt_may_have_a_mark_or_be_utf_16(
    httpserver: HTTPServer, web: Web, data: bytes
) -> None:
    serve(httpserver, "/robots.txt", data)
    assert loss(web, serve(httpserver, "/private/a.jpg")) == ("refused", "robots")


def test_the_first_500_kb_of_a_long_robots_txt_count(httpserver: HTTPServer) -> None:
    web = Web(replace(FAST, max_bytes=100_000))
    long = NO.encode() + b"# much\n" * 200_000 + b"Disallow: /late/\n"
    assert len(long) > 2 * FIRST_BYTES
    serve(httpserver, "/robots.txt", long)
    assert loss(web, serve(httpserver, "/private/a.jpg")) == ("refused", "robots")
    assert web.get(serve(httpserver, "/late/a.jpg")).body == JPEG


@pytest.mark.parametrize("location", ["/robots.txt", "ftp://example.org/", "http://"])
def test_a_robots_txt_that_leads_nowhere_is_none(
    httpserver: HTTPServer, web: Web, location: str
) -> None:
    serve(httpserver, "/robots.txt", b"", status=301, headers={"Location": location})
    assert web.get(serve(httpserver, "/a.jpg")).body == JPEG


def test_tdmrep_json_reserves_what_its_first_fitting_location_says(
    httpserver: HTTPServer, web: Web
) -> None:
    rules = [
        {"location": "/free/*", "tdm-reservation": 0},
        {"location": "/*.jpg$", "tdm-reservation": "1", "tdm-policy": "https://example.org/p"},
        {"tdm-reservation": 1},
        "odd",
    ]
    serve(httpserver, "/.well-known/tdmrep.json", json.dumps(rules).encode("utf-8-sig"))
    assert loss(web, serve(httpserver, "/a.jpg")) == ("refused", "opt-out")
    assert count(httpserver, "/a.jpg") == 0
    assert web.get(serve(httpserver, "/free/a.jpg")).body == JPEG
    assert web.get(serve(httpserver, "/a.png")).body == JPEG
    assert count(httpserver, "/.well-known/tdmrep.json") == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 5_000, b'{"location": "/"}', b"[1, null]"])
def test_a_tdmrep_json_that_is_none_reserves_nothing(
    httpserver: HTTPServer, web: Web, body: bytes
) -> None:
    serve(httpserver, "/.well-known/tdmrep.json", body)
    assert web.get(serve(httpserver, "/a.jpg")).body == JPEG


def test_signals_of_robots_txt_are_heeded() -> None:
    text = (
        "User-agent: *\nContent-Signal: search=yes, ai-train=no  # managed\nAllow: /\n"
        "User-agent: googlebot\nContent-Signal: ai-train=yes\n"
    )
    assert read_rules("btfer", text).opted_out("https://a.org/x")
    assert not read_rules("btfer", text.replace("ai-train=no", "ai-train=yes")).opted_out(
        "https://a.org/x"
    )
    own = f"{text}User-agent: btfer\nContent-Signal: ai-train=yes\n"
    assert not read_rules("btfer", own).opted_out("https://a.org/x")
    paths = "User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /free/ train-ai=y\n"
    assert read_rules("btfer", paths).opted_out("https://a.org/x?y=1")
    assert not read_rules("btfer", paths).opted_out("https://a.org/free/x")


@pytest.mark.parametrize(
    ("location", "path", "fits"),
    [
        ("/", "/a.jpg", True),
        ("/b", "/a.jpg", False),
        ("/a.jpg$", "/a.jpg", True),
        ("/a$", "/a.jpg", False),
        ("/*.jpg$", "/x.jpg/y.jpg", True),
        ("/*.jpg$", "/x.jpg?y", False),
        ("*/x/*b", "/a/x/abc", True),
        ("*/x/*b", "/a/x/acd", False),
        ("/ab*bc$", "/abc", False),
        ("/********************/", "/a/b.jpg", True),
        (
            "/" + "*a" * 5_000 + "*b",
            "/" + "a" * 20_000,
            False,
        ),  # which a regular expression tries in all ways
    ],
)
def test_a_location_has_stars_and_an_end(location: str, path: str, fits: bool) -> None:
    rules = read_rules("btfer", "", json.dumps([{"location": location, "tdm-reservation": 1}]))
    assert rules.opted_out(f"https://a.org{path}") is fits


def test_text_without_a_mark_is_utf_8() -> None:
    assert text_of("niña".encode()) == "niña"
    assert text_of(b"") == ""
    assert text_of(b"\xff") == "\ufffd"
