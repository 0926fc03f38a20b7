"""One picture moved, scaled, turned and sheared until it lies on another.

By the correlation of both, whatever their brightness and contrast (Evangelidis and Psarakis, IEEE PAMI 30(10), 2008).
"""

from typing import Any

import numpy as np

FILTER_PX = 3

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Warp = np.ndarray[Any, np.dtype[Any]]


def aligned(
    one: Grey,
    other: Grey,
    start: Warp,
    *,
    steps: int,
    gain: float,
    mask: Grey | None = None,
    filter_px: int = FILTER_PX,
) -> tuple[float, Warp] | None:
    """The correlation and the way from one picture to the other; None where they do not come to lie on each other.

    one, other: uint8 [H, W], grey. start: [2, 3], from pixels of one to about the same place in the other. steps, gain:
    the search ends after so many, or where one gains less. mask: uint8, as large as `other`, the pixels that count.
    Returns float32 [2, 3].
    """
    import cv2

    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, gain)
    warp = np.array(start, np.float32)
    try:
        fit, found = cv2.findTransformECC(
            one, other, warp, cv2.MOTION_AFFINE, enough, mask, filter_px
        )
    except cv2.error:  # nothing alike, or nothing there
        return None
    return float(fit), np.asarray(found, np.float32)
