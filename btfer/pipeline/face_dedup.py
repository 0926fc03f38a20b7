"""Faces that stand in two photos: article and original, collage, screenshot, a crop that dedup cannot see is one.

Photos may look nothing alike and show the same shot of a face. Each crop is laid level by its landmarks and
hashed; where two hashes are near, the crops are laid over each other, and no part of the face may differ by more
than copying explains (`faces.shots`). The best of a group stays, the others are dropped in round `crop` with
the photo of the one that stays as their keeper. Two faces are compared once and the result is remembered; who stays
is decided in every run: when a keeper goes, its copy returns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from btfer import hamming
from btfer.catalogue import Catalogue, comparisons, faces, photos, verdicts
from btfer.catalogue.comparisons import Comparison, Hashes
from btfer.catalogue.rows import AcceptedFace, DuplicateCandidate
from btfer.catalogue.stage_lock import only_one
from btfer.catalogue.verdicts import Verdict
from btfer.duplicate_rules import licence_rank
from btfer.engine import SERIAL, Engine, map_unordered
from btfer.faces import LANDMARKS
from btfer.faces.cut import crop_settings_of, in_crop, read_cut
from btfer.faces.level import LevelFace, crop_difference, level_correlations, level_face, read_crop
from btfer.faces.modes import crop_settings
from btfer.faces.shots import SAME_SHOT
from btfer.images.local_difference import UNRELATED
from btfer.paths import face_path
from btfer.progress import SILENT, Progress
from btfer.settings import Settings
from btfer.store import store_of

NEAR_BITS = 12  # of 64: a detector places the landmarks of a copy a little elsewhere
LEVELLED = set(LANDMARKS)  # a face that a person drew has none, and is nobody's copy
LIKE = 0.75  # correlation of two level faces; of 67 copies that were near, 65 have more, of 2,387 others a quarter
BY = "dedup"
VERSION = "faces 2"  # of all that decides: what was found by another one is not known
IN_PROCESSES_FROM = 200  # crops; fewer are read in less time than processes take to start


class CropFile(NamedTuple):
    """A crop on disk. landmarks: x and y of each of LANDMARKS, in pixels of the crop."""

    face: str
    path: Path
    landmarks: tuple[tuple[float, float], ...]


class CropPair(NamedTuple):
    """Two crops to compare, the second mirrored if so."""

    one: CropFile
    other: CropFile
    mirrored: int


Level = Callable[[CropFile], tuple[CropFile, LevelFace | None]]


@dataclass(frozen=True)
class FaceDedupOutcome:
    """Faces looked at, those that stand in another photo as well, and verdicts that changed."""

    faces: int
    dropped: int
    changed: int


def run(cat: Catalogue, settings: Settings, progress: Progress = SILENT) -> FaceDedupOutcome:
    """Drop every face but one of each shot; a second run changes nothing."""
    digest = crop_settings(settings).digest
    with only_one(cat, settings.data_dir, "crop"):
        found = [one for one in faces.comparable(cat, digest) if one.landmarks.keys() >= LEVELLED]
        crops = [_crop_file(one, settings.data_dir) for one in found]
        order = _best_first(cat, found)
        keeper_of = _keepers(order, _same_shots(cat, crops, settings, progress))
        dropped = {found[i].id: found[keeper].photo for i, keeper in keeper_of.items()}
        changed = _write(cat, found, dropped, digest)
    progress.update("same faces", len(found), len(found))
    return FaceDedupOutcome(len(found), len(dropped), changed)


def _crop_file(face: AcceptedFace, data_dir: Path) -> CropFile:
    cut, size_px = read_cut(face.crop), crop_settings_of(face.crop).size_px
    points = tuple(in_crop(face.landmarks[name], cut, size_px) for name in LANDMARKS)
    return CropFile(face.id, face_path(data_dir, face.id), points)


def _best_first(cat: Catalogue, found: Sequence[AcceptedFace]) -> list[int]:
    """Kept by people, free to share, most pixels of face."""
    rows = photos.for_dedup(cat, {one.photo for one in found})
    known: dict[str, DuplicateCandidate] = {row.sha256: row for row in rows}

    def rank(i: int) -> tuple[bool, int, float, str]:
        face = found[i]
        size = face.width_px * face.height_px
        return face.decision != "keep", licence_rank(known[face.photo].licences), -size, face.id

    return sorted(range(len(found)), key=rank)


def _same_shots(
    cat: Catalogue, crops: Sequence[CropFile], settings: Settings, progress: Progress
) -> set[tuple[int, int]]:
    """Pairs of faces that are the same shot, by their places in `crops`. Each pair is compared in one run only."""
    place = {crop.face: i for i, crop in enumerate(crops)}
    hashes = {
        place[face]: found
        for face, found in comparisons.face_hashes(cat, VERSION).items()
        if face in place
    }
    store = store_of(settings)
    level = store.at_worker(_level, attrgetter("path"))
    unknown = [one for i, one in enumerate(crops) if i not in hashes]
    new = _levelled(unknown, level, settings, progress)
    found = {place[crop.face]: face for crop, face in new}
    hashes |= {i: np.array([face.phash, face.mirror_phash], np.uint64) for i, face in found.items()}
    pairs = list(_worth_comparing(crops, found, hashes, level))
    compare = store.at_worker(_compare, attrgetter("one.path", "other.path"))
    compared = map_unordered(compare, pairs, engine=Engine.of(settings))
    same = [_comparison(one, difference) for one, difference in compared if difference <= SAME_SHOT]
    remembered = {crops[i].face: hashes[i] for i in found}
    comparisons.add_faces(cat, VERSION, remembered, same)
    known = comparisons.known(cat, VERSION)
    return {
        (place[one.one], place[one.other]) for one in known if place.keys() >= {one.one, one.other}
    }


def _levelled(
    crops: Sequence[CropFile], level: Level, settings: Settings, progress: Progress
) -> list[tuple[CropFile, LevelFace]]:
    """The faces of the crops whose files can be read."""
    found = []
    engine = Engine.of(settings) if len(crops) > IN_PROCESSES_FROM else SERIAL
    read = map_unordered(level, crops, engine=engine)
    for number, (crop, face) in enumerate(read, start=1):
        if face:
            found.append((crop, face))
        progress.update("same faces", number, len(crops))
    return found


def _worth_comparing(
    crops: Sequence[CropFile],
    new: Mapping[int, LevelFace],
    hashes: Mapping[int, Hashes],
    level: Level,
) -> Iterator[CropPair]:
    """Pairs with a new face that are near, and alike at a glance: straight or mirrored."""
    levelled = dict(new)
    for i, j in _near(new, hashes):
        for k in (i, j):
            if k not in levelled and (face := level(crops[k])[1]):
                levelled[k] = face
        if i not in levelled or j not in levelled:
            continue
        for mirrored, likeness in enumerate(level_correlations(levelled[i], levelled[j])):
            if likeness >= LIKE:
                yield CropPair(crops[i], crops[j], mirrored)


def _near(new: Mapping[int, LevelFace], hashes: Mapping[int, Hashes]) -> list[tuple[int, int]]:
    """Pairs of a new face and any other whose hashes are within NEAR_BITS, straight or mirrored."""
    if not new:
        return []
    rows, own = np.array(sorted(hashes)), np.array(sorted(new))
    theirs, mine = (np.array([hashes[i] for i in some], np.uint64) for some in (rows, own))
    old = hamming.each_row(theirs[:, 0].copy(), theirs[:, 1].copy())
    some = hamming.each_row(mine[:, 0].copy(), mine[:, 1].copy())
    found = hamming.collect(hamming.near_between(some, old, max_bits=NEAR_BITS))
    pairs = zip(own[found.i].tolist(), rows[found.j].tolist(), strict=True)
    return sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})


def _comparison(pair: CropPair, difference: float) -> Comparison:
    one, other = sorted((pair.one.face, pair.other.face))
    return Comparison(one, other, True, difference, False)


def _keepers(order: Sequence[int], same: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Best first, each face stays unless it is the same shot as one that stays."""
    like: dict[int, set[int]] = {}
    for i, j in same:
        like.setdefault(i, set()).add(j)
        like.setdefault(j, set()).add(i)
    keeper_of: dict[int, int] = {}
    place = {i: n for n, i in enumerate(order)}
    for i in order:
        staying = [j for j in like.get(i, ()) if place[j] < place[i] and j not in keeper_of]
        if staying:
            keeper_of[i] = min(staying, key=place.__getitem__)
    return keeper_of


def _level(crop: CropFile) -> tuple[CropFile, LevelFace | None]:
    """A crop with its level face, None where its file is gone; for worker processes."""
    read = read_crop(crop.path, crop.landmarks)
    return crop, level_face(read) if read else None


def _compare(pair: CropPair) -> tuple[CropPair, float]:
    """The largest local difference of two crops, with the question; for worker processes."""
    one, other = (read_crop(side.path, side.landmarks) for side in (pair.one, pair.other))
    if one is None or other is None:
        return pair, UNRELATED
    return pair, crop_difference(one, other.mirrored() if pair.mirrored else other)


def _write(
    cat: Catalogue, found: Sequence[AcceptedFace], dropped: dict[str, str], digest: str
) -> int:
    """Write what changed: new drops, other keepers, and drops that no longer hold; how many these are."""
    standing = {
        one.face: one
        for one in verdicts.current_in(cat, "crop")
        if one.reason == faces.SAME_SHOT and one.settings == digest
    }
    changed = [
        one
        for one in found
        if one.id in dropped
        and (one.id not in standing or standing[one.id].keeper != dropped[one.id])
    ]
    again = {one.id for one in found if one.id not in dropped} | {one.id for one in changed}
    undone = [held.id for face, held in standing.items() if face in again]
    verdicts.undo(cat, undone, BY)
    drops = [_drop(one, dropped[one.id], digest) for one in changed]
    verdicts.add_all(cat, drops)
    return len(undone) + len(drops)


def _drop(face: AcceptedFace, keeper: str, digest: str) -> Verdict:
    return Verdict(
        "crop", face.photo, "drop", BY, face.id, digest, reason=faces.SAME_SHOT, keeper=keeper
    )
