"""Where one picture lies on another: found on small copies of both, told in the pixels of the large ones.

A copy may be mirrored, cropped, framed, scaled or turned a little. A template search over scales finds the
place, which is refined (`images.ecc`).
"""

from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from btfer.images.border import content_box
from btfer.images.ecc import aligned

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
    """A picture to lay over others, or a part of one, made small when it is first needed. grey: uint8 [H, W].

    box: the part, left, top, right, bottom in pixels; None = all of it.
    """

    def __init__(self, grey: Grey, box: tuple[int, int, int, int] | None = None) -> None:
        self._grey = grey
        self._box = box or (0, 0, grey.shape[1], grey.shape[0])

    @cached_property
    def refined(self) -> Grey:
        """At the size at which places are refined: uint8 [128, 128]."""
        left, top, right, bottom = self._box
        return _square(self._grey[top:bottom, left:right], REFINED_PX)

    @cached_property
    def searched(self) -> Grey:
        """At the size at which places are looked for: uint8 [64, 64]."""
        return _square(self.refined, SEARCHED_PX)

    @cached_property
    def parts(self) -> list[Grey]:
        """As they are looked for in another picture: uint8 [64, 64] and smaller."""
        sizes = range(SEARCHED_PX, SMALLEST_SHARE - 1, -2)
        return [_square(self.searched, size) for size in sizes]

    @cached_property
    def versions(self) -> "list[OverlayPicture]":
        """The picture, and where it has a frame or a caption around it, the photo inside as well."""
        box = content_box(self._grey)
        inside = [] if box == self._box else [OverlayPicture(self._grey, box)]
        return [self, *inside]

    def pixels(self, *, mirrored: bool = False) -> Matrix:
        """From parts of the sides to pixels, of the picture or of its mirror image."""
        left, top, right, bottom = self._box
        if mirrored:
            width = self._grey.shape[1]
            left, right = width - right, width - left
        return np.array([[right - left, 0, left], [0, bottom - top, top], [0, 0, 1.0]])


def lay_over(one: OverlayPicture, other: OverlayPicture) -> Overlay:
    """The best place of one picture on another, whatever they show."""
    best = _laid_over(one, other)
    if best[0] >= SURELY:
        return best[1]
    for mine, theirs in list(product(one.versions, other.versions))[1:]:
        best = max(best, _laid_over(mine, theirs), key=lambda each: each[0])
    return best[1]


def _laid_over(one: OverlayPicture, other: OverlayPicture) -> tuple[float, Overlay]:
    """The best place of two versions, and the correlation there."""
    straight = _search(one, other, mirrored=False)
    turned = straight if straight[0] >= SURELY else _search(one, other, mirrored=True)
    mirrored = turned[0] > straight[0] + AS_IT_IS
    start = turned[1] if mirrored else straight[1]
    fit, unit = _refined(one.refined, mirror(other.refined) if mirrored else other.refined, start)
    to_other = other.pixels(mirrored=mirrored) @ unit @ np.linalg.inv(one.pixels())
    return max(fit, turned[0]), Overlay(to_other, mirrored)


def mirror(grey: Grey) -> Grey:
    """Left and right exchanged: uint8 [H, W] or [H, W, 3] to the same."""
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


def _refined(one: Grey, other: Grey, start: Matrix) -> tuple[float, Matrix]:
    """The correlation and the place after refinement; -1 and the start where it does not converge."""
    large = np.diag([REFINED_PX, REFINED_PX, 1.0])
    warp = (large @ start @ np.linalg.inv(large))[:2]
    found = aligned(one, other, warp, steps=MAX_ITERATIONS, gain=1e-4)
    if found is None:  # the coarse place stays
        return -1.0, start
    refined = np.vstack([found[1], [0, 0, 1]])
    if abs(np.linalg.det(refined)) < 0.05:  # squeezed to nothing
        return -1.0, start
    return found[0], np.asarray(np.linalg.inv(large) @ refined @ large, np.float64)


def _square(grey: Grey, side_px: int) -> Grey:
    import cv2

    return np.asarray(cv2.resize(grey, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def _flip(grey: Grey) -> Matrix:
    """Mirrored, in pixels."""
    return np.array([[-1.0, 0, grey.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
