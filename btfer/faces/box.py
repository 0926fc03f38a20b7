"""A face as the detector reports it."""

from dataclasses import dataclass

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


@dataclass(frozen=True)
class Box:
    """A detected face. x, y, width, height: left, top and sides in pixels of the upright photo.

    probability: MTCNN's, 0-1. landmarks: (x, y) in photo pixels for each of LANDMARKS, which are named as seen
    in the photo: in an upright face `left_eye` is the one further left.
    """

    x: float
    y: float
    width: float
    height: float
    probability: float
    landmarks: dict[str, tuple[float, float]]
