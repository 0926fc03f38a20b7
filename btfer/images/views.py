"""Parts of a picture that a copy of it may be: four that are a little smaller, and the picture without its border.

The pHash of a picture is that of no cropped or framed copy. But a crop of a tenth lies near one of four parts that
have nine tenths of each side, and what is left of a framed copy without its frame lies near the picture itself.
"""

from typing import Any

import numpy as np

from btfer.images.hashes import SIDE_PX

PART = 0.9  # of each side
OFFSETS = (
    0.025,
    0.075,
)  # of the parts, in each direction: any crop of a tenth begins near one of them
MOST_BORDER_LEVELS = 24  # between the darkest and the brightest pixel of a row of an even border
LEAST_INSIDE = 0.4  # of each side: a picture on a larger even ground is not framed

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


def views_of(thumbnail: Grey) -> tuple[Grey, int]:
    """The picture, then the picture without its border where it has one, then four parts of that.

    thumbnail: uint8 [H, W], grey. Returns uint8 [N, 32, 32], and how many of them show the whole (1 or 2).
    """
    inside = without_border(thumbnail)
    height, width = inside.shape
    wholes = [thumbnail] if inside.shape == thumbnail.shape else [thumbnail, inside]
    down, across = round(height * PART), round(width * PART)
    corners = [(round(height * y), round(width * x)) for y in OFFSETS for x in OFFSETS]
    parts = [inside[top : top + down, left : left + across] for top, left in corners]
    return np.stack([_small(one) for one in (*wholes, *parts)]), len(wholes)


def without_border(grey: Grey) -> Grey:
    """What is inside an even border of any colour; the picture itself where it has none, or nothing else.

    grey: uint8 [H, W]. Returns a part of it, uint8 [h, w].
    """
    top, bottom = _inside(np.ptp(grey, axis=1))
    left, right = _inside(np.ptp(grey[top:bottom], axis=0))
    inside = grey[top:bottom, left:right]
    least = LEAST_INSIDE * np.array(grey.shape)
    return inside if (np.array(inside.shape) >= least).all() else grey


def view_correlation(one: Floats, other: Floats) -> float:
    """How alike the most alike views of two pictures are, -1 to 1. one, other: `normalised`, float32 [N, 1024]."""
    return float((one @ other.T).max())


def normalised(views: Grey) -> Floats:
    """Views to be correlated with each other: uint8 [N, 32, 32] to float32 [N, 1024]."""
    flat = views.reshape(len(views), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6))


def _inside(levels: "np.ndarray[Any, Any]") -> tuple[int, int]:
    uneven = np.flatnonzero(levels > MOST_BORDER_LEVELS)
    return (int(uneven[0]), int(uneven[-1]) + 1) if len(uneven) else (0, len(levels))


def _small(grey: Grey) -> Grey:
    import cv2

    side = (SIDE_PX, SIDE_PX)
    return np.asarray(cv2.resize(grey, side, interpolation=cv2.INTER_AREA), np.uint8)
