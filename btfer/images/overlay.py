"""Where one picture lies on another: found on small copies of both, told in the pixels of the large ones.

A copy may be mirrored, cropped, framed, scaled or turned a little. A template search over scales finds the
place, ECC refines it (Evangelidis and Psarakis, IEEE PAMI 30(10), 2008).
"""

from typing import Any, NamedTuple

import numpy as np

SEARCHED_PX = 64
REFINED_PX = 128
SMALLEST_SHARE = (
    45  # of 64: the smaller of two overlaid pictures has at least 70 % of the larger one's sides
)
AS_IT_IS = 0.003  # by so much a mirrored picture must lie better, or it is not mirrored
MAX_ITERATIONS = 50

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Matrix = np.ndarray[Any, np.dtype[np.float64]]


class Overlay(NamedTuple):
    """to_other: float64 [3, 3], from pixels of one picture to pixels of the other, which is mirrored first if so."""

    to_other: Matrix
    mirrored: bool

    def inverse(self, one: Grey, other: Grey) -> "Overlay":
        """The way back, from pixels of the other picture to pixels of this one."""
        back: Matrix = np.asarray(np.linalg.inv(self.to_other), np.float64)
        if self.mirrored:
            back = np.asarray(_flip(one) @ back @ _flip(other), np.float64)
        return Overlay(back, self.mirrored)


def lay_over(one: Grey, other: Grey) -> Overlay:
    """The best place of one picture on another, whatever they show. one, other: uint8 [H, W], grey."""
    straight, turned = _search(one, other), _search(one, mirror(other))
    mirrored = turned[0] > straight[0] + AS_IT_IS
    start = turned[1] if mirrored else straight[1]
    unit = _refined(one, mirror(other) if mirrored else other, start)
    to_other = _pixels(other) @ unit @ np.linalg.inv(_pixels(one))
    return Overlay(to_other, mirrored)


def mirror(grey: Grey) -> Grey:
    """Left and right exchanged: uint8 [H, W] to uint8 [H, W]."""
    return np.ascontiguousarray(grey[:, ::-1])


def _search(one: Grey, other: Grey) -> tuple[float, Matrix]:
    """Best correlation, and the place in parts of both pictures' sides: either may be cut out of the other."""
    import cv2

    a, b = (_square(grey, SEARCHED_PX) for grey in (one, other))
    best, place = -2.0, np.eye(3)
    for size in range(SEARCHED_PX, SMALLEST_SHARE - 1, -2):
        for whole, part, inner in ((a, b, False), (b, a, True)):
            small = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)
            fit = cv2.matchTemplate(whole, small, cv2.TM_CCOEFF_NORMED)
            _, value, _, (x, y) = cv2.minMaxLoc(fit)
            if value > best:
                cut = np.diag([size / SEARCHED_PX, size / SEARCHED_PX, 1.0])
                cut[:2, 2] = x / SEARCHED_PX, y / SEARCHED_PX
                best, place = float(value), cut if inner else np.linalg.inv(cut)
    return best, place


def _refined(one: Grey, other: Grey, start: Matrix) -> Matrix:
    import cv2

    a, b = (_square(grey, REFINED_PX) for grey in (one, other))
    large = np.diag([REFINED_PX, REFINED_PX, 1.0])
    warp = (large @ start @ np.linalg.inv(large))[:2].astype(np.float32)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, MAX_ITERATIONS, 1e-4)
    try:
        _, found = cv2.findTransformECC(a, b, warp, cv2.MOTION_AFFINE, enough, None, 3)
    except cv2.error:  # it does not converge: the coarse place stays
        return start
    refined = np.vstack([found, [0, 0, 1]])
    if abs(np.linalg.det(refined)) < 0.05:  # squeezed to nothing
        return start
    return np.asarray(np.linalg.inv(large) @ refined @ large, np.float64)


def _square(grey: Grey, side_px: int) -> Grey:
    import cv2

    return np.asarray(cv2.resize(grey, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def _pixels(grey: Grey) -> Matrix:
    """From parts of the sides to pixels."""
    return np.diag([grey.shape[1], grey.shape[0], 1.0])


def _flip(grey: Grey) -> Matrix:
    """Mirrored, in pixels."""
    return np.array([[-1.0, 0, grey.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
