import json
from dataclasses import replace
from pathlib import Path

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
from tests.conftest import as_bytes, draw_photo
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


def test_a_source_that_works_says_what_it_states(httpserver: HTTPServer) -> None:
    finding = bing_finding(httpserver, bing_page(35))
    assert (finding.state, finding.images, finding.pages) == ("works", 70, 70)
    assert [one.args["q"] for one, _ in httpserver.log[::2]][:2] == ["happy woman", "mujer feliz"]


def test_a_licensed_source_that_works_states_all(httpserver: HTTPServer) -> None:
    page = commons_page(LicenseShortName="CC0")
    finding = look(commons(base(httpserver)), httpserver, "/w/api.php", page)
    assert (finding.state, finding.images) == ("works", 2)  # one in each language
    assert (finding.licences, finding.authors, finding.pages) == (2, 2, 2)


def serve_pictures(site: HTTPServer, side_px: int) -> str:
    """A page of two pictures of 800x600 pixels, and what is at their addresses."""
    picture = as_bytes(draw_photo(1, (side_px, side_px * 3 // 4)))
    for path in ("/1.jpg", "/2.jpg"):
        site.expect_request(path).respond_with_data(picture)
    urls = [site.url_for("/1.jpg"), site.url_for("/2.jpg")]
    links = [f"<a class='iusc' m='{json.dumps({'murl': url})}'></a>" for url in urls]
    size = '<div class="img_info">800 x 600 · jpeg</div>'
    items = "".join(f'<div class="imgpt">{link}{size}</div>' for link in links)
    return f'<ul class="dgControl_list">{items}</ul>'


@pytest.mark.parametrize(
    ("side_px", "state", "originals", "thumbnails"),
    [(800, "works", 3, 0), (200, "changed", 0, 3)],
    ids=["original", "thumbnail"],
)
def test_an_original_is_told_from_a_thumbnail(
    httpserver: HTTPServer, side_px: int, state: str, originals: int, thumbnails: int
) -> None:
    finding = bing_finding(httpserver, serve_pictures(httpserver, side_px))
    assert (finding.state, finding.originals, finding.thumbnails) == (state, originals, thumbnails)


def test_what_it_saw_is_kept_without_keys_and_without_pictures(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    photo = {"id": "1", "owner": "1@N0", "url_l": "https://host.example/1.jpg", "license": "4"}
    about = {"page": 1, "pages": 1, "photo": [photo], "asked_with": KEY}
    page = json.dumps({"photos": about, "stat": "ok"})
    httpserver.expect_request("/services/rest/").respond_with_data(page)
    source = replace(flickr(KEY, base_url=base(httpserver)), min_delay_s=0)
    folder = tmp_path / "doctor" / "flickr"
    for _ in range(2):
        check_source(source, Web(WEB), folder)
    assert sorted(one.name for one in folder.iterdir()) == ["en-1.json", "es-1.json", "report.json"]
    assert not any(KEY in one.read_text() for one in folder.iterdir())
    assert json.loads((folder / "report.json").read_text())["images"] == 2


def test_what_was_withdrawn_is_not_fetched(httpserver: HTTPServer) -> None:
    page = serve_pictures(httpserver, 800)
    httpserver.expect_request("/images/async").respond_with_data(page)
    gone = {httpserver.url_for("/1.jpg"), httpserver.url_for("/2.jpg")}
    source = replace(bing(base(httpserver)), min_delay_s=0)
    finding = check_source(source, Web(WEB), withdrawn=gone.intersection)
    assert (finding.state, finding.originals) == ("works", 0)
    assert {one.path for one, _ in httpserver.log} == {"/images/async"}


def test_a_source_that_takes_long_is_slow(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btfer.sources.doctor.SLOW_S", 0.0)
    assert bing_finding(httpserver, bing_page(3)).state == "slow"


def test_a_licensed_source_without_licences_has_changed(httpserver: HTTPServer) -> None:
    finding = look(commons(base(httpserver)), httpserver, "/w/api.php", commons_page())
    assert (finding.state, finding.images, finding.licences) == ("changed", 2, 0)
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
    finding = look(google(base(httpserver)), httpserver, "/wml/search", '<form id="captcha-form">')
    assert finding.state == "blocked"
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
    variables = ("BTFER_FLICKR_KEY", "BTFER_OPENVERSE_CLIENT_ID", "BTFER_CONTACT")
    assert all(name in one.detail for name, one in zip(variables, findings, strict=True))


@pytest.mark.slow
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
    assert finding.state == "works"
    assert 0 < finding.images == finding.licences == finding.authors
    assert finding.originals == 3
