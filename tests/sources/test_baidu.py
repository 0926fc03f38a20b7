import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue.journal import Sighting
from btfer.sources.baidu import baidu, decoded
from btfer.sources.search import PageChanged, SearchResult, SourceBlocked
from tests.sources.asking import arguments, ask, base


def coded(address: str) -> str:
    """Put an address out of order as Baidu does."""
    table = str.maketrans("abcdefghijklmnopqrstuvw1234567890", "wkv1ju2it3hs4g5rq6fp7eo8dn9cm0bla")
    signs = {":": "_z2C$q", ".": "_z&e3B", "/": "AzdH3F"}
    return "".join(signs.get(sign, sign.translate(table)) for sign in address)


def item(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "objURL": coded(f"https://img.host.example/{number}.jpg"),
        "fromURL": coded(f"https://host.example/{number}"),
        "hoverURL": f"https://img0.baidu.com/it/u={number}&fm=253",
        "middleURL": f"https://img0.baidu.com/it/u={number}&fm=26",
        "thumbURL": f"https://img0.baidu.com/it/u={number}&fm=11",
        "fromPageTitle": "<strong>微笑</strong>的女孩",
        "fromPageTitleEnc": "微笑的女孩",
    } | fields


def page_of(items: list[dict[str, Any]], total: int = 1) -> str:
    return json.dumps({"queryExt": "x", "listNum": total, "data": [*items, {}]})


def serve(site: HTTPServer, page: str) -> None:
    site.expect_request("/search/acjson").respond_with_data(page)


def test_the_known_substitution_is_undone() -> None:
    seen = "ippr_z2C$qAzdH3FAzdH3F2t42d_z&e3Bkwt17_z&e3Bv54AzdH3Ft4w2j_fjw6viAzdH3Ff6v=w_k-x9"
    assert decoded(seen) == "http://gimg2.baidu.com/image_search/src=a_b-x4"


@pytest.mark.parametrize(
    "address",
    ["https://host.example/0123456789/abcdefghijklmnopqrstuvwxyz-A_Z.jpg?a=1&b=%C3%B1", ""],
)
def test_what_was_put_out_of_order_comes_back(address: str) -> None:
    assert decoded(coded(address)) == address
    assert decoded(address) == address


def test_baidu_reads_page_after_page_to_its_last(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        first = int(request.args["pn"])
        return Response(page_of([item(i) for i in range(first, min(first + 30, 70))], total=70))

    httpserver.expect_request("/search/acjson").respond_with_handler(page)
    found = ask(baidu(base(httpserver)))
    assert found.failure is None
    assert len(httpserver.log) == 1 + 3  # the first visit, for its cookies
    assert len(found.sightings) == 70
    assert found.sightings[69] == Sighting(
        url="https://img.host.example/69.jpg",
        source="baidu",
        page_url="https://host.example/69",
        title="微笑的女孩",
        rank=70,
        copy_url="https://img0.baidu.com/it/u=69&fm=253",
    )


def test_baidu_is_asked_in_utf_8(httpserver: HTTPServer) -> None:
    serve(httpserver, page_of([item(1)]))
    ask(baidu(base(httpserver)))
    query = arguments(httpserver, 1)
    assert query["word"] == query["queryWord"] == "niña india sonriendo"
    assert (query["tn"], query["ipn"], query["pn"], query["rn"]) == (
        "resultjson_com",
        "rj",
        "0",
        "30",
    )
    assert b"ni%C3%B1a" in httpserver.log[1][0].query_string


ORIGINAL = {"ObjURL": "https://host.example/o.jpg", "FromURL": "https://host.example/o"}
ADDRESSES = {
    "named": ({"replaceUrl": [ORIGINAL]}, "https://host.example/o.jpg", "https://host.example/o"),
    "plain": (
        {"objURL": "https://host.example/p.jpg", "fromURL": "https://host.example/p"},
        "https://host.example/p.jpg",
        "https://host.example/p",
    ),
    "a copy": (
        {"objURL": "", "fromURL": None},
        "https://img0.baidu.com/it/u=1&fm=253",
        "",
    ),
    "a small copy": (
        {"objURL": None, "hoverURL": "", "middleURL": "", "replaceUrl": []},
        "https://img0.baidu.com/it/u=1&fm=11",
        "https://host.example/1",
    ),
}


@pytest.mark.parametrize(("fields", "url", "page_url"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_original_is_taken_where_it_is_named(
    httpserver: HTTPServer, fields: dict[str, Any], url: str, page_url: str
) -> None:
    serve(httpserver, page_of([item(1, **fields)]))
    [seen] = ask(baidu(base(httpserver))).sightings
    assert (seen.url, seen.page_url) == (url, page_url)


def test_needless_escapes_and_line_breaks_are_read(httpserver: HTTPServer) -> None:
    title = json.dumps('it\'s a \\ slash, a "quote" and a\nbreak')
    title = title.replace("'", r"\'").replace(r"\n", "\n").replace("slash", r"sl\ash")
    page = page_of([item(1)]).replace(json.dumps("微笑的女孩"), title)
    serve(httpserver, page)
    found = ask(baidu(base(httpserver)))
    assert found.failure is None
    assert found.sightings[0].title == 'it\'s a \\ slash, a "quote" and a\nbreak'


def test_a_marked_title_is_made_plain(httpserver: HTTPServer) -> None:
    titles = ["<strong>微笑</strong>的女孩", "smile.jpg", "https://host.example/smile"]
    items = [item(i, fromPageTitleEnc="", fromPageTitle=one) for i, one in enumerate(titles)]
    serve(httpserver, page_of(items))
    found = [one.title for one in ask(baidu(base(httpserver))).sightings]
    assert found == ["微笑 的女孩", *titles[1:]]


CHANGED = {
    "html": ("<html>百度安全验证</html>", "JSONDecodeError"),
    "no data": ('{"listNum": 5}', "KeyError: 'data'"),
    "list": ("[]", "AttributeError"),
    "other keys": (
        page_of([{"url": "https://host.example/1.jpg"}]),
        "1 of 1 records cannot be read (no image address)",
    ),
}


@pytest.mark.parametrize(("page", "cause"), CHANGED.values(), ids=CHANGED)
def test_a_page_of_another_shape_says_so_and_why(
    httpserver: HTTPServer, page: str, cause: str
) -> None:
    serve(httpserver, page)
    found = ask(baidu(base(httpserver)))
    assert found.sightings == []
    assert isinstance(found.failure, PageChanged)
    assert "the result page of baidu has changed" in str(found.failure)
    assert cause in str(found.failure)


def test_a_visitor_without_cookies_gets_them_first(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        if request.cookies.get("BAIDUID") == "visitor":
            return Response(page_of([item(1)]))
        return Response('{"antiFlag":1,"message":"Forbid spider access"}')

    set_cookie = {"Set-Cookie": "BAIDUID=visitor; Path=/; Max-Age=3600"}
    httpserver.expect_request("/").respond_with_data("", headers=set_cookie)
    httpserver.expect_request("/search/acjson").respond_with_handler(page)
    source = baidu(base(httpserver))
    for _ in range(2):
        found = ask(source)
        assert (found.failure, len(found.sightings)) == (None, 1)
    assert [one.path for one, _ in httpserver.log] == ["/", "/search/acjson", "/search/acjson"]


def test_who_is_turned_away_comes_back_as_a_new_visitor(httpserver: HTTPServer) -> None:
    serve(httpserver, '{"antiFlag":1,"message":"Forbid spider access"}')
    source = baidu(base(httpserver))
    for _ in range(2):
        found = ask(source)
        assert isinstance(found.failure, SourceBlocked)
        assert "Forbid spider access" in found.suspicious
    assert [one.path for one, _ in httpserver.log].count("/") == 2


def test_a_redirect_to_the_captcha_is_named(httpserver: HTTPServer) -> None:
    serve(httpserver, '<a href="https://wappass.baidu.com/static/captcha">x</a>')
    assert "captcha" in ask(baidu(base(httpserver))).suspicious


def test_no_results_are_no_error(httpserver: HTTPServer) -> None:
    serve(httpserver, page_of([], total=0))
    assert ask(baidu(base(httpserver))) == SearchResult([], None)
