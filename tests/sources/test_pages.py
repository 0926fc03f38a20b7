"""The pages in `pages/`, in the shapes that the sources were last known to answer with."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from btfer.sources.baidu import baidu
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.flickr import flickr
from btfer.sources.google import google
from btfer.sources.openverse import openverse
from btfer.sources.search import SearchResult, Source
from btfer.sources.yandex import yandex
from tests.sources.asking import ask

PAGES = Path(__file__).parent / "pages"
SOURCES: dict[str, tuple[Callable[[str], Source], str]] = {
    "bing": (bing, "/images/async"),
    "google": (google, "/wml/search"),
    "baidu": (baidu, "/search/acjson"),
    "yandex": (yandex, "/images/search"),
    "commons": (commons, "/w/api.php"),
    "flickr": (lambda base_url: flickr("key", base_url=base_url), "/services/rest/"),
    "openverse": (lambda base_url: openverse("token", base_url=base_url), "/v1/images/"),
}
READ = [  # images, of them with a size, odd records
    ("bing.html", 4, 4, 2),
    ("google.xml", 4, 4, 1),
    ("baidu.json", 4, 4, 2),
    ("yandex.html", 4, 4, 2),
    ("commons.json", 4, 4, 2),
    ("flickr.json", 4, 4, 1),
    ("openverse.json", 4, 4, 1),
]
HURDLES = ["bing_captcha.html", "google_captcha.html", "google_consent.html", "baidu_antiflag.json"]
NOTHING = ["bing_empty.html", "google_empty.xml", "yandex_empty.html"]


def look(site: HTTPServer, file: str) -> SearchResult:
    make, path = SOURCES[file.split(".")[0].split("_")[0]]
    site.expect_request(path).respond_with_data((PAGES / file).read_bytes())
    return ask(make(site.url_for("").rstrip("/")), per_query=1)


@pytest.mark.parametrize(("file", "images", "sized", "odd"), READ, ids=[row[0] for row in READ])
def test_odd_records_are_skipped_and_counted(
    httpserver: HTTPServer, file: str, images: int, sized: int, odd: int
) -> None:
    found = look(httpserver, file)
    assert found.failure is None
    assert (len(found.sightings), found.odd) == (images, odd)
    assert sum(bool(one.width and one.height) for one in found.sightings) == sized
    assert not any("utm_" in one.url for one in found.sightings)


@pytest.mark.parametrize("file", HURDLES)
def test_a_hurdle_is_no_answer(httpserver: HTTPServer, file: str) -> None:
    found = look(httpserver, file)
    assert found.sightings == []
    assert "blocks the search" in found.suspicious


@pytest.mark.parametrize("file", NOTHING)
def test_a_search_that_found_nothing_is_none(httpserver: HTTPServer, file: str) -> None:
    assert look(httpserver, file) == SearchResult([], None)


def test_every_page_is_described() -> None:
    described = (PAGES / "README.md").read_text(encoding="utf-8")
    files = {one.name for one in PAGES.iterdir()} - {"README.md"}
    assert files == {row[0] for row in READ} | set(HURDLES) | set(NOTHING)
    assert all(f"`{name}`" in described for name in files)
