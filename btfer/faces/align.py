"""A crop as face networks want it: turned and scaled so that eyes, nose and mouth lie where they were in training."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from btfer.images import Pixels

Floats = NDArray[np.float32]
Points = np.ndarray[Any, np.dtype[np.float32]]
BLURRED_BELOW = 0.6  # scale; pixels between those that are taken would be lost


class FaceToEmbed(NamedTuple):
    """A crop, uint8 [S, S, 3], RGB, and its landmarks, float32 [5, 2], in crop pixels in the order of LANDMARKS.

    distortion: width / height of what was cut from the photo, before it was stretched to a square.
    """

    pixels: Pixels
    landmarks: Points
    distortion: float


def align_face(face: FaceToEmbed, places: Points, size_px: int) -> Pixels:
    """The face with its landmarks on `places`, as near as turning and scaling bring them: uint8 [size_px, size_px, 3].

    The stretch of the crop is taken back. What lies beyond the crop repeats its border.
    """
    import cv2

    stretch = np.array([face.distortion, 1], np.float32)
    matrix = _similarity(face.landmarks * stretch, places)
    matrix[:, :2] *= stretch
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    pixels = face.pixels
    if scale < BLURRED_BELOW:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.5 / max(scale, 0.05) - 0.3)
    size, border = (size_px, size_px), cv2.BORDER_REPLICATE
    laid: Pixels = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return laid


def _similarity(points: Points, places: Points) -> NDArray[np.float64]:
    """The turn, scale and shift, float64 [2, 3], that bring points nearest to places. Source: Umeyama 1991."""
    mean, aim = points.mean(axis=0), places.mean(axis=0)
    one, other = (points - mean).astype(np.float64), (places - aim).astype(np.float64)
    u, s, v = np.linalg.svd(other.T @ one)
    flip = np.array([1.0, np.sign(np.linalg.det(u @ v))])
    turn = (u * flip) @ v * float((s * flip).sum() / max(float((one**2).sum()), 1e-6))
    return np.hstack([turn, (aim - turn @ mean)[:, None]])
