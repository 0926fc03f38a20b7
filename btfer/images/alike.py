"""Whether two pictures that look alike are one picture: laid over each other, where do they differ most?

One is moved, scaled, turned and sheared until it lies on the other as well as it can (ECC: Evangelidis and
Psarakis, IEEE PAMI 30(10), 2008). Then what differs is looked for where it differs most: faces are alike all
over, and another expression of the same person in the same studio differs at the mouth or the eyes alone.
"""

from typing import Any

import numpy as np

COVERED = 0.85  # of the one picture, by the other
STEPS = 25
NEVER = 9.0

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


def difference(one: Grey, other: Grey, window: "np.ndarray[Any, Any] | None" = None) -> float:
    """The largest local difference between two pictures, in parts of the first one's own detail; 0 = none.

    one: uint8 [S, S]. other: uint8 [H, W]; window: the part of it to begin with: left, top, right, bottom in
    pixels; None = all of it. NEVER where they do not come to lie on each other.
    """
    import cv2

    side, whole = one.shape[0], (0, 0, other.shape[1], other.shape[0])
    left, top, right, bottom = whole if window is None else window
    scale = side / max(right - left, bottom - top)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    laid_on = cv2.resize(other, None, fx=scale, fy=scale, interpolation=way)
    across, down = (right - left) * scale / side, (bottom - top) * scale / side
    start = np.array([[across, 0, left * scale], [0, down, top * scale]], np.float32)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, 1e-3)
    try:
        _, warp = cv2.findTransformECC(one, laid_on, start, cv2.MOTION_AFFINE, enough, None, 3)
    except cv2.error:  # it does not converge: nothing alike, or nothing there
        return NEVER
    size, inverse = (side, side), cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(laid_on, warp, size, flags=cv2.INTER_LINEAR | inverse)
    shown = cv2.warpAffine(np.ones_like(laid_on), warp, size, flags=cv2.INTER_NEAREST | inverse)
    if shown.mean() < COVERED:
        return NEVER
    return _worst(_detail(one) * shown, _detail(laid) * shown)


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
