import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue.journal import Sighting
from btfer.errors import UsageError
from btfer.licences import terms
from btfer.sources.openverse import openverse
from btfer.sources.search import PageChanged, SearchResult, Source, SourceRefused, search
from btfer.sources.web import Web
from tests.sources.asking import PROBE_QUERY, WEB, arguments, ask, base

TOKEN = "DLBYIcfnKfolaXKcmMC8RIDCavc2hW"
PATH = "/v1/images/"


def result(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"4bc43a04-ef46-4544-a0c1-63c63f56e2{number:02d}",
        "title": "Niña sonriendo",
        "foreign_landing_url": f"https://www.flickr.com/photos/1@N0/{number}",
        "url": f"https://live.staticflickr.com/1/{number}_b.jpg",
        "creator": "Ana B.",
        "creator_url": "https://www.flickr.com/photos/1@N0",
        "license": "by-sa",
        "license_version": "2.0",
        "license_url": "https://creativecommons.org/licenses/by-sa/2.0/",
        "provider": "flickr",
        "category": "photograph",
        "mature": False,
    } | fields


def page_of(results: list[dict[str, Any]], page: int = 1, page_count: int = 1) -> str:
    counts = {"result_count": 240, "page_count": page_count, "page_size": 20, "page": page}
    return json.dumps(counts | {"results": results})


def source(site: HTTPServer, licences: str = "any") -> Source:
    return openverse(TOKEN, licences, base(site))


def test_openverse_gives_licence_author_and_page(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([result(7)]))
    found = ask(source(httpserver))
    assert found == SearchResult(
        [
            Sighting(
                url="https://live.staticflickr.com/1/7_b.jpg",
                source="openverse",
                page_url="https://www.flickr.com/photos/1@N0/7",
                title="Niña sonriendo",
                licence="CC BY-SA 2.0",
                licence_url="https://creativecommons.org/licenses/by-sa/2.0/",
                author="Ana B.",
                rank=1,
            )
        ],
        None,
    )


def test_openverse_is_asked_for_photographs_with_the_token(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([result(7)]))
    ask(source(httpserver))
    assert arguments(httpserver) == {
        "q": "niña india sonriendo",
        "page": "1",
        "page_size": "20",
        "category": "photograph",
        "mature": "false",
    }
    sent = httpserver.log[0][0].headers
    assert sent["Authorization"] == f"Bearer {TOKEN}"
    assert sent["Accept-Language"] == "es"


RULES = {"derivatives": "modification", "free": "commercial,modification", "stated": None}


@pytest.mark.parametrize(("rule", "kind"), RULES.items(), ids=RULES)
def test_only_the_licences_of_the_rule_are_asked_for(
    httpserver: HTTPServer, rule: str, kind: str | None
) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([]))
    ask(source(httpserver, rule))
    assert arguments(httpserver).get("license_type") == kind


@pytest.mark.parametrize(("page_count", "asked"), [(3, 3), (500, 20)])
def test_it_goes_on_for_twenty_pages_at_most(
    httpserver: HTTPServer, page_count: int, asked: int
) -> None:
    def page(request: Request) -> Response:
        number = int(request.args["page"])
        return Response(page_of([result(number)], number, page_count))

    httpserver.expect_request(PATH).respond_with_handler(page)
    found = ask(source(httpserver))
    assert found.failure is None
    assert len(httpserver.log) == len(found.sightings) == asked


def test_its_pages_are_asked_for_a_second_apart(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([result(7)]))
    web = Web(WEB)
    search(source(httpserver), PROBE_QUERY, web, 20)
    assert web.gate.delay_s("localhost") == 1.0
    assert web.gate.delay_s("live.staticflickr.com") == 0.0


def test_what_is_marked_as_sensitive_or_has_no_file_is_passed_over(httpserver: HTTPServer) -> None:
    results = [result(1, mature=True), result(2, url=None), result(3)]
    httpserver.expect_request(PATH).respond_with_data(page_of(results))
    [seen] = ask(source(httpserver)).sightings
    assert seen.url.endswith("/3_b.jpg")


def test_what_is_not_known_stays_empty(httpserver: HTTPServer) -> None:
    unknown = dict.fromkeys(("title", "creator", "foreign_landing_url", "license_version"))
    httpserver.expect_request(PATH).respond_with_data(page_of([result(7, **unknown)]))
    [seen] = ask(source(httpserver)).sightings
    assert (seen.title, seen.author, seen.page_url, seen.licence) == ("", "", "", "CC BY-SA")


LICENCES = [  # as the API says it, as we do, permits derivatives, is free
    ("by", "4.0", "CC BY 4.0", True, True),
    ("by-nc", "2.0", "CC BY-NC 2.0", True, False),
    ("by-nc-nd", "3.0", "CC BY-NC-ND 3.0", False, False),
    ("by-nd", "2.0", "CC BY-ND 2.0", False, False),
    ("cc0", "1.0", "CC0 1.0", True, True),
    ("pdm", "1.0", "Public Domain Mark 1.0", True, True),
    ("sampling+", "1.0", "CC SAMPLING+ 1.0", False, False),
]


@pytest.mark.parametrize(("licence", "version", "name", "derivatives", "free"), LICENCES)
def test_licences_are_named_as_everywhere(
    httpserver: HTTPServer, licence: str, version: str, name: str, derivatives: bool, free: bool
) -> None:
    one = result(7, license=licence, license_version=version)
    httpserver.expect_request(PATH).respond_with_data(page_of([one]))
    [seen] = ask(source(httpserver)).sightings
    assert seen.licence == name
    assert (terms(name).derivatives, terms(name).free) == (derivatives, free)


def test_without_a_token_it_says_what_to_set() -> None:
    with pytest.raises(UsageError, match="BTFER_OPENVERSE_TOKEN"):
        openverse("")


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_has_expired_is_named_and_not_shown(
    httpserver: HTTPServer, status: int
) -> None:
    answer = json.dumps({"detail": "Authentication credentials were not provided."})
    httpserver.expect_request(PATH).respond_with_data(answer, status=status)
    failure = ask(source(httpserver)).failure
    assert isinstance(failure, SourceRefused)
    assert f"http {status}; check that BTFER_OPENVERSE_TOKEN is right" in str(failure)
    assert TOKEN not in str(failure)


def test_a_redirect_to_another_host_does_not_get_the_token(httpserver: HTTPServer) -> None:
    elsewhere = {"Location": f"http://127.0.0.1:{httpserver.port}/elsewhere"}
    httpserver.expect_request(PATH).respond_with_data(status=301, headers=elsewhere)
    httpserver.expect_request("/elsewhere").respond_with_data(page_of([result(7)]))
    found = ask(openverse(TOKEN, base_url=f"http://localhost:{httpserver.port}"))
    assert len(found.sightings) == 1
    first, second = (request.headers for request, _ in httpserver.log)
    assert "Authorization" in first
    assert "Authorization" not in second


CHANGED = {
    "html": "<html>maintenance</html>",
    "no results": '{"result_count": 1}',
    "no counts": json.dumps({"results": [result(1)]}),
    "no addresses": page_of([{"link": "https://host.example/1.jpg", "mature": False}]),
    "list": "[]",
}


@pytest.mark.parametrize("page", CHANGED.values(), ids=CHANGED)
def test_an_answer_of_another_shape_is_an_error(httpserver: HTTPServer, page: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(page)
    failure = ask(source(httpserver)).failure
    assert isinstance(failure, PageChanged)
    assert "the result page of openverse has changed" in str(failure)


def test_no_results_are_no_error(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data(page_of([], page_count=0))
    assert ask(source(httpserver)) == SearchResult([], None)


def clients(site: HTTPServer, tokens: list[str], life_s: int = 3600) -> Source:
    """The source with a client id and secret; each request for a token brings the next one."""

    def token(request: Request) -> Response:
        assert request.form.to_dict() == {
            "grant_type": "client_credentials",
            "client_id": "me",
            "client_secret": "hush",
        }
        return Response(json.dumps({"access_token": tokens.pop(0), "expires_in": life_s}))

    def page(request: Request) -> Response:
        good = request.headers["Authorization"] in ("Bearer one", "Bearer two")
        return Response(page_of([result(1)]), status=200 if good else 401)

    site.expect_request("/v1/auth_tokens/token/", method="POST").respond_with_handler(token)
    site.expect_request(PATH).respond_with_handler(page)
    return openverse(base_url=base(site), client_id="me", client_secret="hush")


def test_a_token_is_fetched_once_with_id_and_secret(httpserver: HTTPServer) -> None:
    asked = clients(httpserver, ["one"])
    for _ in range(2):
        assert len(ask(asked).sightings) == 1
    assert "hush" not in repr(asked)


def test_a_token_is_renewed_before_it_runs_out(
    httpserver: HTTPServer,
) -> None:
    asked = clients(httpserver, ["one", "two"], life_s=0)
    for _ in range(2):
        assert len(ask(asked).sightings) == 1


def test_a_token_that_is_refused_is_fetched_anew(httpserver: HTTPServer) -> None:
    assert len(ask(clients(httpserver, ["stale", "two"])).sightings) == 1


def test_a_wrong_secret_is_named_and_not_shown(httpserver: HTTPServer) -> None:
    path = "/v1/auth_tokens/token/"
    httpserver.expect_request(path).respond_with_data('{"error":"invalid_client"}', status=401)
    found = ask(openverse(base_url=base(httpserver), client_id="me", client_secret="hush"))
    assert isinstance(found.failure, SourceRefused)
    assert "BTFER_OPENVERSE_CLIENT_SECRET" in str(found.failure)
    assert "hush" not in str(found.failure)
