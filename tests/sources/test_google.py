import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer import __version__
from btfer.catalogue.journal import Sighting
from btfer.sources.google import google
from btfer.sources.search import PageChanged, SearchResult, SourceBlocked
from tests.sources.asking import arguments, ask, base

THUMB = "https://encrypted-tbn0.gstatic.com/images?q=tbn:T"


def item(number: int) -> dict[str, object]:
    return {
        "thumbnail": {"url": THUMB, "height": 168, "width": 300},
        "original_image": {"url": f"https://host.example/{number}.jpg?w=1&x=2", "height": 900},
        "result": {
            "referrer_url": f"https://host.example/page/{number}",
            "page_title": "Niña & mamá",
            "site_title": "host.example",
            "iptc": {"creator": ["Ana B.", "Luz C."], "copyright_notice": "(c) Ana B."},
        },
        "text_in_grid": {"snippet": "Niña & mamá"},
    }


def json_page(items: list[dict[str, object]]) -> str:
    return ")]}'\n" + json.dumps({"ischj": {"metadata": items}}, separators=(",", ":"))


def link(number: int) -> str:
    asked = f"imgurl=https://host.example/{number}.jpg&imgrefurl=https://host.example/{number}"
    return f'<a href="/imgres?{asked}&w=1200&h=900&tbnid=T{number}">x</a>'


def phone_page(links: list[str]) -> str:
    return f'<?xml version="1.0"?><html><form><input name="q"/></form>{"".join(links)}</html>'


def test_google_reads_page_after_page(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        first = int(request.args.get("start", 0))
        return Response(phone_page([link(i) for i in range(first, min(first + 10, 25))]))

    httpserver.expect_request("/wml/search").respond_with_handler(page)
    found = ask(google(base(httpserver)))
    assert found.failure is None
    assert len(found.sightings) == 25
    assert found.sightings[24] == Sighting(
        url="https://host.example/24.jpg",
        source="google",
        page_url="https://host.example/24",
        title="24.jpg",
        rank=25,
        copy_url=f"{THUMB}24",
        width=1200,
        height=900,
    )


def test_google_is_asked_as_a_telephone_that_says_its_name(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/wml/search").respond_with_data(phone_page([link(1)]))
    ask(google(base(httpserver), contact="ann@example.org"), per_query=1)
    assert arguments(httpserver) == {
        "q": "niña india sonriendo",
        "tbm": "isch",
        "safe": "active",
        "hl": "es",
        "ie": "utf8",
        "oe": "utf8",
        "tbs": "itp:photo",
    }
    agent = httpserver.log[0][0].headers["User-Agent"]
    assert agent.startswith("Nokia")
    assert agent.endswith(f"btfer/{__version__} (+ann@example.org)")


def test_the_json_of_the_apps_is_still_understood(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/wml/search").respond_with_data(json_page([item(1)]))
    [seen] = ask(google(base(httpserver)), per_query=1).sightings
    assert (seen.url, seen.author) == ("https://host.example/1.jpg?w=1&x=2", "Ana B., Luz C.")
    assert (seen.page_url, seen.title) == ("https://host.example/page/1", "Niña & mamá")


def test_what_is_no_picture_is_passed_over(httpserver: HTTPServer) -> None:
    product: dict[str, object] = {
        "thumbnail": {"url": THUMB},
        "result": {"referrer_url": "https://shop.example"},
    }
    bare: dict[str, object] = {"original_image": {"url": "https://host.example/bare.jpg"}}
    httpserver.expect_request("/wml/search").respond_with_data(json_page([product, bare]))
    found = ask(google(base(httpserver)))
    assert [one.url for one in found.sightings] == ["https://host.example/bare.jpg"]
    assert (found.failure, found.odd) == (None, 0)


BLOCKED = {
    "captcha form": ('<form id="captcha-form" action="index">', "captcha"),
    "consent": ('<form action="https://consent.google.com/save">', "consent"),
    "scripts": ('<noscript><a href="/httpservice/retry/enablejs?sei=x">', "runs scripts"),
}


@pytest.mark.parametrize(("page", "cause"), BLOCKED.values(), ids=BLOCKED)
def test_a_hurdle_is_suspicious_and_named(httpserver: HTTPServer, page: str, cause: str) -> None:
    httpserver.expect_request("/wml/search").respond_with_data(page)
    found = ask(google(base(httpserver)))
    assert isinstance(found.failure, SourceBlocked)
    assert cause in found.suspicious


CHANGED = {
    "plain": ('<a href="/url?q=https://host.example"><img src="t.jpg"></a>', "/imgres"),
    "empty": ("", "/imgres"),
    "cut off": (json_page([item(1)])[:-9], "JSONDecodeError"),
    "other keys": (")]}'\n" + '{"ischj":{"metadata":[{"original_image":{}}]}}', "KeyError"),
    "other links": (phone_page(['<a href="/imgres?picture=x">x</a>']), "no image address"),
}


@pytest.mark.parametrize(("page", "cause"), CHANGED.values(), ids=CHANGED)
def test_a_page_of_another_shape_says_so_and_why(
    httpserver: HTTPServer, page: str, cause: str
) -> None:
    httpserver.expect_request("/wml/search").respond_with_data(page)
    found = ask(google(base(httpserver)))
    assert found.sightings == []
    assert isinstance(found.failure, PageChanged)
    assert "the result page of google has changed" in str(found.failure)
    assert cause in str(found.failure)


def test_a_redirect_to_the_captcha_is_named(httpserver: HTTPServer) -> None:
    sorry = {"Location": "/sorry/index?continue=x"}
    httpserver.expect_request("/wml/search").respond_with_data(status=302, headers=sorry)
    httpserver.expect_request("/sorry/index").respond_with_data("Our systems have detected...")
    assert "captcha" in ask(google(base(httpserver))).suspicious


@pytest.mark.parametrize("page", [json_page([]), phone_page([])], ids=["json", "phone"])
def test_no_results_are_no_error(httpserver: HTTPServer, page: str) -> None:
    httpserver.expect_request("/wml/search").respond_with_data(page)
    assert ask(google(base(httpserver))) == SearchResult([], None)
