"""Boxes in photo pixels, and which of them mean the same face: those with a high intersection over union (IoU)."""

from collections.abc import Iterable
from typing import TypeVar

from btfer.catalogue.rows import PhotoBox

SAME_FACE_IOU = 0.5
T = TypeVar("T")


def iou(one: PhotoBox, other: PhotoBox) -> float:
    """Intersection over union, 0 to 1."""
    right = min(one.x_px + one.width_px, other.x_px + other.width_px)
    bottom = min(one.y_px + one.height_px, other.y_px + other.height_px)
    wide, high = right - max(one.x_px, other.x_px), bottom - max(one.y_px, other.y_px)
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    areas = one.width_px * one.height_px + other.width_px * other.height_px
    return shared / (areas - shared)


def best_match(box: PhotoBox, others: Iterable[tuple[PhotoBox, T]], *, least: float) -> T | None:
    """What belongs to the box with the highest IoU, if that is `least` or more; else None."""
    scored = [(iou(box, other), thing) for other, thing in others]
    score, thing = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return thing if score >= least else None
