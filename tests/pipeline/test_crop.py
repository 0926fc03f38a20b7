import dataclasses

import numpy as np
import pytest

from btfer.errors import ImageError, UsageError
from btfer.pipeline import crop
from btfer.pipeline.crop import Box, Cut
from btfer.settings import Settings

PAPER = crop.MODES["paper"]


def box(
    x: float, y: float, width: float = 100, height: float = 120, probability: float = 0.99
) -> Box:
    return Box(x, y, width, height, probability, {"nose": (x + 1, y + 1)})


def test_the_margin_is_twenty_photo_pixels_on_each_side() -> None:
    assert crop.cut_rectangle(box(200, 100), 640, 480) == Cut(180, 80, 320, 240, ())


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((5, 5), Cut(0, 0, 125, 145, ("left", "top"))),
        ((535, 355), Cut(515, 335, 640, 480, ("right", "bottom"))),
        ((-30, 200), Cut(0, 180, 90, 340, ("left",))),
    ],
)
def test_the_margin_is_clipped_at_the_border(at: tuple[int, int], expected: Cut) -> None:
    assert crop.cut_rectangle(box(*at), 640, 480) == expected


def test_a_box_outside_the_photo_is_an_error() -> None:
    with pytest.raises(ImageError, match="outside"):
        crop.cut_rectangle(box(900, 900), 640, 480)


@pytest.mark.parametrize("side", [60, 256, 900], ids=["enlarged", "same", "shrunk"])
def test_every_crop_is_256_pixels_square_and_shows_what_was_cut(side: int) -> None:
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    pixels[:side, :side] = (250, 120, 10)
    face = crop.crop_face(pixels, Cut(0, 0, side, side, ()), PAPER)
    assert face.shape == (256, 256, 3)
    assert np.all(face == (250, 120, 10))  # RGB order, and nothing from outside the rectangle


def test_what_is_not_taken_has_a_reason() -> None:
    settings = dataclasses.replace(PAPER, max_faces=2)
    boxes = [box(0, 0), box(0, 0, probability=0.5), box(0, 0, width=30), box(0, 0), box(0, 0)]
    expected = ["", "low probability", "small", "", "over the cap"]
    assert crop.refusals(boxes, settings) == expected


def test_modes_have_the_margins_of_paper_and_code_and_different_face_ids() -> None:
    assert (PAPER.margin_px, crop.MODES["authors_code"].margin_px) == (20, 10)
    digests = {mode.digest for mode in crop.MODES.values()}
    digests.add(crop.crop_settings(Settings(min_probability=0.5)).digest)
    assert len(digests) == 3


def test_an_unknown_mode_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="paper, authors_code"):
        crop.crop_settings(Settings.model_construct(crop="round"))
