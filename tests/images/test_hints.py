"""What the hints say about pictures whose nature is known."""

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from btfer.images.hints import hints_of
from tests.images.drawn import grainy

SIZE = (160, 120)


def _of(image: Image.Image) -> dict[str, float]:
    return hints_of(np.asarray(image.convert("RGB")), aspect=image.width / image.height)


def _page() -> Image.Image:
    """Lines of strokes as wide as letters."""
    page = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(page)
    rng = np.random.default_rng(1)
    for top in range(8, 110, 12):
        for x in range(8, 150, 4):
            draw.rectangle((x, top, x + 1, top + int(rng.integers(4, 8))), fill="black")
    return page


def _cartoon() -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 10, 130, 110), fill=(255, 220, 0), outline="black", width=3)
    draw.ellipse((60, 40, 72, 52), fill="black")
    draw.ellipse((90, 40, 102, 52), fill="black")
    return image


def test_brightness_is_the_mean_of_all_channels() -> None:
    assert _of(Image.new("RGB", SIZE, (30, 60, 120)))["brightness"] == 70.0


def test_a_blurred_photo_is_less_sharp() -> None:
    photo = grainy(1, SIZE)
    assert (
        _of(photo.filter(ImageFilter.GaussianBlur(2)))["sharpness"] < _of(photo)["sharpness"] / 10
    )


def test_sharpness_is_the_variance_of_the_laplacian_of_the_mean() -> None:
    photo = grainy(1, SIZE)
    grey = np.asarray(photo, np.float64).mean(axis=2)
    inner = (
        4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    )
    assert _of(photo)["sharpness"] == pytest.approx(inner.var(), rel=1e-3)


def test_a_drawing_is_flat_and_a_photo_is_not() -> None:
    assert _of(_cartoon())["flat"] > 0.7 > 0.2 > _of(grainy(1, SIZE))["flat"]


def test_a_drawing_has_few_colours_and_a_photo_many_even_in_grey() -> None:
    assert _of(Image.new("RGB", SIZE, "red"))["colours"] == 1.0
    two = Image.new("RGB", SIZE, "red")
    two.paste("blue", (0, 0, 80, 120))
    assert _of(two)["colours"] == 2.0
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 160).astype(np.uint8), (120, 1)))
    assert _of(_cartoon())["colours"] < 6 < 20 < _of(ramp)["colours"]
    assert _of(grainy(1, SIZE))["colours"] > 30


def test_a_page_has_text_and_others_have_not() -> None:
    assert _of(_page())["text"] > 0.1
    assert _of(_cartoon())["text"] < 0.01
    assert _of(grainy(1, SIZE))["text"] < 0.02
    fence = Image.new("RGB", SIZE, "white").rotate(0)
    ImageDraw.Draw(fence).rectangle((80, 0, 160, 120), fill="black")
    assert _of(fence)["text"] == 0.0  # one edge is no text


def test_text_is_found_on_the_mirrored_page_as_well() -> None:
    page = _page()
    mirrored = page.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert _of(mirrored)["text"] == pytest.approx(_of(page)["text"], abs=0.002)


@pytest.mark.parametrize("size", [(160, 1), (1, 160), (160, 2), (2, 160), (10, 160)])
def test_a_strip_has_finite_hints(size: tuple[int, int]) -> None:
    found = _of(Image.new("RGB", size, "grey"))
    assert all(math.isfinite(value) for value in found.values())
    assert found["aspect"] == round(size[0] / size[1], 3)
