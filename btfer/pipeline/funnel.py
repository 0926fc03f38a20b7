"""The funnel: for every class, how many pictures each stage took in, kept, dropped and why; and one picture's life."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

from btfer.catalogue import (
    Catalogue,
    comparisons,
    duplicates,
    faces,
    journal,
    photos,
    releases,
    verdicts,
)
from btfer.catalogue.current_verdicts import CurrentVerdict
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.rows import UrlCount
from btfer.catalogue.verdicts import StoredVerdict
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import overview
from btfer.pipeline.overview import Overview
from btfer.pipeline.photo_names import photos_named
from btfer.queries import Cell
from btfer.release_record import FunnelLine

CLASSES = (*EXPRESSIONS, UNLABELLED)
SAMPLE = "sample"
"""The stage of a line that only a release has: what was left out when it was drawn."""


@dataclass(frozen=True)
class Status:
    """The funnel, how many photos each cell has, how many were found by queries of different classes.

    to_review: how many of these nobody has judged.
    """

    funnel: list[FunnelLine]
    by_cell: dict[Cell, int]
    conflicts: int
    to_review: int


def funnel(cat: Catalogue, crop_digest: str) -> list[FunnelLine]:
    """The whole funnel under one crop setting, first stage first; a line for each reason that occurred."""
    return status(cat, crop_digest).funnel


def status(cat: Catalogue, crop_digest: str) -> Status:
    """How far everything is under one crop setting."""
    photos_, faces_ = Counter[_Photos](), Counter[_Faces]()
    by_cell, to_review = Counter[Cell](), 0
    conflicts = photos.conflicting(cat)
    for known in overview.parts_to_count(cat, crop_digest):
        photos_.update(_photos(known))
        faces_.update(_faces(known))
        by_cell.update(known.by_cell())
        to_review += len(conflicts.intersection(known.photos_waiting()))
        del known
    lines = _lines(photos_, faces_)
    newest = releases.newest(cat)
    if newest:
        released = [one.expression for one in releases.faces_in(cat, newest.name)]
        lines.append(_counted("release", newest.name, Counter(released)))
    return Status(lines, dict(by_cell), len(conflicts), to_review)


class _Photos(NamedTuple):
    """Photos of which the same holds: their label, and the verdict of each round (None = not judged)."""

    label: str
    dedup: CurrentVerdict | None
    said: CurrentVerdict | None
    crop: CurrentVerdict | None

    @property
    def left_by_dedup(self) -> bool:
        return self.dedup is not None and self.dedup.decision == "keep"

    @property
    def left(self) -> bool:
        return self.left_by_dedup and not (self.said and self.said.decision == "drop")


class _Faces(NamedTuple):
    """Faces of which the same holds: what holds of their photos, and the verdicts of crop and people on them."""

    photos: _Photos
    crop: CurrentVerdict | None
    judged: CurrentVerdict | None

    @property
    def cropped(self) -> bool:
        return self.photos.left and self.crop is not None and self.crop.decision == "keep"


def before_release(known: Overview) -> list[FunnelLine]:
    """The funnel as a release tells it: without the release itself."""
    return _lines(_photos(known), _faces(known))


def _lines(of_photos: Counter[_Photos], of_faces: Counter[_Faces]) -> list[FunnelLine]:
    photos, faces = list(of_photos.items()), list(of_faces.items())
    lines = [_counted("crawl", "photos", _labels((one.label, n) for one, n in photos))]
    # A verdict on what an earlier stage dropped since, or before, does not count: a funnel only narrows.
    lines += _round(
        "dedup", ((one.label, one.dedup, n) for one, n in photos), "photos, no duplicate"
    )
    kept = [(one, n) for one, n in photos if one.left_by_dedup]
    lines += _round("photos", ((one.label, one.said, n) for one, n in kept), "kept by people")
    lines += _waiting("photos", ((one.label, n) for one, n in kept if not one.said))
    left = ((one.label, one.crop, n) for one, n in photos if one.left)
    lines += _round("crop", left, "photos with a face")
    found = ((one.photos.label, one.crop, n) for one, n in faces if one.photos.left)
    lines += _round("crop", found, "faces cropped", "face: ")
    cropped = [(one, n) for one, n in faces if one.cropped]
    judged = ((one.photos.label, one.judged, n) for one, n in cropped)
    lines += _round("faces", judged, "kept by people")
    open_ = ((one.photos.label, n) for one, n in cropped if not one.judged)
    return lines + _waiting("faces", open_)


def _photos(known: Overview) -> Counter[_Photos]:
    """How many photos each state has: of a million there are a few hundred, and what follows is worked out of these."""
    every = _of_photos(known, list(known.labels))
    return Counter({_Photos(*state): n for state, n in Counter(every).items()})


def _faces(known: Overview) -> Counter[_Faces]:
    """As `_photos`, of faces."""
    on = _of_photos(known, list(known.photo_of.values()))
    said = (map(known.current[name].get, known.photo_of) for name in ("crop", "faces"))
    return Counter(
        {
            _Faces(_Photos(*of), *rest): n
            for (of, *rest), n in Counter(zip(on, *said, strict=True)).items()
        }
    )


def _of_photos(known: Overview, photos: list[str]) -> Iterator[tuple[Any, ...]]:
    labels = map(known.labels.get, photos, repeat(UNLABELLED))
    rounds = (known.current[name] for name in ("dedup", "photos", "crop"))
    return zip(labels, *(map(of.get, photos) for of in rounds), strict=False)


def same_person(left_out: Counter[str]) -> FunnelLine:
    """The line of what `--max-per-person` left out, by class."""
    return _counted(SAMPLE, "- enough of the same person", left_out)


def crawl_losses(cat: Catalogue) -> list[UrlCount]:
    """What became of every URL found."""
    return journal.losses(cat)


def _round(
    round_: str,
    judged: Iterable[tuple[str, CurrentVerdict | None, int]],
    kept: str,
    prefix: str = "",
) -> list[FunnelLine]:
    """What a round did with photos or faces: their label, its verdict, how many. kept: what those are that stayed."""
    stays, relabelled, gone = (
        Counter[str](),
        Counter[str](),
        defaultdict[str, Counter[str]](Counter),
    )
    for label_of_photo, verdict, n in judged:
        if verdict is None:
            continue
        label = verdict.expression or label_of_photo
        if verdict.decision == "drop":
            gone[verdict.reason][label] += n
        else:
            stays[label] += n
            relabelled[label] += n * (verdict.decision == "relabel")
    if not stays and not gone:
        return []
    lines = [_counted(round_, kept, stays)]
    if relabelled.total():
        lines.append(_counted(round_, "of them relabelled to", relabelled))
    return lines + [_counted(round_, f"- {prefix}{why}", gone[why]) for why in sorted(gone)]


def _waiting(stage: str, labels: Iterable[tuple[str, int]]) -> list[FunnelLine]:
    line = _counted(stage, "await review", _labels(labels))
    return [line] if line.total else []


def _labels(counted: Iterable[tuple[str, int]]) -> Counter[str]:
    found = Counter[str]()
    for label, n in counted:
        found[label] += n
    return found


def _counted(stage: str, what: str, counts: Counter[str]) -> FunnelLine:
    return FunnelLine(stage, what, tuple(counts[label] for label in CLASSES))


def explain(cat: Catalogue, id_: str) -> list[str]:
    """The life of one photo or face, from query to release, a line each.

    id_: the first digits of a photo's sha256 or of a face id, a `photo_id`, or a file name of the newest release.
    Raises UsageError where it names nothing, or more than one photo.
    """
    sha256, face = resolve(cat, id_)
    lines = [f"photo {sha256}"]
    lines += _found(cat, sha256)
    for copy in duplicates.copies_of(cat, sha256):  # its sightings are the group's
        apart = comparisons.differences(cat, [(copy.photo, sha256)])
        lines.append(f"  copy {copy.photo} at {copy.distance_bits} bits{_differing(apart)}")
        lines += _found(cat, copy.photo)
    boxes = faces.of_photo(cat, sha256)
    for box in boxes:
        if face in ("", box.id):
            lines.append(
                f"  face {box.id}: {box.width_px:.0f}x{box.height_px:.0f} px at "
                f"({box.x_px:.0f}, {box.y_px:.0f}), probability {box.probability:.3f}"
            )
    for one in verdicts.of_photo(cat, sha256):
        if not face or one.face in ("", face):
            lines.append(_verdict_line(one, _differences(cat, one)))
    for box in boxes:
        for release, file in releases.with_face(cat, box.id):
            lines.append(f"  released in {release} as {file}")
    return lines


def _found(cat: Catalogue, sha256: str) -> list[str]:
    """Where a photo was seen, by which query, and under which licence."""
    lines = []
    for seen in photos.sightings(cat, sha256):
        where = seen.page_url or seen.url
        lines.append(
            f"  found {seen.at} by {seen.source} for '{seen.phrase}' "
            f"({seen.expression or UNLABELLED}), rank {seen.rank}: {where}"
        )
        licence = seen.licence or "not stated"
        lines.append(f"    licence {licence}, author {seen.author or 'not stated'}")
    return lines


def _differing(found: Mapping[tuple[str, str], float]) -> str:
    """The largest local difference, in words; '' where the pair was not compared."""
    return f", largest local difference {max(found.values()):.2f}" if found else ""


def _differences(cat: Catalogue, one: StoredVerdict) -> Mapping[tuple[str, str], float]:
    """What was measured between the subject of a verdict and the one that stays for it."""
    if not one.keeper or not one.face:
        return comparisons.differences(cat, [(one.photo, one.keeper)] if one.keeper else [])
    kept = {face.id for face in faces.of_photo(cat, one.keeper)}
    found = comparisons.face_differences(cat, [one.face])
    return {pair: value for pair, value in found.items() if kept & set(pair)}


def _verdict_line(one: StoredVerdict, measured: Mapping[tuple[str, str], float]) -> str:
    words = [one.reason, one.expression]
    if one.keeper:
        bits = "" if one.distance_bits is None else f" at {one.distance_bits} bits"
        words.append(f"of {one.keeper[:12]}{bits}{_differing(measured)}")
    if one.undoes:
        words.append(f"verdict {one.undoes}")
    about = f" face {one.face[-2:]}" if one.face else ""
    about += f" under settings {one.settings}" if one.settings else ""
    text = " ".join(word for word in words if word)
    return f"  {one.at} {one.round}: {one.decision}{about} {text} (by {one.reviewer})"


def resolve(cat: Catalogue, id_: str) -> tuple[str, str]:
    """The photo's sha256, and the face id where one is meant.

    id_: the first digits of either, a `photo_id`, a file of the newest release, or RELEASE/FILE. Raises UsageError
    where it names nothing, or more than one photo.
    """
    if face := _released(cat, id_):
        return faces.find(cat, face)[0].photo, face
    found_faces = faces.find(cat, id_.removesuffix(".png")) if "-" in id_ else []
    if len(found_faces) == 1:
        return found_faces[0].photo, found_faces[0].id
    found = photos_named(cat, id_)
    if len(found) == 1:
        return found.pop(), ""
    several = "more than one photo or face" if found or found_faces else "no photo or face"
    raise UsageError(f"'{id_}' names {several}: give more digits of a photo or face id")


def _released(cat: Catalogue, id_: str) -> str:
    """The face of a file of a release, '' where none is named."""
    newest = releases.newest(cat)
    parts = id_.split("/")
    named = [one for one in parts if releases.named(cat, one)] or ([newest.name] if newest else [])
    for release in named:
        for one in releases.faces_in(cat, release):
            if parts[-1] == one.file.split("/")[-1]:
                return one.face
    return ""
