"""How much a small part of two pictures differs where it differs most, beyond what copying explains.

Recompression, scaling, grey, brightness, contrast, gamma and blur change a picture all over, and are taken
out first: one part gets the other's tones, in grey or in each colour, and the sharper one is softened.
What then is left in the worst tenth of the part is another mouth, another eye, or something laid over it.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from btfer.images.ecc import aligned
from btfer.images.overlay import Grey, Matrix
from btfer.images.scale import grey_of

SMALLEST_PX, LARGEST_PX = 32, 96  # at which parts are compared: at the smaller one's own size
UNRELATED = 9.0  # larger than any measured difference
REACH = 1.7  # of the other picture, around the place: so much it may be off
MAX_ITERATIONS = 50
EDGE_PX = 4  # filters know nothing beyond the edge
SOFTENED = (1.0, 1.6, 2.4)  # standard deviations, px
WAYS_TO_SOFTEN = [(1.0, 1.0), (1.0, 1.6), (1.6, 1.0), (1.0, 2.4), (2.4, 1.0)]
CLEARLY_COPIED = 0.1  # no better explanation is looked for
SURELY_COPIED, SURELY_OTHER = (
    0.2,
    1.5,
)  # between them colours are made alike, which takes as long again
SHADE = 4.0  # of what is coarser than detail, px
LEAST_SHOWN = 0.4
LEAST_OVERLAP = 0.9
LEAST_GAIN = 0.25
MIDDLE = (0.24, 0.3)  # half of its width and height, in sides of the square
MOST_TIMES_MIDDLE = 1.6  # of faces before a ground like themselves: about 1

Floats = np.ndarray[Any, np.dtype[np.float32]]
Picture = np.ndarray[Any, np.dtype[np.uint8]]  # [H, W], grey, or [H, W, 3], RGB
Tones = np.ndarray[Any, np.dtype[np.uint8]]  # [256, colours], another level for each


def local_difference(
    one: Picture, other: Picture, to_other: Matrix, *, centre: tuple[float, float], side_px: float
) -> float | None:
    """The largest local difference in a square of one picture, in parts of its own detail.

    one, other: uint8 [H, W], grey, or [H, W, 3], RGB. to_other: float64 [3, 3], from pixels of one to about the same
    place in the other; it is refined. centre, side_px: the square, in pixels of one. Returns None where the other
    picture does not show the square, 0 for equal parts, more than 1 for unrelated ones, UNRELATED (9) where they
    cannot be aligned.
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
    mine, shown = _warped(near.grey, near.matrix @ window, size)
    start = (far.matrix @ to_other @ window)[:2].astype(np.float32)
    both = shown * _warped(far.grey, start, size)[1]
    if both.mean() < LEAST_OVERLAP * shown.mean():
        return None
    warp = _aligned(mine, far.grey, start, shown)
    if warp is None:
        return UNRELATED
    laid, seen = _warped(far.grey, warp, size)
    inside = _inside(shown * seen)

    squares = _Square(near, near.matrix @ window, mine), _Square(far, warp, laid)
    found = _beyond_copying(*squares, inside)
    if not SURELY_COPIED < found < SURELY_OTHER:
        return found
    return min(found, _with_colours_alike(*squares, shown))


def _with_colours_alike(one: "_Square", laid: "_Square", shown: Grey) -> float:
    """The difference of two squares once each colour of one has the other's histogram.

    They are laid over each other anew: other tones had moved one of them by a fraction of a pixel.
    """
    toned, far = one.with_colours_of(laid, shown > 0), laid.part
    warp = _aligned(toned, far.grey, laid.matrix, shown)
    if warp is None:
        return UNRELATED
    grey, seen = _warped(far.grey, warp, len(toned))
    inside = _inside(shown * seen)
    if inside.mean() < LEAST_SHOWN:
        return UNRELATED
    again = _Square(far, warp, grey).with_colours_of(one, inside > 0)
    ways = ((toned, grey), (one.grey, again))
    return min(_at_best_softness(*way, inside) for way in ways)


class _Part:
    """A part of a picture, shrunk. matrix: float64 [3, 3], from the picture's pixels to the part's."""

    def __init__(self, pixels: Picture, size: tuple[int, int], matrix: Matrix) -> None:
        self._pixels, self._size, self.matrix = pixels, size, matrix
        self.grey = self._shrunk(grey_of(pixels))

    def colours(self) -> Picture:
        """Shrunk, with as many colours as the picture has."""
        return self._shrunk(self._pixels)

    def with_tones(self, tones: Tones) -> Grey:
        """In grey, with other levels of each colour: changed before it is shrunk, as in a copy."""
        return self._shrunk(grey_of(_of_tones(self._pixels, tones)))

    def _shrunk(self, pixels: Picture) -> Picture:
        import cv2

        if self._size == pixels.shape[1::-1]:
            return pixels
        return np.asarray(cv2.resize(pixels, self._size, interpolation=cv2.INTER_AREA), np.uint8)


class _Square(NamedTuple):
    """The square that is compared, in one picture. matrix: from its pixels to the part's. grey: uint8 [S, S]."""

    part: _Part
    matrix: "np.ndarray[Any, Any]"
    grey: Grey

    def colours(self) -> Picture:
        return _warped(self.part.colours(), self.matrix, len(self.grey))[0]

    def with_colours_of(self, other: "_Square", on: "np.ndarray[Any, Any]") -> Grey:
        """In grey, each colour with the histogram that it has in the other picture."""
        mine, theirs = self.colours(), other.colours()
        if mine.shape != theirs.shape:
            return self.grey
        pairs = zip(np.atleast_3d(theirs).T, np.atleast_3d(mine).T, strict=True)
        curves = [tone_curve(model, colour, on.T) for model, colour in pairs]
        tones = np.stack(curves, axis=1).round().astype(np.uint8)
        return _warped(self.part.with_tones(tones), self.matrix, len(self.grey))[0]


def _of_tones(pixels: Picture, tones: Tones) -> Picture:
    import cv2

    return np.asarray(cv2.LUT(pixels, tones[None] if pixels.ndim == 3 else tones), np.uint8)


def _cut(pixels: Picture, centre: "np.ndarray[Any, Any]", side: float, step: float) -> _Part | None:
    """The part around a point, shrunk by `step` where that is over 1."""
    height, width = pixels.shape[:2]
    left, top = (max(0, int(np.floor(v - side / 2))) for v in centre)
    right, bottom = (
        min(limit, int(np.ceil(v + side / 2)))
        for v, limit in zip(centre, (width, height), strict=True)
    )
    if min(right - left, bottom - top) < 8 * max(step, 1):
        return None
    shrink = max(step, 1.0)
    size = (right - left, bottom - top)
    if shrink > 1:
        size = (max(8, round(size[0] / shrink)), max(8, round(size[1] / shrink)))
    sx, sy = size[0] / (right - left), size[1] / (bottom - top)
    # Pixel centres: half a pixel before and after.
    matrix = np.array(
        [[sx, 0, (0.5 - left) * sx - 0.5], [0, sy, (0.5 - top) * sy - 0.5], [0, 0, 1.0]]
    )
    return _Part(np.ascontiguousarray(pixels[top:bottom, left:right]), size, matrix)


def _warped(pixels: Picture, matrix: "np.ndarray[Any, Any]", size: int) -> tuple[Picture, Grey]:
    """The square that a matrix leads to, uint8 [size, size] or with colours, and where it is shown (0 or 1)."""
    import cv2

    warp, side = np.asarray(matrix[:2], np.float32), (size, size)
    back = cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(
        pixels, warp, side, flags=cv2.INTER_LINEAR | back, borderMode=cv2.BORDER_REPLICATE
    )
    shown = cv2.warpAffine(
        np.ones(pixels.shape[:2], np.uint8), warp, side, flags=cv2.INTER_NEAREST | back
    )
    return np.asarray(laid, np.uint8), np.asarray(shown, np.uint8)


def _aligned(
    one: Grey, other: Grey, start: "np.ndarray[Any, Any]", shown: Grey
) -> "np.ndarray[Any, Any] | None":
    import cv2

    size = (other.shape[1], other.shape[0])
    mask = cv2.warpAffine(shown, start, size, flags=cv2.INTER_NEAREST)
    found = aligned(one, other, start, steps=MAX_ITERATIONS, gain=1e-5, mask=np.asarray(mask))
    return None if found is None else found[1]


def _inside(shown: Grey) -> Floats:
    """Where both are shown, without the edge."""
    import cv2

    inner = cv2.erode(shown, np.ones((5, 5), np.uint8))
    return np.asarray(inner, np.float32)


def _beyond_copying(one: _Square, laid: _Square, shown: Floats) -> float:
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
    one: _Square, laid: _Square, on: "np.ndarray[Any, Any]"
) -> Iterator[tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]]:
    """Pictures whose tones are alike: as they are, or one of them with those of the other."""
    yield one.grey, laid.grey
    for model, copy in ((one, laid), (laid, one)):
        yield model.grey, with_tones_of(model.grey, copy.grey, on)


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
    return np.asarray(tone_curve(model, grey, shown)[grey])


def tone_curve(model: Grey, grey: Grey, shown: "np.ndarray[Any, Any]") -> Floats:
    """What each level of a picture is in another with the same histogram: float32 [256]. Arguments as above."""
    have, want = (
        np.cumsum(np.bincount(one[shown], minlength=256)) / shown.sum() for one in (grey, model)
    )
    return np.asarray(np.interp(have, want, np.arange(256)), np.float32)


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
    own = max(min(_own_detail(each, shown > 0) for each in (one, other)), 1.0)
    return float(np.sqrt(square.max())) / own


def _own_detail(detail: Floats, shown: "np.ndarray[Any, Any]") -> float:
    """How much detail there is, in levels: of a dark face before a bright ground, as little as the face itself has.

    The line between face and ground outweighs all else there, and would make any expression look small beside it.
    """
    import cv2

    parts = [shown.view(np.uint8), (shown & _middle(len(detail))).view(np.uint8)]
    whole, middle = (float(cv2.meanStdDev(detail, mask=part)[1][0, 0]) for part in parts)
    return min(whole, MOST_TIMES_MIDDLE * middle) if parts[1].any() else whole


@cache
def _middle(side: int) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Where eyes, nose and mouth of a face in a square are: bool [side, side]."""
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / side
    return np.asarray((x / MIDDLE[0]) ** 2 + (y / MIDDLE[1]) ** 2 < 1)
