from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from btfer.errors import BtferError
from btfer.faces import shots
from btfer.faces.shots import SAME_SHOT, Shot, shot_difference
from btfer.files import write_atomic
from btfer.images import Intake, decode_rgb, describe_photo
from btfer.paths import photo_path, thumbnail_path
from btfer.pipeline.likeness import (
    SAME_PICTURE,
    compare,
    features_of,
    have_common_colours,
    is_same,
    likeness,
    read_features,
)
from btfer.sample import load_manifest, picture_path
from btfer.store import Store
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


def drawing(ground: str, skin: str) -> bytes:
    image = Image.new("RGB", (300, 300), ground)
    pen = ImageDraw.Draw(image)
    pen.ellipse((50, 50, 250, 250), skin, "black", 4)
    pen.line((100, 190, 200, 190), "black", 5)
    return as_bytes(image)


def test_a_drawing_in_other_colours_is_another_one_and_a_grey_copy_is_none() -> None:
    first, other = drawing("turquoise", "gold"), drawing("plum", "lightgreen")
    grey = as_bytes(Image.fromarray(decode_rgb(first)).convert("L"))
    warmer = drawing("#48d0c0", "#ffc020")
    looks = [features_of(one) for one in (first, other, grey, warmer)]
    assert not have_common_colours(looks[0], looks[1])
    assert have_common_colours(looks[0], looks[2])
    assert have_common_colours(looks[0], looks[3])


def test_equal_pixels_in_other_bytes_are_one_picture_and_no_face_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [file] = [one.file for one in load_manifest() if one.kind == "single"][:1]
    pixels = Image.fromarray(decode_rgb(picture_path(file).read_bytes()))
    names = [stored(as_bytes(pixels, "PNG", compress_level=level), tmp_path) for level in (1, 6)]
    assert names[0] != names[1]
    monkeypatch.setattr(shots, "detect", lambda *_, **__: pytest.fail("faces were looked for"))
    assert compare(*names, store=Store(tmp_path))[:3] == (True, 0.0, True)


def stored(file: bytes, data_dir: Path) -> str:
    """A photo with its thumbnail, as the crawl leaves them; its sha256."""
    taken = describe_photo(file)
    assert isinstance(taken, Intake)
    write_atomic(photo_path(data_dir, taken.sha256, taken.format), file)
    write_atomic(thumbnail_path(data_dir, taken.sha256), taken.thumbnail)
    return taken.sha256


def test_two_portraits_are_told_apart_by_their_large_faces_alone() -> None:
    files = [one.file for one in load_manifest() if one.kind == "single"][:2]
    one, other = (Shot(decode_rgb(picture_path(file).read_bytes())) for file in files)
    difference = shot_difference(one, other)
    assert difference is not None
    assert difference > SAME_SHOT
    assert "faces" not in vars(one)  # small ones were not looked for


def two_coloured_page(seed: int) -> Image.Image:
    page = Image.new("RGB", (640, 480), (235, 235, 235))
    pen, rng = ImageDraw.Draw(page), np.random.default_rng(seed)
    pen.rectangle((320, 0, 640, 480), (30, 30, 30))
    for x, y, across, down in rng.integers((20, 20, -40, -60), (260, 420, 60, 60), (12, 4)):
        for left in (x, x + 320):
            pen.line((left, y, left + across, y + down), (120, 120, 120), 3)
    return page


def test_drawings_on_pages_of_the_same_two_colours_are_no_copies() -> None:
    page = two_coloured_page(0)
    looks = [
        features_of(as_bytes(one))
        for one in (page, two_coloured_page(1), page.resize((200, 150)), ImageOps.mirror(page))
    ]
    assert likeness(looks[0].small, looks[1].small) >= SAME_PICTURE
    assert not is_same(looks[0], looks[1])
    assert is_same(looks[0], looks[2])
    assert is_same(looks[0], looks[3])


def meme_frame(photo: Image.Image) -> Image.Image:
    band = photo.height // 5
    framed = Image.new("RGB", (photo.width, photo.height + band), "white")
    framed.paste(photo, (0, band))
    ImageDraw.Draw(framed).text((9, 5), "WHEN IT IS MONDAY", "black", font_size=band / 2)
    return framed


def much_darker(photo: Image.Image) -> Image.Image:
    return photo.point([round(255 * (level / 255) ** 2) for level in range(256)] * 3)


@pytest.mark.parametrize("change", [meme_frame, much_darker], ids=lambda one: one.__name__)
def test_a_copy_shows_the_same_shot_under_a_caption_and_much_darker(
    change: Callable[[Image.Image], Image.Image],
) -> None:
    [file] = [one.file for one in load_manifest() if one.kind == "single"][28:29]
    photo = Image.fromarray(decode_rgb(picture_path(file).read_bytes()))
    one, other = (Shot(decode_rgb(as_bytes(each, quality=90))) for each in (photo, change(photo)))
    for difference in (shot_difference(one, other), shot_difference(other, one)):
        assert difference is not None
        assert difference <= SAME_SHOT


def test_what_a_worker_remembers_of_thumbnails_stays_below_80_mb(tmp_path: Path) -> None:
    features = features_of(as_bytes(draw_photo(3)))
    views = [features.small, features.large, features.inside, *features.views, features.hues]
    n_bytes = sum(
        2 * one.nbytes if one is features.large else one.nbytes for one in views if one is not None
    )
    read_features.cache_clear()
    kept = read_features.cache_info().maxsize
    assert kept
    assert n_bytes * kept < 80e6
    thumbnails = [tmp_path / f"{number}.jpg" for number in range(kept + 3)]
    for path in thumbnails:
        path.write_bytes(as_bytes(Image.new("RGB", (8, 8), (len(path.name), 9, 9))))
        read_features(path)
    assert read_features.cache_info().currsize == kept
    read_features.cache_clear()
