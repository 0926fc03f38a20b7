"""How far a detector's boxes are from the mtcnn package's own, on the same pixels."""

from dataclasses import dataclass, field

import numpy as np

from btfer.faces import Box

LEAST_MATCHED = 0.99
MOST_PROBABILITY_P95 = 0.005
MOST_LANDMARKS = 0.001


@dataclass
class BoxAgreement:
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
        both = self.theirs + self.ours
        return 2 * len(self.probability) / both if both else 1.0

    @property
    def probability_p95(self) -> float:
        """95 of 100 matched boxes have probabilities that differ by no more."""
        return float(np.percentile(self.probability, 95)) if self.probability else 0.0

    @property
    def landmarks_median(self) -> float:
        """How far apart landmarks are in half of the matched boxes, at most."""
        return float(np.median(self.landmarks)) if self.landmarks else 0.0

    @property
    def holds(self) -> bool:
        """Whether the boxes are the package's, as this project promises it."""
        return (
            self.matched >= LEAST_MATCHED
            and self.probability_p95 <= MOST_PROBABILITY_P95
            and self.landmarks_median <= MOST_LANDMARKS
        )

    def add(self, theirs: list[Box], ours: list[Box], least_px: int = 0) -> None:
        """Match one picture's boxes, each with the nearest that is left; pairs and singles of `least_px` count."""
        left = list(ours)
        for one in theirs:
            nearest = max(left, key=lambda other: overlap(one, other), default=None)
            if nearest is None or overlap(one, nearest) < 0.9:
                self.theirs += _least_side(one) >= least_px
                continue
            left.remove(nearest)
            if max(_least_side(one), _least_side(nearest)) >= least_px:
                self.theirs += 1
                self.ours += 1
                self.probability.append(abs(one.probability - nearest.probability))
                self.landmarks.append(_landmark_distance(one, nearest))
        self.ours += sum(_least_side(one) >= least_px for one in left)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(across, 0) * max(down, 0)
    return both / (one.width * one.height + other.width * other.height - both)


def _landmark_distance(one: Box, other: Box) -> float:
    away = [np.subtract(one.landmarks[name], other.landmarks[name]) for name in one.landmarks]
    return float(np.mean(np.linalg.norm(away, axis=1)) / max(one.width, one.height))


def _least_side(box: Box) -> float:
    return min(box.width, box.height)
