"""MTCNN's cascade: PNet proposes boxes on every level, RNet and ONet judge them, each moves them.

Held to the mtcnn package step by step (`mtcnn/stages/*.py`), with its thresholds; what it does in
float64 is float64 here. Source: Zhang et al., Joint Face Detection and Alignment Using Multitask
Cascaded Convolutional Networks, 2016.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btfer.faces.canvas import CanvasBand, LevelPlacement, around, arrange, bands
from btfer.faces.networks import Network, Networks
from btfer.faces.overlap import best_first, nms_mask
from btfer.faces.patches import cut_patches
from btfer.faces.pyramid import WINDOW_PX, PyramidLevel, levels, levels_skipped
from btfer.images import Pixels

PNET_THRESHOLD, RNET_THRESHOLD, ONET_THRESHOLD = 0.6, 0.7, 0.8
STRIDE_PX = 2  # between two of PNet's windows
MAX_PATCHES_AT_ONCE = 64
# Around faces of these sizes, in units of the smallest that is asked for, the nearest skipped levels are searched
# after all, in a square half again as large as such a face.
NEAR = (0.7, 1.6)
NEAR_LEVELS, NEAR_SIDE = 2, 1.5


@dataclass(frozen=True)
class Candidates:
    """Boxes, one a row. corners: float64 [N, 4], left, top, right, bottom in photo pixels. scores: float32 [N], 0-1.

    points: float64 [N, 10], the landmarks' five x, then their five y, in photo pixels; [0, 10] before ONet.
    """

    corners: NDArray[np.float64]
    scores: NDArray[np.float32]
    points: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Candidates":
        """Some of the boxes: by a bool mask [N], or in the order of int64 row numbers."""
        points = self.points[which] if len(self.points) else self.points
        return Candidates(self.corners[which], self.scores[which], points)


def search(
    pixels: Pixels, networks: Networks, *, min_face_px: int, nested: bool = False
) -> Candidates:
    """All boxes in a photo, best first. pixels: uint8 [H, W, 3], RGB, 0-255, contiguous, upright, at full size.

    The levels for smaller faces are left out, but for the surroundings of faces that are hardly larger:
    these levels see such faces too, and by the rule of overlap.py their boxes decide which others stand.
    nested: boxes inside larger ones stand as well.
    """
    every, skipped = levels(*pixels.shape[:2]), levels_skipped(min_face_px)
    proposed = _propose(pixels, networks, every[skipped:])
    found = _survivors(proposed, pixels, networks, nested)
    finer = every[max(0, skipped - NEAR_LEVELS) : skipped]
    centres = _centres(found, min_face_px) if finer else []
    if centres:
        side = NEAR[1] * NEAR_SIDE * min_face_px
        near = [_propose_near(pixels, networks, level, centres, side) for level in finer]
        found = _survivors(near + proposed, pixels, networks, nested)
    height, width = pixels.shape[:2]
    corners = np.clip(found.corners, 0, [width - 1, height - 1, width - 1, height - 1])
    return Candidates(corners, found.scores, found.points)


def _centres(found: Candidates, min_face_px: int) -> list[tuple[float, float]]:
    """The middles (x, y) of the faces that are hardly larger than the smallest that is asked for."""
    least = _sides(found.corners).min(axis=1)
    near = (least >= NEAR[0] * min_face_px) & (least < NEAR[1] * min_face_px)
    middles = (found.corners[near, :2] + found.corners[near, 2:]) / 2
    return [(float(x), float(y)) for x, y in middles]


def _propose(pixels: Pixels, networks: Networks, chosen: list[PyramidLevel]) -> list[Candidates]:
    """PNet's boxes on each of the chosen levels, finest first."""
    places = arrange(chosen)
    found: dict[PyramidLevel, list[Candidates]] = {level: [] for level in chosen}
    for band in bands(pixels, places):
        for place, boxes in zip(places, _on_band(networks, band, places), strict=True):
            found[place.level].append(boxes)
    return [_best(_joined(boxes), max_overlap=0.5) for boxes in found.values()]


def _propose_near(
    pixels: Pixels,
    networks: Networks,
    level: PyramidLevel,
    centres: list[tuple[float, float]],
    side: float,
) -> Candidates:
    """PNet's boxes on a level around some places of the photo, in squares of `side` of its pixels."""
    side_px = 2 * math.ceil(side * level.scale / 2)
    if len(centres) * side_px**2 > level.height * level.width:
        return _propose(pixels, networks, [level])[0]
    found: list[Candidates] = []
    for centre in centres:
        band, place = around(pixels, level, centre, side_px)
        found += _on_band(networks, band, [place])
    return _best(_joined(found), max_overlap=0.5)


def _on_band(
    networks: Networks, band: CanvasBand, places: list[LevelPlacement]
) -> list[Candidates]:
    """PNet's boxes on each place's part of a band."""
    seen = networks.pnet(band.picture, band.parts)[0]
    windows = [place.windows(band.first_window, *seen.shape[1:]) for place in places]
    return [
        _proposals(seen[:, *window.in_band], window.first, place.level.scale)
        for place, window in zip(places, windows, strict=True)
    ]


def _proposals(channels: NDArray[np.float32], first: tuple[int, int], scale: float) -> Candidates:
    """PNet's output on a part of a level, float32 [5, rows, columns], as boxes in the photo's pixels.

    first: the level's row and column of windows with which the part begins.
    """
    odds = channels[4]
    rows, columns = np.nonzero(odds > math.log(PNET_THRESHOLD / (1 - PNET_THRESHOLD)))
    moves = channels[:4, rows, columns].T.astype(np.float64)
    down, across = rows + first[0], columns + first[1]
    ends = np.stack([across, down, across, down], axis=1) * STRIDE_PX
    corners = (ends + [1, 1, 12, 12] + moves * (WINDOW_PX - 1)) / scale
    return Candidates(corners, _probability(odds[rows, columns]), NO_POINTS)


def _joined(parts: list[Candidates]) -> Candidates:
    if not parts:
        return NO_CANDIDATES
    corners = np.concatenate([one.corners for one in parts])
    return Candidates(corners, np.concatenate([one.scores for one in parts]), NO_POINTS)


def _survivors(
    proposed: list[Candidates], pixels: Pixels, networks: Networks, nested: bool
) -> Candidates:
    """Of PNet's boxes on each level, finest first, those that the later networks take for faces."""
    squares = _squared(_best(_joined(proposed), max_overlap=0.7))
    return _confirm(_refine(squares, pixels, networks), pixels, networks, nested)


def _refine(found: Candidates, pixels: Pixels, networks: Networks) -> Candidates:
    """The boxes that RNet takes for faces, moved, made square."""
    seen = _run_on_patches(networks.rnet, pixels, found.corners, size_px=24, channels=5)
    corners = _moved(found.corners, seen[:, :4])
    judged = Candidates(corners, _probability(seen[:, 4]), NO_POINTS)
    return _squared(_best(judged.select(judged.scores > RNET_THRESHOLD), max_overlap=0.7))


def _confirm(found: Candidates, pixels: Pixels, networks: Networks, nested: bool) -> Candidates:
    """The boxes that ONet takes for faces, moved, with landmarks."""
    seen = _run_on_patches(networks.onet, pixels, found.corners, size_px=48, channels=15)
    sides, starts = _sides(found.corners), found.corners[:, :2] - 1
    points = np.repeat(sides, 5, axis=1) * seen[:, 4:14] + np.repeat(starts, 5, axis=1)
    judged = Candidates(_moved(found.corners, seen[:, :4]), _probability(seen[:, 14]), points)
    sure = judged.select(judged.scores > ONET_THRESHOLD)
    return _best(sure, max_overlap=0.7, relative_to_smaller=not nested)


def _run_on_patches(
    network: Network, pixels: Pixels, corners: NDArray[np.float64], *, size_px: int, channels: int
) -> NDArray[np.float32]:
    """RNet's or ONet's output for each box, float32 [N, channels]; a few at a time, so that a crowd fits in memory.

    Always a power of two of them: OpenVINO prepares itself for 3 to 12 ms for every number that it has not met.
    """
    seen = np.empty((len(corners), channels), np.float32)
    begin = 0
    while begin < len(corners):
        left = min(len(corners) - begin, MAX_PATCHES_AT_ONCE)
        part = slice(begin, begin + (1 << left.bit_length() - 1))
        seen[part] = network(cut_patches(pixels, corners[part], size_px=size_px))
        begin = part.stop
    return seen


def _best(
    found: Candidates, *, max_overlap: float, relative_to_smaller: bool = False
) -> Candidates:
    ordered = found.select(best_first(found.scores))
    return ordered.select(
        nms_mask(ordered.corners, max_overlap=max_overlap, relative_to_smaller=relative_to_smaller)
    )


def _probability(log_odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """All steps in float32, as in the package's softmax: scores that are equal there must be equal here."""
    odds_against = np.exp(-np.abs(log_odds))
    larger = np.float32(1) / (np.float32(1) + odds_against)
    return np.where(log_odds > 0, larger, odds_against * larger)


def _sides(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width and height, [N, 2]; both ends count."""
    return corners[:, 2:] - corners[:, :2] + 1


def _moved(corners: NDArray[np.float64], moves: NDArray[np.float32]) -> NDArray[np.float64]:
    """Corners moved by parts of the box's own sides."""
    return corners + moves * np.tile(_sides(corners), 2)


def _squared(found: Candidates) -> Candidates:
    """Each box with its longer side both ways and its middle kept."""
    start, sides = found.corners[:, :2], found.corners[:, 2:] - found.corners[:, :2]
    side = sides.max(axis=1, keepdims=True)
    begin = start + sides * 0.5 - side * 0.5
    return Candidates(np.hstack([begin, begin + side]), found.scores, found.points)


NO_POINTS = np.empty((0, 10))
NO_CANDIDATES = Candidates(np.empty((0, 4)), np.empty(0, np.float32), NO_POINTS)
