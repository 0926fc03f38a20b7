"""Whether two pictures that look alike are one picture: laid over each other, where do they differ most?

One is moved, scaled, turned and sheared until it lies on the other as well as it can (`images.ecc`). Then what differs
is looked for where it differs most: faces are alike all over, and another expression of the same person in the same
studio differs at the mouth or the eyes alone.
"""

from typing import Any

import numpy as np

from btfer.images.ecc import aligned

MIN_COVERED_SHARE = 0.85  # of the first picture, by the second
MIN_SHOWN_SHARE = 0.6  # of the first picture, for its detail to be compared
NOISE = 2.0  # grey levels
MAX_ITERATIONS = 25
LEAST_GAIN = 1e-3
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
    found = aligned(
        one, np.asarray(laid_on, np.uint8), start, steps=MAX_ITERATIONS, gain=LEAST_GAIN
    )
    if found is None:
        return NOT_ALIGNED
    warp = found[1]
    size, inverse = (side, side), cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(laid_on, warp, size, flags=cv2.INTER_LINEAR | inverse)
    shown = cv2.warpAffine(np.ones_like(laid_on), warp, size, flags=cv2.INTER_NEAREST | inverse)
    if shown.mean() < MIN_COVERED_SHARE:
        return NOT_ALIGNED
    return _worst(_detail(one) * shown, _detail(laid) * shown)


def detail_correlation(one: Grey, other: Grey) -> float:
    """How alike the fine detail of two pictures is after alignment, wherever it is and however faint: -1 to 1.

    one, other: uint8 [S, S], grey. Where light lies beside dark, that edge outweighs all else in the pictures; here
    each part counts alike. Returns -1 where they cannot be aligned.
    """
    import cv2

    start, size = np.eye(2, 3, dtype=np.float32), one.shape[::-1]
    found = aligned(one, other, start, steps=MAX_ITERATIONS, gain=LEAST_GAIN)
    if found is None:
        return -1.0
    warp = found[1]
    inverse = cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(other, warp, size, flags=cv2.INTER_LINEAR | inverse)
    shown = cv2.warpAffine(np.ones_like(other), warp, size, flags=cv2.INTER_NEAREST | inverse) > 0
    if shown.mean() < MIN_SHOWN_SHARE:
        return -1.0
    a, b = (_even_detail(np.asarray(each, np.uint8))[shown] for each in (one, laid))
    return float(a @ b / np.sqrt((a @ a) * (b @ b) + 1e-6))


def _even_detail(grey: Grey) -> Floats:
    """As strong in one part as in another; what is no stronger than noise stays weak."""
    import cv2

    detail = _detail(grey)
    strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 4))
    return np.asarray(detail / (strength + NOISE), np.float32)


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
