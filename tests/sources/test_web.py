import gzip
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from threading import Thread, Timer
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.errors import UsageError
from btfer.sources.addresses import is_public
from btfer.sources.blocklist import BlockList, read_block_list
from btfer.sources.hosts import HostGate, HostQueue
from btfer.sources.requester import _retry_after_s
from btfer.sources.web import Manners, NotFetched, Web
from tests.conftest import as_bytes, draw_photo

JPEG = as_bytes(draw_photo(1))
FAST = Manners(
    host_delay_s=0,
    allow_private_hosts=True,
    timeout_s=20,
    back_off_s=0.01,
    max_bytes=200_000,
)


def serve(site: HTTPServer, path: str, body: bytes = JPEG, **answer: object) -> str:
    site.expect_request(path).respond_with_data(body, **answer)  # type: ignore[arg-type]
    return site.url_for(path)


def loss(web: Web, url: str) -> tuple[str, str]:
    with pytest.raises(NotFetched) as caught:
        web.get(url)
    return caught.value.state, caught.value.reason


def count(site: HTTPServer, path: str) -> int:
    return sum(request.path == path for request, _ in site.log)


def test_an_answer_comes_whole_and_under_our_own_name(httpserver: HTTPServer) -> None:
    url = serve(httpserver, "/a.jpg", content_type="image/jpeg")
    web = Web(replace(FAST, user_agent="btfer/9 (+https://example.org)"))
    assert web.get(url, language="es").body == JPEG
    sent = httpserver.log[-1][0].headers
    assert sent["User-Agent"] == "btfer/9 (+https://example.org)"
    assert sent["Accept-Language"] == "es"


def test_names_with_accents_spaces_quotes_and_3000_characters_arrive(
    httpserver: HTTPServer, web: Web
) -> None:
    serve(httpserver, "/niña feliz 'x'.jpg")
    url = httpserver.url_for("/") + "niña feliz 'x'.jpg?long=" + "ñ" * 3000
    assert web.get(url).body == JPEG


def test_a_query_string_is_kept(httpserver: HTTPServer, web: Web) -> None:
    httpserver.expect_request("/a", query_string="size=big&n=1").respond_with_data(JPEG)
    assert web.get(httpserver.url_for("/a?size=big&n=1")).body == JPEG


LOSSES = [
    ({"status": 404}, ("refused", "http 404")),
    ({"status": 500}, ("failed", "http 500")),
    ({"status": 503}, ("found", "told to wait")),
    ({"headers": {"X-Robots-Tag": "noimageai, noai"}}, ("refused", "opt-out")),
    ({"headers": {"X-Robots-Tag": "googlebot: noai, btfer: noindex"}}, ("refused", "opt-out")),
    ({"headers": {"X-Robots-Tag": "unavailable_after: 1 Jan 2030, none"}}, ("refused", "opt-out")),
    ({"headers": {"tdm-reservation": "1"}}, ("refused", "opt-out")),
    ({"body": b"x" * 200_001}, ("refused", "too large")),
    (
        {"body": gzip.compress(b"x" * 9_000_000), "headers": {"Content-Encoding": "gzip"}},
        ("refused", "too large"),
    ),
    ({"body": b"not gzip", "headers": {"Content-Encoding": "gzip"}}, ("failed", "incomplete")),
]


@pytest.mark.parametrize(("answer", "expected"), LOSSES, ids=[f"{row[1]}" for row in LOSSES])
def test_what_may_not_or_cannot_be_kept_has_a_reason(
    httpserver: HTTPServer, web: Web, answer: dict[str, object], expected: tuple[str, str]
) -> None:
    assert loss(web, serve(httpserver, "/a.jpg", **answer)) == expected  # type: ignore[arg-type]


def test_opt_outs_for_another_crawler_are_not_for_us(httpserver: HTTPServer, web: Web) -> None:
    url = serve(httpserver, "/a.jpg", headers={"X-Robots-Tag": "otherbot: noai, noindex"})
    assert web.get(url).status == 200


@pytest.mark.parametrize(
    "url", ["ftp://example.org/a", "file:///etc/passwd", "data:x", "http://[::1"]
)
def test_only_web_addresses_are_asked(web: Web, url: str) -> None:
    assert loss(web, url)[0] == "refused"


def test_robots_txt_is_asked_once_a_host_and_obeyed(httpserver: HTTPServer, web: Web) -> None:
    serve(httpserver, "/robots.txt", b"User-agent: *\nDisallow: /private/\n")
    public, private = serve(httpserver, "/a.jpg"), serve(httpserver, "/private/a.jpg")
    assert web.get(public).body == JPEG
    assert loss(web, private) == ("refused", "robots")
    assert count(httpserver, "/private/a.jpg") == 0
    assert count(httpserver, "/robots.txt") == 1


def test_a_robots_txt_that_is_down_means_wait(httpserver: HTTPServer, web: Web) -> None:
    serve(httpserver, "/robots.txt", b"", status=500)
    assert loss(web, serve(httpserver, "/a.jpg")) == ("failed", "robots.txt down")
    assert count(httpserver, "/a.jpg") == 0


def test_redirects_are_followed_five_times(httpserver: HTTPServer, web: Web) -> None:
    for n in range(8):
        serve(httpserver, f"/r{n}", b"", status=302, headers={"Location": f"/r{n + 1}"})
    httpserver.expect_request("/r8").respond_with_data(JPEG)
    assert web.get(httpserver.url_for("/r3")).url == httpserver.url_for("/r8")
    assert loss(web, httpserver.url_for("/r2")) == ("refused", "redirects")


@pytest.mark.parametrize("location", ["ftp://example.org/", "http://", "http://:80/a"])
def test_a_redirect_to_something_else_is_refused(
    httpserver: HTTPServer, web: Web, location: str
) -> None:
    url = serve(httpserver, "/r", b"", status=302, headers={"Location": location})
    assert loss(web, url)[0] == "refused"


def test_private_addresses_are_refused_before_anything_is_sent(httpserver: HTTPServer) -> None:
    web = Web(replace(FAST, allow_private_hosts=False))
    assert loss(web, serve(httpserver, "/a.jpg")) == ("refused", "private address")
    assert not httpserver.log


def test_a_redirect_from_a_trusted_host_to_a_private_one_is_refused(httpserver: HTTPServer) -> None:
    private = httpserver.url_for("/a.jpg").replace("localhost", "127.0.0.1")
    url = serve(httpserver, "/r", b"", status=302, headers={"Location": private})
    web = Web(replace(FAST, allow_private_hosts=False, trusted_hosts=frozenset({"localhost"})))
    assert loss(web, url) == ("refused", "private address")
    assert count(httpserver, "/r") == 1


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_public_means_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def in_turn(answers: list[Response]) -> Callable[[Request], Response]:
    return lambda _: answers.pop(0)


def test_retry_after_is_obeyed_and_then_it_works(httpserver: HTTPServer, web: Web) -> None:
    answers = [Response(status=429, headers={"Retry-After": "1"}), Response(JPEG)]
    httpserver.expect_request("/a.jpg").respond_with_handler(in_turn(answers))
    start = time.monotonic()
    assert web.get(httpserver.url_for("/a.jpg")).body == JPEG
    assert time.monotonic() - start >= 1.0


def test_a_long_retry_after_is_left_to_a_later_run(httpserver: HTTPServer, web: Web) -> None:
    url = serve(httpserver, "/a.jpg", b"", status=429, headers={"Retry-After": "3600"})
    assert loss(web, url) == ("found", "told to wait")
    assert count(httpserver, "/a.jpg") == 1
    other = serve(httpserver, "/b.jpg")
    assert loss(web, other) == ("found", "told to wait")  # the host has not been asked again
    assert count(httpserver, "/b.jpg") == 0


def test_server_errors_are_tried_three_times(httpserver: HTTPServer, web: Web) -> None:
    answers = [Response(status=500), Response(status=502), Response(JPEG)]
    httpserver.expect_request("/a.jpg").respond_with_handler(in_turn(answers))
    answer = web.get(httpserver.url_for("/a.jpg"))
    assert (answer.body, answer.attempts) == (JPEG, 3)
    httpserver.expect_request("/down.jpg").respond_with_data(b"", status=503)
    with pytest.raises(NotFetched) as caught:
        web.get(httpserver.url_for("/down.jpg"))
    assert caught.value.attempts == count(httpserver, "/down.jpg") == 3


def test_retry_after_may_be_a_date() -> None:
    assert _retry_after_s("Thu, 01 Jan 1970 00:00:10 GMT") == 0.0
    soon = formatdate(time.time() + 60, usegmt=True)
    assert 50 < (_retry_after_s(soon) or 0) <= 60
    assert _retry_after_s("soon") is None


def test_a_body_that_drips_ends_at_the_wall_clock(httpserver: HTTPServer) -> None:
    def drip(_: Request) -> Response:
        def chunks() -> Iterator[bytes]:
            for _ in range(600):
                time.sleep(0.1)
                yield b"x" * 1000

        return Response(chunks())

    httpserver.expect_request("/slow").respond_with_handler(drip)
    start = time.monotonic()
    web = Web(replace(FAST, wall_clock_s=0.6))
    assert loss(web, httpserver.url_for("/slow")) == ("failed", "timeout")
    assert time.monotonic() - start < 40  # to its end it would be sixty


def test_a_body_that_breaks_off_is_incomplete(httpserver: HTTPServer, web: Web) -> None:
    def break_off(_: Request) -> Response:
        answer = Response(JPEG[:500])
        answer.automatically_set_content_length = False
        answer.headers["Content-Length"] = str(len(JPEG))
        return answer

    httpserver.expect_request("/a.jpg").respond_with_handler(break_off)
    assert loss(web, httpserver.url_for("/a.jpg")) == ("failed", "incomplete")


def test_silence_is_a_timeout(httpserver: HTTPServer) -> None:
    def sleep(_: Request) -> Response:
        time.sleep(0.6)
        return Response(JPEG)

    httpserver.expect_request("/slow").respond_with_handler(sleep)
    assert loss(Web(replace(FAST, timeout_s=0.2)), httpserver.url_for("/slow")) == (
        "failed",
        "timeout",
    )


def test_nobody_there_is_no_connection(web: Web) -> None:
    assert loss(web, "http://localhost:9/a.jpg") == ("failed", "no connection")


def test_a_host_is_asked_at_its_pace(httpserver: HTTPServer) -> None:
    url = serve(httpserver, "/a.jpg")
    web = Web(replace(FAST, host_delay_s=0.1))
    start = time.monotonic()
    threads = [Thread(target=web.get, args=(url,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - start >= 0.4  # robots.txt and four photos


def test_the_pace_that_robots_txt_asks_for_is_kept(httpserver: HTTPServer, web: Web) -> None:
    serve(httpserver, "/robots.txt", b"User-agent: *\nCrawl-delay: 0.3\n")
    url = serve(httpserver, "/a.jpg")
    start = time.monotonic()
    for _ in range(3):
        web.get(url)
    assert time.monotonic() - start >= 0.6


def test_a_pace_that_nobody_waits_for_is_a_refusal(httpserver: HTTPServer, web: Web) -> None:
    serve(httpserver, "/robots.txt", b"User-agent: btfer\nCrawl-delay: 3600\n")
    assert loss(web, serve(httpserver, "/a.jpg")) == ("refused", "robots")


def test_a_site_whose_robots_txt_is_down_is_asked_for_it_once(
    httpserver: HTTPServer, web: Web
) -> None:
    serve(httpserver, "/robots.txt", b"", status=503)
    for path in ("/a.jpg", "/b.jpg", "/c.jpg"):
        assert loss(web, serve(httpserver, path)) == ("failed", "robots.txt down")
        assert count(httpserver, path) == 0
    assert count(httpserver, "/robots.txt") == 3  # one question with its back-off


def test_blocked_hosts_and_addresses_are_never_asked(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    private = httpserver.url_for("/private/")
    listed = tmp_path / "blocked.txt"
    listed.write_text(f"# ours\nexample.org  # and all below\n{private}\n")
    web = Web(replace(FAST, blocked=read_block_list(listed)))
    assert loss(web, "http://img.example.org/a.jpg") == ("refused", "blocked")
    assert loss(web, serve(httpserver, "/private/a.jpg")) == ("refused", "blocked")
    moved = serve(httpserver, "/r", b"", status=302, headers={"Location": f"{private}a.jpg"})
    assert loss(web, moved) == ("refused", "blocked")
    assert count(httpserver, "/private/a.jpg") == 0
    assert web.get(serve(httpserver, "/open.jpg")).body == JPEG
    assert not read_block_list(listed).blocks("https://notexample.org/", "notexample.org")


def test_a_block_list_may_have_a_mark_wildcards_and_capitals(tmp_path: Path) -> None:
    listed = tmp_path / "blocked.txt"
    text = "Example.ORG\n*.Pictures.net\nHTTPS://Www.Site.com:443/People/\nmünchen.de\n"
    listed.write_text(text, encoding="utf-8-sig")
    blocked = read_block_list(listed)
    for url in (
        "https://img.example.org/a",
        "https://pictures.net/a",
        "https://a.b.PICTURES.net./a",
        "https://www.site.com/People/a?x",
        "https://xn--mnchen-3ya.de/a",
    ):
        assert blocked.blocks(url, urlsplit(url).hostname or ""), url
    for url in ("https://www.site.com/people/", "https://site.com/People/", "https://org/"):
        assert not blocked.blocks(url, urlsplit(url).hostname or ""), url


def test_a_blocked_beginning_may_end_in_a_star_and_holds_for_http_and_https(tmp_path: Path) -> None:
    listed = tmp_path / "blocked.txt"
    listed.write_text("https://example.org/people/*\nhttp://example.net/é/\n")
    blocked = read_block_list(listed)
    for url in ("http://example.org/people/a", "https://example.net/%c3%a9/a"):
        assert blocked.blocks(url, urlsplit(url).hostname or ""), url


@pytest.mark.parametrize(
    "entry", ["https://*.example.org/", "https://example.org/*/a", "https://ex ample/", "*"]
)
def test_a_block_that_would_fit_nothing_is_refused(tmp_path: Path, entry: str) -> None:
    listed = tmp_path / "blocked.txt"
    listed.write_text(f"{entry}\n")
    with pytest.raises(UsageError, match=r"blocked.txt:1: write a host .* without \* or blanks"):
        read_block_list(listed)


def test_a_block_list_that_cannot_be_read_names_the_line(tmp_path: Path) -> None:
    listed = tmp_path / "blocked.txt"
    listed.write_text("example.org\nftp://example.org/\n")
    with pytest.raises(UsageError, match=r"blocked.txt:2: write a host"):
        read_block_list(listed)
    assert read_block_list(tmp_path / "none.txt") == BlockList()


def test_headers_of_a_source_do_not_follow_a_redirect_to_another_host(
    httpserver: HTTPServer, web: Web
) -> None:
    elsewhere = httpserver.url_for("/b").replace("localhost", "127.0.0.1")
    serve(httpserver, "/b", b"there")
    url = serve(httpserver, "/a", b"", status=302, headers={"Location": elsewhere})
    web.get(url, obey_robots=False, headers={"Authorization": "Bearer secret"})
    sent = {request.path: request.headers.get("Authorization") for request, _ in httpserver.log}
    assert sent == {"/a": "Bearer secret", "/b": None}


def test_the_queue_goes_round_the_hosts_and_keeps_the_limit() -> None:
    tasks = ["a1", "a2", "a3", "b1"]
    line = HostQueue(HostGate(2, 0.0, 30.0), host_of=lambda task: task[0])
    line.add(tasks)
    given = [line.get(), line.get(), line.get()]
    assert given == ["a1", "b1", "a2"]
    line.done("b1")
    Timer(0.1, line.done, args=("a1",)).start()
    start = time.monotonic()
    assert line.get() == "a3"  # waited for a place at host a
    assert time.monotonic() - start > 0.05
    Timer(0.1, line.close).start()
    assert line.get() is None


def test_the_queue_leaves_a_host_that_must_wait_and_drops_what_is_needless() -> None:
    gate = HostGate(2, 0.0, 30.0)
    line = HostQueue(gate, host_of=lambda task: task[0])
    line.add(["a1", "a2", "b1", "c1", "c2"])
    gate.hold("a", 0.2)
    gate.hold("c", 3600)  # longer than anybody waits: kept while others go on
    start = time.monotonic()
    assert [line.get(), line.get()] == ["b1", "a1"]
    assert time.monotonic() - start > 0.1
    assert line.drop(lambda task: task == "c2") == ["c2"]
    for task in ("b1", "a1"):
        line.done(task)
    assert line.get() == "a2"
    line.last_call(patience_s=30)
    Timer(0.1, line.done, args=("a2",)).start()
    assert line.get() == "c1"  # nothing else is left: given back, to be told so
    assert not line.put_back("c1")


def test_a_task_goes_back_to_the_queue_three_times_at_most() -> None:
    line = HostQueue(HostGate(2, 0.0, 30.0), host_of=lambda task: task[0])
    line.add(["a1"])
    for _ in range(3):
        assert line.get() == "a1"
        assert line.put_back("a1")
        line.done("a1")
    assert line.get() == "a1"
    assert not line.put_back("a1")


def test_a_slow_pace_does_not_keep_a_thread_from_other_hosts() -> None:
    gate = HostGate(2, 100.0, 200.0)
    line = HostQueue(gate, host_of=lambda task: task[0])
    line.add(["a1", "a2", "b1"])
    start = time.monotonic()
    assert [line.get(), line.get()] == ["a1", "b1"]
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    "odd",
    [
        "9" * 5000,
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Mon, 99 Jan 2026 99:99:99 +9999",
        "0.5",
        "soon",
        "",
    ],
)
def test_a_time_to_wait_that_cannot_be_is_none(httpserver: HTTPServer, web: Web, odd: str) -> None:
    url = serve(httpserver, "/a.jpg", b"", status=500, headers={"Retry-After": odd})
    assert loss(web, url) == ("failed", "http 500")
    assert count(httpserver, "/a.jpg") == FAST.attempts


def test_a_time_to_wait_of_400_digits_is_a_long_one(httpserver: HTTPServer, web: Web) -> None:
    url = serve(httpserver, "/a.jpg", b"", status=503, headers={"Retry-After": "9" * 400})
    assert loss(web, url) == ("found", "told to wait")


def test_a_length_of_5000_digits_is_too_much() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx"
                )

        Thread(target=answer, daemon=True).start()
        with pytest.raises(NotFetched, match="too large"):
            Web(FAST).get(f"http://127.0.0.1:{port}/a.jpg", obey_robots=False)
