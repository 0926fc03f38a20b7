import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue.journal import Sighting
from btfer.errors import UsageError
from btfer.licences import terms
from btfer.sources.flickr import LICENCES, flickr
from btfer.sources.search import PageChanged, SearchResult, Source, SourceRefused
from tests.sources.asking import arguments, ask, base

KEY = "0123456789abcdef0123456789abcdef"
PATH = "/services/rest/"


def photo(number: int, **fields: Any) -> dict[str, Any]:
    name = f"https://live.staticflickr.com/65535/{number}"
    return {
        "id": str(number),
        "owner": "12345678@N00",
        "secret": "abc",
        "server": "65535",
        "farm": 66,
        "title": "Niña sonriendo",
        "ispublic": 1,
        "license": "4",
        "ownername": "Ana B.",
        "url_l": f"{name}_b.jpg",
        "height_l": 768,
        "width_l": 1024,
        "url_o": f"{name}_o.jpg",
    } | fields


def page_of(photos: list[dict[str, Any]], page: int = 1, pages: int = 1) -> str:
    about = {"page": page, "pages": pages, "perpage": 100, "total": len(photos)}
    return json.dumps({"photos": about | {"photo": photos}, "stat": "ok"})


def failure(code: int, message: str) -> str:
    return json.dumps({"stat": "fail", "code": code, "message": message})


def source(site: HTTPServer, licences: str = "any") -> Source:
    return flickr(KEY, licences, base(site))


def test_flickr_gives_licence_author_and_the_page_to_link_to(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([photo(7)]))
    found = ask(source(httpserver))
    assert found == SearchResult(
        [
            Sighting(
                url="https://live.staticflickr.com/65535/7_b.jpg",
                source="flickr",
                page_url="https://www.flickr.com/photos/12345678@N00/7",
                title="Niña sonriendo",
                licence="CC BY 2.0",
                licence_url="https://creativecommons.org/licenses/by/2.0/",
                author="Ana B.",
                rank=1,
                width=1024,
                height=768,
            )
        ],
        None,
    )


def test_flickr_is_asked_for_safe_photos_with_the_key(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([photo(7)]))
    ask(source(httpserver))
    query = arguments(httpserver)
    assert query.pop("license") == ",".join(str(number) for number in range(17))
    assert query == {
        "method": "flickr.photos.search",
        "format": "json",
        "nojsoncallback": "1",
        "text": "niña india sonriendo",
        "extras": "license,owner_name,url_l,url_o,url_c,url_z",
        "safe_search": "1",
        "content_type": "1",
        "media": "photos",
        "sort": "relevance",
        "per_page": "100",
        "page": "1",
        "api_key": KEY,
    }


def test_flickr_goes_on_to_its_last_page(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        number = int(request.args["page"])
        assert request.args["api_key"] == KEY
        return Response(page_of([photo(number * 10 + i) for i in range(3)], number, pages=3))

    httpserver.expect_request(PATH).respond_with_handler(page)
    found = ask(source(httpserver))
    assert found.failure is None
    assert len(found.sightings) == 9
    assert len(httpserver.log) == 3


def test_flickr_ends_where_it_would_repeat_itself(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        number = int(request.args["page"])
        return Response(page_of([photo(number)], number, pages=1000))

    httpserver.expect_request(PATH).respond_with_handler(page)
    assert len(ask(source(httpserver)).sightings) == 40  # pages of 100: 4,000 results


SIZES = [
    ({"url_l": None}, "7_o.jpg"),
    ({"url_l": None, "url_o": None, "url_c": "https://host.example/7_c.jpg"}, "7_c.jpg"),
    ({"url_l": None, "url_o": "", "url_z": "https://host.example/7_z.jpg"}, "7_z.jpg"),
]


@pytest.mark.parametrize(("fields", "name"), SIZES, ids=["original", "800", "640"])
def test_another_size_is_taken_where_1024_is_not_there(
    httpserver: HTTPServer, fields: dict[str, Any], name: str
) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([photo(7, **fields)]))
    [seen] = ask(source(httpserver)).sightings
    assert seen.url.endswith(name)


def test_a_photo_that_nobody_may_load_is_passed_over(httpserver: HTTPServer) -> None:
    shut = {"id": "8", "owner": "1@N0", "title": "x", "license": "0", "ownername": "y"}
    httpserver.expect_request(PATH).respond_with_data(page_of([shut, photo(7)]))
    assert len(ask(source(httpserver)).sightings) == 1


MEANINGS = [  # number, in its address, permits derivatives, is free
    ("0", "", False, False),
    ("1", "by-nc-sa/2.0", True, False),
    ("2", "by-nc/2.0", True, False),
    ("3", "by-nc-nd/2.0", False, False),
    ("4", "by/2.0", True, True),
    ("5", "by-sa/2.0", True, True),
    ("6", "by-nd/2.0", False, False),
    ("7", "commons/usage", True, True),
    ("8", "usa.gov", True, True),
    ("9", "publicdomain/zero/1.0", True, True),
    ("10", "publicdomain/mark/1.0", True, True),
    ("11", "by/4.0", True, True),
    ("12", "by-sa/4.0", True, True),
    ("13", "by-nd/4.0", False, False),
    ("14", "by-nc/4.0", True, False),
    ("15", "by-nc-sa/4.0", True, False),
    ("16", "by-nc-nd/4.0", False, False),
]


@pytest.mark.parametrize(("number", "address", "derivatives", "free"), MEANINGS)
def test_the_numbers_of_the_licences_mean(
    number: str, address: str, derivatives: bool, free: bool
) -> None:
    name, url = LICENCES[number]
    meaning = terms(name, url)
    assert address in url
    assert (meaning.derivatives, meaning.free) == (derivatives, free)
    assert meaning.stated == (number != "0")


def test_all_numbers_are_in_the_table() -> None:
    assert list(LICENCES) == [row[0] for row in MEANINGS]


ASKED_FOR = {
    "any": {row[0] for row in MEANINGS},
    "stated": {row[0] for row in MEANINGS} - {"0"},
    "derivatives": {row[0] for row in MEANINGS if row[2]},
    "free": {"4", "5", "7", "8", "9", "10", "11", "12"},
}


@pytest.mark.parametrize(("rule", "numbers"), ASKED_FOR.items(), ids=ASKED_FOR)
def test_only_the_licences_of_the_rule_are_asked_for(
    httpserver: HTTPServer, rule: str, numbers: set[str]
) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([]))
    ask(source(httpserver, rule))
    assert set(arguments(httpserver)["license"].split(",")) == numbers


def test_a_licence_of_an_unknown_number_is_not_made_up(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([photo(7, license="99")]))
    [seen] = ask(source(httpserver)).sightings
    assert (seen.licence, seen.licence_url) == ("", "")


def test_a_page_of_photos_that_nobody_may_load_goes_on_to_the_next(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        number = int(request.args["page"])
        size = "url_l" if number == 2 else "url_z"
        photos = [photo(number * 10 + i, url_l=None, url_o=None) for i in range(3)]
        good = [one | {size: f"https://host.example/{one['id']}.jpg"} for one in photos]
        return Response(page_of(good if number == 2 else photos, number, pages=2))

    httpserver.expect_request(PATH).respond_with_handler(page)
    found = ask(source(httpserver))
    assert (len(found.sightings), found.failure, found.odd) == (3, None, 0)


def test_many_photos_of_which_none_can_be_used_are_suspicious(httpserver: HTTPServer) -> None:
    shut = [photo(i, url_l=None, url_o=None) for i in range(20)]
    httpserver.expect_request(PATH).respond_with_data(page_of(shut))
    assert "20 records" in ask(source(httpserver)).suspicious


def test_without_a_key_it_says_what_to_set() -> None:
    with pytest.raises(UsageError, match="BTFER_FLICKR_KEY"):
        flickr("")


def test_a_wrong_key_is_named_and_not_shown(httpserver: HTTPServer) -> None:
    answer = failure(100, f"Invalid API Key (Key {KEY} not found)")
    httpserver.expect_request(PATH).respond_with_data(answer)
    found = ask(source(httpserver))
    assert isinstance(found.failure, SourceRefused)
    assert "BTFER_FLICKR_KEY" in str(found.failure)
    assert "Invalid API Key" in str(found.failure)
    assert KEY not in str(found.failure)


def test_a_search_that_is_down_is_no_change_of_shape(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(failure(105, "Service currently unavailable"))
    found = ask(source(httpserver))
    assert isinstance(found.failure, SourceRefused)
    assert "flickr refused the search: Service currently unavailable" in str(found.failure)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 503])
def test_no_failure_shows_the_key(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request(PATH).respond_with_data("no", status=status)
    failure = ask(source(httpserver)).failure
    assert f"http {status}" in str(failure)
    assert KEY not in repr(failure) + str(vars(failure))


def test_a_redirect_takes_the_key_nowhere(httpserver: HTTPServer) -> None:
    elsewhere = f"http://127.0.0.1:{httpserver.port}/elsewhere"
    headers = {"Location": elsewhere}
    httpserver.expect_request(PATH).respond_with_data(status=302, headers=headers)
    failure = ask(flickr(KEY, base_url=f"http://localhost:{httpserver.port}")).failure
    assert [one.path for one, _ in httpserver.log] == [PATH, "/elsewhere"]
    assert KEY not in str(httpserver.log[1][0].url) + str(httpserver.log[1][0].headers)
    assert KEY not in str(failure)


def test_no_network_does_not_show_the_key() -> None:
    source = flickr(KEY, base_url="http://localhost:9")
    assert KEY not in str(ask(source).failure) + repr(source)


CHANGED = {
    "html": "<html>maintenance</html>",
    "no photos": '{"stat": "ok"}',
    "no ids": page_of([{"owner": "1@N0", "url_l": "https://host.example/1.jpg"}]),
    "no method": failure(112, "Method not found"),
}


@pytest.mark.parametrize("page", CHANGED.values(), ids=CHANGED)
def test_an_answer_of_another_shape_is_an_error(httpserver: HTTPServer, page: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(page)
    found = ask(source(httpserver))
    assert isinstance(found.failure, PageChanged)
    assert "the result page of flickr has changed" in str(found.failure)


def test_no_results_are_no_error(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([], pages=0))
    assert ask(source(httpserver)) == SearchResult([], None)
