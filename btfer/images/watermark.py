"""A see-through mark over a picture, as agencies lay over previews: found beside the plain picture, and taken off.

Where such a mark lies, every pixel is mixed with one colour in one share: marked = kept * plain + added, the same
line for all of them, and the picture can still be seen below. Elsewhere the two pictures are equal. Another mouth or
a closed eye follows no such line; and where it does by chance, it is broader than the strokes of the mark and ends less
sharply. So the line is learnt outside the faces, and inside them nothing may be left that it does not explain.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from btfer.images.colour import Pixels
from btfer.images.ecc import aligned
from btfer.images.overlay import Grey, Matrix
from btfer.images.scale import at_most, grey_of, shrunk, to_shrunk

DIFFERS, TIMES_NOISE = (
    8.0,
    2.5,
)  # levels, softened, and what most pixels differ by: more than recompression leaves
LEAST_MARKED, MOST_MARKED = 0.003, 0.4  # shares of the picture outside faces
DARKEST, LIGHTEST = -40, 295  # levels of a colour that noise explains
KEPT = np.arange(0.3, 0.86, 0.02)  # shares of the picture that are seen below a mark
LEAST_EXPLAINED = 0.2  # share of what differs, without edges
LEAST_PIXELS, TRIED_PIXELS = 60, 4_000
WITHIN = 8.0  # levels from the line that recompression explains
SOFT_EDGE = 0.6  # standard deviation in px
WINDOW = 9  # px in which what is left is compared, in faces and outside
TIMES_OUTSIDE = 1.7  # copies have up to 1.4, other mouths and eyes 2.8 and more
WORST_OUTSIDE = 0.98  # of the windows with an edge of the mark outside faces
BROADER = 1.3  # than the broadest stroke outside, plus a pixel: copies have up to 1.24
SAME_SCALE = 1.15  # within it no picture is shrunk: that would soften it
ALIGNED_PX = 400
ROUNDS, STEPS, GAIN = 3, 30, 1e-5
LEFT_OUT = 0.15  # of the pixels, those that differ most, in the alignment
NOISE = 4  # levels: nothing below is left out
SPARSE = 3  # one pixel in so many, across and down, is enough for a quantile

Floats = np.ndarray[Any, np.dtype[np.float32]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


class Mark(NamedTuple):
    """marked = kept * plain + added. added: float32 [3], in levels."""

    kept: float
    added: Floats


def without_watermark(
    plain: Pixels, marked: Pixels, to_marked: Matrix, faces: Grey
) -> tuple[Pixels, Matrix] | None:
    """The marked picture without its mark; None where nothing is marked, or more differs than a mark explains.

    plain, marked: uint8 [H, W, 3], RGB. to_marked: float64 [3, 3], from pixels of the plain picture to about the same
    place in the other; it is refined. faces: uint8 [H, W], 1 where the plain picture shows eyes and mouths.
    Returns uint8 [h, w, 3], no larger than the plain picture shows it, and the way from the plain picture to it.
    """
    scale = float(np.sqrt(abs(np.linalg.det(to_marked[:2, :2]))))
    mine = shrunk(plain, scale if scale < 1 / SAME_SCALE else 1.0)
    theirs = shrunk(marked, 1 / scale if scale > SAME_SCALE else 1.0)
    to_mine = to_shrunk(plain, mine)
    start = to_shrunk(marked, theirs) @ to_marked @ np.linalg.inv(to_mine)
    way = _aligned(grey_of(mine), grey_of(theirs), start)
    under, shown = _laid_under(mine, way, theirs)
    inside = _warped(faces, way @ to_mine, theirs) > 0
    found = _taken_off(under.astype(np.float32), theirs.astype(np.float32), shown, inside)
    return None if found is None else (found, np.asarray(way @ to_mine, np.float64))


def _aligned(one: Grey, other: Grey, start: Matrix) -> Matrix:
    """The way from one to the other, by what differs least: a mark would draw it aside."""
    import cv2

    mine, theirs = at_most(one, ALIGNED_PX), at_most(other, ALIGNED_PX)
    to_mine, to_theirs = to_shrunk(one, mine), to_shrunk(other, theirs)
    way = to_theirs @ start @ np.linalg.inv(to_mine)
    for _ in range(ROUNDS):
        laid, shown = _laid_under(mine, way, theirs)
        if not shown.any():
            break
        apart = cv2.blur(cv2.absdiff(laid, theirs), (3, 3))
        usual = float(np.quantile(apart[::SPARSE, ::SPARSE], 1 - LEFT_OUT))
        like = apart <= max(NOISE, usual)
        mask = like.astype(np.uint8)
        found = aligned(mine, theirs, way[:2], steps=STEPS, gain=GAIN, mask=mask)
        if found is None:
            break
        way = np.vstack([found[1], [0, 0, 1]])
    return np.asarray(np.linalg.inv(to_theirs) @ way @ to_mine, np.float64)


def _laid_under(one: Pixels, way: Matrix, other: Pixels) -> tuple[Pixels, Bools]:
    """A picture in the pixels of another, and where it is shown there, without the edge."""
    import cv2

    size = other.shape[1::-1]
    laid = cv2.warpAffine(
        one, way[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    shown = _warped(np.ones(one.shape[:2], np.uint8), way, other)
    return np.asarray(laid, np.uint8), np.asarray(cv2.erode(shown, np.ones((5, 5))) > 0)


def _warped(mask: Grey, way: Matrix, other: Pixels) -> Grey:
    import cv2

    return np.asarray(cv2.warpAffine(mask, way[:2], other.shape[1::-1], flags=cv2.INTER_NEAREST))


def _taken_off(plain: Floats, marked: Floats, shown: Bools, faces: Bools) -> Pixels | None:
    """float32 [H, W, 3] to uint8, where the mark explains all that differs in the faces."""
    import cv2

    apart = cv2.GaussianBlur(np.abs(plain - marked).max(axis=2), (0, 0), 1.0)
    noise = float(np.median(apart[::SPARSE, ::SPARSE]))  # some are enough to know
    differs = (apart > max(DIFFERS, TIMES_NOISE * noise)) & shown
    outside = shown & ~faces
    learnt = differs & outside
    if not LEAST_MARKED * outside.sum() < learnt.sum() < MOST_MARKED * outside.sum():
        return None
    marks = (_mark(plain[inner], marked[inner]) for inner in _inner(learnt))
    mark = next(filter(None, marks), None)
    if mark is None:
        return None
    line = mark.kept * plain + mark.added
    as_is, mixed = (cv2.blur(((marked - one) ** 2).sum(axis=2), (3, 3)) for one in (plain, line))
    strokes = (mixed < as_is) & differs
    cover = cv2.GaussianBlur(strokes.astype(np.float32), (0, 0), SOFT_EDGE)[..., None]
    rest = np.abs(marked - plain - cover * (line - plain)).max(axis=2)
    if _is_broader(strokes, faces) or _stands_out(rest, strokes, shown, faces):
        return None
    clean = (marked - cover * mark.added) / (1 - cover * (1 - mark.kept))
    return np.asarray(np.clip(clean, 0, 255).round(), np.uint8)


def _inner(on: Bools) -> Iterator[Bools]:
    """Further and less far inside: at its edges a mark is fainter, and its colour bleeds."""
    import cv2

    for side in (7, 5, 3):
        inner = cv2.erode(on.astype(np.uint8), np.ones((side, side), np.uint8))
        yield np.asarray(inner > 0)


def _mark(plain: Floats, marked: Floats) -> Mark | None:
    """The line that explains most of the pixels that differ. plain, marked: float32 [N, 3]."""
    if len(plain) < LEAST_PIXELS:
        return None
    step = max(1, len(plain) // TRIED_PIXELS)
    plain, marked = plain[::step], marked[::step]
    changed = np.abs(marked - plain).max(axis=1) > 1.5 * WITHIN
    lines = [_through_most(float(kept), plain, marked) for kept in KEPT]
    mark = max(lines, key=lambda line: int(_on_line(line, plain, marked, changed).sum()))
    for _ in range(4):
        on = _on_line(mark, plain, marked, changed)
        if on.sum() < max(LEAST_PIXELS, LEAST_EXPLAINED * len(plain)):
            return None
        mark = _least_squares(plain[on], marked[on])
    lightest = mark.added / max(1 - mark.kept, 1e-3)
    possible = KEPT[0] - 0.05 <= mark.kept <= KEPT[-1] + 0.02
    return mark if possible and lightest.min() >= DARKEST and lightest.max() <= LIGHTEST else None


def _through_most(kept: float, plain: Floats, marked: Floats) -> Mark:
    rest = marked - kept * plain
    return Mark(kept, np.array([_mode(rest[:, n]) for n in range(3)], np.float32))


def _mode(values: Floats) -> float:
    counts, edges = np.histogram(values, bins=np.arange(-130, 300, 2.0))
    return float(edges[np.convolve(counts, np.ones(5), "same").argmax()] + 1)


def _on_line(mark: Mark, plain: Floats, marked: Floats, changed: Bools) -> Bools:
    apart = np.abs(marked - mark.kept * plain - mark.added)
    return np.asarray((apart < WITHIN).all(axis=1) & changed)


def _least_squares(plain: Floats, marked: Floats) -> Mark:
    x, y = plain - plain.mean(axis=0), marked - marked.mean(axis=0)
    kept = float((x * y).sum() / max(float((x * x).sum()), 1e-6))
    return Mark(kept, np.asarray(marked.mean(axis=0) - kept * plain.mean(axis=0), np.float32))


def _is_broader(strokes: Bools, faces: Bools) -> bool:
    """Whether the mark is broader in the faces than anywhere else."""
    import cv2

    half = cv2.distanceTransform(strokes.astype(np.uint8), cv2.DIST_L2, 3)
    return float((half * faces).max()) > BROADER * float((half * ~faces).max()) + 1


def _stands_out(rest: Floats, strokes: Bools, shown: Bools, faces: Bools) -> bool:
    """Whether in the faces more is left than at the edges of the mark elsewhere."""
    import cv2

    left = np.sqrt(np.maximum(cv2.blur(rest * rest, (WINDOW, WINDOW)), 0))
    whole = np.ones((WINDOW, WINDOW), np.uint8)
    seen = cv2.erode(shown.astype(np.uint8), whole, borderValue=0) > 0
    marked = cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    usual, mine = left[seen & marked & ~faces], left[seen & faces]
    if not len(usual):
        return True
    limit = TIMES_OUTSIDE * float(np.quantile(usual, WORST_OUTSIDE))
    return float(mine.max(initial=0)) > limit
