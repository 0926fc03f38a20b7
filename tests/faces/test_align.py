"""Crops laid level for a face network."""

import numpy as np
import pytest

from btfer.faces.align import FaceToEmbed, align_face
from btfer.faces.dlib_embedder import PLACES

COLOURS = np.array([(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)])


def marked(distortion: float, turn_deg: float, scale: float) -> FaceToEmbed:
    """A black crop, stretched to a square, with a patch of its own colour on each landmark."""
    angle = np.radians(turn_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    points = (PLACES - PLACES.mean(axis=0)) @ turn.T / (distortion, 1) + (128, 128)
    pixels = np.zeros((256, 256, 3), np.uint8)
    for (x, y), colour in zip(points, COLOURS, strict=True):
        pixels[round(y) - 5 : round(y) + 6, round(x) - 5 : round(x) + 6] = colour
    return FaceToEmbed(pixels, points.astype(np.float32), distortion)


@pytest.mark.parametrize("distortion", [0.7, 1.0, 1.3])
@pytest.mark.parametrize(("turn_deg", "scale"), [(0, 1.0), (25, 1.5), (-40, 1.2)])
def test_landmarks_come_to_their_places(distortion: float, turn_deg: float, scale: float) -> None:
    laid = align_face(marked(distortion, turn_deg, scale), PLACES, 150)
    assert laid.shape == (150, 150, 3)
    for (x, y), colour in zip(PLACES, COLOURS, strict=True):
        assert np.abs(laid[round(y), round(x)].astype(int) - colour).max() <= 30


def test_landmarks_on_one_spot_are_no_error() -> None:
    face = FaceToEmbed(np.zeros((256, 256, 3), np.uint8), np.full((5, 2), 9, np.float32), 1.0)
    assert align_face(face, PLACES, 150).shape == (150, 150, 3)
