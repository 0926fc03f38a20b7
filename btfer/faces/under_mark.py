"""Two pictures of which one has a see-through mark over it: do the faces below the mark show the same shot?

Letters over a face differ from the plain face as much as another expression does. So the mark is taken off first
(`images.watermark`), which fails where anything else differs in a face; what is left is compared as ever, and must lie
closer than copies without a mark need to.
"""

from typing import NamedTuple

import numpy as np

from btfer.faces.close_look import missed_difference
from btfer.faces.shots import MOST_FACES, Shot, shot_difference
from btfer.images.overlay import Grey, Matrix, Overlay, mirror
from btfer.images.watermark import without_watermark

SAME_UNDER_MARK = 0.25
"""Of copies with letters over the face, 0.25 and less is left; of other expressions below letters 0.46 and more."""
AROUND = 0.45  # of the span of eyes and mouth, to each side: where an expression is seen


class MarkedCopy(NamedTuple):
    """A copy with a mark over it. difference: the largest of any face, in parts of its own detail.

    first_is_marked: the mark is over the first of the two, not over the second.
    """

    difference: float
    first_is_marked: bool


def marked_copy(one: Shot, other: Shot, overlay: Overlay) -> MarkedCopy | None:
    """What is below a mark over one of two pictures; None = they are no such copies.

    overlay: how one lies on the other. Raises ImageError `out of memory`.
    """
    turned = Shot(mirror(other.pixels)) if overlay.mirrored else other
    back = np.asarray(np.linalg.inv(overlay.to_other), np.float64)
    for plain, marked, to_marked in ((one, turned, overlay.to_other), (turned, one, back)):
        difference = _difference(plain, marked, to_marked)
        if difference is not None:
            return MarkedCopy(difference, marked is one)
    return None


def _difference(plain: Shot, marked: Shot, to_marked: Matrix) -> float | None:
    if not 0 < len(plain.faces) < MOST_FACES:  # of a crowd only some are looked at
        return None
    found = without_watermark(plain.pixels, marked.pixels, to_marked, _expressive(plain))
    if found is None:
        return None
    clean, overlay = Shot(found[0]), Overlay(found[1], False)
    difference = shot_difference(plain, clean, overlay=overlay)
    if difference is None or difference > SAME_UNDER_MARK:
        return None
    return difference if missed_difference(plain, clean, overlay) is None else None


def _expressive(shot: Shot) -> Grey:
    """Where eyes and mouths are: uint8 [H, W], 0 or 1."""
    found = np.zeros(shot.grey.shape, np.uint8)
    for face in shot.faces:
        points = np.array(list(face.landmarks.values()))
        spare = AROUND * np.ptp(points, axis=0).max()
        left, top = np.maximum(points.min(axis=0) - spare, 0).astype(int)
        right, bottom = np.maximum(points.max(axis=0) + spare, 0).astype(int) + 1
        found[top:bottom, left:right] = 1
    return found
