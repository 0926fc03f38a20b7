"""A release's faces as a card says that a network wants them: cut, scaled, then turned to numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from btfer.bench.datasets import ImageSet
from btfer.bench.datasets.pixels import load_pixels, shrink
from btfer.bench.systems.alignment import aligned, found_faces, template_points, tight
from btfer.bench.systems.input_card import InputCard
from btfer.images import Pixels, decode_rgb
from btfer.progress import SILENT, Progress

Array = np.ndarray[Any, Any]

_PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def pictures(
    images: ImageSet, card: InputCard, side_px: int, cache: Path, progress: Progress = SILENT
) -> Array:
    """All faces as the card cuts and scales them, uint8 [N, side_px, side_px, 3] RGB.

    Faces in which no landmark is found are given as the release has them, and progress says how many.
    """
    if (card.crop, card.resize, card.resize_to) == ("release", "area", None):
        return load_pixels(images, side_px, cache, progress=progress)
    made = list(_made(images, card, side_px, cache, progress))
    return np.stack(made)


def values(faces: Array, card: InputCard, *, planar: bool) -> Array:
    """What the network takes: float32 [N, s, s, C], or [N, C, s, s] where planar.

    faces: uint8 [N, s, s, 3] RGB.
    """
    if card.channels == "grey":
        faces = np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in faces])[..., None]
    elif card.channels == "BGR":
        faces = faces[..., ::-1]
    low, high = card.range
    numbers: Array = faces.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
    if any(card.mean) or set(card.std) != {1.0}:
        numbers = (numbers - np.array(card.mean, np.float32)) / np.array(card.std, np.float32)
    return np.ascontiguousarray(numbers.transpose(0, 3, 1, 2) if planar else numbers)


def missed(images: ImageSet, card: InputCard, cache: Path) -> int:
    """Faces that a card's crop could not be made of."""
    if card.crop == "release":
        return 0
    return int(np.isnan(found_faces(images, cache)).any(axis=1).sum())


def _made(
    images: ImageSet, card: InputCard, side_px: int, cache: Path, progress: Progress
) -> Iterator[Pixels]:
    rows = found_faces(images, cache, progress) if card.crop != "release" else None
    for place, file in enumerate(images.files):
        face = decode_rgb((images.root / file).read_bytes())
        row = None if rows is None or np.isnan(rows[place]).any() else rows[place]
        yield _one(face, row, card, side_px)


def _one(face: Pixels, row: Array | None, card: InputCard, side_px: int) -> Pixels:
    whole_px = card.resize_to or side_px
    if row is not None and card.crop == "aligned-5pt":
        face = aligned(face, row, template_points(card.template), whole_px)
    elif row is not None:
        face = tight(face, row)
    face = _scaled(face, whole_px, card.resize)
    start = (whole_px - side_px) // 2
    return face[start : start + side_px, start : start + side_px]


def _scaled(face: Pixels, side_px: int, how: str) -> Pixels:
    if face.shape[:2] == (side_px, side_px):
        return face
    if how in ("area", "nearest"):
        return shrink(face, side_px, "nearest" if how == "nearest" else "area")
    # Pillow's, which averages when it shrinks: the same as in torchvision, timm and transformers.
    return np.asarray(Image.fromarray(face).resize((side_px, side_px), _PILLOW[how]))
