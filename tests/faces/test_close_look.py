"""A small face before a larger one, as before a poster: it is seen, and its other expression is another picture."""

import numpy as np
from PIL import Image

from btfer.faces import close_look, detect
from btfer.faces.shots import SAME_SHOT, Shot, shot_difference
from btfer.images import Pixels, decode_rgb
from btfer.images.overlay import lay_over
from btfer.sample import load_manifest, picture_path
from tests.conftest import as_bytes

SIZE = (1000, 700)
PLACE = (440, 300)  # over the large face


def portraits() -> list[Image.Image]:
    """Two, of which the second as a poster hides the first from a search that keeps one box of many."""
    files = [one.file for one in load_manifest() if one.kind == "single"]
    chosen = (files[14], files[42])
    return [Image.fromarray(decode_rgb(picture_path(file).read_bytes())) for file in chosen]


def other_mouth(portrait: Image.Image) -> Image.Image:
    """The mouth upside down."""
    [face] = detect(np.asarray(portrait))
    (left, y), (right, _) = face.landmarks["mouth_left"], face.landmarks["mouth_right"]
    high = (right - left) * 0.35
    box = tuple(int(v) for v in (left, y - high, right, y + high))
    changed = portrait.copy()
    changed.paste(portrait.crop(box).transpose(Image.Transpose.FLIP_TOP_BOTTOM), box[:2])
    return changed


def scene(small: Image.Image, large: Image.Image, quality: int = 90) -> Pixels:
    """A portrait of a sixth of the height before a poster."""
    picture = large.resize(SIZE)
    picture.paste(small.resize((120, 120)), PLACE)
    return decode_rgb(as_bytes(picture, quality=quality))


def test_a_face_inside_a_larger_one_is_found_when_it_is_asked_for() -> None:
    small, large = portraits()
    pixels = scene(small, large)
    faces = detect(pixels, min_face_px=20)
    nested = detect(pixels, min_face_px=20, nested=True)
    assert len(nested) > len(faces) >= 1
    inside = [one for one in nested if PLACE[0] < one.x < PLACE[0] + 120 and one.width < 120]
    assert inside


def test_another_expression_of_a_small_face_before_a_poster_is_another_shot() -> None:
    small, large = portraits()
    one, other, copy = (
        Shot(scene(each, large, quality))
        for each, quality in ((small, 90), (other_mouth(small), 80), (small, 60))
    )
    overlay = lay_over(one.overlay, other.overlay)
    difference = shot_difference(one, other, lambda: True)
    assert difference is not None
    assert difference > SAME_SHOT
    assert (close_look.missed_difference(one, other, overlay) or 0) > close_look.ANOTHER_SHOT
    assert (shot_difference(one, copy, lambda: True) or 0) <= SAME_SHOT
    assert close_look.missed_difference(one, copy, lay_over(one.overlay, copy.overlay)) is None


def test_a_watermark_beside_the_faces_is_no_missed_face() -> None:
    small, large = portraits()
    plain = scene(small, large)
    marked = plain.copy()
    marked[640:660, 40:200:9] = 255
    one, other = Shot(plain), Shot(marked)
    assert close_look.missed_difference(one, other, lay_over(one.overlay, other.overlay)) is None
