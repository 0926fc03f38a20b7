"""See-through letters over a face: the face below them decides, and what cannot be seen below is for people."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from btfer.faces import detect
from btfer.faces.shots import SAME_SHOT, Shot, shot_difference
from btfer.faces.under_mark import SAME_UNDER_MARK, MarkedCopy, marked_copy
from btfer.images import decode_rgb
from btfer.images.overlay import lay_over
from btfer.sample import load_manifest, picture_path
from tests.conftest import as_bytes

Change = Callable[[Image.Image], Image.Image]
WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (220, 30, 30)
THIRD, HALF, OPAQUE = 90, 120, 255


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    file = next(one.file for one in load_manifest() if one.kind == "single")
    return Image.fromarray(decode_rgb(picture_path(file).read_bytes()))


def marked(
    photo: Image.Image, cover: int = HALF, colour: tuple[int, int, int] = WHITE, top: float = 0.45
) -> Image.Image:
    layer = Image.new("RGBA", photo.size)
    font = ImageFont.load_default(photo.height * 0.12)
    place = (photo.width * 0.08, photo.height * top)
    ImageDraw.Draw(layer).text(place, "SAMPLE STOCK", (*colour, cover), font=font)
    return Image.alpha_composite(photo.convert("RGBA"), layer).convert("RGB")


def shot(photo: Image.Image, quality: int = 85) -> Shot:
    return Shot(decode_rgb(as_bytes(photo, quality=quality)))


def under_mark(one: Image.Image, other: Image.Image) -> MarkedCopy | None:
    shots = shot(one), shot(other, 75)
    return marked_copy(*shots, lay_over(*(each.overlay for each in shots)))


def mouth_of(photo: Image.Image) -> tuple[int, int, int, int]:
    [face] = detect(np.asarray(photo))
    (left, y), (right, _) = face.landmarks["mouth_left"], face.landmarks["mouth_right"]
    high = (right - left) * 0.35
    return int(left), int(y - high), int(right), int(y + high)


def upside_down_mouth(photo: Image.Image) -> Image.Image:
    box, changed = mouth_of(photo), photo.copy()
    changed.paste(photo.crop(box).transpose(Image.Transpose.FLIP_TOP_BOTTOM), box[:2])
    return changed


def lighter_mouth(photo: Image.Image) -> Image.Image:
    """By as much as the mark makes it lighter: only the shape tells."""
    layer = Image.new("RGBA", photo.size)
    ImageDraw.Draw(layer).ellipse(mouth_of(photo), (*WHITE, HALF))
    return Image.alpha_composite(photo.convert("RGBA"), layer).convert("RGB")


@pytest.mark.parametrize(
    ("cover", "colour"), [(HALF, WHITE), (THIRD, BLACK), (HALF, RED)], ids=["white", "black", "red"]
)
def test_a_copy_under_see_through_letters_is_the_same_shot(
    portrait: Image.Image, cover: int, colour: tuple[int, int, int]
) -> None:
    found = under_mark(portrait, marked(portrait, cover, colour))
    assert found is not None
    assert found.difference <= SAME_UNDER_MARK
    assert not found.first_is_marked


def test_without_the_mark_taken_off_it_is_another_shot(portrait: Image.Image) -> None:
    assert (shot_difference(shot(portrait), shot(marked(portrait))) or 0) > SAME_SHOT


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda one: ImageOps.mirror(marked(one)), id="mirrored"),
        pytest.param(lambda one: marked(one, top=0.55), id="over the mouth"),
    ],
)
def test_either_picture_may_be_the_marked_one(portrait: Image.Image, changed: Change) -> None:
    found = under_mark(portrait, changed(portrait)), under_mark(changed(portrait), portrait)
    assert [one and one.first_is_marked for one in found] == [False, True]


@pytest.mark.parametrize("change", [upside_down_mouth, lighter_mouth], ids=lambda one: one.__name__)
@pytest.mark.parametrize("top", [0.3, 0.55])
def test_another_expression_under_the_mark_is_no_copy(
    portrait: Image.Image, change: Change, top: float
) -> None:
    assert under_mark(portrait, marked(change(portrait), top=top)) is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda one: one, id="nothing marked"),
        pytest.param(upside_down_mouth, id="another mouth"),
        pytest.param(lambda one: one.point(lambda v: int(v * 0.6)), id="darker all over"),
        pytest.param(lambda one: marked(one, OPAQUE), id="letters that hide what is below"),
    ],
)
def test_what_no_mark_explains_is_for_people(portrait: Image.Image, other: Change) -> None:
    assert under_mark(portrait, other(portrait)) is None


def test_of_a_crowd_not_every_face_is_looked_at_so_it_is_for_people(
    portrait: Image.Image,
) -> None:
    crowd = Image.new("RGB", (960, 960))
    for place in range(9):
        crowd.paste(portrait.resize((320, 320)), (place % 3 * 320, place // 3 * 320))
    assert under_mark(crowd, marked(crowd, top=0.28)) is None
    few = crowd.crop((0, 0, 640, 640))
    assert under_mark(few, marked(few)) is not None
