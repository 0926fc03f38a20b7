"""A picture of which a part is damaged is refused, also where its reader only warns or says nothing."""

import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from btfer import images
from btfer.errors import ImageError
from btfer.images import avif
from tests.conftest import as_bytes
from tests.images.damage_kinds import gap, lost_page, overwritten, zeros_to_the_end
from tests.images.drawn import grainy, interlaced_png

SIZE = (450, 330)
WHOLE = {
    "JPEG": as_bytes(grainy(1, SIZE), quality=85),
    "progressive": as_bytes(grainy(1, SIZE), quality=85, progressive=True),
    "restart marks": as_bytes(grainy(1, SIZE), quality=85, restart_marker_rows=1),
    "grey JPEG": as_bytes(grainy(1, SIZE).convert("L"), quality=85),
    "CMYK": as_bytes(grainy(1, SIZE).convert("CMYK"), quality=85),
    "PNG": as_bytes(grainy(1, SIZE), "PNG"),
    "interlaced PNG": interlaced_png(grainy(1, SIZE)),
    "AVIF": as_bytes(grainy(1, SIZE), "AVIF", quality=80),
}
WEBP = as_bytes(grainy(1, SIZE), "WEBP", quality=85)
TENTHS = range(1, 10)


def _closed(data: bytes, at: int) -> bytes:
    return data[:at] + (b"\xff\xd9" if data[:2] == b"\xff\xd8" else data[-12:])


DAMAGE = [_closed, zeros_to_the_end, lost_page, overwritten, gap]


@pytest.mark.reliability("hostile pictures")
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__name__.strip("_"))
@pytest.mark.parametrize("name", WHOLE)
def test_damage_is_found_wherever_it_lies(name: str, damage, record_property) -> None:  # type: ignore[no-untyped-def]
    if (name, damage) == ("progressive", gap):
        pytest.skip("scans of single bits come into step again by chance, and libjpeg sees nothing")
    data = WHOLE[name]
    images.decode_rgb(data)
    record_property("tries", (len(TENTHS), 0))
    for tenth in TENTHS:
        broken = damage(data, len(data) * tenth // 10)
        for read in (images.read_photo, images.decode_rgb):
            with pytest.raises(ImageError) as error:
                read(broken)
            assert error.value.reason in ("truncated", "not an image"), tenth


@pytest.mark.parametrize("damage", [zeros_to_the_end, lost_page])
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


def test_what_libwebp_shows_without_a_sign_is_taken() -> None:
    """A known limit, which the README states: once libwebp tells, this test is to become one of damage."""
    taken = 0
    for tenth in TENTHS:
        with suppress(ImageError):
            images.decode_rgb(overwritten(WEBP, len(WEBP) * tenth // 10))
            taken += 1
    assert taken


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__name__.strip("_"))
@pytest.mark.parametrize("format_", ["WEBP", "PNG", "AVIF"])
@pytest.mark.reliability("hostile pictures")
def test_an_animation_is_never_a_photo_wherever_it_is_damaged(
    format_: str, damage, record_property
) -> None:  # type: ignore[no-untyped-def]
    record_property("tries", (len(TENTHS), 0))
    frames = [grainy(n, (200, 150)) for n in range(3)]
    data = as_bytes(frames[0], format_, save_all=True, append_images=frames[1:])
    for tenth in TENTHS:
        with pytest.raises(ImageError):
            images.read_photo(damage(data, len(data) * tenth // 10))


def test_an_animation_of_one_frame_is_a_photo() -> None:
    still = WEBP[12:]
    size = b"".join((side - 1).to_bytes(3, "little") for side in SIZE)
    frame = bytes(6) + size + bytes(4) + still
    parts = [
        (b"VP8X", b"\2\0\0\0" + size),
        (b"ANIM", bytes(6)),
        (b"ANMF", frame),
    ]
    body = b"WEBP" + b"".join(name + len(c).to_bytes(4, "little") + c for name, c in parts)
    moving = b"RIFF" + len(body).to_bytes(4, "little") + body
    assert np.array_equal(images.decode_rgb(moving), images.decode_rgb(WEBP))
    for tenth in (3, 6, 9):
        with pytest.raises(ImageError, match="truncated"):
            images.decode_rgb(zeros_to_the_end(moving, len(moving) * tenth // 10))


def test_a_png_whose_pixels_are_not_in_one_piece_is_refused() -> None:
    data = WHOLE["PNG"]
    at = data.index(b"IDAT") - 4
    between = at + 12 + int.from_bytes(data[at : at + 4])
    time = b"\0\0\0\7tIME" + bytes(7) + zlib.crc32(b"tIME" + bytes(7)).to_bytes(4)
    assert data[between + 4 : between + 8] == b"IDAT"
    with pytest.raises(ImageError, match="truncated: its pixels are not in one piece"):
        images.decode_rgb(data[:between] + time + data[between:])
    images.decode_rgb(data[:at] + time + data[at:])


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
