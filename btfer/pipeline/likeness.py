"""Whether two photos show the same picture: the second opinion that dedup asks before it drops anything.

The same studio with another face or another expression has a near pHash as well, and as a whole the two are
as alike as copies are. So where both show faces, the faces decide (`faces.shots`): no face may differ by more
than copying explains; and what would be one picture is looked at everywhere for a small face that was missed
(`faces.close_look`). Letters over a face differ as much: a copy with a see-through mark is one where the face below
the mark is the same (`faces.under_mark`). Photos without a face are compared as a whole, by their thumbnails: laid
over each other, mirrored or slightly cropped, they correlate to 0.982 and more, or, moved and turned until they fit,
they differ nowhere by more than 0.7 of their own detail (`images.registration`). Plain and nearly empty pictures are
never called copies: nothing in them could tell one from another. Nor are drawings that differ in their colours alone:
grey pictures of them are equal, and people are asked.
"""

from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from btfer.errors import BtferError, ImageError
from btfer.faces.close_look import missed_difference
from btfer.faces.shots import SAME_SHOT, Shot, shot_difference
from btfer.faces.under_mark import marked_copy
from btfer.images import FORMATS, decode_rgb
from btfer.images.border import content_of
from btfer.images.hues import hues_of
from btfer.images.local_difference import UNRELATED
from btfer.images.overlay import lay_over
from btfer.images.registration import detail_correlation, registered_difference
from btfer.images.views import normalised, view_correlation, views_of
from btfer.paths import photo_path, thumbnail_path
from btfer.store import Store

SIDE_PX = 64  # thumbnails are compared at this size
SMALLEST_CROP_PX = 51  # a copy that lost up to a fifth of each side is still found
SAME_PICTURE = 0.982
LARGE_PX = 96
MOST_DIFFERENCE = 0.7
BLANK = 2.0  # standard deviation of grey below which there is nothing to lay over each other
SHOTS_KEPT = 40  # of up to 8 MB each, in every process
FEATURES_KEPT = 512  # of 130 kB each; a worker has the pairs of some sixty photos at a time
SAME_DETAIL = 0.65  # correlation of even detail: 0.84 and more of copies, 0.5 of drawings on two-coloured pages
LEAST_LIKE = 0.8  # correlation of the most alike views
LEAST_FIT = 0.95  # of the whole pictures in the best place, where no two views are alike: a crop between the views
LEAST_COMMON_COLOUR = (
    0.3  # share of it that two pictures have in common; copies of photos have 0.8 and more
)
SAME_SCENE = 0.97
VERSION = "6"  # of all that decides: what was found by another one is not known

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
    """A thumbnail as it is compared, in grey, 0 to 255: float32 [64, 64], uint8 [96, 96], and its views.

    inside: as large, without what is around the photo; None where that is nothing. views: `images.views`, float32
    [N, 1024], of it and, the second ones, of its mirror image. hues: float32 [12], how its colour is spread over the
    hues, in shares; None where it has hardly any.
    """

    small: Grey
    large: "np.ndarray[Any, np.dtype[np.uint8]]"
    inside: "np.ndarray[Any, np.dtype[np.uint8]] | None"
    views: tuple[Grey, Grey]
    hues: "np.ndarray[Any, np.dtype[np.float32]] | None" = None

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to lay over another picture."""
        return bool(self.small.std() < BLANK)


class Likeness(NamedTuple):
    """What a comparison of two pictures found.

    difference: the largest local difference, of the faces where both have any, else of the whole pictures; 0 = none,
    1 and more = unrelated, 9 = cannot be compared. same_scene: whether they are alike as a whole, whatever
    the faces say. marked: the one (sha256) with see-through letters over what the other shows plainly; '' = neither.
    """

    same: bool
    difference: float
    same_scene: bool
    marked: str = ""


OTHER = Likeness(False, UNRELATED, False)


def is_same(one: ThumbnailFeatures, other: ThumbnailFeatures) -> bool:
    """Whether two thumbnails show the same picture as a whole, in one of the two ways, and the same detail."""
    lie = likeness(one.small, other.small) >= SAME_PICTURE or (
        whole_difference(one, other) <= MOST_DIFFERENCE
    )
    return lie and _have_same_detail(one, other)


def _have_same_detail(one: ThumbnailFeatures, other: ThumbnailFeatures) -> bool:
    """Pages that are white above and black below lie on each other well, whatever is drawn on them."""
    for mine in _with_and_without_border(one):
        for theirs in _with_and_without_border(other):
            turned = _nearer(mine, theirs)
            for pair in ((mine, turned), (turned, mine)):
                if detail_correlation(*pair) >= SAME_DETAIL:
                    return True
    return False


def whole_difference(one: ThumbnailFeatures, other: ThumbnailFeatures) -> float:
    """The largest local difference of two thumbnails that are laid over each other, mirrored if that fits better."""
    if one.is_blank or other.is_blank:
        return UNRELATED
    best = UNRELATED
    for mine in _with_and_without_border(one):
        for theirs in _with_and_without_border(other):
            if best > MOST_DIFFERENCE:
                best = min(best, _laid_difference(mine, theirs))
    return best


def _with_and_without_border(one: ThumbnailFeatures) -> list[Any]:
    return [one.large] if one.inside is None else [one.inside, one.large]


def _laid_difference(one: Any, other: Any) -> float:
    nearer = _nearer(one, other)
    best = registered_difference(one, nearer)
    if best > MOST_DIFFERENCE:  # either may show more than the other does
        best = min(best, registered_difference(nearer, one))
    return best


def _nearer(one: Any, other: Any) -> Any:
    """The other picture, mirrored if that is more like this one."""
    mirrored = np.ascontiguousarray(other[:, ::-1])
    return max(other, mirrored, key=lambda turned: _correlation(one, turned))


def _lies_on(one: ThumbnailFeatures, other: ThumbnailFeatures) -> bool:
    return whole_difference(one, other) <= MOST_DIFFERENCE


def alike(one: ThumbnailFeatures, other: ThumbnailFeatures) -> float:
    """How like some view of one is to some view of the other: a correlation, -1 to 1."""
    return max(view_correlation(views, other.views[0]) for views in one.views)


def _fit(one: ThumbnailFeatures, other: ThumbnailFeatures) -> bool:
    return likeness(one.small, other.small, enough=LEAST_FIT) >= LEAST_FIT


def have_common_colours(one: ThumbnailFeatures, other: ThumbnailFeatures) -> bool:
    """Whether the colours of two pictures may be those of one: always where either has hardly any."""
    if one.hues is None or other.hues is None:
        return True
    return bool(np.minimum(one.hues, other.hues).sum() >= LEAST_COMMON_COLOUR)


def _correlation(one: Any, other: Any) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def compare(one: str, other: str, *, store: Store) -> Likeness:
    """Whether two photos, by sha256, show the same picture, and the same shot of every face in it.

    A photo that is gone or cannot be read any more is nobody's copy. Raises BtferError for a lost thumbnail.
    """
    features = [_features(sha256, store) for sha256 in (one, other)]
    likeness_of_views = alike(*features)
    if any(each.is_blank for each in features):
        return OTHER
    if likeness_of_views < LEAST_LIKE and not _fit(*features):
        return OTHER
    first, second = (read_shot(store, sha256) for sha256 in (one, other))
    if first is None or second is None:
        return OTHER
    if np.array_equal(
        first.pixels, second.pixels
    ):  # other bytes: stripped metadata, another container
        return Likeness(True, 0.0, True)
    lies_on, overlay = cache(partial(_lies_on, *features)), lay_over(first.overlay, second.overlay)
    difference = shot_difference(first, second, lies_on, overlay)
    if difference is None:
        same = is_same(*features)
        found = Likeness(same and have_common_colours(*features), whole_difference(*features), same)
    elif difference <= SAME_SHOT:
        found = Likeness(True, difference, True)
    else:
        found = Likeness(False, difference, likeness_of_views >= SAME_SCENE or lies_on())
    if not found.same:
        below = marked_copy(first, second, overlay) if found.same_scene else None
        if below is None:
            return found
        return Likeness(True, below.difference, True, one if below.first_is_marked else other)
    missed = missed_difference(first, second, overlay)
    return found if missed is None else Likeness(False, missed, True)


def are_copies(pair: tuple[str, str], *, store: Store) -> bool:
    """The verdict of `compare` alone."""
    return compare(*pair, store=store).same


def is_blank(sha256: str, *, store: Store) -> bool:
    """Whether a photo is of one colour, or nearly so. Raises BtferError for a lost thumbnail."""
    return _features(sha256, store).is_blank


def _features(sha256: str, store: Store) -> ThumbnailFeatures:
    return read_features(store.fetch(thumbnail_path(store.folder, sha256)))


@lru_cache(maxsize=FEATURES_KEPT)
def read_features(thumbnail: Path) -> ThumbnailFeatures:
    """A stored thumbnail, ready to be compared."""
    try:
        return features_of(thumbnail.read_bytes())
    except (OSError, ImageError) as error:
        raise BtferError(f"the thumbnail {thumbnail} cannot be read: {error}") from None


@lru_cache(maxsize=SHOTS_KEPT)
def read_shot(store: Store, sha256: str) -> Shot | None:
    """A photo with its faces, ready to be compared; None if it is gone or cannot be read any more."""
    paths = [photo_path(store.folder, sha256, format_) for format_ in FORMATS.values()]
    here = [path for path in paths if path.exists()]
    for path in here or paths:
        try:
            return Shot(decode_rgb(store.fetch(path).read_bytes()))
        except FileNotFoundError:
            continue
        except (OSError, ImageError):
            return None
    return None


def features_of(thumbnail: bytes) -> ThumbnailFeatures:
    """An encoded thumbnail, ready to be compared. Raises ImageError."""
    import cv2

    pixels = decode_rgb(thumbnail)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small, large = (
        cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA) for side in (SIDE_PX, LARGE_PX)
    )
    views, inner = views_of(grey)[0], content_of(grey)
    side = (LARGE_PX, LARGE_PX)
    framed = inner.shape != grey.shape
    inside = cv2.resize(inner, side, interpolation=cv2.INTER_AREA) if framed else None
    both = normalised(views), normalised(views[:, :, ::-1])
    return ThumbnailFeatures(small.astype(np.float32), large, inside, both, hues_of(pixels))
