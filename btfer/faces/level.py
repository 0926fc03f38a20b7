"""Crops of faces compared with each other, however each was cut: laid level by their landmarks first."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from btfer.errors import ImageError
from btfer.faces.shots import MIRRORED
from btfer.images import decode_rgb
from btfer.images.hashes import phash_pair
from btfer.images.local_difference import UNRELATED, local_difference
from btfer.images.overlay import Grey, mirror

LEVEL_PX = 32
LEVEL = np.array([[10, 11], [22, 11], [16, 17], [11, 23], [21, 23]], np.float32)
"""Where the landmarks lie in the picture that is hashed: the face fills it."""
FACE_IN_EYES = 3.0  # side of the square that is compared, in distances from the eyes to the mouth

Points = np.ndarray[Any, np.dtype[np.float32]]


class FaceCrop(NamedTuple):
    """A face on its own: grey, uint8 [H, W], and its landmarks, float32 [5, 2], in pixels."""

    grey: Grey
    landmarks: Points

    def mirrored(self) -> "FaceCrop":
        """Left and right exchanged, in pixels and in names."""
        points = self.landmarks[MIRRORED].copy()
        points[:, 0] = self.grey.shape[1] - 1 - points[:, 0]
        return FaceCrop(mirror(self.grey), points)


class LevelFace(NamedTuple):
    """A face laid on fixed landmarks: pHash and mirror pHash, unsigned, and the picture, uint8 [32, 32], grey."""

    phash: int
    mirror_phash: int
    picture: Grey


@lru_cache(maxsize=1024)
def read_crop(path: Path, landmarks: tuple[tuple[float, float], ...]) -> FaceCrop | None:
    """A crop's file with its landmarks; None if it is gone or damaged."""
    import cv2

    try:
        grey = cv2.cvtColor(decode_rgb(path.read_bytes()), cv2.COLOR_RGB2GRAY)
    except (OSError, ImageError):
        return None
    return FaceCrop(np.asarray(grey, np.uint8), np.array(landmarks, np.float32))


def level_face(crop: FaceCrop) -> LevelFace:
    """The face as it is hashed: alike however it was cropped."""
    import cv2

    matrix, _ = cv2.estimateAffinePartial2D(crop.landmarks, LEVEL, method=cv2.LMEDS)
    if matrix is None:
        matrix = np.eye(2, 3)
    grey = cv2.GaussianBlur(crop.grey, (0, 0), 2)  # four pixels of the crop become one
    laid = cv2.warpAffine(
        grey, matrix, (LEVEL_PX, LEVEL_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    picture = np.asarray(laid, np.uint8)
    one, other = phash_pair(picture)
    return LevelFace(one & (2**64 - 1), other & (2**64 - 1), picture)


def level_correlations(one: LevelFace, other: LevelFace) -> tuple[float, float]:
    """How alike two level faces are at a glance, -1 to 1: as they are, and with one of them mirrored."""
    turned = other.picture[:, ::-1]
    straight, mirrored = (_correlation(one.picture, view) for view in (other.picture, turned))
    return straight, mirrored


def crop_difference(one: FaceCrop, other: FaceCrop) -> float:
    """The largest local difference of two crops of a face; UNRELATED (9) for others."""
    import cv2

    eyes, mouth = one.landmarks[:2].mean(axis=0), one.landmarks[3:].mean(axis=0)
    x, y = (float(v) for v in (eyes + mouth) / 2)
    side = FACE_IN_EYES * float(np.linalg.norm(mouth - eyes))
    matrix, _ = cv2.estimateAffine2D(one.landmarks, other.landmarks, method=cv2.LMEDS)
    if matrix is None or abs(np.linalg.det(matrix[:, :2])) < 1e-3:
        return UNRELATED
    there = np.vstack([matrix, [0, 0, 1]])
    found = local_difference(one.grey, other.grey, there, centre=(x, y), side_px=side)
    return UNRELATED if found is None else found


def _correlation(one: Grey, other: Grey) -> float:
    a, b = (view.astype(np.float32).ravel() for view in (one, other))
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(float(np.sqrt((a @ a) * (b @ b))), 1e-6))
