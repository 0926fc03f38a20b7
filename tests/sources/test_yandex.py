from pytest_httpserver import HTTPServer

from btfer.catalogue.journal import Sighting
from btfer.sources.search import PageChanged, SourceBlocked
from btfer.sources.yandex import yandex
from tests.sources.asking import arguments, ask, base
from tests.sources.test_pages import PAGES

PATH = "/images/search"


def test_yandex_gives_the_largest_place_of_a_picture(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data((PAGES / "yandex.html").read_bytes())
    found = ask(yandex(base(httpserver)))
    assert found.sightings[0] == Sighting(
        url="https://host.example/1.jpg",
        source="yandex",
        page_url="https://host.example/page/1",
        title="A happy woman",
        rank=1,
        copy_url="https://avatars.example/i?id=1&n=13",
        width=1200,
        height=900,
    )
    assert arguments(httpserver) == {"text": "niña india sonriendo", "type": "photo"}
    assert arguments(httpserver, 1)["p"] == "1"


def test_a_captcha_is_named(httpserver: HTTPServer) -> None:
    header = {"x-yandex-captcha": "captcha"}
    httpserver.expect_request(PATH).respond_with_data("<html></html>", headers=header)
    assert isinstance(ask(yandex(base(httpserver))).failure, SourceBlocked)


def test_another_page_has_changed(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data('<div data-state="{}"></div>')
    assert isinstance(ask(yandex(base(httpserver))).failure, PageChanged)
