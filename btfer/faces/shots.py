"""Whether two pictures show the same shot of every face that both show.

The same person before the same wall with another expression is another picture, however alike the two are as
a whole: what decides is each face, laid over its place in the other picture.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property

import numpy as np

from btfer.faces.box import LANDMARKS, Box
from btfer.faces.detector import detect
from btfer.images import Pixels
from btfer.images.local_difference import UNRELATED, local_difference
from btfer.images.overlay import Grey, Matrix, Overlay, OverlayPicture, lay_over, mirror
from btfer.images.scale import at_most, grey_of

SAME_SHOT = 0.33
"""The largest local difference of a face and its copy, in parts of its own detail (`benchmarks/expressions.py`)."""
LARGEST_PX = 1280  # of the longer side of a picture that is compared
SEARCHED_PX = (
    800  # of the longer side of a picture in which faces are looked for: less time, the same faces
)
SMALLEST_FACE_PX = 20
LARGE_FACE_PX = 80  # found in a fifth of the time: enough to tell two portraits apart
MOST_FACES = 8  # of one picture: those of a crowd are too small to tell expressions, and each may be lost in a copy
LEAST_PROBABILITY = 0.9
MARGIN = 0.15  # around the box, of its longer side
TRIED = 3  # detected faces of the other picture, where the whole pictures do not lead to the place
MIRRORED = [  # the landmarks of a mirrored face, in the order of LANDMARKS
    LANDMARKS.index(name) for name in ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
]


class Shot:
    """A picture to compare, at most 1,280 px wide and high: RGB, uint8 [H, W, 3], grey, and its faces there.

    pixels: uint8 [H, W, 3], RGB, upright. Faces are looked for when they are first asked for.
    """

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = at_most(pixels, LARGEST_PX)
        self.grey: Grey = grey_of(self.pixels)
        self.overlay = OverlayPicture(self.grey)

    @cached_property
    def _searched(self) -> Pixels:
        return at_most(self.pixels, SEARCHED_PX)

    @cached_property
    def faces(self) -> tuple[Box, ...]:
        """The largest faces, largest first, in pixels of `grey`. Raises ImageError `out of memory`."""
        return self._found(SMALLEST_FACE_PX)

    @cached_property
    def large_faces(self) -> tuple[Box, ...]:
        """As `faces`, but only those of which the quick search tells."""
        return self._found(LARGE_FACE_PX)

    def _found(self, min_face_px: int) -> tuple[Box, ...]:
        found = detect(self._searched, min_face_px=min_face_px, nested=True)
        sure = [box for box in found if box.probability >= LEAST_PROBABILITY]
        scale = self.grey.shape[1] / self._searched.shape[1]
        largest = sorted(sure, key=_side, reverse=True)[:MOST_FACES]
        return tuple(_scaled(box, scale) for box in largest)


def shot_difference(
    one: Shot,
    other: Shot,
    same_scene: Callable[[], bool] = lambda: False,
    overlay: Overlay | None = None,
) -> float | None:
    """The largest difference of any face that both pictures show, in parts of its own detail.

    same_scene: whether the pictures lie on each other as a whole; then the faces of the first are those of the other.
    overlay: how one lies on the other; None = it is looked for.
    Returns None where they have no face in common to look at; UNRELATED (9) where each shows a face that the other
    does not. At most SAME_SHOT where one is a copy of the other; otherwise the first face that differs by more.
    """
    overlay = overlay or lay_over(one.overlay, other.overlay)
    in_place = cache(same_scene)
    if not in_place():
        large = _differences(one, other, overlay, in_place, _large)
        if None not in large and _largest(large) > SAME_SHOT:
            return _largest(large)
    there = _differences(one, other, overlay, in_place)
    if there and None not in there and (_largest(there) > SAME_SHOT or in_place()):
        return _largest(there)
    back = _differences(other, one, overlay.inverse(one.grey, other.grey), in_place)
    seen = [value for value in (*there, *back) if value is not None]
    if None in there and None in back:
        return UNRELATED if seen else None
    return max(seen, default=None)


def _all(shot: Shot) -> tuple[Box, ...]:
    return shot.faces


def _large(shot: Shot) -> tuple[Box, ...]:
    return shot.large_faces


def _largest(differences: Sequence[float | None]) -> float:
    return max((one for one in differences if one is not None), default=0.0)


def _scaled(box: Box, scale: float) -> Box:
    landmarks = {name: (x * scale, y * scale) for name, (x, y) in box.landmarks.items()}
    sides = (box.x * scale, box.y * scale, box.width * scale, box.height * scale)
    return Box(*sides, box.probability, landmarks)


def _differences(
    one: Shot,
    other: Shot,
    overlay: Overlay,
    in_place: Callable[[], bool],
    faces: Callable[[Shot], tuple[Box, ...]] = _all,
) -> list[float | None]:
    """For each face, how it differs in the other picture, up to the first that does; None = no such place there."""
    pixels = mirror(other.pixels) if overlay.mirrored else other.pixels
    scale = _scale(overlay.to_other)
    found: list[float | None] = []
    for box in faces(one):
        if _side(box) * scale < SMALLEST_FACE_PX:
            continue
        places = _places(box, overlay, other, in_place, faces)
        found.append(_face_difference(one.pixels, pixels, box, places))
        if (found[-1] or 0) > SAME_SHOT:
            break
    return found


def _face_difference(
    one: Pixels, other: Pixels, box: Box, places: Iterable[Matrix]
) -> float | None:
    """The least difference at any of the places where the face may be in the other picture.

    Each way is gone there and back, since a small or cut face may lie well on the other picture and not the reverse:
    of a copy one is enough, and another expression differs both ways.
    """
    best = None
    centre = (box.x + box.width / 2, box.y + box.height / 2)
    for matrix in places:
        for found in _there_and_back(one, other, matrix, centre, _side(box)):
            if found is not None:
                best = found if best is None else min(best, found)
                if best <= SAME_SHOT:
                    return best
    return best


def _places(
    box: Box,
    overlay: Overlay,
    other: Shot,
    in_place: Callable[[], bool],
    faces: Callable[[Shot], tuple[Box, ...]],
) -> Iterator[Matrix]:
    """The place where the whole pictures lead, and, if they do not lie on each other, those of faces of like size."""
    yield overlay.to_other
    if in_place():
        return
    found = faces(other)
    if overlay.mirrored:
        found = tuple(_mirrored(face, other.grey) for face in found)
    yield from _by_landmarks(box, found)


def _there_and_back(
    one: Pixels, other: Pixels, to_other: Matrix, centre: tuple[float, float], side_px: float
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
