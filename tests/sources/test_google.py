import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue.journal import Sighting
from btfer.sources.google import google
from btfer.sources.search import PageChanged, SearchResult
from tests.sources.asking import arguments, ask, base

THUMB = "https://encrypted-tbn0.gstatic.com/images?q=tbn:ANd9GcQ"


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


def record(number: int) -> list[object]:
    facts = {"2000": [], "2003": [None, "id", f"https://host.example/page/{number}", "Niña"]}
    image = [f"https://host.example/{number}.jpg?w=1", 900, 1200]
    return [0, f"id{number}", [THUMB, 168, 300], image, None, 0, "rgb(1,2,3)", None, 0, facts]


def script(data: str, key: str = "ds:1") -> str:
    return f"<script nonce=x>AF_initDataCallback({{key: '{key}', hash: '3', {data}}});</script>"


def html_page(numbers: range, form: str = "data:{}, sideChannel: {{}}") -> str:
    # A little of the nesting around the records; it has been another one every year.
    records = [[[{"444383007": [1, record(number), 0]}]] for number in numbers]
    data = json.dumps([None, [["GRID_STATE0", [None, records]]], "https://a.example"])
    data = data.replace("=", "\\u003d")
    return script("data:[], sideChannel: {}", "ds:0") + script(form.format(data))


def test_google_reads_its_json_page_after_page(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        number = int(request.args["async"].rpartition("ijn:")[2])
        return Response(json_page([item(i) for i in range(number * 10, min(number * 10 + 10, 25))]))

    httpserver.expect_request("/search").respond_with_handler(page)
    found = ask(google(base(httpserver)))
    assert found.failure is None
    assert len(found.sightings) == 25
    assert found.sightings[24] == Sighting(
        url="https://host.example/24.jpg?w=1&x=2",
        source="google",
        page_url="https://host.example/page/24",
        title="Niña & mamá",
        author="Ana B., Luz C.",
        rank=25,
    )


def test_google_is_asked_for_photos_safely_and_in_the_language(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/search").respond_with_data(json_page([item(1)]))
    ask(google(base(httpserver)), per_query=1)
    assert arguments(httpserver) == {
        "q": "niña india sonriendo",
        "tbm": "isch",
        "asearch": "isch",
        "async": "_fmt:json,p:1,ijn:0",
        "safe": "active",
        "hl": "es",
        "tbs": "itp:photo",
    }
    assert httpserver.log[0][0].headers["User-Agent"].startswith("btfer/")


@pytest.mark.parametrize(
    "form", ["data:{}, sideChannel: {{}}", "isError:  false , data:function(){{return {}\n}}"]
)
def test_google_reads_the_scripts_of_its_page(httpserver: HTTPServer, form: str) -> None:
    httpserver.expect_request("/search").respond_with_data(html_page(range(3), form))
    found = ask(google(base(httpserver)))
    assert found.failure is None
    assert found.sightings[2] == Sighting(
        url="https://host.example/2.jpg?w=1",
        source="google",
        page_url="https://host.example/page/2",
        title="Niña",
        rank=3,
    )
    assert len(found.sightings) == 3


def test_what_is_no_picture_is_passed_over(httpserver: HTTPServer) -> None:
    product: dict[str, object] = {
        "thumbnail": {"url": THUMB},
        "result": {"referrer_url": "https://shop.example"},
    }
    bare: dict[str, object] = {"original_image": {"url": "https://host.example/bare.jpg"}}
    httpserver.expect_request("/search").respond_with_data(json_page([product, bare]))
    found = ask(google(base(httpserver)))
    assert [one.url for one in found.sightings] == ["https://host.example/bare.jpg"]
    assert found.failure is None


CHANGED = {
    "captcha form": ('<form id="captcha-form" action="index">', "captcha"),
    "consent": ('<form action="https://consent.google.com/save">', "consent"),
    "scripts": ('<noscript><a href="/httpservice/retry/enablejs?sei=x">', "runs scripts"),
    "plain": ('<a href="/url?q=https://host.example"><img src="t.jpg"></a>', "ischj"),
    "empty": ("", "ischj"),
    "no records": (script("data:[1,2,3], sideChannel: {}"), "AF_initDataCallback"),
    "no JSON": (script("data:[1,'x'], sideChannel: {}"), "JSONDecodeError"),
    "cut off": (json_page([item(1)])[:-9], "JSONDecodeError"),
    "other keys": (")]}'\n" + '{"ischj":{"metadata":[{"original_image":{}}]}}', "KeyError"),
    "only products": (json_page([{"result": {}}]), "ischj"),
}


@pytest.mark.parametrize(("page", "cause"), CHANGED.values(), ids=CHANGED)
def test_a_page_of_another_shape_says_so_and_why(
    httpserver: HTTPServer, page: str, cause: str
) -> None:
    httpserver.expect_request("/search").respond_with_data(page)
    found = ask(google(base(httpserver)))
    assert found.sightings == []
    assert isinstance(found.failure, PageChanged)
    assert "the result page of google has changed" in str(found.failure)
    assert cause in str(found.failure)


def test_a_redirect_to_the_captcha_is_named(httpserver: HTTPServer) -> None:
    sorry = {"Location": "/sorry/index?continue=x"}
    httpserver.expect_request("/search").respond_with_data(status=302, headers=sorry)
    httpserver.expect_request("/sorry/index").respond_with_data("Our systems have detected...")
    assert "captcha" in str(ask(google(base(httpserver))).failure)


NOTHING = {
    "json": json_page([]),
    "json without a list": ')]}\'\n{"ischj":{}}',
    "page": '<div id="topstuff"><div class="card-section">Nothing for <em>x</em></div></div>',
}


@pytest.mark.parametrize("page", NOTHING.values(), ids=NOTHING)
def test_no_results_are_no_error(httpserver: HTTPServer, page: str) -> None:
    httpserver.expect_request("/search").respond_with_data(page)
    assert ask(google(base(httpserver))) == SearchResult([], None)
