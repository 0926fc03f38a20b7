"""Hosts that ask to wait, refuse, break off or drip: what is asked of them, and what becomes of the URLs."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

from btfer.errors import UsageError
from btfer.settings import Settings
from btfer.sources.manners import Manners
from btfer.sources.web import NotFetched, Web
from tests.sources.test_web import FAST, JPEG, count, loss, serve

Act = Callable[[socket.socket, int], None]


@contextmanager
def raw_server(act: Act) -> Iterator[str]:
    """A server that does what `act` does with each connection; its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        number = 0
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=serve_one, args=(connection, number), daemon=True).start()

    def serve_one(connection: socket.socket, number: int) -> None:
        with connection:
            path = connection.recv(65536).split(b" ")[1]
            try:
                if path.endswith(b".jpg"):
                    act(connection, number)
                else:
                    connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def reset(connection: socket.socket) -> None:
    """Close as a machine does that has crashed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def whole(connection: socket.socket) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(JPEG)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + JPEG)


def half(connection: socket.socket) -> None:
    connection.sendall(
        f"HTTP/1.1 200 OK\r\nContent-Length: {len(JPEG)}\r\n\r\n".encode() + JPEG[:50]
    )


@pytest.mark.parametrize("fault", [reset, half, lambda connection: None])
def test_lost_connections_are_made_again(fault: Callable[[socket.socket], None]) -> None:
    asked: set[int] = set()

    def every_second(connection: socket.socket, number: int) -> None:
        asked.add(number)
        (fault if len(asked) % 2 else whole)(connection)

    with raw_server(every_second) as base:
        web = Web(FAST)
        for n in range(20):
            assert web.get(f"{base}/{n}.jpg").body == JPEG


def drip_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(1200):
        connection.sendall(b"x")
        time.sleep(0.05)


def drip_interim(connection: socket.socket) -> None:
    for _ in range(1200):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize("drip", [drip_header, drip_interim])
def test_a_header_that_drips_ends_at_the_wall_clock(drip: Callable[[socket.socket], None]) -> None:
    with raw_server(lambda connection, _: drip(connection)) as base:
        start = time.monotonic()
        web = Web(replace(FAST, wall_clock_s=0.6))
        assert loss(web, f"{base}/a.jpg") == ("failed", "timeout")
        assert time.monotonic() - start < 40  # to the end of the header it would be sixty


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (429, ("found", "told to wait")),
        (403, ("found", "host refuses")),
        (500, ("found", "host down")),
    ],
)
def test_a_host_that_only_refuses_is_left_alone(
    httpserver: HTTPServer, web: Web, status: int, end: tuple[str, str]
) -> None:
    urls = [serve(httpserver, f"/{n}.jpg", b"", status=status) for n in range(40)]
    ends = [loss(web, url) for url in urls]
    assert ends[-1] == end
    assert len(httpserver.log) <= 8  # robots.txt, tdmrep.json, and five pictures
    assert 50 < web.gate.held()["localhost"] <= 60


def test_a_host_that_refuses_some_is_asked_for_all(httpserver: HTTPServer, web: Web) -> None:
    for n in range(12):
        url = serve(httpserver, f"/{n}.jpg", JPEG, status=200 if n % 3 == 2 else 403)
        if n % 3 == 2:
            assert web.get(url).body == JPEG
        else:
            assert loss(web, url) == ("refused", "http 403")


def test_a_host_is_left_alone_for_longer_each_time(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Web(replace(FAST, break_after=1, break_s=0.1, max_wait_s=0.01, attempts=1))
    url = serve(httpserver, "/a.jpg", b"", status=403)
    holds_s: list[float] = []
    hold = web.gate.hold

    def write_down(host: str, seconds: float, *why: str) -> None:
        holds_s.append(round(seconds, 1))
        hold(host, seconds, *why)

    monkeypatch.setattr(web.gate, "hold", write_down)
    for _ in range(3):
        loss(web, url)
        assert web.gate.ready_in("localhost") <= holds_s[-1]
        time.sleep(max(0.0, web.gate.ready_in("localhost")))
    assert holds_s == [0.1, 0.2, 0.4]
    serve(httpserver, "/b.jpg")
    assert web.get(httpserver.url_for("/b.jpg")).body == JPEG
    loss(web, url)
    assert holds_s[-1] == 0.1  # it has answered in between


def test_robots_txt_that_asks_to_wait_is_asked_again_later(httpserver: HTTPServer) -> None:
    web = Web(replace(FAST, break_s=0.3, max_wait_s=0.1))
    serve(httpserver, "/robots.txt", b"", status=429)
    url = serve(httpserver, "/a.jpg")
    assert loss(web, url) == ("found", "told to wait")
    assert count(httpserver, "/a.jpg") == 0
    httpserver.clear()
    httpserver.no_handler_status_code = 404
    serve(httpserver, "/a.jpg")
    time.sleep(0.3)
    assert web.get(url).body == JPEG


def test_previews_of_agencies_are_left_out_unless_wanted() -> None:
    url = "https://media.gettyimages.com/photos/a.jpg"
    assert loss(Web(FAST), url) == ("refused", "agency preview")
    manners = replace(FAST, agency_previews=True, blocked=Manners().blocked)
    with pytest.raises(NotFetched) as caught:
        Web(replace(manners, timeout_s=0.1)).get("http://alamy.com.localhost:9/a.jpg")
    assert caught.value.reason == "no connection"


@pytest.mark.parametrize(
    "contact", ["ann@example.org\nX-Evil: 1", "почта@example.org", "a\tb", "☃"]
)
def test_a_contact_that_no_header_can_hold_is_an_error(settings: Settings, contact: str) -> None:
    with pytest.raises(UsageError, match="the setting contact goes into a header"):
        Manners.of(settings.model_copy(update={"contact": contact}))


def test_a_long_address_is_shortened_in_the_message() -> None:
    error = NotFetched("failed", "timeout", url="https://example.org/" + "x" * 5_000)
    assert len(str(error)) < 150
