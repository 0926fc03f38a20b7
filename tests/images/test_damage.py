"""A picture of which a part is damaged is refused, also where its reader only warns or says nothing."""

import numpy as np
import pytest
from PIL import Image

from btfer import images
from btfer.errors import ImageError
from btfer.images import avif
from tests.conftest import as_bytes
from tests.images.drawn import grainy

SIZE = (450, 330)
WHOLE = {
    "JPEG": as_bytes(grainy(1, SIZE), quality=85),
    "progressive": as_bytes(grainy(1, SIZE), quality=85, progressive=True),
    "restart marks": as_bytes(grainy(1, SIZE), quality=85, restart_marker_rows=1),
    "grey JPEG": as_bytes(grainy(1, SIZE).convert("L"), quality=85),
    "CMYK": as_bytes(grainy(1, SIZE).convert("CMYK"), quality=85),
    "PNG": as_bytes(grainy(1, SIZE), "PNG"),
    "AVIF": as_bytes(grainy(1, SIZE), "AVIF", quality=80),
}
WEBP = as_bytes(grainy(1, SIZE), "WEBP", quality=85)
TENTHS = range(1, 10)


def _closed(data: bytes, at: int) -> bytes:
    return data[:at] + (b"\xff\xd9" if data[:2] == b"\xff\xd8" else data[-12:])


def _zeros_to_the_end(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(len(data) - at)


def _lost_page(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(4096) + data[at + 4096 :]


def _overwritten(data: bytes, at: int) -> bytes:
    return data[:at] + np.random.default_rng(at).bytes(2048) + data[at + 2048 :]


def _gap(data: bytes, at: int) -> bytes:
    return data[:at] + data[at + 1024 :]


DAMAGE = [_closed, _zeros_to_the_end, _lost_page, _overwritten, _gap]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__name__.strip("_"))
@pytest.mark.parametrize("name", WHOLE)
def test_damage_is_found_wherever_it_lies(name: str, damage) -> None:  # type: ignore[no-untyped-def]
    if (name, damage) == ("progressive", _gap):
        pytest.skip("scans of single bits come into step again by chance, and libjpeg sees nothing")
    data = WHOLE[name]
    images.decode_rgb(data)
    for tenth in TENTHS:
        broken = damage(data, len(data) * tenth // 10)
        for read in (images.read_photo, images.decode_rgb):
            with pytest.raises(ImageError) as error:
                read(broken)
            assert error.value.reason in ("truncated", "not an image"), tenth


@pytest.mark.parametrize("damage", [_zeros_to_the_end, _lost_page])
def test_lost_pages_of_a_lossy_webp_are_found(damage) -> None:  # type: ignore[no-untyped-def]
    for tenth in TENTHS:
        with pytest.raises(ImageError, match="truncated"):
            images.read_photo(damage(WEBP, len(WEBP) * tenth // 10))


@pytest.mark.parametrize("quality", [5, 75])
@pytest.mark.parametrize("colour", ["white", "black"])
def test_a_webp_of_one_colour_is_whole(colour: str, quality: int) -> None:
    page = Image.new("RGB", (2000, 1500), colour)
    page.paste(grainy(1, (200, 150)), (900, 700))
    assert images.read_photo(as_bytes(page, "WEBP", quality=quality)).width == 2000


def test_samsungs_scan_parameters_are_no_damage() -> None:
    data = WHOLE["JPEG"]
    scan = data.index(b"\xff\xda")
    length = int.from_bytes(data[scan + 2 : scan + 4])
    odd = data[: scan + length - 1] + b"\0\0\0" + data[scan + 2 + length :]
    assert np.array_equal(images.decode_rgb(odd), images.decode_rgb(data))
    for read in (images.read_photo, images.decode_rgb):
        with pytest.raises(ImageError, match="truncated"):
            read(odd[: len(odd) // 2] + b"\xff\xd9")


def test_an_avif_in_a_box_to_the_end_of_the_file_is_whole() -> None:
    data = WHOLE["AVIF"]
    at = data.index(b"mdat") - 4
    open_end = data[:at] + bytes(4) + data[at + 4 :]
    assert not avif.is_damaged(open_end)
    assert np.array_equal(images.decode_rgb(open_end), images.decode_rgb(data))
