"""A web of many hosts on loopback with the faults of the real one, which writes down how it was asked."""

import asyncio
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from btfer.catalogue.store import Row
from btfer.sources import connections
from tests.loopback import jpeg

PRIVATE = "10.0.0.7"
CRAWL_DELAY_S = 0.5  # of the hosts with a slow pace
NO = b"User-agent: *\nDisallow: /\n"
LONG = NO + b"# a long file\n" * 50_000
XMP = b'<x:xmpmeta plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/>'

# What a host does with everything: its robots.txt (or tdmrep.json), or how it answers pictures.
HOSTS: dict[str, tuple[str, str]] = {
    "robots with a byte-order mark": ("refused", "robots"),
    "robots in UTF-16": ("refused", "robots"),
    "robots with a version": ("refused", "robots"),
    "robots of 700 kB": ("refused", "robots"),
    "robots signal": ("refused", "opt-out"),
    "tdmrep": ("refused", "opt-out"),
    "robots loop": ("kept", ""),
    "robots down": ("failed", "robots.txt down"),
    "slow pace": ("kept", ""),
    "busy for an hour": ("found", "told to wait"),
    "busy for a second": ("kept", ""),
    "dead": ("failed", "no connection"),
    "429 storm": ("found", "told to wait"),
    "403 storm": ("", ""),  # some refused, the others waiting
}
# What one picture of an ordinary host does.
PICTURES: dict[str, tuple[str, str]] = {
    "reset once": ("kept", ""),
    "cut off once": ("kept", ""),
    "500 once": ("kept", ""),
    "header that drips": ("failed", "timeout"),
    "body that drips": ("failed", "timeout"),
    "gone": ("refused", "http 404"),
    "page": ("refused", "not an image"),
    "empty": ("refused", "empty"),
    "truncated": ("refused", "truncated"),
    "private": ("refused", "private address"),
    "loop": ("refused", "redirects"),
    "tdm twice": ("refused", "opt-out"),
    "signal": ("refused", "opt-out"),
    "usage": ("refused", "opt-out"),
    "noai": ("refused", "opt-out"),
    "data mining": ("refused", "opt-out"),
    "endless": ("refused", "too large"),
}


@dataclass
class Visit:
    """One request as the server saw it."""

    path: str
    at: float
    others: int  # under way at the same host


@dataclass
class FaultyWeb:
    """Host names end in .test; the kind of a host is in `kinds`, the kind of a picture in its path."""

    kinds: dict[str, str] = field(default_factory=dict)
    visits: dict[str, list[Visit]] = field(default_factory=lambda: defaultdict(list))
    looked_up: set[str] = field(default_factory=set)
    port: int = 0
    _open: dict[str, list[asyncio.StreamReader]] = field(default_factory=lambda: defaultdict(list))
    _seen: Counter[str] = field(default_factory=Counter)

    def url(self, host: str, number: int, kind: str = "") -> str:
        """A picture's address."""
        return f"http://{host}:{self.port}/{kind.replace(' ', '-') or 'photo'}/{number}.jpg"

    def kind_of(self, url: str) -> str:
        """What is wrong with a picture, or with its host."""
        kind = self.kinds[str(urlsplit(url).hostname)]
        return kind if kind in HOSTS else url.split("/")[3]

    def pictures(self, host: str) -> list[Visit]:
        """The requests for a host's pictures."""
        return [one for one in self.visits[host] if one.path.endswith(".jpg")]

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        """The resolver of this web: no name goes out."""
        name = host.decode() if isinstance(host, bytes) else str(host)
        self.looked_up.add(name)
        if self.kinds.get(name) == "dead":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        address = PRIVATE if name == "private.test" else "127.0.0.1"
        if name in (PRIVATE, "10.0.0.8"):
            raise AssertionError("a private address is being connected to")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; the connection ends with it."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1]
            host = head.lower().split("\r\nhost: ")[1].split("\r\n")[0].split(":")[0]
            self.visits[host].append(Visit(path, monotonic(), self._under_way(host)))
            self._open[host].append(reader)
            self._seen[host + path] += 1
            try:
                await self._answer(reader, writer, host, path)
            finally:
                self._open[host].remove(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _under_way(self, host: str) -> int:
        """Requests that their sender has not ended: on a busy machine an answer here notices that later."""
        return sum(not (one.at_eof() or one.exception()) for one in self._open[host])

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str
    ) -> None:
        kind = self.kinds[host]
        if path == "/robots.txt":
            await _send(writer, *_robots(kind))
        elif path == "/.well-known/tdmrep.json":
            rule = b'[{"location": "/*", "tdm-reservation": 1}]' if kind == "tdmrep" else b""
            await _send(writer, 200 if rule else 404, rule)
        elif kind in HOSTS:
            await _send(writer, *self._of_host(kind, host, path))
        else:
            await self._of_picture(reader, writer, path, self._seen[host + path] == 1)

    def _of_host(self, kind: str, host: str, path: str) -> tuple[Any, ...]:
        if kind == "busy for an hour":
            return 429, b"", "Retry-After: 3600"
        if kind == "busy for a second" and len(self.pictures(host)) == 1:
            return 503, b"", "Retry-After: 1"
        if kind in ("429 storm", "403 storm"):
            return int(kind[:3]), b""
        return 200, jpeg(hash(host + path) % 10_000)

    async def _of_picture(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, is_first: bool
    ) -> None:
        kind, number = path.split("/")[1].replace("-", " "), int(path.split("/")[2][:-4])
        photo = jpeg(number)
        if kind == "reset once" and is_first:
            writer.transport.abort()
        elif kind == "cut off once" and is_first:
            await _send(writer, 200, photo[:99], length=len(photo))
        elif kind in ("header that drips", "body that drips"):
            await _drip(reader, writer, in_head=kind.startswith("header"))
        elif kind == "endless":
            await _send(writer, 200, b"x" * 150_000, length=None)
        else:
            await _send(writer, *_plain(kind, photo, is_first))


def _robots(kind: str) -> tuple[Any, ...]:
    text = {
        "robots with a byte-order mark": b"\xef\xbb\xbf" + NO,
        "robots in UTF-16": NO.decode().encode("utf-16"),
        "robots with a version": NO.replace(b"*", b"BTFER/1.0 (all versions)"),
        "robots of 700 kB": LONG,
        "robots signal": b"User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n",
        "slow pace": b"User-agent: *\nCrawl-delay: %.1f\n" % CRAWL_DELAY_S,
    }
    if kind == "robots loop":
        return 302, b"", "Location: /robots.txt"
    if kind == "robots down":
        return 500, b""
    return (200, text[kind]) if kind in text else (404, b"")


def _plain(kind: str, photo: bytes, is_first: bool) -> tuple[Any, ...]:
    if kind == "500 once" and is_first:
        return 500, b""
    headers = {
        "private": "Location: http://private.test/a.jpg",
        "loop": "Location: #again",
        "tdm twice": "tdm-reservation: 0\r\ntdm-reservation: 1",
        "signal": "Content-Signal: search=yes, ai-train=no",
        "usage": "Content-Usage: train-ai=n",
        "noai": "X-Robots-Tag: noai",
    }
    bodies = {
        "page": b"<html>log in</html>",
        "empty": b"",
        "truncated": photo[:-500],
        "data mining": photo[:20] + b"\xff\xfe" + (len(XMP) + 2).to_bytes(2, "big") + XMP + photo[20:],
    }  # fmt: skip
    status = {"gone": 404, "private": 302, "loop": 302}.get(kind, 200)
    return status, bodies.get(kind, photo), headers.get(kind, "X-Cache: miss")


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    header: str = "",
    length: int | None = -1,
) -> None:
    lines = [f"HTTP/1.1 {status} As It Is", "Connection: close"]
    lines += [header] if header else []
    lines += [f"Content-Length: {len(body) if length == -1 else length}"] if length else []
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()


async def _drip(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, in_head: bool
) -> None:
    """A byte at a time, until the other side has gone."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: " if in_head else b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(200):
        writer.write(b"x")
        await writer.drain()
        try:
            await asyncio.wait_for(reader.read(1), 0.1)
            return
        except TimeoutError:
            continue


def is_expected(row: Row, end: tuple[str, str]) -> bool:
    """Whether a line of the journal says what a fault must end in."""
    found = (row["state"], row["reason"])
    if end == ("", ""):
        return found in (("refused", "http 403"), ("found", "host refuses"))
    return found == end or (end[0] == "kept" and found == ("kept", "duplicate bytes"))


@contextmanager
def faulty_web(monkeypatch: pytest.MonkeyPatch, kinds: dict[str, str]) -> Iterator[FaultyWeb]:
    """The web, on a port of its own; for the crawl, loopback is public and its names lead there."""
    web = FaultyWeb(kinds)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(web.serve, "127.0.0.1", 0, backlog=500))
    web.port = server.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    really = connections.is_public
    monkeypatch.setattr(connections, "is_public", lambda ip: ip == "127.0.0.1" or really(ip))
    monkeypatch.setattr(socket, "getaddrinfo", web.getaddrinfo)
    try:
        yield web
    finally:
        monkeypatch.undo()
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
