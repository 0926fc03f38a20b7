"""The same change of a face weighs as much in a dark face as in a bright one, whatever is behind it."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from PIL import Image

from btfer.faces import Box, detect
from btfer.faces.shots import MARGIN, SAME_SHOT
from btfer.images import Pixels, decode_rgb
from btfer.images.local_difference import local_difference
from btfer.sample import load_manifest, picture_path
from tests.conftest import as_bytes

BRIGHT, MEDIUM, DARK = 1.0, 0.55, 0.3  # of the light of the rendered face
BLACK, WHITE = 25, 235
SOFT = 0.12
PORTRAITS = [one.file for one in load_manifest() if one.kind == "single"][:9:4]
TONES = list(product((BRIGHT, MEDIUM, DARK), (BLACK, WHITE)))


@cache
def portrait(file: str) -> tuple[Pixels, Box]:
    pixels = decode_rgb(picture_path(file).read_bytes())
    [face] = detect(pixels)
    return pixels, face


def toned(pixels: Pixels, face: Box, light: float, ground: int) -> Pixels:
    """The face with less light, before a ground of one colour."""
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float32)
    middle = face.x + face.width / 2, face.y + face.height * 0.45
    away = ((x - middle[0]) / face.width) ** 2 + ((y - middle[1]) / face.height) ** 2
    inside = np.clip((1.08 - away / 0.62**2) / SOFT, 0, 1)[..., None]
    return (pixels * light * inside + ground * (1 - inside)).round().astype(np.uint8)


def other_mouth(pixels: Pixels, face: Box) -> Pixels:
    """Upside down."""
    (left, y), (right, _) = face.landmarks["mouth_left"], face.landmarks["mouth_right"]
    high, changed = (right - left) * 0.35, pixels.copy()
    rows, across = slice(int(y - high), int(y + high)), slice(int(left), int(right))
    changed[rows, across] = pixels[rows, across][::-1]
    return changed


def differs(one: Pixels, other: Pixels, face: Box, quality: int) -> float:
    side = max(face.width, face.height) * (1 + 2 * MARGIN)
    centre = (face.x + face.width / 2, face.y + face.height / 2)
    files = (
        as_bytes(Image.fromarray(one), quality=92),
        as_bytes(Image.fromarray(other), quality=quality),
    )
    pictures = [decode_rgb(file) for file in files]
    found = local_difference(*pictures, np.eye(3), centre=centre, side_px=side)
    assert found is not None
    return found


@pytest.mark.parametrize(("light", "ground"), TONES)
@pytest.mark.parametrize("file", PORTRAITS)
def test_another_mouth_differs_and_a_copy_does_not(file: str, light: float, ground: int) -> None:
    pixels, face = portrait(file)
    whole, other = (
        toned(each, face, light, ground) for each in (pixels, other_mouth(pixels, face))
    )
    assert differs(whole, other, face, 80) > SAME_SHOT
    assert differs(whole, whole, face, 50) <= SAME_SHOT


@pytest.mark.parametrize("file", PORTRAITS)
def test_the_same_change_weighs_about_as_much_in_every_tone(file: str) -> None:
    pixels, face = portrait(file)
    changed = other_mouth(pixels, face)
    found = [
        differs(*(toned(each, face, *tone) for each in (pixels, changed)), face, 80)
        for tone in TONES
    ]
    assert max(found) < 3 * min(found), found
