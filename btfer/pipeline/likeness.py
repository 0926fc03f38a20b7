"""Whether two photos show the same picture: the second opinion that dedup asks before it drops anything.

The same studio with another face or another expression has a near pHash as well, and as a whole the two are
as alike as copies are. So where both show faces, the faces decide (`faces.shots`): no face may differ by more
than copying explains. Photos without a face are compared as a whole, by their thumbnails: laid over each other,
mirrored or slightly cropped, they correlate to 0.982 and more, or, moved and turned until they fit, they differ
nowhere by more than 0.7 of their own detail (`images.registration`). Plain and nearly empty pictures are never
called copies: nothing in them could tell one from another.
"""

from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from btfer.errors import BtferError, ImageError
from btfer.faces.shots import SAME_SHOT, Shot, shot_difference, shot_of
from btfer.images import FORMATS, decode_rgb
from btfer.images.registration import registered_difference
from btfer.paths import photo_path, thumbnail_path

SIDE_PX = 64  # thumbnails are compared at this size
SMALLEST_CROP_PX = 51  # a copy that lost up to a fifth of each side is still found
SAME_PICTURE = 0.982
LARGE_PX = 96
MOST_DIFFERENCE = 0.7
BLANK = 2.0  # standard deviation of grey below which there is nothing to lay over each other
SHOTS_KEPT = 64  # of 1.2 MB each, in every process

Grey = np.ndarray[Any, np.dtype[np.float32]]


def likeness(one: Grey, other: Grey, *, enough: float = SAME_PICTURE) -> float:
    """How well one picture lies on the other, mirrored or slightly cropped: best correlation, -1 to 1.

    one, other: float32 [64, 64] grey. The search stops at the first fit of `enough`. A blank picture lies on none.
    """
    import cv2

    if min(one.std(), other.std()) < BLANK:
        return -1.0
    best = -1.0
    for size in range(SIDE_PX, SMALLEST_CROP_PX - 1, -1):
        for turned in (other, np.ascontiguousarray(other[:, ::-1])):
            for whole, part in ((one, turned), (turned, one)):
                small = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)
                best = max(best, float(cv2.matchTemplate(whole, small, cv2.TM_CCOEFF_NORMED).max()))
                if best >= enough:
                    return best
    return best


class ThumbnailFeatures(NamedTuple):
    """A thumbnail as it is compared, in grey, 0 to 255: float32 [64, 64] and uint8 [96, 96]."""

    small: Grey
    large: "np.ndarray[Any, np.dtype[np.uint8]]"

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to lay over another picture."""
        return bool(self.small.std() < BLANK)


def is_same(one: ThumbnailFeatures, other: ThumbnailFeatures) -> bool:
    """Whether two thumbnails show the same picture as a whole, in one of the two ways."""
    if likeness(one.small, other.small) >= SAME_PICTURE:
        return True
    if one.is_blank or other.is_blank:
        return False
    mirrored = np.ascontiguousarray(other.large[:, ::-1])
    nearer = max(other.large, mirrored, key=lambda turned: _correlation(one.large, turned))
    pairs = ((one.large, nearer), (nearer, one.large))  # either may show more than the other does
    return any(registered_difference(this, that) <= MOST_DIFFERENCE for this, that in pairs)


def _correlation(one: Any, other: Any) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def are_copies(pair: tuple[str, str], *, data_dir: Path) -> bool:
    """Whether two photos, by sha256, show the same picture, and the same shot of every face in it.

    A photo that is gone or cannot be read any more is nobody's copy. Raises BtferError for a lost thumbnail.
    """
    one, other = (read_features(thumbnail_path(data_dir, sha256)) for sha256 in pair)
    if one.is_blank or other.is_blank:
        return False
    shots = [read_shot(data_dir, sha256) for sha256 in pair]
    if None in shots:
        return False
    difference = shot_difference(*(shot for shot in shots if shot))
    return is_same(one, other) if difference is None else difference <= SAME_SHOT


def is_blank(sha256: str, *, data_dir: Path) -> bool:
    """Whether a photo is of one colour, or nearly so. Raises BtferError for a lost thumbnail."""
    return read_features(thumbnail_path(data_dir, sha256)).is_blank


def copies_in(data_dir: Path) -> "partial[bool]":
    """`are_copies` for one data folder."""
    return partial(are_copies, data_dir=data_dir)


def compare_pair(pair: tuple[str, str], *, data_dir: Path) -> tuple[tuple[str, str], bool]:
    """`are_copies` with its question, for worker processes."""
    return pair, are_copies(pair, data_dir=data_dir)


@lru_cache(maxsize=4096)
def read_features(thumbnail: Path) -> ThumbnailFeatures:
    """A stored thumbnail, ready to be compared."""
    try:
        return features_of(thumbnail.read_bytes())
    except (OSError, ImageError) as error:
        raise BtferError(f"the thumbnail {thumbnail} cannot be read: {error}") from None


@lru_cache(maxsize=SHOTS_KEPT)
def read_shot(data_dir: Path, sha256: str) -> Shot | None:
    """A photo with its faces, ready to be compared; None if it is gone or cannot be read any more."""
    for format_ in FORMATS.values():
        try:
            return shot_of(decode_rgb(photo_path(data_dir, sha256, format_).read_bytes()))
        except FileNotFoundError:
            continue
        except (OSError, ImageError):
            return None
    return None


def features_of(thumbnail: bytes) -> ThumbnailFeatures:
    """An encoded thumbnail, ready to be compared. Raises ImageError."""
    import cv2

    grey = cv2.cvtColor(decode_rgb(thumbnail), cv2.COLOR_RGB2GRAY)
    small, large = (
        cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA) for side in (SIDE_PX, LARGE_PX)
    )
    return ThumbnailFeatures(small.astype(np.float32), large)
