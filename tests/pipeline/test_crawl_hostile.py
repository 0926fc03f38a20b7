"""Whatever the web answers, the crawl ends, and the journal says what became of each URL."""

import errno
import gzip
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from werkzeug import Request, Response

from btfer import files
from btfer.catalogue import Catalogue, photos
from btfer.errors import BtferError
from btfer.paths import photo_path, thumbnail_path
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo
from tests.loopback import SAD, Site, jpeg, row_of, rows

Go = Callable[..., CrawlOutcome]


def turned() -> bytes:
    """A JPEG whose EXIF says that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return as_bytes(draw_photo(7, (160, 120)), "JPEG", exif=exif)


def deep() -> bytes:
    """A 16-bit PNG."""
    ramp = np.linspace(0, 65535, 160 * 120).reshape(120, 160).astype(np.uint16)
    return as_bytes(Image.fromarray(ramp), "PNG")


def bomb() -> bytes:
    """The head of a PNG of 30,000 x 30,000 pixels, and a little of its data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 90_001)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def moving() -> bytes:
    """An animated WebP."""
    frames = [draw_photo(n) for n in (1, 2)]
    return as_bytes(frames[0], "WEBP", save_all=True, append_images=frames[1:])


PICTURES = [
    ("CMYK", as_bytes(draw_photo(1).convert("CMYK")), {}, "jpg", (160, 120)),
    ("16-bit PNG", deep(), {}, "png", (160, 120)),
    ("EXIF-turned", turned(), {}, "jpg", (120, 160)),
    ("WebP named jpg", as_bytes(draw_photo(2), "WEBP"), {}, "webp", (160, 120)),
    ("AVIF", as_bytes(draw_photo(3), "AVIF"), {}, "avif", (160, 120)),
    ("wrong type", jpeg(4), {"content_type": "text/html"}, "jpg", (160, 120)),
]


@pytest.mark.parametrize(
    ("body", "answer", "format_", "size"), [row[1:] for row in PICTURES], ids=[row[0] for row in PICTURES]
)  # fmt: skip
def test_odd_pictures_are_kept_under_what_they_really_are(
    cat: Catalogue, site: Site, go: Go, body: bytes, answer: dict[str, str], format_: str,
    size: tuple[int, int],
) -> None:  # fmt: skip
    site.show(SAD, "/a.jpg", body, **answer)
    assert go().kept == 1
    [photo] = photos.find(cat, "")
    assert (photo.format, photo.width_px, photo.height_px) == (format_, *size)


REFUSED = [
    ("HTML", b"<html>log in</html>", {}, "not an image"),
    ("empty", b"", {}, "empty"),
    ("cut off", jpeg(1)[:-700], {}, "truncated"),
    ("a picture of 900 megapixels", bomb(), {}, "too many pixels"),
    ("animated", moving(), {}, "animated"),
    ("GIF", as_bytes(draw_photo(1), "GIF"), {}, "format"),
    (
        "gzip bomb",
        gzip.compress(b"\0" * 30_000_000),
        {"headers": {"Content-Encoding": "gzip"}},
        "too large",
    ),
    ("403", b"", {"status": 403}, "http 403"),
    ("opt-out", jpeg(1), {"headers": {"X-Robots-Tag": "noimageai"}}, "opt-out"),
    ("TDM reservation", jpeg(1), {"headers": {"tdm-reservation": "1"}}, "opt-out"),
    ("loop", b"", {"status": 302, "headers": {"Location": "/a.jpg"}}, "redirects"),
]


@pytest.mark.parametrize(
    ("body", "answer", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_kept_is_refused_with_its_reason(
    cat: Catalogue, site: Site, go: Go, body: bytes, answer: dict[str, object], reason: str
) -> None:
    url = site.show(SAD, "/a.jpg", body, **answer)
    assert go().refused == {reason: 1}
    assert (row_of(cat, url)["state"], row_of(cat, url)["reason"]) == ("refused", reason)
    assert photos.count(cat) == 0


def test_a_body_without_end_is_cut_off(site: Site, go: Go) -> None:
    def endless(_: Request) -> Response:
        def chunks() -> Iterator[bytes]:
            while True:
                yield b"x" * 50_000

        return Response(chunks(), mimetype="image/jpeg")

    site.answer(SAD, "/a.jpg", endless)
    assert go().refused == {"too large": 1}


def test_a_server_that_fails_once_and_then_works_loses_nothing(
    cat: Catalogue, site: Site, go: Go
) -> None:
    answers = [Response(status=500), Response(jpeg(1))]
    url = site.answer(SAD, "/a.jpg", lambda _: answers.pop(0))
    assert go().kept == 1
    assert row_of(cat, url)["attempts"] == 2


def test_too_many_requests_are_waited_for_when_told_so(site: Site, go: Go) -> None:
    answers = [Response(status=429, headers={"Retry-After": "1"}), Response(jpeg(1))]
    site.answer(SAD, "/a.jpg", lambda _: answers.pop(0))
    start = time.monotonic()
    assert go().kept == 1
    assert time.monotonic() - start >= 1


def test_long_and_strange_addresses_are_asked_and_kept(cat: Catalogue, site: Site, go: Go) -> None:
    site.server.expect_request("/niña 'feliz'.jpg").respond_with_data(jpeg(1))
    url = site.add(SAD, site.server.url_for("/") + "niña 'feliz'.jpg?q=\"" + "ñ" * 3000)
    assert go().kept == 1
    assert row_of(cat, url)["state"] == "kept"


def test_a_url_whose_bytes_change_keeps_what_it_was_first(
    cat: Catalogue, site: Site, go: Go
) -> None:
    bodies = [jpeg(1), jpeg(2)]
    url = site.answer(SAD, "/a.jpg", lambda _: Response(bodies.pop(0), headers={"ETag": '"1"'}))
    go()
    first = row_of(cat, url)
    go(per_query=200)  # asked anew, and shown again
    assert row_of(cat, url) == first
    assert len(bodies) == 1


def test_a_full_disk_stops_the_crawl_and_leaves_the_catalogue_whole(
    cat: Catalogue, settings: Settings, site: Site, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        site.show(SAD, f"/{number}.jpg", jpeg(number))
    really, room = files.os.fsync, [7]  # files that still fit

    def fsync(handle: int) -> None:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        really(handle)

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(BtferError, match=r"No space left on device.* make room"):
        go()
    assert_whole(cat, settings.data_dir)
    monkeypatch.undo()
    go()
    assert photos.count(cat) == 12
    assert_whole(cat, settings.data_dir)


def assert_whole(cat: Catalogue, data_dir: Path) -> None:
    """Every photo of the catalogue has its files, complete, and the journal knows it."""
    kept = {row["photo"] for row in rows(cat) if row["state"] == "kept"}
    found = photos.find(cat, "")
    assert kept == {photo.sha256 for photo in found}
    for photo in found:
        path = photo_path(data_dir, photo.sha256, photo.format)
        assert files.sha256_file(path) == photo.sha256
        assert thumbnail_path(data_dir, photo.sha256).stat().st_size > 0
