"""MTCNN's cascade: PNet proposes boxes on every level, RNet and ONet judge them, each moves them.

Held to the mtcnn package step by step (`mtcnn/stages/*.py`), with its thresholds; what it does in
float64 is float64 here. Source: Zhang et al., Joint Face Detection and Alignment Using Multitask
Cascaded Convolutional Networks, 2016.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btfer.faces.canvas import arrange, bands
from btfer.faces.networks import Network, Networks
from btfer.faces.overlap import best_first, uncovered
from btfer.faces.patches import cut_patches
from btfer.faces.pyramid import WINDOW_PX, levels
from btfer.images import Pixels

PNET_LEAST, RNET_LEAST, ONET_LEAST = 0.6, 0.7, 0.8
STRIDE_PX = 2  # between two of PNet's windows
MOST_PATCHES = 64


@dataclass(frozen=True)
class Candidates:
    """Boxes, one a row: corners float64 [N, 4] (left, top, right, bottom), scores float32 [N], points [N, 10].

    points: the landmarks' five x, then their five y; without rows before ONet.
    """

    corners: NDArray[np.float64]
    scores: NDArray[np.float32]
    points: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    def only(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Candidates":
        """Some of the boxes, by mask or in an order."""
        points = self.points[which] if len(self.points) else self.points
        return Candidates(self.corners[which], self.scores[which], points)


def search(pixels: Pixels, networks: Networks, *, min_face_px: int) -> Candidates:
    """All boxes in a photo, best first, in its pixels. pixels: uint8 [H, W, 3], RGB, contiguous."""
    proposed = _propose(pixels, networks, min_face_px)
    refined = _refine(proposed, pixels, networks)
    found = _confirm(refined, pixels, networks)
    height, width = pixels.shape[:2]
    corners = np.clip(found.corners, 0, [width - 1, height - 1, width - 1, height - 1])
    return Candidates(corners, found.scores, found.points)


def _propose(pixels: Pixels, networks: Networks, min_face_px: int) -> Candidates:
    """PNet's boxes on all levels, made square."""
    places = arrange(levels(*pixels.shape[:2], min_face_px=min_face_px))
    found: list[list[Candidates]] = [[] for _ in places]
    for band in bands(pixels, places):
        seen = networks.pnet(band.picture, band.ceiling)[0]
        for one, place in zip(found, places, strict=True):
            window = place.windows(band.first_window, seen.shape[1])
            one.append(_proposals(seen[:, *window.in_band], window.first_row, place.level.scale))
    best = [_best(_joined(one), most=0.5) for one in found]
    return _squared(_best(_joined(best), most=0.7))


def _proposals(channels: NDArray[np.float32], first_row: int, scale: float) -> Candidates:
    """PNet's output on one level, float32 [5, rows, columns], as boxes in the photo's pixels."""
    odds = channels[4]
    rows, columns = np.nonzero(odds > math.log(PNET_LEAST / (1 - PNET_LEAST)))
    moves = channels[:4, rows, columns].T.astype(np.float64)
    ends = np.stack([columns, rows + first_row, columns, rows + first_row], axis=1) * STRIDE_PX
    corners = (ends + [1, 1, 12, 12] + moves * (WINDOW_PX - 1)) / scale
    return Candidates(corners, _probability(odds[rows, columns]), NO_POINTS)


def _joined(parts: list[Candidates]) -> Candidates:
    if not parts:
        return NOTHING
    corners = np.concatenate([one.corners for one in parts])
    return Candidates(corners, np.concatenate([one.scores for one in parts]), NO_POINTS)


def _refine(found: Candidates, pixels: Pixels, networks: Networks) -> Candidates:
    """The boxes that RNet takes for faces, moved, made square."""
    seen = _judged(networks.rnet, pixels, found.corners, size_px=24, channels=5)
    corners = _moved(found.corners, seen[:, :4])
    judged = Candidates(corners, _probability(seen[:, 4]), NO_POINTS)
    return _squared(_best(judged.only(judged.scores > RNET_LEAST), most=0.7))


def _confirm(found: Candidates, pixels: Pixels, networks: Networks) -> Candidates:
    """The boxes that ONet takes for faces, moved, with landmarks."""
    seen = _judged(networks.onet, pixels, found.corners, size_px=48, channels=15)
    sides, starts = _sides(found.corners), found.corners[:, :2] - 1
    points = np.repeat(sides, 5, axis=1) * seen[:, 4:14] + np.repeat(starts, 5, axis=1)
    judged = Candidates(_moved(found.corners, seen[:, :4]), _probability(seen[:, 14]), points)
    return _best(judged.only(judged.scores > ONET_LEAST), most=0.7, of_smaller=True)


def _judged(
    network: Network, pixels: Pixels, corners: NDArray[np.float64], *, size_px: int, channels: int
) -> NDArray[np.float32]:
    """What RNet or ONet says of each box, [N, channels]; so many at a time that memory is bounded in a crowd."""
    seen = np.empty((len(corners), channels), np.float32)
    for begin in range(0, len(corners), MOST_PATCHES):
        part = slice(begin, begin + MOST_PATCHES)
        seen[part] = network(cut_patches(pixels, corners[part], size_px=size_px))
    return seen


def _best(found: Candidates, *, most: float, of_smaller: bool = False) -> Candidates:
    ordered = found.only(best_first(found.scores))
    return ordered.only(uncovered(ordered.corners, most=most, of_smaller=of_smaller))


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
NOTHING = Candidates(np.empty((0, 4)), np.empty(0, np.float32), NO_POINTS)
