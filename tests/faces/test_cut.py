import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from btfer.errors import ImageError
from btfer.faces.box import Box
from btfer.faces.cut import (
    Cut,
    crop_record,
    crop_settings_of,
    cut_face,
    cut_rectangle,
    in_crop,
    read_cut,
)
from btfer.faces.modes import MODES
from tests.faces.drawn_boxes import face_box

PAPER, SQUARE = MODES["paper"], MODES["square"]


def gradient(width: int, height: int) -> np.ndarray:
    """A picture whose red tells the column and whose green tells the row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width)
    pixels[..., 1] = np.arange(height)[:, None]
    return pixels


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("paper", Cut(180, 80, 320, 250)),
        ("authors_code", Cut(190, 90, 310, 240)),
        (
            "square",
            Cut(165, 80, 335, 250),
        ),  # 100 wide grows to 130 about its middle, then 20 a side
    ],
)
def test_the_rectangle_of_each_mode_in_photo_pixels(mode: str, expected: Cut) -> None:
    assert cut_rectangle(face_box(200, 100, 100, 130), 640, 480, MODES[mode]) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((5, 5), Cut(0, 0, 125, 155, ("left", "top"))),
        ((535, 345), Cut(515, 325, 640, 480, ("right", "bottom"))),
        ((-30, 200), Cut(0, 180, 90, 350, ("left",))),
        ((20, 20), Cut(0, 0, 140, 170)),
    ],
    ids=["top left", "bottom right", "box beyond the border", "just inside"],
)
def test_the_margin_is_clipped_at_the_border(at: tuple[int, int], expected: Cut) -> None:
    assert cut_rectangle(face_box(*at), 640, 480, PAPER) == expected


def test_square_runs_beyond_the_border_and_says_where() -> None:
    cut = cut_rectangle(face_box(5, 5), 640, 480, SQUARE)
    assert cut == Cut(-30, -15, 140, 155, reflected=("left", "top"))


@pytest.mark.parametrize("mode", MODES)
def test_a_box_outside_the_photo_is_an_error(mode: str) -> None:
    with pytest.raises(ImageError, match="outside"):
        cut_rectangle(face_box(900, 900), 640, 480, MODES[mode])


@pytest.mark.parametrize("mode", MODES)
def test_a_box_without_a_pixel_is_an_error(mode: str) -> None:
    nothing = Box(20.1, 20.1, 0.2, 0.2, probability=1.0, landmarks={})
    with pytest.raises(ImageError, match="outside"):
        cut_rectangle(nothing, 640, 480, replace(MODES[mode], margin_px=0))
    assert cut_rectangle(nothing, 640, 480, replace(MODES[mode], margin_px=1)).width == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("side", [60, 256, 900], ids=["enlarged", "same", "shrunk"])
def test_every_crop_is_256_pixels_square_and_shows_what_was_cut(mode: str, side: int) -> None:
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    pixels[:side, :side] = (250, 120, 10)
    face = cut_face(pixels, Cut(0, 0, side, side), MODES[mode])
    assert face.shape == (256, 256, 3)
    assert np.all(face == (250, 120, 10))  # RGB order, and nothing from outside the rectangle


def test_each_axis_is_resized_by_itself() -> None:
    stripes = np.zeros((128, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    face = cut_face(stripes, Cut(0, 0, 512, 128), PAPER)
    assert set(np.unique(face)) <= {127, 128}  # area averages what shrinks; cubic would alias


def test_beyond_the_border_is_the_mirror_image() -> None:
    pixels = gradient(100, 200)
    face = cut_face(pixels, Cut(-56, -56, 200, 200, reflected=("left", "top", "right")), SQUARE)
    columns, rows = face[56, :, 0].tolist(), face[:, 56, 1].tolist()
    assert columns[50:63] == [6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6]
    assert columns[150:160] == [94, 95, 96, 97, 98, 99, 98, 97, 96, 95]
    assert columns[253:] == [1, 0, 1]  # mirrored again at the other end: the photo is narrow
    assert rows[55:58] == [1, 0, 1]


def test_only_square_keeps_the_shape_of_a_face() -> None:
    box = face_box(200, 100, 100, 130)
    facts = {
        name: crop_record(cut_rectangle(box, 640, 480, one), one) for name, one in MODES.items()
    }
    assert facts["square"].distortion == 1.0
    assert facts["paper"].distortion == round(140 / 170, 4)
    assert (facts["paper"].scale_x, facts["paper"].scale_y) == (1.828571, 1.505882)
    assert [facts[name].margin_px for name in MODES] == [20, 10, 20]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_recorded_tells_the_same_cut_after_json(mode: str) -> None:
    cut = cut_rectangle(face_box(5, 5), 640, 480, MODES[mode])
    told = json.loads(json.dumps(asdict(crop_record(cut, MODES[mode]))))
    assert (read_cut(told), crop_settings_of(told)) == (cut, MODES[mode])


@pytest.mark.parametrize("mode", MODES)
def test_a_landmark_is_found_again_in_the_crop(mode: str) -> None:
    box = face_box(200, 100, 180, 240)
    pixels = np.zeros((480, 640, 3), np.uint8)
    x, y = (int(value) for value in box.landmarks["nose"])
    pixels[y - 2 : y + 2, x - 2 : x + 2] = 255
    cut = cut_rectangle(box, 640, 480, MODES[mode])
    rows, columns = np.nonzero(cut_face(pixels, cut, MODES[mode])[..., 0] > 100)
    middle = (columns.mean() + 0.5, rows.mean() + 0.5)
    assert in_crop((x, y), cut, 256) == pytest.approx(middle, abs=1)
