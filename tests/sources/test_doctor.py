import json
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

from btfer.errors import UsageError
from btfer.settings import Settings
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.doctor import SourceCheck, check_source, check_sources
from btfer.sources.flickr import flickr
from btfer.sources.google import google
from btfer.sources.search import Source
from btfer.sources.web import Web
from tests.sources.asking import WEB, base

KEY = "0123456789abcdef"


def bing_page(n: int) -> str:
    facts = [
        {"murl": f"https://host.example/{i}.jpg", "purl": "https://host.example"} for i in range(n)
    ]
    links = "".join(f"<a class='iusc' m='{json.dumps(one)}'></a>" for one in facts)
    return f'<ul class="dgControl_list">{links}</ul>'


def commons_page(**facts: str) -> str:
    info = {
        "url": "https://upload.example/1.jpg",
        "descriptionurl": "https://commons.example/wiki/File:1.jpg",
        "width": 800,
        "user": "Ana",
        "extmetadata": {key: {"value": value} for key, value in facts.items()},
    }
    page = {"title": "File:1.jpg", "index": 1, "imageinfo": [info]}
    return json.dumps({"batchcomplete": True, "query": {"pages": [page]}})


def look(source: Source, site: HTTPServer, path: str, body: str, status: int = 200) -> SourceCheck:
    site.expect_request(path).respond_with_data(body, status=status, content_type="text/html")
    return check_source(replace(source, min_delay_s=0), Web(WEB))


def bing_finding(site: HTTPServer, body: str, status: int = 200) -> SourceCheck:
    return look(bing(base(site)), site, "/images/async", body, status)


def test_a_source_that_works_is_ok_with_what_it_states(httpserver: HTTPServer) -> None:
    assert bing_finding(httpserver, bing_page(35)) == SourceCheck(
        "bing", "works", images=10, pages=10
    )
    assert httpserver.log[0][0].args["q"] == "happy woman"


def test_a_licensed_source_that_works_states_all(httpserver: HTTPServer) -> None:
    page = commons_page(LicenseShortName="CC0")
    finding = look(commons(base(httpserver)), httpserver, "/w/api.php", page)
    assert finding == SourceCheck("commons", "works", images=1, licences=1, authors=1, pages=1)


def test_a_licensed_source_without_licences_has_changed(httpserver: HTTPServer) -> None:
    finding = look(commons(base(httpserver)), httpserver, "/w/api.php", commons_page())
    assert (finding.state, finding.images, finding.licences) == ("changed", 1, 0)
    assert "no image states a licence" in finding.detail


STATES: list[tuple[str, int, str, str]] = [
    ("<title>Welcome</title>", 200, "changed", "has changed and cannot be read"),
    ("gone", 404, "changed", "http 404"),
    (bing_page(0), 200, "empty", "shows no images"),
    ("no", 403, "blocked", "http 403"),
    ("slowly", 429, "blocked", "http 429"),
    ("down", 503, "blocked", "http 503"),
]


@pytest.mark.parametrize(
    ("body", "status", "state", "detail"), STATES, ids=[f"{row[1]} {row[2]}" for row in STATES]
)
def test_the_states_are_told_apart(
    httpserver: HTTPServer, body: str, status: int, state: str, detail: str
) -> None:
    finding = bing_finding(httpserver, body, status)
    assert finding.state == state
    assert detail in finding.detail
    assert finding.images == 0


@pytest.mark.parametrize("base_url", ["http://localhost:9", "http://nowhere.invalid"])
def test_nobody_there_is_no_network(base_url: str) -> None:
    finding = check_source(bing(base_url), Web(WEB))
    host = base_url.removeprefix("http://").removesuffix(":9")
    assert finding == SourceCheck("bing", "no network", detail=f"{host}: no connection")


def test_a_network_that_leads_inside_is_no_network(httpserver: HTTPServer) -> None:
    guarded = Web(replace(WEB, allow_private_hosts=False))
    finding = check_source(bing(base(httpserver)), guarded)
    assert (finding.state, httpserver.log) == ("no network", [])


def test_a_captcha_is_named(httpserver: HTTPServer) -> None:
    finding = look(google(base(httpserver)), httpserver, "/search", '<form id="captcha-form">')
    assert finding.state == "changed"
    assert "captcha" in finding.detail


WRONG_KEY = json.dumps({"stat": "fail", "code": 100, "message": f"Invalid API Key {KEY}"})


@pytest.mark.parametrize(("body", "status"), [(WRONG_KEY, 200), ("no", 401)])
def test_a_wrong_key_is_refused_and_not_shown(
    httpserver: HTTPServer, body: str, status: int
) -> None:
    source = flickr(KEY, base_url=base(httpserver))
    finding = look(source, httpserver, "/services/rest/", body, status)
    assert finding.state == "blocked"
    assert "BTFER_FLICKR_KEY" in finding.detail
    assert KEY not in str(finding)


def test_what_is_missing_in_the_settings_is_a_finding(settings: Settings) -> None:
    findings = check_sources(["flickr", "openverse", "commons"], settings)
    assert [one.state for one in findings] == ["not set up"] * 3
    assert [one.source for one in findings] == ["flickr", "openverse", "commons"]
    variables = ("BTFER_FLICKR_KEY", "BTFER_OPENVERSE_TOKEN", "BTFER_CONTACT")
    assert all(name in one.detail for name, one in zip(variables, findings, strict=True))


def test_all_are_examined_whatever_one_says(httpserver: HTTPServer, settings: Settings) -> None:
    httpserver.expect_request("/images/async").respond_with_data(bing_page(3))
    sources = [commons(base(httpserver)), bing("http://localhost:9"), bing(base(httpserver))]
    findings = check_sources(sources, settings)
    assert [one.state for one in findings] == ["not set up", "no network", "works"]


def test_an_unknown_name_is_an_error(settings: Settings) -> None:
    with pytest.raises(UsageError, match="choose one of bing"):
        check_sources(["gogle"], settings)


def test_the_built_in_site_is_well(settings: Settings) -> None:
    from btfer.sample import MANIFEST

    if not MANIFEST.is_file():
        pytest.skip("the sample's pictures are not there")
    [finding] = check_sources(
        ["sample"], settings.model_copy(update={"allow_private_hosts": False})
    )
    assert (finding.state, finding.images, finding.licences) == ("works", 10, 10)
