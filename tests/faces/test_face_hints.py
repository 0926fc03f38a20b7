import dataclasses
import json
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from btfer.faces import Box
from btfer.faces.cut import cut_rectangle
from btfer.faces.hints import badges, hints_of
from btfer.faces.modes import MODES
from tests.faces.drawn_boxes import face_box

PHOTO = (640, 480)


def drawn(box: Box, *, eyes: int = 60, skin: int = 170, blur: float = 0) -> np.ndarray:
    """A photo with eyes, nose and mouth where the box says, grey."""
    image = Image.new("RGB", PHOTO, (skin,) * 3)
    draw = ImageDraw.Draw(image)
    noise = np.random.default_rng(1).normal(0, 6, (PHOTO[1], PHOTO[0], 1))
    radius = box.width / 10
    for name, (x, y) in box.landmarks.items():
        shade = eyes if "eye" in name else 80
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(shade,) * 3)
    pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur)))


def measured(pixels: np.ndarray, box: Box, mode: str = "paper") -> dict[str, float]:
    return hints_of(pixels, box, cut_rectangle(box, *PHOTO, MODES[mode]))


def earned(box: Box, pixels: np.ndarray | None = None) -> tuple[str, ...]:
    return badges(measured(drawn(box) if pixels is None else pixels, box))


def turned(box: Box, degrees: float) -> Box:
    """The box with its landmarks turned about the nose."""
    x0, y0 = box.landmarks["nose"]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    points = {
        name: (x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos)
        for name, (x, y) in box.landmarks.items()
    }
    return dataclasses.replace(box, landmarks=points)


def turned_away() -> Box:
    """The eyes have come together, and the nose is hardly further off than usual."""
    return face_box(left_eye=(0.42, 0.39), right_eye=(0.68, 0.39), nose=(0.67, 0.59))


def test_a_usual_face_earns_no_badge() -> None:
    assert earned(face_box()) == ()


@pytest.mark.parametrize(
    ("box", "badge"),
    [
        (face_box(probability=0.93), "low probability"),
        (face_box(width=45, height=60), "small"),
        (turned(face_box(), 30), "tilted"),
        (turned(face_box(), -30), "tilted"),
        (face_box(nose=(0.66, 0.59)), "turned"),
        (face_box(nose=(0.34, 0.59)), "turned"),
        (turned_away(), "turned"),
        (face_box(nose=(0.50, 0.30)), "odd landmarks"),
        (face_box(mouth_left=(0.70, 0.75), mouth_right=(0.30, 0.75)), "odd landmarks"),
        (face_box(left_eye=(0.49, 0.39), right_eye=(0.51, 0.39)), "odd landmarks"),
        (face_box(nose=(1.10, 0.59)), "odd landmarks"),
    ],
)
def test_what_looks_wrong_earns_its_badge(box: Box, badge: str) -> None:
    assert badge in earned(box)


def test_a_box_of_another_size_than_the_faces_beside_it_is_odd_unless_the_detector_is_sure() -> (
    None
):
    sure = [face_box(x, 10, width=100, height=130, probability=0.9999) for x in (0, 200, 400)]

    def earned_beside(box: Box, boxes: list[Box]) -> tuple[str, ...]:
        cut = cut_rectangle(box, *PHOTO, MODES["paper"])
        return badges(hints_of(drawn(box), box, cut, boxes))

    small = face_box(300, 300, width=20, height=26, probability=0.98)
    large = face_box(0, 0, width=420, height=560, probability=0.98)
    usual = face_box(300, 300, width=60, height=78, probability=0.98)
    for box in (small, large):
        assert "odd size" in earned_beside(box, [*sure, box])
        assert "odd size" not in earned_beside(box, [box])
        certain = dataclasses.replace(box, probability=0.9999)
        assert "odd size" not in earned_beside(certain, [*sure, certain])
    assert "odd size" not in earned_beside(usual, [*sure, usual])


def test_tilt_is_in_degrees_and_turns_no_face() -> None:
    hints = measured(drawn(face_box()), turned(face_box(), 25))
    assert hints["tilt_deg"] == pytest.approx(25, abs=0.1)
    assert abs(hints["turn"]) < 0.02


def test_a_blurred_face_earns_its_badge_at_any_brightness() -> None:
    box = face_box(width=200, height=260)
    assert "blurred" not in earned(box, drawn(box))
    assert "blurred" in earned(box, drawn(box, blur=9))
    assert "blurred" in earned(box, drawn(box, blur=9) // 2)


def test_eyes_behind_dark_glasses_earn_a_badge() -> None:
    box = face_box()
    pixels = drawn(box).copy()
    x, y = (int(value) for value in box.landmarks["left_eye"])
    pixels[y - 14 : y + 14, x - 14 : x + 60] = 20
    assert "dark eyes" in earned(box, pixels)
    assert "dark eyes" not in earned(box, drawn(box))


@pytest.mark.parametrize("shade", [0, 255], ids=["black", "white"])
def test_a_face_of_one_colour_and_landmarks_in_one_place_gives_numbers(shade: int) -> None:
    points = dict.fromkeys(face_box().landmarks, (250.0, 150.0))
    box = dataclasses.replace(face_box(), landmarks=points)
    hints = measured(np.full((480, 640, 3), shade, np.uint8), box)
    assert all(math.isfinite(value) for value in hints.values())
    assert json.loads(json.dumps(hints)) == hints
    assert {"odd landmarks", "blurred"} <= set(badges(hints))


def test_hints_of_a_box_at_the_border_are_measured_on_what_is_there() -> None:
    box = face_box(-20, -20)
    assert all(math.isfinite(value) for value in measured(drawn(box), box).values())


def test_faces_of_an_older_catalogue_have_no_hints_and_earn_no_badge() -> None:
    assert badges({}) == ()


@pytest.mark.parametrize("mode", ["paper", "authors_code"])
def test_only_square_can_be_mirrored(mode: str) -> None:
    box = face_box(0, 100)
    assert measured(drawn(box), box, mode)["mirrored"] == 0
    assert measured(drawn(box), box, "square")["mirrored"] == pytest.approx(35 / 170, abs=0.001)
    assert "mirrored" in badges(measured(drawn(box), box, "square"))
    inside = face_box()
    assert measured(drawn(inside), inside, "square")["mirrored"] == 0
