"""Strips and frames around a picture that are no part of the photo: an agency's line, a white border, a caption.

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
CONTENT_PX = 160  # of the longer side of a picture whose content is looked for: a thumbnail's
MOST_BORDER_LEVELS = 24  # between the darkest and the brightest pixel of a row of an even border
LEAST_INSIDE = 0.4  # of each side: a picture on a larger even ground is not framed
FRAMES = 2  # one in the other: a caption inside a border

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Box = tuple[int, int, int, int]


def has_border(grey: Grey) -> bool:
    """Whether any side of a picture has a strip or a part of a frame. grey: uint8 [H, W], 0-255."""
    import cv2

    scale = SIDE_PX / max(grey.shape)
    size = tuple(max(8, round(scale * side)) for side in grey.shape[::-1])
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.int16)
    turned = (small, small[::-1], small.T, small.T[::-1])
    return any(_strip(one) for one in turned)


@lru_cache(maxsize=4096)
def is_bordered(thumbnail: Path) -> bool:
    """`has_border` of a stored thumbnail; a picture that is gone or cannot be read has none."""
    import cv2

    try:
        pixels = decode_rgb(thumbnail.read_bytes())
    except (OSError, ImageError):
        return False
    return has_border(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))


def content_box(grey: Grey) -> Box:
    """Where the photo itself lies: left, top, right, bottom in pixels; all of it where nothing is around it.

    grey: uint8 [H, W]. Even borders of any colour are outside, and so are bands of one colour with letters in them.
    """
    import cv2

    scale = min(1.0, CONTENT_PX / max(grey.shape))
    size = tuple(max(1, round(scale * side)) for side in grey.shape[::-1])
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    left, top, right, bottom = _content(small)
    x, y = grey.shape[1] / size[0], grey.shape[0] / size[1]
    return round(left * x), round(top * y), round(right * x), round(bottom * y)


def content_of(grey: Grey) -> Grey:
    """The part of a picture in its `content_box`, uint8 [h, w]; the picture itself where nothing is around it."""
    left, top, right, bottom = content_box(grey)
    return grey[top:bottom, left:right]


def _content(grey: Grey) -> Box:
    height, width = grey.shape
    box = (0, 0, width, height)
    # Bands first: without its even rows a caption would begin with its letters.
    for cut in (*[_without_strips] * FRAMES, _without_even_rows):
        left, top, right, bottom = box
        inner = cut(grey[top:bottom, left:right])
        smaller = (left + inner[0], top + inner[1], left + inner[2], top + inner[3])
        if (smaller[2] - smaller[0] < LEAST_INSIDE * width) or (
            smaller[3] - smaller[1] < LEAST_INSIDE * height
        ):
            break
        box = smaller
    return box


def _without_even_rows(grey: Grey) -> Box:
    top, bottom = _uneven(np.ptp(grey, axis=1))
    left, right = _uneven(np.ptp(grey[top:bottom], axis=0))
    return left, top, right, bottom


def _uneven(levels: "np.ndarray[Any, Any]") -> tuple[int, int]:
    uneven = np.flatnonzero(levels > MOST_BORDER_LEVELS)
    return (int(uneven[0]), int(uneven[-1]) + 1) if len(uneven) else (0, len(levels))


def _without_strips(grey: Grey) -> Box:
    rows = grey.astype(np.int16)
    left, top, right, bottom = (_strip(one) for one in (rows.T, rows, rows.T[::-1], rows[::-1]))
    return left, top, grey.shape[1] - right, grey.shape[0] - bottom


def _strip(rows: "np.ndarray[Any, np.dtype[np.int16]]") -> int:
    """How many of the first rows are a band; 0 = they are none. rows: [H, W]."""
    high = len(rows)
    first, last = max(3, round(THINNEST * high)), round(THICKEST * high)
    # A line may be softened over two rows by shrinking.
    corner = round(CORNER * rows.shape[1])
    inner = rows[:, corner : rows.shape[1] - corner]
    steps = np.abs(inner[2 : last + 2] - inner[:last]) > STEP
    for at in np.flatnonzero(steps.mean(1) >= LINE)[::-1]:
        if at + 1 < first:
            break
        band = rows[: at + 1]
        colour = np.median(band)
        plain = (np.abs(band - colour) <= NEAR).mean(1)
        # The very first row may hold some of a border around the band.
        if plain.mean() >= OF_ONE_COLOUR and min(plain[:2].max(), plain[max(0, at - 1)]) >= MARGIN:
            return int(at) + 1
    return 0
