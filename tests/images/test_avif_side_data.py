"""AVIF files that libavif refuses though their pictures are whole are read, and no damaged picture with them."""

import struct
from collections.abc import Callable

import numpy as np
import pytest

from btfer import images
from btfer.errors import ImageError
from btfer.images.avif import aperture
from btfer.images.avif_side_data import grey_and_transparency, without_side_data
from btfer.images.boxes import coded_parts
from tests.images.avif_maker import Coded, Property, assembled, box, coded
from tests.images.drawn import grainy

PHOTO = grainy(4, (160, 120))
COLOUR, GREY = coded(PHOTO), coded(PHOTO.convert("L"))
VEIL = coded(grainy(5, PHOTO.size).convert("L"))
TRANSPARENT: dict[str, Callable[[Coded], bytes]] = {
    "no depths": lambda one: assembled(one, VEIL, with_depths=False),
    "a table for each item": lambda one: assembled(one, VEIL, tables=2),
    "no size of the transparency": lambda one: assembled(one, VEIL, alpha_has_extent=False),
    "neither": lambda one: assembled(one, VEIL, tables=2, alpha_has_extent=False),
    "a group of nothing known": lambda one: assembled(one, VEIL, groups=box(b"pymd", b"\1")),
    "a gain map of nothing": lambda one: assembled(one, VEIL, gain_map=bytes(5)),
    "a gain map too long": lambda one: assembled(one, VEIL, gain_map=bytes(300)),
}
KINDS = [pytest.param(make, id=name) for name, make in TRANSPARENT.items()]


@pytest.mark.parametrize("picture", [COLOUR, GREY], ids=["colour", "grey"])
@pytest.mark.parametrize("make", KINDS)
def test_what_is_odd_beside_a_picture_refuses_it_not(
    make: Callable[[Coded], bytes], picture: Coded
) -> None:
    usual = images.decode_rgb(assembled(picture, VEIL))
    assert np.ptp(usual) > 100
    data = make(picture)
    assert np.array_equal(images.decode_rgb(data), usual)
    assert images.read_photo(data).format == "avif"


@pytest.mark.parametrize("picture", [COLOUR, GREY], ids=["colour", "grey"])
@pytest.mark.parametrize("make", KINDS)
def test_a_damaged_picture_stays_refused(make: Callable[[Coded], bytes], picture: Coded) -> None:
    data = make(picture)
    parts = 1 if picture is GREY else 2  # OpenCV does not know the transparency of a grey one
    for start, end in list(coded_parts(data))[:parts]:
        for tenth in range(1, 9):
            at = start + (end - start) * tenth // 10
            broken = bytearray(data)
            broken[at : at + (end - start) // 10] = bytes((end - start) // 10)
            with pytest.raises(ImageError):
                images.decode_rgb(bytes(broken))
    with pytest.raises(ImageError):
        images.decode_rgb(data[: next(coded_parts(data))[1] - 40])


def _clap(*numbers: int) -> Property:
    return b"clap", struct.pack(">8i", *numbers)


@pytest.mark.parametrize("numbers", [(1, 0, 1, 0, 0, 0, 0, 0), (9999, 1, 9999, 1, 0, 1, 0, 1)])
def test_an_aperture_that_is_no_part_of_the_picture_refuses_it_not(
    numbers: tuple[int, ...],
) -> None:
    plain = images.decode_rgb(assembled(COLOUR))
    assert np.array_equal(images.decode_rgb(assembled(COLOUR, more=[_clap(*numbers)])), plain)


def test_an_aperture_is_found_in_whichever_table_it_stands() -> None:
    clap = _clap(60, 1, 50, 1, 0, 1, 0, 1)
    usual = images.decode_rgb(assembled(COLOUR, VEIL, more=[clap]))
    assert usual.shape == (50, 60, 3)
    assert np.array_equal(images.decode_rgb(assembled(COLOUR, VEIL, more=[clap], tables=2)), usual)


def test_no_broken_box_raises_anything() -> None:
    data = assembled(GREY, VEIL, tables=2, gain_map=bytes(9), groups=box(b"altr", bytes(8)))
    head = data.index(b"mdat") + 4
    rng = np.random.default_rng(1)
    for _ in range(500):
        broken = bytearray(data[: int(rng.integers(30, head)) if rng.random() < 0.3 else head])
        for at in rng.integers(0, len(broken), 3):
            broken[at] = rng.integers(0, 256)
        for of in (without_side_data(bytes(broken)), bytes(broken)):
            assert len(of) == len(broken)
            grey_and_transparency(of)
            aperture(of, PHOTO.size)
