"""What covers a face, and what was made larger than it was, on a face of the sample that is changed here."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from btfer.faces import Box
from btfer.faces.covered import Covered, covered_of
from btfer.faces.detail import enlargement_of
from tests.faces.test_face_detail import as_jpeg, earned, noisy, portrait

__all__ = ["portrait"]  # the fixture

COLOURS = ((170, 205, 225), (245, 245, 245), (25, 25, 30), (200, 120, 140))


def painted(
    image: Image.Image, corners: list[tuple[float, float]], colour: tuple[int, ...]
) -> Image.Image:
    copy = image.copy()
    ImageDraw.Draw(copy).polygon(corners, fill=colour)
    return Image.fromarray(noisy(copy, 3))


@pytest.mark.parametrize("colour", COLOURS)
def test_a_mask_covers_a_face_whatever_its_colour(
    portrait: tuple[Image.Image, Box], colour: tuple[int, ...]
) -> None:
    image, box = portrait
    top, bottom = box.landmarks["nose"][1], box.y + box.height
    left, right = box.x, box.x + box.width
    corners = [(left, top), (right, top), (right - 20, bottom), (left + 20, bottom)]
    assert "covered" in earned(painted(image, corners, colour), box)


@pytest.mark.parametrize("side", [-1, 1], ids=["left", "right"])
def test_a_face_of_which_half_is_behind_something_is_covered(
    portrait: tuple[Image.Image, Box], side: int
) -> None:
    image, box = portrait
    middle = box.x + box.width / 2
    away, top, bottom = middle + side * box.width, box.y - 40, box.y + box.height + 40
    corners = [(middle, top), (away, top), (away, bottom), (middle, bottom)]
    assert "covered" in earned(painted(image, corners, (90, 140, 60)), box)


def test_glasses_of_any_one_colour_cover_a_face(portrait: tuple[Image.Image, Box]) -> None:
    image, box = portrait
    reach = 0.19 * box.width
    for name in ("left_eye", "right_eye"):
        x, y = box.landmarks[name]
        edge = [(x + a * reach, y + b * reach) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        image = painted(image, edge, (150, 150, 160))
    assert "covered" in earned(image, box)


def test_an_uncovered_face_is_not_covered_in_light_from_one_side(
    portrait: tuple[Image.Image, Box],
) -> None:
    image, box = portrait
    assert "covered" not in earned(image, box)
    light = np.linspace(0.35, 1, image.width)[None, :, None]
    assert "covered" not in earned((np.asarray(image) * light).astype(np.uint8), box)


@pytest.mark.parametrize("factor", [3, 4])
def test_an_enlarged_face_says_so_under_noise_and_compression(
    portrait: tuple[Image.Image, Box], factor: int
) -> None:
    image, box = portrait
    small = image.resize((image.width // factor, image.height // factor), Image.Resampling.BOX)
    large = small.resize(image.size, Image.Resampling.BICUBIC)
    assert box.height < 300
    for one in (large, as_jpeg(large, 80), noisy(large, 4)):
        assert "enlarged" in earned(one, box)
    for one in (image, as_jpeg(image, 80), noisy(image, 4)):
        assert "enlarged" not in earned(one, box)


def test_landmarks_on_a_line_and_tiny_faces_say_nothing() -> None:
    line = np.array([(10, 10), (20, 10), (30, 10)], np.float32)
    assert covered_of(np.full((64, 64), 90, np.float32), line) == Covered()
    assert enlargement_of(np.full((63, 200), 90, np.float32)) == (0, 0)
    assert all(np.isfinite(enlargement_of(np.full((300, 64), 90, np.float32))))
