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
SURELY = 0.97  # correlation of pictures that lie on each other: no other place is looked for
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


class OverlayPicture:
    """A picture to lay over others, made small once. grey: uint8 [H, W]."""

    def __init__(self, grey: Grey) -> None:
        self.shape = grey.shape
        self.refined = _square(grey, REFINED_PX)
        self.searched = _square(self.refined, SEARCHED_PX)
        sizes = range(SEARCHED_PX, SMALLEST_SHARE - 1, -2)
        self.parts = [_square(self.searched, size) for size in sizes]

    def pixels(self) -> Matrix:
        """From parts of the sides to pixels."""
        return np.diag([self.shape[1], self.shape[0], 1.0])


def lay_over(one: OverlayPicture, other: OverlayPicture) -> Overlay:
    """The best place of one picture on another, whatever they show."""
    straight = _search(one, other, mirrored=False)
    turned = straight if straight[0] >= SURELY else _search(one, other, mirrored=True)
    mirrored = turned[0] > straight[0] + AS_IT_IS
    start = turned[1] if mirrored else straight[1]
    unit = _refined(one.refined, mirror(other.refined) if mirrored else other.refined, start)
    return Overlay(other.pixels() @ unit @ np.linalg.inv(one.pixels()), mirrored)


def mirror(grey: Grey) -> Grey:
    """Left and right exchanged: uint8 [H, W] to uint8 [H, W]."""
    return np.ascontiguousarray(grey[:, ::-1])


def _search(one: OverlayPicture, other: OverlayPicture, *, mirrored: bool) -> tuple[float, Matrix]:
    """Best correlation, and the place in parts of both pictures' sides: either may be cut out of the other."""
    import cv2

    best, place = -2.0, np.eye(3)
    whole = mirror(other.searched) if mirrored else other.searched
    for mine, theirs in zip(one.parts, other.parts, strict=True):
        turned = mirror(theirs) if mirrored else theirs
        for on, part, inner in ((one.searched, turned, False), (whole, mine, True)):
            _, value, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(on, part, cv2.TM_CCOEFF_NORMED))
            if value > best:
                share = len(part) / SEARCHED_PX
                cut = np.diag([share, share, 1.0])
                cut[:2, 2] = x / SEARCHED_PX, y / SEARCHED_PX
                best, place = float(value), cut if inner else np.linalg.inv(cut)
    return best, place


def _refined(one: Grey, other: Grey, start: Matrix) -> Matrix:
    import cv2

    large = np.diag([REFINED_PX, REFINED_PX, 1.0])
    warp = (large @ start @ np.linalg.inv(large))[:2].astype(np.float32)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, MAX_ITERATIONS, 1e-4)
    try:
        _, found = cv2.findTransformECC(one, other, warp, cv2.MOTION_AFFINE, enough, None, 3)
    except cv2.error:  # it does not converge: the coarse place stays
        return start
    refined = np.vstack([found, [0, 0, 1]])
    if abs(np.linalg.det(refined)) < 0.05:  # squeezed to nothing
        return start
    return np.asarray(np.linalg.inv(large) @ refined @ large, np.float64)


def _square(grey: Grey, side_px: int) -> Grey:
    import cv2

    return np.asarray(cv2.resize(grey, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def _flip(grey: Grey) -> Matrix:
    """Mirrored, in pixels."""
    return np.array([[-1.0, 0, grey.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
