"""A proxy on loopback that answers for every address it is asked for."""

import base64
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

from btfer.errors import UsageError
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.web import Manners, Web
from tests.sources.asking import WEB


def through(site: HTTPServer, user: str = "", **manners: object) -> Web:
    address = f"http://{user}localhost:{site.port}"
    return Web(replace(WEB, proxy=address, **manners))  # type: ignore[arg-type]


def test_a_picture_is_asked_of_the_proxy(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a.jpg").respond_with_data(b"picture")
    assert through(httpserver).get("http://nowhere.invalid/a.jpg").body == b"picture"
    hosts = {request.headers["Host"] for request, _ in httpserver.log}
    assert hosts == {"nowhere.invalid"}  # robots.txt as well


def test_its_password_goes_to_the_proxy_alone_and_is_not_shown(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a.jpg").respond_with_data(b"picture")
    web = through(httpserver, "ann:hu%21sh@")
    web.get("http://nowhere.invalid/a.jpg")
    sent = httpserver.log[0][0].headers["Proxy-Authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"ann:hu!sh"
    assert "hu%21sh" not in repr(web.manners)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "localhost", "[::1]"])
def test_no_proxy_leads_inside(httpserver: HTTPServer, host: str) -> None:
    guarded = through(httpserver, allow_private_hosts=False)
    with pytest.raises(NotFetched, match="private address"):
        guarded.get(f"http://{host}/a.jpg")
    assert httpserver.log == []


def test_a_proxy_that_is_not_there_is_no_connection() -> None:
    web = Web(replace(WEB, proxy="http://localhost:9"))
    with pytest.raises(NotFetched, match="no connection"):
        web.get("http://nowhere.invalid/a.jpg")


@pytest.mark.parametrize(
    "address", ["socks5://localhost:9", "localhost:3128", "http://", "http://ann:hush@[bad:1"]
)
def test_what_can_be_no_proxy_is_an_error_without_its_password(address: str) -> None:
    with pytest.raises(UsageError, match=r"http://proxy\.example\.org:3128") as caught:
        Web(Manners(proxy=address))
    assert "hush" not in str(caught.value)


def test_the_environment_names_no_proxy(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://localhost:9")
    httpserver.expect_request("/a.jpg").respond_with_data(b"picture")
    assert Web(WEB).get(httpserver.url_for("/a.jpg")).body == b"picture"
