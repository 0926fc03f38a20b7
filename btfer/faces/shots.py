"""Whether two pictures show the same shot of every face that both show.

The same person before the same wall with another expression is another picture, however alike the two are as
a whole: what decides is each face, laid over its place in the other picture.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from btfer.faces.box import LANDMARKS, Box
from btfer.faces.detector import detect
from btfer.images import Pixels
from btfer.images.local_difference import UNRELATED, local_difference
from btfer.images.overlay import Grey, Matrix, Overlay, lay_over, mirror

SAME_SHOT = 0.33
"""The largest local difference of a face and its copy, in parts of its own detail (`benchmarks/expressions.py`)."""
LARGEST_PX = 1280  # of the longer side of a picture in which faces are looked for
SMALLEST_FACE_PX = 24
LEAST_PROBABILITY = 0.9
MARGIN = 0.15  # around the box, of its longer side
TRIED = 3  # detected faces of the other picture, where the whole pictures do not lead to the place
MIRRORED = [  # the landmarks of a mirrored face, in the order of LANDMARKS
    LANDMARKS.index(name) for name in ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
]


class Shot(NamedTuple):
    """A picture to compare: grey, uint8 [H, W], at most 1,280 px wide and high, and its faces there."""

    grey: Grey
    faces: tuple[Box, ...]


def shot_of(pixels: Pixels) -> Shot:
    """Find the faces of a photo. pixels: uint8 [H, W, 3], RGB, upright. Raises ImageError `out of memory`."""
    import cv2

    shrink = LARGEST_PX / max(pixels.shape[:2])
    if shrink < 1:
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
    found = detect(pixels, min_face_px=SMALLEST_FACE_PX)
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    return Shot(grey, tuple(box for box in found if box.probability >= LEAST_PROBABILITY))


def shot_difference(one: Shot, other: Shot) -> float | None:
    """The largest difference of any face that both pictures show, in parts of its own detail.

    Returns None where they have no face in common to look at; UNRELATED (9) where each shows a face that the other
    does not. At most SAME_SHOT where one is a copy of the other.
    """
    if not one.faces or not other.faces:
        return None
    overlay = lay_over(one.grey, other.grey)
    there = _differences(one, other, overlay)
    back = _differences(other, one, overlay.inverse(one.grey, other.grey))
    seen = [value for value in (*there, *back) if value is not None]
    if None in there and None in back:
        return UNRELATED if seen else None
    return max(seen, default=None)


def _differences(one: Shot, other: Shot, overlay: Overlay) -> list[float | None]:
    """For each face, how it differs in the other picture; None where that shows no such place."""
    grey = mirror(other.grey) if overlay.mirrored else other.grey
    faces = [_mirrored(box, other.grey) for box in other.faces] if overlay.mirrored else other.faces
    scale = _scale(overlay.to_other)
    return [
        _face_difference(one.grey, grey, box, overlay.to_other, faces)
        for box in one.faces
        if _side(box) * scale >= SMALLEST_FACE_PX
    ]


def _face_difference(
    one: Grey, other: Grey, box: Box, to_other: Matrix, faces: Sequence[Box]
) -> float | None:
    """By the place where the whole pictures lead, else by the landmarks of faces of like size.

    Each way is gone there and back, since a small or cut face may lie well on the other picture and not the reverse:
    of a copy one is enough, and another expression differs both ways.
    """
    best = None
    centre = (box.x + box.width / 2, box.y + box.height / 2)
    for matrix in (to_other, *_by_landmarks(box, faces)):
        for found in _there_and_back(one, other, matrix, centre, _side(box)):
            if found is not None:
                best = found if best is None else min(best, found)
                if best <= SAME_SHOT:
                    return best
    return best


def _there_and_back(
    one: Grey, other: Grey, to_other: Matrix, centre: tuple[float, float], side_px: float
) -> Iterator[float | None]:
    yield local_difference(one, other, to_other, centre=centre, side_px=side_px)
    x, y = (float(v) for v in (to_other @ np.array([*centre, 1.0]))[:2])
    back = np.asarray(np.linalg.inv(to_other), np.float64)
    yield local_difference(other, one, back, centre=(x, y), side_px=side_px * _scale(to_other))


def _scale(matrix: Matrix) -> float:
    """How much larger things become."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def _by_landmarks(box: Box, faces: Sequence[Box]) -> Iterator[Matrix]:
    import cv2

    mine = _points(box)
    for face in sorted(faces, key=lambda one: abs(np.log(_side(one) / _side(box))))[:TRIED]:
        found, _ = cv2.estimateAffinePartial2D(mine, _points(face), method=cv2.LMEDS)
        if found is not None and abs(np.linalg.det(found[:, :2])) > 1e-3:
            yield np.vstack([found, [0, 0, 1]])


def _points(box: Box) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return np.array([box.landmarks[name] for name in LANDMARKS], np.float32)


def _side(box: Box) -> float:
    return max(box.width, box.height) * (1 + 2 * MARGIN)


def _mirrored(box: Box, grey: Grey) -> Box:
    right = grey.shape[1] - 1
    points = [box.landmarks[LANDMARKS[n]] for n in MIRRORED]
    landmarks = {name: (right - x, y) for name, (x, y) in zip(LANDMARKS, points, strict=True)}
    left = right - box.x - box.width + 1
    return Box(left, box.y, box.width, box.height, box.probability, landmarks)
