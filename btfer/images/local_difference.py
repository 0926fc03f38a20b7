"""How much a small part of two pictures differs where it differs most, beyond what copying explains.

Recompression, scaling, grey, brightness, contrast, gamma and blur change a picture all over, and are taken
out first: one part gets the other's tones, and the sharper one is softened. What then is left in the worst
tenth of the part is another mouth, another eye, or something laid over it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from btfer.images.overlay import Grey, Matrix

SMALLEST_PX, LARGEST_PX = 32, 96  # at which parts are compared: at the smaller one's own size
UNRELATED = 9.0  # larger than any measured difference
REACH = 1.7  # of the other picture, around the place: so much it may be off
MAX_ITERATIONS = 50
EDGE_PX = 4  # filters know nothing beyond the edge
SOFTENED = (1.0, 1.6, 2.4)  # standard deviations, px
WAYS_TO_SOFTEN = [(1.0, 1.0), (1.0, 1.6), (1.6, 1.0), (1.0, 2.4), (2.4, 1.0)]
CLEARLY_COPIED = 0.1  # no better explanation is looked for
SHADE = 4.0  # of what is coarser than detail, px
LEAST_SHOWN = 0.4
LEAST_OVERLAP = 0.9
LEAST_GAIN = 0.25

Floats = np.ndarray[Any, np.dtype[np.float32]]


def local_difference(
    one: Grey, other: Grey, to_other: Matrix, *, centre: tuple[float, float], side_px: float
) -> float | None:
    """The largest local difference in a square of one picture, in parts of its own detail.

    one, other: uint8 [H, W], grey. to_other: float64 [3, 3], from pixels of one to about the same place in the other;
    it is refined. centre, side_px: the square, in pixels of one. Returns None where the other picture does not show
    the square, 0 for equal parts, more than 1 for unrelated ones, UNRELATED (9) where they cannot be aligned.
    """
    scale = float(np.sqrt(abs(np.linalg.det(to_other[:2, :2]))))
    size = int(np.clip(min(side_px, side_px * scale), SMALLEST_PX, LARGEST_PX))
    step = side_px / size
    middle = (size - 1) / 2
    window = np.array(
        [[step, 0, centre[0] - step * middle], [0, step, centre[1] - step * middle], [0, 0, 1.0]]
    )
    there = (to_other @ np.array([*centre, 1.0]))[:2]
    near = _cut(one, np.array(centre), side_px * 1.1, step)
    far = _cut(other, there, side_px * scale * REACH, step * scale)
    if near is None or far is None:
        return None
    (a, from_a), (b, from_b) = near, far
    mine, shown = _warped(a, from_a @ window, size)
    start = (from_b @ to_other @ window)[:2].astype(np.float32)
    both = shown * _warped(b, start, size)[1]
    if both.mean() < LEAST_OVERLAP * shown.mean():
        return None
    warp = _aligned(mine, b, start, shown)
    if warp is None:
        return UNRELATED
    laid, seen = _warped(b, warp, size)
    return _beyond_copying(mine, laid, _inside(shown * seen))


def _cut(
    grey: Grey, centre: "np.ndarray[Any, Any]", side: float, step: float
) -> tuple[Grey, Matrix] | None:
    """The part around a point, shrunk by `step` where that is over 1, and the way from the picture's pixels to its."""
    import cv2

    height, width = grey.shape
    left, top = (max(0, int(np.floor(v - side / 2))) for v in centre)
    right, bottom = (
        min(limit, int(np.ceil(v + side / 2)))
        for v, limit in zip(centre, (width, height), strict=True)
    )
    if min(right - left, bottom - top) < 8 * max(step, 1):
        return None
    part, shrink = grey[top:bottom, left:right], max(step, 1.0)
    if shrink > 1:
        across, down = (max(8, round(v / shrink)) for v in part.shape[::-1])
        part = np.asarray(cv2.resize(part, (across, down), interpolation=cv2.INTER_AREA), np.uint8)
    sx, sy = part.shape[1] / (right - left), part.shape[0] / (bottom - top)
    # Pixel centres: half a pixel before and after.
    to_part = np.array(
        [[sx, 0, (0.5 - left) * sx - 0.5], [0, sy, (0.5 - top) * sy - 0.5], [0, 0, 1.0]]
    )
    return part, to_part


def _warped(grey: Grey, matrix: "np.ndarray[Any, Any]", size: int) -> tuple[Grey, Grey]:
    """The square that a matrix leads to, uint8 [size, size], and where the picture shows it (0 or 1)."""
    import cv2

    warp, side = np.asarray(matrix[:2], np.float32), (size, size)
    back = cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(
        grey, warp, side, flags=cv2.INTER_LINEAR | back, borderMode=cv2.BORDER_REPLICATE
    )
    shown = cv2.warpAffine(np.ones_like(grey), warp, side, flags=cv2.INTER_NEAREST | back)
    return np.asarray(laid, np.uint8), np.asarray(shown, np.uint8)


def _aligned(one: Grey, other: Grey, start: Floats, shown: Grey) -> "np.ndarray[Any, Any] | None":
    import cv2

    size = (other.shape[1], other.shape[0])
    mask = cv2.warpAffine(shown, start, size, flags=cv2.INTER_NEAREST)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, MAX_ITERATIONS, 1e-5)
    try:
        _, warp = cv2.findTransformECC(one, other, start.copy(), cv2.MOTION_AFFINE, enough, mask, 3)
    except cv2.error:  # nothing alike, or nothing there
        return None
    return np.asarray(warp)


def _inside(shown: Grey) -> Floats:
    """Where both are shown, without the edge."""
    import cv2

    inner = cv2.erode(shown, np.ones((5, 5), np.uint8))
    return np.asarray(inner, np.float32)


def _beyond_copying(one: Grey, laid: Grey, shown: Floats) -> float:
    """The difference under the tones and the softness that explain it best."""
    if shown.mean() < LEAST_SHOWN:
        return UNRELATED
    best = UNRELATED
    for whole, copy in _ways(one, laid, shown > 0):
        best = min(best, _at_best_softness(whole, copy, shown))
        if best <= CLEARLY_COPIED:
            break
    return best


def _ways(
    one: Grey, laid: Grey, on: "np.ndarray[Any, Any]"
) -> Iterator[tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]]:
    """Pictures whose tones are alike: as they are, or one of them with those of the other."""
    yield one, laid
    for model, copy in ((one, laid), (laid, one)):
        yield model, with_tones_of(model, copy, on)


def _at_best_softness(
    one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]", shown: Floats
) -> float:
    """The least difference with either of the two softened."""
    blurred = [] if shown.all() else [_blurred(shown, sigma) for sigma in (*SOFTENED, SHADE)]
    details = [_Details(one, shown, blurred), _Details(other, shown, blurred)]
    best = UNRELATED
    for mine, theirs in WAYS_TO_SOFTEN:
        best = min(best, _worst(details[0].at(mine), details[1].at(theirs), shown))
        if best <= CLEARLY_COPIED:
            break
    return best


def with_tones_of(model: Grey, grey: Grey, shown: "np.ndarray[Any, Any]") -> Floats:
    """A picture with the histogram of another, float32 [H, W]: any brightness, contrast and gamma.

    model, grey: uint8 [H, W]. shown: bool [H, W], the pixels that count.
    """
    have, want = (
        np.cumsum(np.bincount(one[shown], minlength=256)) / shown.sum() for one in (grey, model)
    )
    return np.asarray(np.interp(have, want, np.arange(256)).astype(np.float32)[grey])


class _Details:
    """A picture without noise, and without light and shade, at each softness. What is not shown has no part in it."""

    def __init__(self, grey: "np.ndarray[Any, Any]", shown: Floats, blurred: list[Floats]) -> None:
        self._shown = shown
        self._values = grey.astype(np.float32) * shown
        self._shares = dict(zip((*SOFTENED, SHADE), blurred, strict=True)) if blurred else {}
        self._coarse = self._soft(SHADE)
        self._made: dict[float, Floats] = {}

    def at(self, sigma: float) -> Floats:
        if sigma not in self._made:
            self._made[sigma] = (self._soft(sigma) - self._coarse) * self._shown
        return self._made[sigma]

    def _soft(self, sigma: float) -> Floats:
        soft = _blurred(self._values, sigma)
        return soft / self._shares[sigma] if self._shares else soft


def _blurred(values: Floats, sigma: float) -> Floats:
    import cv2

    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma) + 1e-6, np.float32)


def _worst(one: Floats, other: Floats, shown: Floats) -> float:
    """The root mean square of what differs in the worst tenth of the side, contrast set aside."""
    import cv2

    gain = float(one.ravel() @ other.ravel()) / (float(other.ravel() @ other.ravel()) + 1e-6)
    if gain < LEAST_GAIN:
        return UNRELATED
    other = gain * other
    side = max(5, round(one.shape[0] * 0.1) | 1)
    square = cv2.blur((one - other) ** 2 * shown, (side, side))[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX]
    on = (shown > 0).view(np.uint8)
    own = max(min(float(cv2.meanStdDev(each, mask=on)[1][0, 0]) for each in (one, other)), 1.0)
    return float(np.sqrt(square.max())) / own
