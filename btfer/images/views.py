"""Parts of a picture that a copy of it may be: some that are a little smaller, and the picture without its frame.

The pHash of a picture is that of no cropped or framed copy. But a crop of a tenth lies near one of nine parts that
have nine tenths of each side, what is left of a framed copy without its frame lies near the picture itself, and what
is left of a copy with a strip over its lower or upper edge lies near nine tenths of its height.
"""

from typing import Any

import numpy as np
from PIL import Image

from btfer.images.border import content_of
from btfer.images.hashes import SIDE_PX

PART = 0.9  # of each side
OFFSETS = (1 / 60, 3 / 60, 5 / 60)
"""Of nine parts, in each direction: any crop of a tenth begins near one of them."""
PARTS = [
    *((left, top, PART) for top in OFFSETS for left in OFFSETS),
    *((0.0, top, 1.0) for top in (0.0, 1 - PART)),
]
"""Left, top and width of each, in shares of the picture's sides; all have nine tenths of the height."""

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


def views_of(thumbnail: Grey) -> tuple[Grey, int]:
    """The picture, then the picture without what is around it where that is anything, then eleven parts of that.

    thumbnail: uint8 [H, W], grey. Returns uint8 [N, 32, 32], and how many of them show the whole (1 or 2).
    """
    inside = content_of(thumbnail)
    wholes = [thumbnail] if inside.shape == thumbnail.shape else [thumbnail, inside]
    parts = [_part(inside, *one) for one in PARTS]
    return np.stack([_small(one) for one in (*wholes, *parts)]), len(wholes)


def _part(grey: Grey, left: float, top: float, width: float) -> Grey:
    """Nine tenths of the height; left, top and width in shares."""
    height, across = grey.shape
    y, x = round(height * top), round(across * left)
    return grey[y : y + round(height * PART), x : x + round(across * width)]


def view_correlation(one: Floats, other: Floats) -> float:
    """How alike the most alike views of two pictures are, -1 to 1. one, other: `normalised`, float32 [N, 1024]."""
    return float((one @ other.T).max())


def normalised(views: Grey) -> Floats:
    """Views to be correlated with each other: uint8 [N, 32, 32] to float32 [N, 1024]."""
    flat = views.reshape(len(views), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6))


def _small(grey: Grey) -> Grey:
    # As sharp as what the pHash of a whole photo is made of: it is compared with these.
    side = (SIDE_PX, SIDE_PX)
    return np.asarray(Image.fromarray(grey).resize(side, Image.Resampling.LANCZOS))
