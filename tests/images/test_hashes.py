"""The pHash pair, beside imagehash on the same 32x32 grey pixels."""

import imagehash
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from btfer.images.colour import Pixels
from btfer.images.hashes import phash_pair
from tests.conftest import draw_photo


def _imagehash(image: Image.Image) -> int:
    return int(np.packbits(imagehash.phash(image).hash).view(">i8")[0])


def _pictures() -> list[Image.Image]:
    drawn = [draw_photo(seed).convert("L").resize((32, 32)) for seed in range(200)]
    rng = np.random.default_rng(1)
    noise = [Image.fromarray(rng.integers(0, 256, (32, 32), dtype=np.uint8)) for _ in range(200)]
    return drawn + noise + [one.filter(ImageFilter.GaussianBlur(3)) for one in noise]


def test_the_hash_is_imagehashs_to_the_bit() -> None:
    for picture in _pictures():
        assert phash_pair(np.asarray(picture))[0] == _imagehash(picture)


def test_the_mirror_hash_is_that_of_the_mirrored_picture() -> None:
    for picture in _pictures():
        assert phash_pair(np.asarray(picture))[1] == _imagehash(ImageOps.mirror(picture))


def test_blank_pictures_of_any_grey_have_one_key() -> None:
    def blank(level: int) -> Pixels:
        return np.full((32, 32), level, np.uint8)

    assert len({phash_pair(blank(level)) for level in range(1, 256)}) == 1
    assert phash_pair(blank(90))[0] == _imagehash(Image.fromarray(blank(90)))


def test_a_symmetric_picture_has_equal_hashes() -> None:
    for seed in range(20):
        half = np.asarray(draw_photo(seed).convert("L").resize((16, 32)))
        straight, mirrored = phash_pair(np.hstack([half, half[:, ::-1]]))
        assert straight == mirrored
