"""A face as the detector reports it."""

from dataclasses import dataclass

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


@dataclass(frozen=True)
class Box:
    """A detected face in photo pixels: left, top, width, height, probability, five landmarks (x, y)."""

    x: float
    y: float
    width: float
    height: float
    probability: float
    landmarks: dict[str, tuple[float, float]]
