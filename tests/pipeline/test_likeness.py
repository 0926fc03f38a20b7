from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from btfer.errors import BtferError
from btfer.pipeline.likeness import SAME_PICTURE, features_of, is_same, likeness, read_features
from tests.conftest import as_bytes, draw_photo


def small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L").resize((64, 64)), np.float32)


def test_copies_lie_on_their_original_and_other_pictures_do_not() -> None:
    photo = draw_photo(1, (640, 480))
    copies = {
        "brighter": Image.eval(photo, lambda v: min(255, int(v * 1.2))),
        "mirrored": ImageOps.mirror(photo),
        "cropped": photo.crop((32, 24, 608, 456)),
        "cropped off centre": photo.crop((60, 40, 640, 475)),
    }
    for name, copy in copies.items():
        assert likeness(small(photo), small(copy)) >= SAME_PICTURE, name
        assert likeness(small(copy), small(photo)) >= SAME_PICTURE, name
    changed = photo.copy()  # the same studio, another face
    changed.paste(draw_photo(5, (200, 200)), (220, 140))
    assert likeness(small(photo), small(changed)) < SAME_PICTURE


def test_a_turned_copy_is_one_and_the_same_studio_with_another_face_is_not() -> None:
    photo = draw_photo(1, (640, 480))
    turned = photo.rotate(3, Image.Resampling.BICUBIC).crop((30, 25, 610, 455))
    changed = photo.copy()
    changed.paste(draw_photo(5, (60, 60)), (300, 200))
    looks = [
        features_of(as_bytes(one)) for one in (photo, turned, ImageOps.mirror(turned), changed)
    ]
    assert likeness(looks[0].small, looks[1].small) < SAME_PICTURE
    assert is_same(looks[0], looks[1])
    assert is_same(looks[2], looks[0])
    assert not is_same(looks[0], looks[3])
    assert not is_same(looks[1], looks[3])


def test_a_blank_picture_lies_on_none() -> None:
    white, nearly = (np.full((64, 64), v, np.float32) for v in (255, 250))
    assert likeness(white, nearly) == -1.0
    assert likeness(white, small(draw_photo(1))) == -1.0


def test_a_lost_thumbnail_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(BtferError, match=r"thumbnail .*a.jpg cannot be read"):
        read_features(tmp_path / "a.jpg")
