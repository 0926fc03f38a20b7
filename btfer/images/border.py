"""Whether a picture has a strip or a frame around it that is no part of the photo: an agency's line, a white border.

Such a band reaches from one edge of the picture to a straight line across all of it, and is nearly all of one
colour; letters may stand in it. What a scene has of this kind (a sky, a table) ends in no such line.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from btfer.errors import ImageError
from btfer.images.decode import decode_rgb

THINNEST, THICKEST = 0.025, 0.3  # shares of the side
SIDE_PX = 256
NEAR = 10  # grey levels from the band's own colour that compression explains
OF_ONE_COLOUR = 0.45  # share of the band, which may be full of letters
MARGIN = 0.85  # share of its first and its last row, where no letter stands
STEP = 10  # grey levels across the line
LINE = 0.8  # share of the line that is a step
CORNER = 0.15  # share of the line, at each end, that may lie in a frame's other sides

Grey = np.ndarray[Any, np.dtype[np.uint8]]


def has_border(grey: Grey) -> bool:
    """Whether any side of a picture has a strip or a part of a frame. grey: uint8 [H, W], 0-255."""
    import cv2

    scale = SIDE_PX / max(grey.shape)
    size = tuple(max(8, round(scale * side)) for side in grey.shape[::-1])
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.int16)
    turned = (small, small[::-1], small.T, small.T[::-1])
    return any(_has_strip(one) for one in turned)


@lru_cache(maxsize=4096)
def is_bordered(thumbnail: Path) -> bool:
    """`has_border` of a stored thumbnail; a picture that is gone or cannot be read has none."""
    import cv2

    try:
        pixels = decode_rgb(thumbnail.read_bytes())
    except (OSError, ImageError):
        return False
    return has_border(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))


def _has_strip(rows: "np.ndarray[Any, np.dtype[np.int16]]") -> bool:
    """Whether the first rows are a band. rows: [H, W]."""
    high = len(rows)
    first, last = max(3, round(THINNEST * high)), round(THICKEST * high)
    # A line may be softened over two rows by shrinking.
    corner = round(CORNER * rows.shape[1])
    inner = rows[:, corner : rows.shape[1] - corner]
    steps = np.abs(inner[2 : last + 2] - inner[:last]) > STEP
    for at in np.flatnonzero(steps.mean(1) >= LINE):
        if at + 1 < first:
            continue
        band = rows[: at + 1]
        colour = np.median(band)
        plain = (np.abs(band - colour) <= NEAR).mean(1)
        if plain.mean() >= OF_ONE_COLOUR and min(plain[0], plain[max(0, at - 1)]) >= MARGIN:
            return True
    return False
