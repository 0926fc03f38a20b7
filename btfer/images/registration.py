"""Whether two pictures that look alike are one picture: laid over each other, where do they differ most?

One is moved, scaled, turned and sheared until it lies on the other as well as it can (ECC: Evangelidis and
Psarakis, IEEE PAMI 30(10), 2008). Then what differs is looked for where it differs most: faces are alike all
over, and another expression of the same person in the same studio differs at the mouth or the eyes alone.
"""

from typing import Any

import numpy as np

MIN_COVERED_SHARE = 0.85  # of the first picture, by the second
FIRST_ITERATIONS, MAX_ITERATIONS = 2, 25
PROMISING = 0.9  # correlation after the first; of 1,100 copies of faces none had less than 0.91
NOT_ALIGNED = 9.0  # larger than any measured difference

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Window = np.ndarray[Any, np.dtype[np.float64]]


def registered_difference(one: Grey, other: Grey, window: Window | None = None) -> float:
    """The largest local difference between two pictures after alignment, in parts of the first one's own detail.

    one: uint8 [S, S], grey. other: uint8 [H, W], grey. window: float [4], the part of `other` to begin with: left,
    top, right, bottom in pixels; None = all of it. Returns 0 for equal pictures, about 1 for unrelated ones,
    NOT_ALIGNED (9) where they cannot be aligned.
    """
    import cv2

    side, whole = one.shape[0], (0, 0, other.shape[1], other.shape[0])
    left, top, right, bottom = whole if window is None else window
    scale = side / max(right - left, bottom - top)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    laid_on = cv2.resize(other, None, fx=scale, fy=scale, interpolation=way)
    across, down = (right - left) * scale / side, (bottom - top) * scale / side
    start = np.array([[across, 0, left * scale], [0, down, top * scale]], np.float32)
    warp = _aligned(one, laid_on, start)
    if warp is None:
        return NOT_ALIGNED
    size, inverse = (side, side), cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(laid_on, warp, size, flags=cv2.INTER_LINEAR | inverse)
    shown = cv2.warpAffine(np.ones_like(laid_on), warp, size, flags=cv2.INTER_NEAREST | inverse)
    if shown.mean() < MIN_COVERED_SHARE:
        return NOT_ALIGNED
    return _worst(_detail(one) * shown, _detail(laid) * shown)


def _aligned(one: Grey, other: Grey, start: Floats) -> Floats | None:
    """The way from one picture to the other; most pictures that are not one show it after a few steps."""
    import cv2

    warp, by_eps_or_count = start, cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT
    for steps in (FIRST_ITERATIONS, MAX_ITERATIONS - FIRST_ITERATIONS):
        enough = (by_eps_or_count, steps, 1e-3)
        try:
            alike, warp = cv2.findTransformECC(one, other, warp, cv2.MOTION_AFFINE, enough, None, 3)
        except cv2.error:  # it does not converge: nothing alike, or nothing there
            return None
        if alike < PROMISING:
            return None
    return np.asarray(warp, np.float32)


def _detail(grey: Grey) -> Floats:
    """Without noise, and without light and shade."""
    import cv2

    values = grey.astype(np.float32)
    return np.asarray(cv2.GaussianBlur(values, (0, 0), 1) - cv2.GaussianBlur(values, (0, 0), 4))


def _worst(one: Floats, other: Floats) -> float:
    """The root mean square of what differs in the worst 9x9 pixels, contrast set aside."""
    import cv2

    gain = float((one * other).sum() / ((other * other).sum() + 1e-6))
    square = cv2.blur((one - gain * other) ** 2, (9, 9))[4:-4, 4:-4]
    return float(np.sqrt(square.max()) / max(float(one.std()), 1e-3))
