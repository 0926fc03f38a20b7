import dataclasses

import pytest

from btfer.faces import Box
from btfer.faces.modes import MODES, CropSettings
from btfer.faces.policy import refusals
from tests.faces.drawn_boxes import face_box

PAPER = MODES["paper"]
LARGE, MEDIUM = face_box(width=120, height=150), face_box(x=400)
UNSURE, SMALL = face_box(probability=0.5), face_box(x=10, width=30, height=39)


def judged(boxes: list[Box], size: tuple[int, int] = (640, 480), **changed: object) -> list[str]:
    settings: CropSettings = dataclasses.replace(PAPER, **changed)  # type: ignore[arg-type]
    return refusals(boxes, settings, width=size[0], height=size[1])


def test_every_box_that_is_not_taken_has_its_reason() -> None:
    assert judged([LARGE, UNSURE, SMALL, MEDIUM]) == ["", "low probability", "small", ""]


def test_the_thresholds_are_those_of_the_settings() -> None:
    assert judged([UNSURE, SMALL], min_probability=0.5, min_face_px=30) == ["", ""]


def test_largest_takes_the_largest_of_what_is_usable() -> None:
    huge_but_unsure = face_box(width=300, height=350, probability=0.2)
    expected = ["low probability", "not the largest", ""]
    assert judged([huge_but_unsure, MEDIUM, LARGE], faces="largest") == expected


def test_single_takes_no_face_of_a_photo_of_several_people() -> None:
    assert judged([LARGE, MEDIUM], faces="single") == ["several people"] * 2
    assert judged([LARGE, SMALL], faces="single") == ["several people", "small"]


def test_single_takes_the_face_beside_a_box_that_is_hardly_one() -> None:
    assert judged([LARGE, UNSURE], faces="single") == ["", "low probability"]


def test_of_a_crowd_the_largest_are_taken() -> None:
    crowd = [face_box(width=60 + n, height=80) for n in range(5)]
    assert judged(crowd, max_faces=2) == ["over the cap"] * 3 + ["", ""]


def test_a_crowd_of_two_hundred_yields_fifty() -> None:
    reasons = judged([face_box(x=n) for n in range(200)])
    assert reasons.count("") == 50
    assert reasons.count("over the cap") == 150


@pytest.mark.parametrize(
    ("gone", "side", "expected"),
    [
        (0.1, "left", ""),
        (0.2, "left", ""),
        (0.45, "left", "cut off"),
        (0.2, "top", ""),
        (0.45, "top", "cut off"),
        (0.2, "bottom", ""),
        (0.3, "bottom", "cut off"),  # the corners of the mouth are outside
        (0.45, "right", "cut off"),
    ],
)
def test_a_face_whose_larger_part_is_outside_is_cut_off(
    gone: float, side: str, expected: str
) -> None:
    """MTCNN ends the box at the border: only the landmarks tell where the face would be."""
    photo, whole = (400, 400), face_box(150, 150, 100, 130)
    x = {"left": -100 * gone, "right": 300 + 100 * gone}.get(side, 150)
    y = {"top": -130 * gone, "bottom": 270 + 130 * gone}.get(side, 150)
    moved = face_box(x, y, whole.width, whole.height)
    left, top = max(x, 0), max(y, 0)
    width, height = min(x + 100, photo[0]) - left, min(y + 130, photo[1]) - top
    box = dataclasses.replace(moved, x=left, y=top, width=width, height=height)
    assert judged([box], photo) == [expected]


def test_landmarks_in_one_place_are_no_error() -> None:
    points = dict.fromkeys(LARGE.landmarks, (250.0, 150.0))
    assert judged([dataclasses.replace(LARGE, landmarks=points)]) == [""]
