import pytest
from pytest_httpserver import HTTPServer


@pytest.fixture(autouse=True)
def unknown_pages_are_404(httpserver: HTTPServer) -> None:
    """As on the web; the server's own default is 500, which means that robots.txt is down."""
    httpserver.no_handler_status_code = 404
