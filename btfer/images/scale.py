"""Pictures made smaller, and where their pixels then lie."""

from typing import Any

import numpy as np

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Grey = np.ndarray[Any, np.dtype[np.uint8]]
Matrix = np.ndarray[Any, np.dtype[np.float64]]


def shrunk(pixels: Picture, factor: float) -> Picture:
    """uint8 [H, W] or [H, W, 3], smaller by a factor; as it is where that is 1 or more."""
    import cv2

    if factor >= 1:
        return pixels
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def at_most(pixels: Picture, side_px: int) -> Picture:
    """With a longer side of so many pixels, or as it is where it has no more."""
    return shrunk(pixels, side_px / max(pixels.shape[:2]))


def to_shrunk(pixels: Picture, small: Picture) -> Matrix:
    """From pixels of a picture to those of the shrunk one, float64 [3, 3]; pixel centres are half a pixel inside."""
    across, down = small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]
    return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1.0]])


def grey_of(pixels: Picture) -> Grey:
    """uint8 [H, W]; a grey picture is what it is."""
    import cv2

    if pixels.ndim == 2:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
