"""Whether a training picture is the same picture as a view of ours: the second opinion after the hash.

The view is moved, scaled and sheared until it lies on the training picture as well as it can (ECC: Evangelidis
and Psarakis, IEEE PAMI 30(10), 2008). Then what differs is looked for where it differs most: faces are alike all
over, and another expression of the same person in the same studio differs at the mouth or the eyes alone.

Of 1,495 pictures made from real photos (other framings, 48 and 100 px, recompressed, mirrored, levelled) 98 of 100
came to 0.37 or less; of other pictures only those of one person, place and minute came below 0.6.
"""

from typing import Any

import numpy as np

from btfer.leaks.views import Grey

SIDE_PX = 48  # FER2013's
SAME_PICTURE = 0.4
COVERED = 0.85  # of the training picture, by the view
STEPS = 25
NEVER = 9.0

Floats = np.ndarray[Any, np.dtype[np.float32]]


def difference(training: Grey, source: Grey, window: "np.ndarray[Any, Any]") -> float:
    """The largest local difference between a training picture and ours, in parts of its own detail; 0 = none.

    training: uint8 [48, 48]. source: uint8 [H, W]; window: where in it to begin: left, top, right, bottom.
    """
    import cv2

    left, top, right, bottom = window
    scale = SIDE_PX / max(right - left, bottom - top)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    ours = cv2.resize(source, None, fx=scale, fy=scale, interpolation=way)
    across, down = (right - left) * scale / SIDE_PX, (bottom - top) * scale / SIDE_PX
    start = np.array([[across, 0, left * scale], [0, down, top * scale]], np.float32)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, 1e-3)
    try:
        _, warp = cv2.findTransformECC(training, ours, start, cv2.MOTION_AFFINE, enough, None, 3)
    except cv2.error:  # it does not converge: nothing alike, or nothing there
        return NEVER
    size, inverse = (SIDE_PX, SIDE_PX), cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(ours, warp, size, flags=cv2.INTER_LINEAR | inverse)
    shown = cv2.warpAffine(np.ones_like(ours), warp, size, flags=cv2.INTER_NEAREST | inverse)
    if shown.mean() < COVERED:
        return NEVER
    return _worst(_detail(training) * shown, _detail(laid) * shown)


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
