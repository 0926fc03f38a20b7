"""How the colour of a picture is spread over the hues, whatever lies where."""

from typing import Any

import numpy as np

from btfer.images.colour import Pixels

HUES = 12
COLOURED = (
    8.0  # mean distance from grey, in levels of Lab, below which a picture may be a grey copy
)


def hues_of(pixels: Pixels) -> "np.ndarray[Any, np.dtype[np.float32]] | None":
    """How much of a picture's colour is of each hue, in shares: float32 [12]; None where it has hardly any.

    pixels: uint8 [H, W, 3], RGB.
    """
    import cv2

    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32) - 128
    colour = np.hypot(lab[..., 0], lab[..., 1])
    if colour.mean() < COLOURED:
        return None
    turn = np.arctan2(lab[..., 1], lab[..., 0]) / (2 * np.pi) % 1
    place = np.minimum((turn * HUES).astype(int), HUES - 1)
    spread = np.bincount(place.ravel(), weights=colour.ravel(), minlength=HUES)
    return np.asarray(spread / spread.sum(), np.float32)
