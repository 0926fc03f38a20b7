"""What one of our faces may look like in a training set: the whole photo, and windows around the face.

Training sets show the same photo cut otherwise: tighter, looser, square or as a detector's box, level or as
it was. Within 11 bits a pHash bears a shift or a scale of a few per cent, so windows are laid over the face in
steps of that size; over a tilted face's levelled picture as well, as aligned sets show it.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from btfer.errors import ImageError
from btfer.images import decode_rgb, phash_pairs
from btfer.leaks.glances import Glances, glance_of

Grey = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

HASH_PX = 32
PATCH_PX = 200
REACH = 2.8  # side of the patch, in sides of the face's box
SIDES = tuple(0.58 * 1.08**step for step in range(21))  # of the windows, in heights of the box
ASPECTS = (1.0, 0.85)  # square, and nearly as narrow as MTCNN's own, width by height
SHIFTS = (-0.1, -0.05, 0.0, 0.05, 0.1)  # in sides of the window
MARGINS = (
    0.0,
    0.07,
    0.14,
    0.22,
    0.31,
    0.41,
)  # around the box itself, both sides together, in its longer sides
TILTED_DEG = 3.0
OUTSIDE = 0.1  # share of a window that may lie beyond the picture


class LeakSubject(NamedTuple):
    """One of our faces. box: left, top, width, height in pixels of the picture. tilt_deg: of the line between its eyes.

    natural: width and height that the picture had before it was stretched to a square; None = it was not.
    """

    name: str
    picture: Path
    box: tuple[float, float, float, float]
    tilt_deg: float = 0.0
    natural: tuple[int, int] | None = None


class Views(NamedTuple):
    """What a face may look like elsewhere.

    sources: uint8 [S, 200, 200], grey: the whole photo, the face, the levelled face. faces: float64 [S, 4], left, top,
    right and bottom of the face's box there, in pixels.
    hashes: uint64 [V], the pHash of each view. glances: float32 [V, 256], see `leaks.glances`. source: int8 [V], index
    in `sources` of the picture that the view is cut from. window: float64 [V, 4], left, top, right and bottom of the
    view there, in pixels.
    """

    name: str
    sources: Grey
    faces: Floats
    hashes: np.ndarray[Any, np.dtype[np.uint64]]
    glances: Glances
    source: np.ndarray[Any, np.dtype[np.int8]]
    window: Floats


def views_of(subject: LeakSubject) -> Views | str:
    """All views of a face, or the word that says why its picture cannot be read; for worker processes."""
    try:
        grey = _grey(subject)
    except (OSError, ImageError) as error:
        return getattr(error, "reason", "unreadable")
    laid = _windows(subject.box)
    face, shown = _patch(grey, subject.box, 0.0, laid)
    sources = [resized(grey, PATCH_PX), face]
    windows = [np.array([[0.0, 0.0, PATCH_PX, PATCH_PX]]), shown]
    if abs(subject.tilt_deg) >= TILTED_DEG:
        level, shown = _patch(grey, subject.box, subject.tilt_deg, laid)
        sources.append(level)
        windows.append(shown)
    cuts = [cut_out(*one) for one in zip(sources[1:], windows[1:], strict=True)]
    small = np.concatenate([resized(sources[0], HASH_PX)[None], *cuts])
    return Views(
        subject.name,
        np.stack(sources),
        _boxes_in(subject.box, grey.shape, len(sources)),
        phash_pairs(small)[:, 0].view(np.uint64),
        glance_of(small),
        np.repeat(np.arange(len(windows)), [len(one) for one in windows]).astype(np.int8),
        np.concatenate(windows),
    )


def grey_of(data: bytes) -> Grey:
    """The grey pixels of an encoded picture, uint8 [H, W], 0-255, upright. Raises ImageError."""
    import cv2

    return np.asarray(cv2.cvtColor(decode_rgb(data), cv2.COLOR_RGB2GRAY), np.uint8)


def resized(grey: Grey, side_px: int) -> Grey:
    """A grey picture, uint8 [H, W], as uint8 [side_px, side_px]: averaged over areas where it shrinks."""
    import cv2

    way = cv2.INTER_AREA if min(grey.shape) >= side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (side_px, side_px), interpolation=way), np.uint8)


def cut_out(grey: Grey, windows: Floats) -> Grey:
    """Parts of a picture, uint8 [H, W], at the size that is hashed: uint8 [W, 32, 32] of `windows`, float64 [W, 4].

    Large ones are read from halved pictures, so that every pixel counts, and all in one go: one by one they take
    four times as long.
    """
    import cv2

    cut = np.empty((len(windows), HASH_PX * HASH_PX), np.uint8)
    longest = (windows[:, 2:] - windows[:, :2]).max(axis=1)
    halvings = np.clip(np.ceil(np.log2(longest / (2 * HASH_PX))), 0, None).astype(int)
    for halving in range(int(halvings.max(initial=0)) + 1):
        on = halvings == halving
        if on.any():
            columns, rows = (_places(windows[on][:, axis::2] / 2**halving) for axis in (0, 1))
            x = np.broadcast_to(columns[:, None, :], (len(columns), HASH_PX, HASH_PX))
            y = np.broadcast_to(rows[:, :, None], x.shape)
            flat_x, flat_y = x.reshape(len(x), -1), y.reshape(len(y), -1)
            cut[on] = cv2.remap(
                grey, flat_x, flat_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        grey = np.asarray(
            cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
        )
    return cut.reshape(-1, HASH_PX, HASH_PX)


def _places(ends: Floats) -> Glances:
    """The middles of 32 equal parts between two ends, float [W, 2], in pixels: float32 [W, 32]."""
    begin, end = ends.T[:, :, None]
    return np.asarray(
        begin + (np.arange(HASH_PX) + 0.5) * (end - begin) / HASH_PX - 0.5, np.float32
    )


def _boxes_in(box: tuple[float, ...], shape: tuple[int, ...], n: int) -> Floats:
    """The face's box in each of `n` sources: the whole photo of this shape, and patches around the face."""
    x, y, wide, high = box
    whole = np.array([x, y, x + wide, y + high]) * PATCH_PX / np.tile(shape[1::-1], 2)
    sides = np.array([wide, high]) * PATCH_PX / REACH / max(wide, high)
    around = PATCH_PX / 2 + np.concatenate([-sides, sides]) / 2
    return np.stack([whole] + [around] * (n - 1))


def _grey(subject: LeakSubject) -> Grey:
    import cv2

    grey = grey_of(subject.picture.read_bytes())
    if subject.natural:
        grey = np.asarray(cv2.resize(grey, subject.natural, interpolation=cv2.INTER_AREA), np.uint8)
    return grey


def _windows(box: tuple[float, ...]) -> Floats:
    """[W, 4] windows in a patch, in pixels: the common ones, then the box itself with its margins."""
    unit, longer = PATCH_PX / REACH, max(box[2:])
    wide, high = (side / longer for side in box[2:])
    own = [
        _laid((wide + margin) * unit, (high + margin) * unit, (-0.04, 0.0, 0.04))
        for margin in MARGINS
    ]
    return np.concatenate([_common(), *own])


@cache
def _common() -> Floats:
    """[W, 4] windows around any face."""
    unit = PATCH_PX / REACH
    return np.concatenate(
        [_laid(high * aspect * unit, high * unit, SHIFTS) for high in SIDES for aspect in ASPECTS]
    )


def _laid(width: float, height: float, shifts: tuple[float, ...]) -> Floats:
    """[W, 4] windows of one size over the middle of a patch, shifted both ways, that lie in the patch."""
    right, down = (axis.ravel() for axis in np.meshgrid(shifts, shifts))
    x, y = PATCH_PX / 2 + right * width, PATCH_PX / 2 + down * height
    found = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    inside: Floats = found[(found.min(axis=1) >= 0) & (found.max(axis=1) <= PATCH_PX)]
    return inside


def _patch(
    grey: Grey, box: tuple[float, ...], tilt_deg: float, windows: Floats
) -> tuple[Grey, Floats]:
    """The face with its surroundings, [200, 200], turned level; the windows of it that show the picture."""
    import cv2

    x, y, width, height = box
    side = REACH * max(width, height)
    scale = PATCH_PX / side
    while scale < 0.5:  # every pixel must count, and warping looks at four of them
        grey = np.asarray(
            cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
        )
        x, y, width, height, scale = x / 2, y / 2, width / 2, height / 2, scale * 2
    matrix = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), tilt_deg, scale)
    matrix[:, 2] += PATCH_PX / 2 - np.array([x + width / 2, y + height / 2])
    size = (PATCH_PX, PATCH_PX)
    patch = cv2.warpAffine(
        grey, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    shown = cv2.warpAffine(np.ones_like(grey), matrix, size, flags=cv2.INTER_NEAREST)
    covered = cv2.integral(shown)
    x0, y0, x1, y1 = windows.round().astype(int).T
    held = covered[y1, x1] - covered[y0, x1] - covered[y1, x0] + covered[y0, x0]
    shows = held >= (1 - OUTSIDE) * (x1 - x0) * (y1 - y0)
    return np.asarray(patch, np.uint8), windows[shows]
