"""Strips and frames around a picture are found; what a scene ends in is none."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from btfer.images.border import has_border
from tests.conftest import draw_photo

SIZE = (160, 120)


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
