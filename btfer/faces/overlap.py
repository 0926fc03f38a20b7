"""Of boxes that lie on each other, the one with the higher score is kept: the mtcnn package's own rule.

It is not the usual one: a box falls to any better box that covers it, one that has itself fallen
included. Where A covers B and B covers C but A does not cover C, the usual rule keeps A and C, this one A.
"""

import numpy as np
from numpy.typing import NDArray

from btfer.jit import compiled

Boxes = NDArray[np.float64]


def best_first(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """The order by falling score, equal scores as the package has them: numpy's sort, read backwards."""
    return np.argsort(scores.astype(np.float64))[::-1]


def uncovered(corners: Boxes, *, most: float, of_smaller: bool = False) -> NDArray[np.bool_]:
    """Which boxes, best first, are covered by at most `most` by every better one.

    corners: [N, 4], left, top, right, bottom. How far two cover each other is what they share, as a part of
    what both cover together, or with of_smaller as a part of the smaller one.
    """
    kept = np.ones(len(corners), np.bool_)
    _uncover(kept, np.ascontiguousarray(corners), most, of_smaller)
    return kept


@compiled
def _uncover(kept: NDArray[np.bool_], corners: Boxes, most: float, of_smaller: bool) -> None:
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    for n in range(1, len(corners)):
        left, top, right, bottom = corners[n]
        for better in range(n):
            width = min(right, corners[better, 2]) - max(left, corners[better, 0])
            if width <= 0:
                continue
            height = min(bottom, corners[better, 3]) - max(top, corners[better, 1])
            if height <= 0:
                continue
            shared = width * height
            both = area[n] + area[better] - shared
            if shared / (min(area[n], area[better]) if of_smaller else both) > most:
                kept[n] = False
                break
