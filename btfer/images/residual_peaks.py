"""Where two pictures that lie on each other differ far more than they do elsewhere.

Laid over each other, the two are compared at every place, in windows as small as the smallest face that counts.
What copying explains is taken out first: one tone curve for the whole picture, and around each place a little
movement, another contrast and another softness, fitted by least squares. What is left is noise, and the picture
itself tells how much: places with as much detail are as noisy. A place that stands out from all of them is a peak.
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np

from btfer.images.ecc import aligned
from btfer.images.local_difference import tone_curve
from btfer.images.overlay import Grey, Matrix
from btfer.images.scale import shrunk, to_shrunk

COMPARED_PX = 800  # of the longer side: a face of 8 % of the height has 40 px and more
ALIGNED_PX = 192
SMALLEST_FACE = 0.08  # of the height
SMALLEST_FACE_PX = 24  # below, nobody can tell an expression
LEAST_COMMON = 0.3  # of the first picture
TIMES_NOISE = 4.5  # of copies' places 99 % have under 2; a bent mouth of a face of 8 %: 5.2-32
PART_OF_DETAIL = 0.15  # a smaller difference is no expression, however even the rest is
MOST_PEAKS = 4
DARKEST, BRIGHTEST = 4, 251  # levels beyond are clipped: there detail is lost in a copy
GRADES_OF_DETAIL = 8
SAMPLES = 20  # of each side of the smallest face, for the fit
PRIOR = (0.3, 0.05, 0.05, 0.3)  # squared levels: what the fit needs to leave its start

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Peak(NamedTuple):
    """A place that differs. x, y: its middle, in pixels of the first picture. side_px: of the smallest face there."""

    x: float
    y: float
    side_px: float
    times_noise: float


def residual_peaks(one: Grey, other: Grey, to_other: Matrix) -> list[Peak]:
    """The places where two pictures differ most beyond noise, largest first, four at most.

    one, other: uint8 [H, W]. to_other: float64 [3, 3], from pixels of one to about the same place in the other; it is
    refined. Empty where nothing stands out, or the two have hardly anything in common.
    """
    scale = float(np.sqrt(abs(np.linalg.det(to_other[:2, :2]))))
    shrink = min(1.0, scale, COMPARED_PX / max(one.shape))
    mine, theirs = shrunk(one, shrink), shrunk(other, shrink / scale)
    start = to_shrunk(other, theirs) @ to_other @ np.linalg.inv(to_shrunk(one, mine))
    laid, shown = _laid_on(mine, theirs, _refined(mine, theirs, start))
    if shown.mean() < LEAST_COMMON:
        return []
    side = max(SMALLEST_FACE * mine.shape[0], SMALLEST_FACE_PX)
    peaks = _peaks(mine, laid, shown, side)
    return [
        Peak((x + 0.5) / shrink - 0.5, (y + 0.5) / shrink - 0.5, side / shrink, times)
        for x, y, times in peaks
    ]


def _refined(one: Grey, other: Grey, start: Matrix) -> Matrix:
    shrink = min(1.0, ALIGNED_PX / max(one.shape))
    mine, theirs = shrunk(one, shrink), shrunk(other, shrink)
    to_mine, to_theirs = to_shrunk(one, mine), to_shrunk(other, theirs)
    small = (to_theirs @ start @ np.linalg.inv(to_mine))[:2]
    found = aligned(mine, theirs, small, steps=30, gain=1e-5)
    if found is None:  # the place stays as it was found
        return start
    way = np.linalg.inv(to_theirs) @ np.vstack([found[1], [0, 0, 1]]) @ to_mine
    return np.asarray(way, np.float64)


def _laid_on(one: Grey, other: Grey, to_other: Matrix) -> tuple[Grey, Grey]:
    """The other picture in the pixels of this one, and where it is shown (0 or 1)."""
    import cv2

    warp, size = to_other[:2].astype(np.float32), one.shape[::-1]
    linear, nearest = (way | cv2.WARP_INVERSE_MAP for way in (cv2.INTER_LINEAR, cv2.INTER_NEAREST))
    laid = cv2.warpAffine(other, warp, size, flags=linear, borderMode=cv2.BORDER_REPLICATE)
    shown = cv2.warpAffine(np.ones_like(other), warp, size, flags=nearest)
    return np.asarray(laid, np.uint8), np.asarray(cv2.erode(shown, np.ones((5, 5))), np.uint8)


def _peaks(one: Grey, laid: Grey, shown: Grey, side: float) -> list[tuple[float, float, float]]:
    """x, y and how many times the noise, in pixels of the pictures as they are compared."""
    import cv2

    toned = np.asarray(cv2.LUT(laid, tone_curve(one, laid, shown > 0)), np.float32)
    clipped = cv2.max(_clipped(one), _clipped(laid))
    there = shown * (1 - cv2.dilate(clipped, np.ones((3, 3))))
    mine, theirs = (_detail(each, shown, side) for each in (one.astype(np.float32), toned))
    seen = _Windows(shown, there, side)
    if not seen.ratio(mine, theirs, theirs)[1].any():
        return []
    fitted = _fitted(mine, theirs, side)
    rest, ratio = seen.ratio(mine, theirs, fitted)
    times = rest / seen.noise(rest) * ratio
    return list(seen.largest(times))


def _clipped(grey: Grey) -> Grey:
    import cv2

    inside = cv2.inRange(grey, np.array(DARKEST), np.array(BRIGHTEST))
    return np.asarray(inside == 0, np.uint8)


def _detail(values: Floats, shown: Grey, side: float) -> Floats:
    """Without noise, and without light and shade."""
    import cv2

    half = cv2.resize(values, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    half = cv2.GaussianBlur(half, (0, 0), max(1.25, side / 20))
    coarse = cv2.resize(half, values.shape[::-1], interpolation=cv2.INTER_LINEAR)
    fine = cv2.GaussianBlur(values, (0, 0), 1.0)
    return np.asarray((fine - coarse) * shown, np.float32)


def _fitted(one: Floats, other: Floats, side: float) -> Floats:
    """The other picture's detail with the contrast, movement and softness of the first, around each place."""
    import cv2

    across, down = (
        cv2.Sobel(other, cv2.CV_32F, *way, scale=1 / 8, ksize=3) for way in ((1, 0), (0, 1))
    )
    terms = [other, across, down, cv2.Laplacian(other, cv2.CV_32F)]
    size = tuple(max(3, round(length / side)) for length in one.shape[::-1])
    step = max(2, round(side / SAMPLES))
    some = [np.ascontiguousarray(term[::step, ::step]) for term in terms]
    window = (round(side * 3 / step) | 1,) * 2
    at = np.ix_(*(_middles(size[axis], some[0].shape[1 - axis]) for axis in (1, 0)))

    def mean(product: Floats) -> Floats:
        return np.asarray(cv2.blur(product, window)[at])

    normal = np.zeros((*size[::-1], len(some), len(some)), np.float32)
    for i, j in combinations_with_replacement(range(len(some)), 2):
        normal[..., i, j] = normal[..., j, i] = mean(some[i] * some[j])
    target = np.ascontiguousarray(one[::step, ::step])
    right = np.array([mean(a * target) for a in some]).transpose(1, 2, 0)
    right[..., 0] += PRIOR[0]  # without detail: the same contrast
    found = np.linalg.solve(normal + np.diag(PRIOR), right[..., None])[..., 0]
    found = np.clip(found, [0.25, -1.5, -1.5, -1], [4, 1.5, 1.5, 1]).astype(np.float32)
    fitted = np.zeros_like(one)
    for n, term in enumerate(terms):
        share = np.ascontiguousarray(found[..., n])
        fitted += cv2.resize(share, one.shape[::-1], interpolation=cv2.INTER_LINEAR) * term
    return fitted


def _middles(parts: int, length: int) -> "np.ndarray[Any, Any]":
    return ((np.arange(parts) + 0.5) * length / parts).astype(int)


class _Windows:
    """Windows of the size of a mouth, at steps of half of it, in pictures of one size.

    shown: uint8 [H, W], where both pictures are. there: the same without what is clipped.
    """

    def __init__(self, shown: Grey, there: Grey, side: float) -> None:
        import cv2

        self._there, self._side = there, side
        self._window = max(3, round(side / 6) | 1)
        self._face = max(5, round(side * 1.3) | 1)
        self._step = max(1, self._window // 2)
        whole = np.ones((2 * self._window + 1,) * 2, np.uint8)
        inner = cv2.erode(shown, whole, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        self._inside = inner[:: self._step, :: self._step] > 0
        self._own = np.zeros(self._inside.shape, np.float32)

    def ratio(
        self, one: Floats, other: Floats, fitted: Floats
    ) -> tuple[Floats, "np.ndarray[Any, np.dtype[np.bool_]]"]:
        """What is left in each window, in levels, and whether that is much beside the detail of a face there."""
        rest = self._root_mean((one - fitted) * self._there, self._window)
        self._own = np.minimum(
            self._root_mean(one, self._face), self._root_mean(fitted, self._face)
        )
        return rest, (rest > PART_OF_DETAIL * (self._own + 1)) & self._inside

    def noise(self, rest: Floats) -> Floats:
        """What is left in most windows that have as much detail, in levels."""
        own, left = self._own[self._inside], rest[self._inside]
        edges = np.quantile(own, np.linspace(0, 1, GRADES_OF_DETAIL + 1))
        grade = np.clip(np.searchsorted(edges, own, side="right") - 1, 0, GRADES_OF_DETAIL - 1)
        grades = np.unique(grade)
        details = [float(own[grade == one].mean()) for one in grades]
        usual = [float(np.quantile(left[grade == one], 0.75)) for one in grades]
        noise = np.interp(self._own, details, np.maximum.accumulate(usual))
        return np.asarray(noise + 0.25, np.float32)  # a quarter of a level: rounding

    def largest(self, times: Floats) -> Iterator[tuple[float, float, float]]:
        """The peaks, each a face away from the others."""
        times, away = times.copy(), int(self._side / self._step) + 1
        for _ in range(MOST_PEAKS):
            y, x = np.unravel_index(int(times.argmax()), times.shape)
            if times[y, x] < TIMES_NOISE:
                return
            yield float(x * self._step), float(y * self._step), float(times[y, x])
            times[max(0, y - away) : y + away + 1, max(0, x - away) : x + away + 1] = 0

    def _root_mean(self, values: Floats, window: int) -> Floats:
        import cv2

        mean = cv2.blur(values * values, (window, window))[:: self._step, :: self._step]
        return np.asarray(np.sqrt(np.maximum(mean, 0)), np.float32)
