"""The site that `benchmarks/crawl.py` crawls: drawn JPEGs on many host names, and a search page of Bing's shape.

All names end in `.test` and lead to loopback, in processes that called `names_lead_to_loopback`.
A host `h..` waits 50-300 ms before each answer, always the same; `n..` does not wait; `s..` is slow.
"""

import asyncio
import html
import io
import json
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image, ImageDraw

HOSTS = 40
FASTEST_S, SLOWEST_S = 0.05, 0.3
SLOW_S = 1.3  # of the hosts s..
LATE_S = 8.0  # of the second page of a search for `late`
SEARCH_HOST = "search.test"
SEARCH_S = 0.1
MEDIAN_BYTES = 150_000
BYTES_PER_PIXEL = 0.18  # of photos as they are on the web
SEED = 2024


# ---- pictures ----


class SitePictures:
    """Endless distinct JPEGs: picture n is one of a few that were drawn, with a comment of its own."""

    def __init__(self, folder: Path) -> None:
        self._drawn = [path.read_bytes() for path in sorted(folder.glob("photo-*.jpg"))]
        self._small = (folder / "small.jpg").read_bytes()

    def photo(self, n: int) -> bytes:
        """A photo of 150 KB, in the median."""
        return _with_comment(self._drawn[n % len(self._drawn)], f"photo {n}")

    def small(self, n: int) -> bytes:
        """A picture of 2 KB."""
        return _with_comment(self._small, f"small {n}")


def draw_pictures(folder: Path, n: int) -> None:
    """Draw n photos, their sizes spread around the median, and a small one."""
    folder.mkdir(parents=True, exist_ok=True)
    spread = np.exp(0.5 * _normal_quantiles(n))
    for number, size in enumerate(np.random.default_rng(SEED).permutation(spread * MEDIAN_BYTES)):
        width_px = int((size / BYTES_PER_PIXEL * 4 / 3) ** 0.5)
        image = _draw(np.random.default_rng(number), (width_px, width_px * 3 // 4))
        (folder / f"photo-{number:02d}.jpg").write_bytes(_encode_to(image, int(size)))
    small = _draw(np.random.default_rng(SEED), (96, 72))
    (folder / "small.jpg").write_bytes(_encode_to(small, 2_000))


def _normal_quantiles(n: int) -> np.ndarray[Any, Any]:
    from statistics import NormalDist

    return np.array([NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)])


def _draw(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Shapes under noise that is strong in the large and weak in the small, as in photos."""
    image = Image.new("RGB", size, tuple(int(c) for c in rng.integers(60, 200, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, w, h = (int(v) for v in rng.integers(0, 600, 4) * (*size, *size) // 1000)
        draw.ellipse((x, y, x + w, y + h), fill=tuple(int(c) for c in rng.integers(0, 256, 3)))
    pixels = np.asarray(image, np.float32)
    for cell_px, strength in ((64, 30), (16, 16), (4, 10), (1, 6)):
        coarse = rng.normal(128, strength, (size[1] // cell_px + 1, size[0] // cell_px + 1))
        noise = Image.fromarray(coarse.clip(0, 255).astype(np.uint8))
        pixels = pixels + np.asarray(noise.resize(size), np.float32)[..., None] - 128
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _encode_to(image: Image.Image, size: int) -> bytes:
    """The JPEG, of quality 40-94, nearest to a size in bytes."""
    low, high = 40, 94
    while low < high:
        middle = (low + high) // 2
        if len(_jpeg(image, middle)) < size:
            low = middle + 1
        else:
            high = middle
    return _jpeg(image, low)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _with_comment(jpeg: bytes, text: str) -> bytes:
    """The JPEG with a comment after its first segment."""
    cut = 4 + int.from_bytes(jpeg[4:6], "big")
    comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text.encode()
    return jpeg[:cut] + comment + jpeg[cut:]


# ---- addresses ----


@cache
def latencies_s() -> dict[str, float]:
    """How long each host waits before it answers, in seconds."""
    names = [f"h{n:02d}.test" for n in range(HOSTS)]
    spread = np.linspace(FASTEST_S, SLOWEST_S, HOSTS)
    waits = dict(zip(names, np.random.default_rng(SEED).permutation(spread).tolist(), strict=True))
    slow = {f"s{n:02d}.test": SLOW_S for n in range(HOSTS)}
    return waits | slow | {SEARCH_HOST: SEARCH_S}


def picture_url(kind: str, n: int, port: int) -> str:
    """Where picture n is. kind: `photo` and `late` (hosts h..), `slow` (s..), `small` (n.., 2 KB)."""
    letter = {"slow": "s", "small": "n"}.get(kind, "h")
    folder = "small" if kind == "small" else "photo"
    return f"http://{letter}{n % HOSTS:02d}.test:{port}/{folder}/{n}.jpg"


def phrases(kind: str, n: int, per_query: int) -> list[str]:
    """What to search for, to be shown the first n pictures of a kind."""
    return [f"{kind} {first} {min(first + per_query, n)}" for first in range(0, n, per_query)]


def names_lead_to_loopback() -> None:
    """Make names that end in .test lead to 127.0.0.1, in this process."""
    asked = socket.getaddrinfo

    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        return asked("127.0.0.1" if str(host).endswith(".test") else host, *args, **kwargs)

    cast(Any, socket).getaddrinfo = lookup


# ---- the site ----


class _Visitor(asyncio.Protocol):
    """One connection, kept alive; a request is answered after its host's latency."""

    def __init__(self, pictures: SitePictures, port: int) -> None:
        self._pictures = pictures
        self._port = port
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            request, _, self._heard = self._heard.partition(b"\r\n\r\n")
            first, *fields = request.decode("latin-1").split("\r\n")
            host = next(field[5:].strip() for field in fields if field.lower().startswith("host:"))
            self._answer(host.partition(":")[0], first.split(" ")[1])

    def _answer(self, host: str, target: str) -> None:
        wait_s = latencies_s().get(host, 0.0)
        if host == SEARCH_HOST and _asks(target)[0] == "late" and _asks(target)[3] > 0:
            wait_s = LATE_S
        asyncio.get_running_loop().call_later(wait_s, self._send, target)

    def _send(self, target: str) -> None:
        status, kind, body = self._found(target)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)

    def _found(self, target: str) -> tuple[str, str, bytes]:
        folder, _, name = target.partition("?")[0].strip("/").partition("/")
        if folder == "images":
            return "200 OK", "text/html; charset=utf-8", _search_page(target, self._port)
        if folder in ("photo", "small"):
            picture = getattr(self._pictures, folder)(int(name.removesuffix(".jpg")))
            return "200 OK", "image/jpeg", picture
        return "404 Not Found", "text/plain", b"there is nothing here\n"


def _asks(target: str) -> tuple[str, int, int, int, int]:
    """What a search asks for: kind, first and last picture, how many to skip, how many to show."""
    keys = parse_qs(urlsplit(target).query)
    kind, first, last = keys.get("q", ["photo 0 0"])[0].split()
    skip, count = int(keys.get("first", ["1"])[0]) - 1, int(keys.get("count", ["35"])[0])
    return kind, int(first), int(last), skip, count


def _search_page(target: str, port: int) -> bytes:
    """Results as Bing has them: an `a.iusc` each, with JSON in its attribute `m`."""
    kind, first, last, skip, count = _asks(target)
    shown = range(first + skip, min(first + skip + count, last))
    links = [_link(kind, n, port) for n in shown]
    return f'<ul class="dgControl_list">{"".join(links)}</ul>'.encode()


def _link(kind: str, n: int, port: int) -> str:
    known = {
        "murl": picture_url(kind, n, port),
        "purl": f"http://{SEARCH_HOST}/page/{n}",
        "t": f"Picture {n}",
    }
    return f'<li><a class="iusc" m="{html.escape(json.dumps(known))}" href="#">{n}</a></li>'


async def _serve(folder: Path, told: Connection) -> None:
    loop = asyncio.get_running_loop()
    pictures = SitePictures(folder)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listener.getsockname()[1]
    server = await loop.create_server(lambda: _Visitor(pictures, port), sock=listener)
    told.send(port)
    await server.serve_forever()


def _run(folder: Path, told: Connection) -> None:
    asyncio.run(_serve(folder, told))


@contextmanager
def site(folder: Path) -> Iterator[int]:
    """The site with the pictures of a folder, in a process of its own; its port."""
    spawn = multiprocessing.get_context("spawn")
    heard, told = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_run, args=(folder, told), daemon=True)
    process.start()
    try:
        if not heard.poll(60):
            raise RuntimeError("the benchmark's site did not start within 60 s")
        yield heard.recv()
    finally:
        process.terminate()
        process.join()
