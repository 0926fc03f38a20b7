"""Boxes as (x, y, width, height) in photo pixels, and which of them mean the same face."""

from collections.abc import Iterable
from typing import TypeVar

from btfer.catalogue.rows import BoxTuple

SAME_FACE_IOU = 0.5
T = TypeVar("T")


def overlap(one: BoxTuple, other: BoxTuple) -> float:
    """Intersection over union, 0 to 1."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def best_match(box: BoxTuple, others: Iterable[tuple[BoxTuple, T]], *, least: float) -> T | None:
    """What belongs to the box that overlaps most, if it overlaps by `least` at all."""
    scored = [(overlap(box, other), thing) for other, thing in others]
    score, thing = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return thing if score >= least else None
