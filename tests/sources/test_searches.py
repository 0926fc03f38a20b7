import json
import logging
from collections.abc import Callable
from dataclasses import replace
from html import escape

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue.journal import Sighting
from btfer.errors import NetworkError, UsageError
from btfer.queries import Query
from btfer.settings import Settings
from btfer.sources import DEFAULT, SOURCES, open_source
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.sample import sample
from btfer.sources.search import PageChanged, SearchResult, Source, SourceRefused, search
from btfer.sources.web import Manners, Web
from tests.sources.asking import PROBE_QUERY, WEB, ask, base


def bing_page(urls: list[str]) -> str:
    items = [
        '<li><div class="imgpt"><a class="iusc" m="'
        + escape(json.dumps({"murl": url, "purl": f"{url}/page", "t": "Niña & mamá"}))
        + '"><img src="thumb"></a></div></li>'
        for url in urls
    ]
    return f'<div class="dgControl"><ul class="dgControl_list">{"".join(items)}</ul></div>'


def bing_site(site: HTTPServer, n: int) -> None:
    urls = [f"https://host.example/{i}.png?w=1&x={i}" for i in range(n)]

    def page(request: Request) -> Response:
        first = int(request.args["first"]) - 1
        return Response(bing_page(urls[first : first + 35]), mimetype="text/html")

    site.expect_request("/images/async").respond_with_handler(page)


def test_bing_reads_its_json_page_after_page(httpserver: HTTPServer) -> None:
    bing_site(httpserver, 50)
    found = ask(bing(base(httpserver)))
    assert found.failure is None
    assert [one.url for one in found.sightings] == [
        f"https://host.example/{i}.png?w=1&x={i}" for i in range(50)
    ]
    assert found.sightings[40] == Sighting(
        url="https://host.example/40.png?w=1&x=40",
        source="bing",
        page_url="https://host.example/40.png?w=1&x=40/page",
        title="Niña & mamá",
        rank=41,
    )


def test_bing_is_asked_safely_and_in_the_language(httpserver: HTTPServer) -> None:
    bing_site(httpserver, 3)
    ask(bing(base(httpserver)))
    sent = httpserver.log[0][0]
    assert sent.args["q"] == "niña india sonriendo"
    assert sent.args["adlt"] == "strict"
    assert (sent.args["setlang"], sent.args["mkt"]) == ("es", "es-ES")
    assert sent.headers["Accept-Language"] == "es-ES,es;q=0.9"
    assert "+filterui:face-face" in sent.args["qft"]
    assert b"ni%C3%B1a" in sent.query_string


def test_bing_marks_are_taken_out_of_titles(httpserver: HTTPServer) -> None:
    facts = json.dumps({"murl": "https://host.example/1.jpg", "t": "A \ue000happy\ue001 girl"})
    facts_without = json.dumps({"murl": "https://host.example/2.jpg", "purl": "", "t": None})
    links = "".join(f"<a class='iusc' m='{one}'></a>" for one in (facts, facts_without))
    httpserver.expect_request("/images/async").respond_with_data(links)
    assert [one.title for one in ask(bing(base(httpserver))).sightings] == ["A happy girl", ""]


@pytest.mark.parametrize(
    ("page", "changed"), [("", False), ("<head><title>Welcome</title></head>", True)]
)
def test_bing_may_end_with_an_empty_page_but_not_with_another(
    httpserver: HTTPServer, page: str, changed: bool
) -> None:
    def answer(request: Request) -> Response:
        first = bing_page([f"https://host.example/{i}.jpg" for i in range(35)])
        return Response(first if request.args["first"] == "1" else page, mimetype="text/html")

    httpserver.expect_request("/images/async").respond_with_handler(answer)
    found = ask(bing(base(httpserver)))
    assert len(found.sightings) == 35
    assert isinstance(found.failure, PageChanged) == changed
    assert found.suspicious == ("" if changed else "its second page is empty")


def test_a_search_ends_with_the_page_that_has_the_number_asked_for(httpserver: HTTPServer) -> None:
    bing_site(httpserver, 200)
    shown: list[Sighting] = []
    source = replace(bing(base(httpserver)), min_delay_s=0)
    found = search(source, PROBE_QUERY, Web(WEB), 40, shown.extend)
    assert len(found.sightings) == len(shown) == 70  # none of those that a page shows is left out
    assert len(httpserver.log) == 2


def test_a_page_that_repeats_for_ever_ends(httpserver: HTTPServer) -> None:
    same = bing_page(["https://host.example/1.jpg"])
    httpserver.expect_request("/images/async").respond_with_data(same)
    assert len(ask(bing(base(httpserver))).sightings) == 1
    assert len(httpserver.log) == 2


COMMONS_PAGE = {
    "pageid": 7,
    "ns": 6,
    "title": "File:Happy girl, Jaipur.jpg",
    "index": 2,
    "imageinfo": [
        {
            "user": "Uploader",
            "size": 1234,
            "width": 1600,
            "height": 1200,
            "thumburl": "https://upload.example/thumb/1920px.jpg",
            "url": "https://upload.example/a/ab/Happy_girl%2C_Jaipur.jpg",
            "descriptionurl": "https://commons.example/wiki/File:Happy_girl,_Jaipur.jpg",
            "sha1": "00",
            "mime": "image/jpeg",
            "extmetadata": {
                "LicenseShortName": {"value": "CC BY-SA 4.0", "source": "commons-desc-page"},
                "LicenseUrl": {"value": "https://creativecommons.org/licenses/by-sa/4.0"},
                "Artist": {"value": '<a href="//x/User:Ana">Ana <b>B.</b></a>'},
            },
        }
    ],
}


def commons_page(index: int, width: int = 1600) -> dict[str, object]:
    info = COMMONS_PAGE["imageinfo"][0] | {  # type: ignore[index]
        "url": f"https://upload.example/{index}.jpg",
        "thumburl": f"https://upload.example/{index}-1920.jpg",
        "width": width,
    }
    return COMMONS_PAGE | {"index": index, "imageinfo": [info]}


def test_commons_gives_licence_and_author(httpserver: HTTPServer) -> None:
    answer = {"batchcomplete": True, "query": {"pages": [COMMONS_PAGE]}}
    httpserver.expect_request("/w/api.php").respond_with_json(answer)
    [seen] = ask(commons(base(httpserver))).sightings
    assert seen == Sighting(
        url="https://upload.example/a/ab/Happy_girl%2C_Jaipur.jpg",
        source="commons",
        page_url="https://commons.example/wiki/File:Happy_girl,_Jaipur.jpg",
        title="Happy girl, Jaipur.jpg",
        licence="CC BY-SA 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0",
        author="Ana B.",
        rank=1,
        width=1600,
        height=1200,
    )


def test_commons_goes_on_in_its_order_and_takes_huge_files_scaled(httpserver: HTTPServer) -> None:
    further = {"gsroffset": 50, "continue": "gsroffset||"}
    first = {"continue": further, "query": {"pages": [commons_page(2), commons_page(1)]}}
    second = {"batchcomplete": True, "query": {"pages": [commons_page(3, width=9000)]}}

    def page(request: Request) -> Response:
        answer = second if request.args.get("gsroffset") == "50" else first
        return Response(json.dumps(answer), mimetype="application/json")

    httpserver.expect_request("/w/api.php").respond_with_handler(page)
    found = ask(commons(base(httpserver)))
    assert [one.url.rpartition("/")[2] for one in found.sightings] == [
        "1.jpg",
        "2.jpg",
        "3-1920.jpg",
    ]


def test_commons_passes_over_a_file_that_is_gone_or_hidden(httpserver: HTTPServer) -> None:
    gone = {"title": "File:Gone.jpg", "index": 1, "imageinfo": [{"filemissing": True}]}
    hidden = {"title": "File:Hidden.jpg", "index": 3, "imageinfo": [{"filehidden": True}]}
    answer = {"batchcomplete": True, "query": {"pages": [gone, commons_page(2), hidden]}}
    httpserver.expect_request("/w/api.php").respond_with_json(answer)
    found = ask(commons(base(httpserver)))
    assert found.failure is None
    assert [one.url for one in found.sightings] == ["https://upload.example/2.jpg"]


@pytest.mark.parametrize("code", ["ratelimited", "maxlag", "readonly"])
def test_commons_that_has_no_time_has_not_changed(httpserver: HTTPServer, code: str) -> None:
    answer = {"error": {"code": code, "info": "Come back later."}}
    httpserver.expect_request("/w/api.php").respond_with_json(answer)
    failure = ask(commons(base(httpserver))).failure
    assert isinstance(failure, SourceRefused)
    assert "commons refused the search: Come back later." in str(failure)


def sample_site(site: HTTPServer, n: int) -> None:
    def results(request: Request) -> Response:
        start = (int(request.args["page"]) - 1) * 8
        facts = [
            {"murl": f"/photos/{i}.jpg", "purl": f"/pages/{i}", "t": f"Photo {i}"}
            for i in range(start, min(start + 8, n))
        ]
        links = "".join(f"<a class='iusc' m='{json.dumps(one)}'></a>" for one in facts)
        following = f"/search?page={start // 8 + 2}"
        more = f'<a rel="next" href="{following}">next</a>' if start + 8 < n else ""
        return Response(f'<div id="results">{links}</div>{more}', mimetype="text/html")

    page = '<meta name="author" content="A Painter"><a rel="license" href="/cc0">CC0 1.0</a>'
    site.expect_request("/search").respond_with_handler(results)
    for i in range(n):
        site.expect_request(f"/pages/{i}").respond_with_data(page, content_type="text/html")


def test_the_sample_is_read_with_licence_and_author_of_each_page(httpserver: HTTPServer) -> None:
    sample_site(httpserver, 10)
    found = ask(sample(base(httpserver)))
    assert found.failure is None
    assert len(found.sightings) == 10
    assert found.sightings[9] == Sighting(
        url=httpserver.url_for("/photos/9.jpg"),
        source="sample",
        page_url=httpserver.url_for("/pages/9"),
        title="Photo 9",
        licence="CC0 1.0",
        licence_url=httpserver.url_for("/cc0"),
        author="A Painter",
        rank=10,
    )
    sent = httpserver.log[0][0].args
    assert (sent["expression"], sent["ethnicity"], sent["age"]) == ("happy", "Indian", "child")


SHAPES = [
    (bing, "/images/async", "<html><body>Are you a robot?</body></html>"),
    (bing, "/images/async", ""),
    (commons, "/w/api.php", "[" * 100_000),
    (bing, "/images/async", '<a class="iusc" m="{broken">x</a>'),
    (bing, "/images/async", '<a class="iusc" m="{}">x</a>'),
    (commons, "/w/api.php", "<html>maintenance</html>"),
    (commons, "/w/api.php", '{"hello": 1}'),
    (commons, "/w/api.php", "[]"),
    (commons, "/w/api.php", '{"error": {"code": "badvalue", "info": "Unrecognized value"}}'),
    (
        commons,
        "/w/api.php",
        '{"query": {"pages": [{"title": "x", "index": 1, "imageinfo": [{}]}]}}',
    ),
    (sample, "/search", "<html><body>moved</body></html>"),
]


@pytest.mark.parametrize(("make", "path", "page"), SHAPES, ids=[row[2][:30] for row in SHAPES])
def test_a_page_of_another_shape_is_an_error_and_not_nothing(
    httpserver: HTTPServer, make: Callable[[str], Source], path: str, page: str
) -> None:
    httpserver.expect_request(path).respond_with_data(page, content_type="text/html")
    found = ask(make(base(httpserver)))
    assert found.sightings == []
    assert isinstance(found.failure, PageChanged)
    assert "has changed and cannot be read" in str(found.failure)


NOTHING = [
    (bing, "/images/async", '<div class="dgControl"><ul class="dgControl_list"></ul></div>'),
    (commons, "/w/api.php", '{"batchcomplete": true}'),
    (sample, "/search", '<div id="results"></div>'),
]


@pytest.mark.parametrize(("make", "path", "page"), NOTHING, ids=["bing", "commons", "sample"])
def test_no_results_are_no_error(
    httpserver: HTTPServer, make: Callable[[str], Source], path: str, page: str
) -> None:
    httpserver.expect_request(path).respond_with_data(page, content_type="text/html")
    assert ask(make(base(httpserver))) == SearchResult([], None)


def test_what_was_found_before_a_failure_is_kept(httpserver: HTTPServer) -> None:
    def page(request: Request) -> Response:
        if request.args["first"] == "1":
            return Response(bing_page([f"https://host.example/{i}.jpg" for i in range(35)]))
        return Response(status=403)

    httpserver.expect_request("/images/async").respond_with_handler(page)
    found = ask(bing(base(httpserver)))
    assert len(found.sightings) == 35
    assert "http 403" in str(found.failure)


BROKEN = {
    "without murl": "{}",
    "no JSON": "{broken",
    "a list": "[1, 2]",
    "null": "null",
    "murl of another kind": '{"murl": {"url": "https://host.example/x.jpg"}}',
}


@pytest.mark.parametrize("facts", BROKEN.values(), ids=BROKEN)
def test_a_broken_record_costs_itself_and_no_more(httpserver: HTTPServer, facts: str) -> None:
    broken = f'<a class="iusc" m="{escape(facts)}">x</a><a class="iusc">no m at all</a>'

    def page(request: Request) -> Response:
        number = {"1": 0, "38": 1}.get(request.args["first"])
        urls = [f"https://host.example/{number}-{i}.jpg" for i in range(35)]
        return Response((bing_page(urls) + broken) if number is not None else bing_page([]))

    httpserver.expect_request("/images/async").respond_with_handler(page)
    found = ask(bing(base(httpserver)))
    assert (len(found.sightings), found.odd, found.failure) == (70, 4, None)


def test_a_page_of_which_most_cannot_be_read_has_changed(httpserver: HTTPServer) -> None:
    broken = '<a class="iusc" m="{}">x</a>' * 3
    page = bing_page(["https://host.example/1.jpg", "https://host.example/2.jpg"]) + broken
    httpserver.expect_request("/images/async").respond_with_data(page)
    found = ask(bing(base(httpserver)))
    assert len(found.sightings) == 2  # what can be read is kept
    assert isinstance(found.failure, PageChanged)
    assert "3 of 5 records cannot be read (no image address)" in str(found.failure)


def test_cookies_go_back_to_the_search_pages_of_their_source_alone(httpserver: HTTPServer) -> None:
    page = Response(bing_page([f"https://host.example/{i}.jpg" for i in range(35)]))
    page.set_cookie("MUID", "visitor")
    httpserver.expect_request("/images/async").respond_with_handler(lambda _: page)
    httpserver.expect_request("/w/api.php").respond_with_json({"batchcomplete": True})
    httpserver.expect_request("/1.jpg").respond_with_data(b"")
    source, web = replace(bing(base(httpserver)), min_delay_s=0), Web(WEB)
    search(source, PROBE_QUERY, web, 100)
    search(replace(commons(base(httpserver)), min_delay_s=0), PROBE_QUERY, web, 100)
    web.get(httpserver.url_for("/1.jpg"))
    sent = [(one.path, one.cookies.get("MUID")) for one, _ in httpserver.log]
    assert sent[:2] == [("/images/async", None), ("/images/async", "visitor")]
    assert {cookie for path, cookie in sent if path != "/images/async"} == {None}


def test_every_source_pauses_between_its_pages(settings: Settings) -> None:
    known = CONTACT | {"flickr_key": "k", "openverse_token": "t"}
    for name in set(SOURCES) - {"sample"}:
        with open_source(name, settings.model_copy(update=known)) as source:
            assert source.min_delay_s >= 1


def test_no_network_is_a_network_error() -> None:
    found = ask(bing("http://localhost:9"))
    assert isinstance(found.failure, NetworkError)
    assert not isinstance(found.failure, PageChanged)


def test_icrawler_neither_prints_nor_sets_up_logging(
    httpserver: HTTPServer, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers = list(logging.getLogger().handlers)
    bing_site(httpserver, 3)
    ask(bing(base(httpserver)))
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gogle", "choose one of bing, commons, flickr, openverse, google"),
        ("folder", "btfer import"),
    ],
)
def test_an_unknown_source_lists_the_known_ones(
    settings: Settings, name: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        open_source(name, settings)


CONTACT = {"contact": "https://example.org/crawl"}
MISSING = [
    ("commons", {}, "BTFER_CONTACT"),
    ("flickr", CONTACT, "BTFER_FLICKR_KEY"),
    ("openverse", CONTACT, "BTFER_OPENVERSE_CLIENT_ID"),
    ("openverse", CONTACT | {"openverse_client_id": "x"}, "BTFER_OPENVERSE_CLIENT_SECRET"),
    ("openverse", {"openverse_token": "x"}, "BTFER_CONTACT"),
]


@pytest.mark.parametrize(("name", "known", "variable"), MISSING)
def test_a_source_names_the_variable_that_it_lacks(
    settings: Settings, name: str, known: dict[str, str], variable: str
) -> None:
    with pytest.raises(UsageError, match=variable):
        open_source(name, settings.model_copy(update=known))


def test_a_source_that_is_ready_made_needs_its_contact_too(settings: Settings) -> None:
    with pytest.raises(UsageError, match="BTFER_CONTACT"):
        open_source(commons(), settings)


def test_every_source_opens_with_all_it_needs(settings: Settings) -> None:
    known = CONTACT | {"flickr_key": "k", "openverse_token": "t", "licences": "free"}
    for name in set(SOURCES) - {"sample"}:
        with open_source(name, settings.model_copy(update=known)) as source:
            assert source.name == name
            assert source.base_url.startswith("https://")


def test_what_changes_or_needs_a_key_is_off_by_default() -> None:
    assert DEFAULT == ("bing", "commons")
    assert set(DEFAULT) <= set(SOURCES)


def test_the_built_in_site_is_searched_whole(settings: Settings) -> None:
    from btfer.sample import MANIFEST, load_manifest

    if not MANIFEST.is_file():
        pytest.skip("the sample's pictures are not there")
    web = Web(Manners(trusted_hosts=frozenset({"127.0.0.1"})))
    with open_source("sample", settings) as source:
        found = search(source, Query("happy", "happy", "en"), web, 1000)
    assert found.failure is None
    assert len(found.sightings) >= sum(one.expression == "happy" for one in load_manifest()) > 0
    assert all(one.licence and one.licence_url and one.author for one in found.sightings)
