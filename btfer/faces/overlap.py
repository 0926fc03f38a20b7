"""Non-maximum suppression (NMS) by the mtcnn package's own rule: of boxes that overlap, the best is kept.

It is not the usual rule: a box falls to any better box that covers it, one that has itself fallen
included. Where A covers B and B covers C but A does not cover C, the usual rule keeps A and C, this one A.
"""

import numpy as np
from numpy.typing import NDArray

from btfer.jit import compiled

Boxes = NDArray[np.float64]


def best_first(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """int64 [N], the order by falling score, with equal scores as in the package: numpy's sort, read backwards.

    scores: float32 [N].
    """
    return np.argsort(scores.astype(np.float64))[::-1]


def nms_mask(
    corners: Boxes, *, max_overlap: float, relative_to_smaller: bool = False
) -> NDArray[np.bool_]:
    """Which boxes are kept, bool [N]: those whose overlap with every better one is at most `max_overlap`.

    corners: float64 [N, 4], left, top, right, bottom, best first. Overlap, 0-1: intersection over union, or with
    relative_to_smaller over the area of the smaller box. Source: the mtcnn package, `mtcnn/utils/bboxes.py`.
    """
    kept = np.ones(len(corners), np.bool_)
    _suppress(kept, np.ascontiguousarray(corners), max_overlap, relative_to_smaller)
    return kept


@compiled
def _suppress(
    kept: NDArray[np.bool_], corners: Boxes, max_overlap: float, relative_to_smaller: bool
) -> None:
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
            if shared / (min(area[n], area[better]) if relative_to_smaller else both) > max_overlap:
                kept[n] = False
                break
