"""The funnel: for every class, how many pictures each stage took in, kept, dropped and why; and one picture's life."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from btfer.catalogue import Catalogue, comparisons, faces, journal, photos, releases, verdicts
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.rows import UrlCount
from btfer.catalogue.verdicts import StoredVerdict
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import overview
from btfer.pipeline.overview import Overview
from btfer.pipeline.photo_names import photos_named
from btfer.release_record import FunnelLine

CLASSES = (*EXPRESSIONS, UNLABELLED)


def funnel(cat: Catalogue, crop_digest: str) -> list[FunnelLine]:
    """The whole funnel under one crop setting, first stage first; a line for each reason that occurred."""
    lines = before_release(overview.read(cat, crop_digest))
    newest = releases.newest(cat)
    if newest:
        released = [one.expression for one in releases.faces_in(cat, newest.name)]
        lines.append(_line("release", newest.name, released))
    return lines


def before_release(known: Overview) -> list[FunnelLine]:
    """The funnel as a release tells it: without the release itself."""
    label = known.label
    lines = [_line("crawl", "photos", map(label, known.seen))]
    # A verdict on what an earlier stage dropped since, or before, does not count: a funnel only narrows.
    left = set(known.seen)
    lines += _round(known, "dedup", left, "photos, no duplicate")
    left &= known.left_by_dedup()
    lines += _round(known, "photos", left, "kept by people")
    lines += _some("photos", "await review", map(label, known.photos_waiting()))
    left -= known.dropped_by_people()
    lines += _round(known, "crop", left, "photos with a face")
    faces = [one for one, photo in known.photo_of.items() if photo in left]
    lines += _round(known, "crop", faces, "faces cropped", "face: ")
    lines += _round(known, "faces", known.faces_cropped(), "kept by people")
    waiting = (label(known.photo_of[one]) for one in known.faces_waiting())
    return lines + _some("faces", "await review", waiting)


def crawl_losses(cat: Catalogue) -> list[UrlCount]:
    """What became of every URL found."""
    return journal.losses(cat)


def _round(
    known: Overview, round_: str, names: Iterable[str], kept: str, prefix: str = ""
) -> list[FunnelLine]:
    """What a round did with some photos or faces. kept: what those are that stayed."""
    stays, relabelled, gone = (
        Counter[str](),
        Counter[str](),
        defaultdict[str, Counter[str]](Counter),
    )
    for name in names:
        verdict = known.current[round_].get(name)
        if verdict is None:
            continue
        label = verdict.expression or known.label(known.photo_of.get(name, name))
        if verdict.decision == "drop":
            gone[verdict.reason][label] += 1
        else:
            stays[label] += 1
            relabelled[label] += verdict.decision == "relabel"
    if not stays and not gone:
        return []
    lines = [_counted(round_, kept, stays)]
    if relabelled.total():
        lines.append(_counted(round_, "of them relabelled to", relabelled))
    return lines + [_counted(round_, f"- {prefix}{why}", gone[why]) for why in sorted(gone)]


def _some(stage: str, what: str, labels: Iterable[str]) -> list[FunnelLine]:
    line = _line(stage, what, labels)
    return [line] if line.total else []


def _line(stage: str, what: str, labels: Iterable[str]) -> FunnelLine:
    return _counted(stage, what, Counter(labels))


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
    for copy in photos.duplicates(cat):
        if copy.keeper == sha256:  # its sightings are the group's
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
