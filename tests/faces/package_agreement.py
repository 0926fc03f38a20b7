"""How far our boxes are from the mtcnn package's own, on the same pixels."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from btfer.faces import Box
from btfer.images import Pixels


def package_boxes(pixels: Pixels) -> list[Box]:
    """The package as users call it."""
    return [_as_box(one) for one in _package().detect_faces(pixels)]


@cache
def _package() -> Any:
    from mtcnn import MTCNN

    return MTCNN()


def _as_box(found: dict[str, Any]) -> Box:
    points = {name: (float(x), float(y)) for name, (x, y) in found["keypoints"].items()}
    return Box(*map(float, found["box"]), float(found["confidence"]), points)


@dataclass
class Agreement:
    """Over all pictures: the package's boxes, ours, and of those matched how far they differ.

    landmarks: mean distance of the five as a share of the box's longer side.
    """

    theirs: int = 0
    ours: int = 0
    probability: list[float] = field(default_factory=list)
    landmarks: list[float] = field(default_factory=list)

    @property
    def matched(self) -> float:
        """Share of all boxes, theirs and ours, that have a partner at an intersection over union of 0.9."""
        return 2 * len(self.probability) / max(self.theirs + self.ours, 1)

    def add(self, theirs: list[Box], ours: list[Box]) -> None:
        """Match one picture's boxes, each with the nearest that is left."""
        self.theirs += len(theirs)
        self.ours += len(ours)
        left = list(ours)
        for one in theirs:
            nearest = max(left, key=lambda other: overlap(one, other), default=None)
            if nearest is None or overlap(one, nearest) < 0.9:
                continue
            left.remove(nearest)
            self.probability.append(abs(one.probability - nearest.probability))
            self.landmarks.append(_apart(one, nearest))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(across, 0) * max(down, 0)
    return both / (one.width * one.height + other.width * other.height - both)


def _apart(one: Box, other: Box) -> float:
    away = [np.subtract(one.landmarks[name], other.landmarks[name]) for name in one.landmarks]
    return float(np.mean(np.linalg.norm(away, axis=1)) / max(one.width, one.height))


def of_least_side(boxes: list[Box], least_px: int) -> list[Box]:
    """The boxes of which no side is shorter."""
    return [box for box in boxes if min(box.width, box.height) >= least_px]
