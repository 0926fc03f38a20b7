import pytest
from pytest_httpserver import HTTPServer

from btfer.sources.web import Web


@pytest.fixture(autouse=True)
def unknown_pages_are_404(httpserver: HTTPServer) -> None:
    """As on the web; the server's own default is 500, which means that robots.txt is down."""
    httpserver.no_handler_status_code = 404


@pytest.fixture
def web() -> Web:
    """The way out, without its pauses."""
    from tests.sources.test_web import FAST

    return Web(FAST)
