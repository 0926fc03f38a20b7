"""Faces of a release cut anew: tight to the detector's box, or laid on a template by five landmarks.

A release states no landmarks; they are found here, in its crops, by the detector that cut them. What the
crop does not show (an aligned face may reach beyond it) is black, as where people align.
"""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.cached import cached
from btfer.faces import Box, detect
from btfer.faces.box import LANDMARKS
from btfer.faces.detector import DETECTOR
from btfer.files import write_atomic
from btfer.images import Pixels, decode_rgb
from btfer.progress import SILENT, Progress

Array = np.ndarray[Any, Any]

ARCFACE_PX = 112
ARCFACE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where ArcFace has eyes, nose and corners of the mouth in a picture of 112 px (insightface, face_align.py)."""


def found_faces(images: ImageSet, cache: Path, progress: Progress = SILENT) -> Array:
    """Box and landmarks of each image's face, float32 [N, 14] in its pixels; NaN where none is found.

    A row is left, top, right, bottom, then x, y of the five landmarks. Kept in `cache`.
    """
    name = hashlib.sha256(f"{images.digest} {DETECTOR}".encode()).hexdigest()[:24]
    path = cache / f"landmarks-{name}.npy"

    def look() -> None:
        progress.say(f"{images.name}: looking for landmarks in {len(images):,} images")
        rows = np.array(list(_rows(images, progress)), np.float32)
        buffer = io.BytesIO()
        np.save(buffer, rows)
        write_atomic(path, buffer.getvalue())

    found: Array = cached(path, look, np.load)
    return found


def tight(face: Pixels, row: Array) -> Pixels:
    """The detector's box alone, clipped to the picture.

    face: uint8 [H, W, 3]. row: float32 [14], as `found_faces` gives it.
    """
    height, width = face.shape[:2]
    left, top = (max(0, int(v)) for v in row[:2])
    right, bottom = min(width, int(row[2])), min(height, int(row[3]))
    return face[top:bottom, left:right]


def aligned(face: Pixels, row: Array, template: Array, side_px: int) -> Pixels:
    """The face turned, scaled and moved so that its landmarks lie on the template's, uint8 [side, side, 3].

    face: uint8 [H, W, 3]. row: float32 [14], as `found_faces` gives it. template: float [5, 2], shares of the side.
    """
    matrix = similarity(row[4:].reshape(5, 2), template * side_px)
    size = (side_px, side_px)
    return np.asarray(cv2.warpAffine(face, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)


def similarity(source: Array, target: Array) -> Array:
    """The turn, scale and shift that brings points nearest to others, by least squares; float [2, 3].

    source, target: float [N, 2]. Source: Umeyama 1991, which skimage's SimilarityTransform follows.
    """
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, singular, vt = np.linalg.svd(b.T @ a)
    flip = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    turn = (u * flip) @ vt * (singular @ flip) / (a**2).sum()
    shift = target.mean(axis=0) - turn @ source.mean(axis=0)
    return np.column_stack([turn, shift])


def template_points(template: str | tuple[tuple[float, float], ...]) -> Array:
    """A card's template, float [5, 2], shares of the side."""
    return ARCFACE / ARCFACE_PX if isinstance(template, str) else np.array(template, float)


def _rows(images: ImageSet, progress: Progress) -> Iterator[list[float]]:
    for number, file in enumerate(images.files, start=1):
        boxes = detect(decode_rgb((images.root / file).read_bytes()))
        yield _row(max(boxes, key=_area)) if boxes else [np.nan] * 14
        if number % 500 == 0:
            progress.say(f"{images.name}: {number:,} of {len(images):,} images looked at")


def _row(box: Box) -> list[float]:
    points = [value for name in LANDMARKS for value in box.landmarks[name]]
    return [box.x, box.y, box.x + box.width, box.y + box.height, *points]


def _area(box: Box) -> float:
    return box.width * box.height
