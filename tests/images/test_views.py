import numpy as np
import pytest
from PIL import Image

from btfer.images.hashes import phash_pairs
from btfer.images.views import normalised, view_correlation, views_of
from tests.conftest import draw_photo

LIGHT = Image.radial_gradient("L").resize((160, 120))
PHOTO = Image.blend(draw_photo(1, (160, 120)).convert("L"), LIGHT, 0.5)  # no edge is even


@pytest.mark.parametrize("place", [(0, 0), (16, 12), (0, 12), (8, 6)])
def test_a_crop_of_a_tenth_is_near_one_of_the_parts(place: tuple[int, int]) -> None:
    left, top = place
    crop = np.asarray(PHOTO.crop((left, top, left + 144, top + 108)))
    views, wholes = views_of(np.asarray(PHOTO))
    assert (len(views), wholes) == (12, 1)
    one, other = (normalised(each) for each in (views, views_of(crop)[0][:1]))
    assert view_correlation(one, other) > 0.95
    words = phash_pairs(np.concatenate([views, views_of(crop)[0][:1]]))[:, 0].view(np.uint64)
    assert np.bitwise_count(words[:-1] ^ words[-1]).min() <= 12


def test_a_strip_over_the_lower_edge_leaves_one_of_the_parts() -> None:
    covered = np.asarray(PHOTO).copy()
    covered[108:] = 20
    covered[112:116, 20:90:3] = 240  # letters
    views, wholes = views_of(covered)
    assert wholes == 2
    words = [
        phash_pairs(each)[:, 0].view(np.uint64) for each in (views, views_of(np.asarray(PHOTO))[0])
    ]
    assert np.bitwise_count(words[0][1] ^ words[1]).min() <= 8
