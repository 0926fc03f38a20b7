"""Strips and frames around a picture are found; what a scene ends in is none."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from btfer.images.border import content_box, content_of, has_border
from tests.conftest import draw_photo

SIZE = (160, 120)
LIGHT = Image.radial_gradient("L").resize(SIZE)
PHOTO = Image.blend(draw_photo(1, SIZE).convert("L"), LIGHT, 0.5)  # no edge is even


def grey(image: Image.Image) -> "np.ndarray":
    return np.asarray(image.convert("L"))


def with_strip(image: Image.Image, *, below: bool, over: bool) -> Image.Image:
    high = image.height // 10
    out = Image.new("RGB", (image.width, image.height + high * (not over)), (235, 235, 230))
    out.paste(image, (0, 0 if below or over else high))
    top = out.height - high if below or over else 0
    pen = ImageDraw.Draw(out)
    pen.rectangle((0, top, out.width, top + high - 1), fill=(235, 235, 230))
    pen.text((6, top + 2), "AGENCY / A. Pen", fill="black", font_size=7)
    return out


@pytest.mark.parametrize("seed", range(4))
def test_strips_and_frames_are_found(seed: int) -> None:
    plain = draw_photo(seed, SIZE)
    assert has_border(grey(with_strip(plain, below=True, over=False)))
    assert has_border(grey(with_strip(plain, below=False, over=False)))
    assert has_border(grey(with_strip(plain, below=True, over=True)))
    assert has_border(grey(ImageOps.expand(plain, 8, "black")))
    assert has_border(grey(ImageOps.expand(plain, 8, "white")))


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_without_either_has_none(seed: int) -> None:
    assert not has_border(grey(draw_photo(seed, SIZE)))


def test_a_sky_over_hills_and_a_plain_wall_are_no_border() -> None:
    across = np.arange(160)
    hills = 30 + 6 * np.sin(across / 15)
    scene = np.where(np.arange(120)[:, None] < hills, 220, 90).astype(np.uint8)
    assert not has_border(scene)
    assert not has_border(np.full((120, 160), 128, np.uint8))
    assert not has_border(np.full((3, 2), 128, np.uint8))


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_the_content_is_what_is_inside_an_even_border(colour: int) -> None:
    inside = content_of(grey(ImageOps.expand(PHOTO, (12, 5), colour)))
    assert abs(inside.shape[0] - 120) <= 2
    assert abs(inside.shape[1] - 160) <= 2


def test_the_content_of_a_picture_without_a_border_is_all_of_it() -> None:
    assert content_box(grey(PHOTO)) == (0, 0, *SIZE)
    assert content_box(np.full((120, 160), 7, np.uint8)) == (0, 0, *SIZE)
    spot = np.full((120, 160), 250, np.uint8)
    spot[50:60, 70:80] = 0  # a small thing on a large even ground is no framed picture
    assert content_box(spot) == (0, 0, *SIZE)
    assert content_box(np.zeros((160, 1), np.uint8)) == (0, 0, 1, 160)


@pytest.mark.parametrize("scale", [1, 5])
def test_captions_are_no_content(scale: int) -> None:
    framed = Image.new("L", (160, 176), 255)
    framed.paste(PHOTO, (0, 28))
    pen = ImageDraw.Draw(framed)
    pen.text((8, 6), "WHEN IT IS MONDAY", 0, font_size=14)
    pen.text((8, 154), "again", 0, font_size=14)
    large = grey(ImageOps.expand(framed, 8, 30)).repeat(scale, 0).repeat(scale, 1)
    place = np.array(content_box(large)) / scale
    assert np.abs(place - (8, 36, 168, 156)).max() <= 3
