import numpy as np
import pytest
from PIL import Image, ImageOps

from btfer.images.hashes import phash_pairs
from btfer.images.views import normalised, view_correlation, views_of, without_border
from tests.conftest import draw_photo

LIGHT = Image.radial_gradient("L").resize((160, 120))
PHOTO = Image.blend(draw_photo(1, (160, 120)).convert("L"), LIGHT, 0.5)  # no edge is even


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_an_even_border_is_taken_off(colour: int) -> None:
    framed = np.asarray(ImageOps.expand(PHOTO, (12, 5), colour))
    inside = without_border(framed)
    assert abs(inside.shape[0] - 120) <= 2
    assert abs(inside.shape[1] - 160) <= 2


def test_a_picture_without_a_border_stays_whole() -> None:
    grey = np.asarray(PHOTO)
    assert without_border(grey).shape == grey.shape
    assert without_border(np.full((120, 160), 7, np.uint8)).shape == (120, 160)
    spot = np.full((120, 160), 250, np.uint8)
    spot[50:60, 70:80] = 0  # a small thing on a large even ground is no framed picture
    assert without_border(spot).shape == (120, 160)


@pytest.mark.parametrize("place", [(0, 0), (16, 12), (0, 12), (8, 6)])
def test_a_crop_of_a_tenth_is_near_one_of_the_parts(place: tuple[int, int]) -> None:
    left, top = place
    crop = np.asarray(PHOTO.crop((left, top, left + 144, top + 108)))
    views, wholes = views_of(np.asarray(PHOTO))
    assert (len(views), wholes) == (5, 1)
    one, other = (normalised(each) for each in (views, views_of(crop)[0][:1]))
    assert view_correlation(one, other) > 0.95
    words = phash_pairs(np.concatenate([views, views_of(crop)[0][:1]]))[:, 0].view(np.uint64)
    assert np.bitwise_count(words[:-1] ^ words[-1]).min() <= 12
