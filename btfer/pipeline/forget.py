"""Forget: a photo, its crops and every trace of it go for good, and each release that showed it gets a next version.

`withdraw` only keeps a photo out of what comes later. `forget` deletes: files, rows, hashes, caches, and
releases that hold a face of it. What is left is a keyed hash on the withdrawal list, so that it is never
fetched again. In a release one face takes the place of the one that went; all others stay as they are.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from btfer.catalogue import Catalogue, erasure, faces, leaks, photos, releases, withdrawals
from btfer.catalogue.rows import KeptFace
from btfer.files import only_one, sha256_file
from btfer.paths import derived_dirs, face_path, photo_path, releases_dir, thumbnail_path
from btfer.pipeline import funnel, overview, release, release_images, sample
from btfer.pipeline.build import counted
from btfer.pipeline.release_images import ReleaseImage
from btfer.pipeline.release_versions import tombstones_of
from btfer.pipeline.withdraw import with_copies, withdraw
from btfer.release_record import FILE, ReleaseRecord, next_version, read_record
from btfer.settings import Settings


@dataclass(frozen=True)
class Forgotten:
    """photos and faces that went; releases: each old release's name and its next version (None = none is left)."""

    photos: int
    faces: int
    releases: dict[str, str | None]


def forget(cat: Catalogue, settings: Settings, things: Sequence[str]) -> Forgotten:
    """Forget photos by URL (of the picture or its page), sha256, face id or file name in the newest release.

    Their near-duplicates go with them. Safe to run again after a kill. Raises UsageError for a thing
    that names nothing here and cannot be put on the withdrawal list either.
    """
    named = [_named(cat, thing) for thing in things]
    with only_one(settings.data_dir, "forget"):
        gone = sorted(with_copies(cat, photos.shown_at(cat, named)))
        places = erasure.traces(cat, gone)
        withdraw(cat, named)
        withdrawals.add(cat, {url for one in places for url in (one.url, one.final_url)} - {""})
        found = {face.id for sha256 in gone for face in faces.of_photo(cat, sha256)}
        found |= releases.faces_of(cat, gone)
        made = _next_versions(cat, settings, found)
        _delete_files(cat, settings, gone, found, list(made))
        erasure.erase(cat, gone, list(made))
        erasure.compact(cat)
    return Forgotten(len(gone), len(found), made)


def _named(cat: Catalogue, thing: str) -> str:
    """A URL or a sha256 as it is; the photo's sha256 for a face, a file of a release or a part of a sha256."""
    if "://" in thing or len(thing) == 64:
        return thing
    return funnel.resolve(cat, thing)[0]


def _next_versions(cat: Catalogue, settings: Settings, gone: set[str]) -> dict[str, str | None]:
    made: dict[str, str | None] = {}
    for name in releases.holding(cat, gone):
        folder = releases_dir(settings.data_dir) / name
        if (folder / FILE).exists():
            made[name] = _next_version(cat, settings, folder, gone).path.name
        else:
            made[name] = None
    return made


def _next_version(
    cat: Catalogue, settings: Settings, folder: Path, gone: set[str]
) -> release.Release:
    face_of = {one.file: one.face for one in releases.faces_in(cat, folder.name)}
    old = release_images.read_images(folder, settings.data_dir, face_of)
    record = read_record(folder)
    spare = _Spare(cat, settings, record, {one.face for one in old} - gone, gone)
    kept: list[ReleaseImage] = []
    lost = {f"images/{one.file}" for one in old if one.face in gone}
    digest = sha256_file(folder / "SHA256SUMS")
    record = next_version(record, folder.name, digest)
    changes, version = list(record.changes), record.version
    for one in old:
        other = spare.instead_of(one) if one.face in gone else one
        kept += [other] if other else []
        if other is not one:
            end = "another face took its place" if other else "no face was left to take its place"
            changes.append(f"version {version}: {one.file} was withdrawn; {end}")
    # A release that was rebuilt here came about elsewhere: its funnel stays as it is stated.
    made_here = {face.crop_digest for face in faces.by_id(cat, face_of.values()).values()}
    if made_here:
        record = counted(cat, overview.read(cat, min(made_here)), record)
    labels = [one.metadata.label for one in kept]
    counts = {label: labels.count(label) for label in record.counts}
    record = replace(record, counts=counts, changes=tuple(changes))
    stones = tombstones_of(cat, folder, lost, releases.date_of_content(cat))
    name = folder.name.rpartition("-")[0]
    return release.write(cat, settings, kept, record, name=name, gone=stones)


class _Spare:
    """Faces that may take a place: kept by people, free, in the draw's order, of photos that are not in yet.

    stay: faces of the release that stay in it.
    """

    def __init__(
        self,
        cat: Catalogue,
        settings: Settings,
        record: ReleaseRecord,
        stay: set[str],
        gone: set[str],
    ) -> None:
        self._cat = cat
        self._data_dir = settings.data_dir
        made_with = record.settings
        self._seed = made_with.seed
        self._max_per_site = made_with.max_per_site
        used = faces.by_id(cat, stay | gone).values()
        kept = [
            face
            for digest in sorted({face.crop_digest for face in used})
            for face in overview.read(cat, digest).kept_faces(made_with.unreviewed)
        ]
        used_photos = {face.photo for face in used}
        free = [
            face
            for face in kept
            if face.photo not in used_photos and release_images.may_be_cropped(face)
        ]
        sets = [one.digest for one in made_with.excluded_leaks.values()]
        self._free = sample.one_per_photo(leaks.clear_of(cat, free, sets), self._seed)
        self._n_from = Counter(_class_and_site(face) for face in kept if face.id in stay)

    def instead_of(self, one: ReleaseImage) -> ReleaseImage | None:
        """The next of the stratum, else of the class, and of a site that has room; None where none is left."""
        label, wanted = one.metadata.label, sample.stratum(one.metadata)
        of_class = [face for face in self._free if face.expression == label and self._room(face)]
        same = [face for face in of_class if sample.stratum(face) == wanted]
        found = next(iter(same or of_class), None)
        if found is None:
            return None
        self._free.remove(found)
        self._n_from[_class_and_site(found)] += 1
        places = {found.id: (one.file, label)}
        return release_images.images_at(self._cat, self._data_dir, places)[0]

    def _room(self, face: KeptFace) -> bool:
        class_and_site = _class_and_site(face)
        unlimited = not self._max_per_site or not class_and_site[1]
        return unlimited or self._n_from[class_and_site] < self._max_per_site


def _class_and_site(face: KeptFace) -> tuple[str, str]:
    """What a release has at most `max_per_site` faces of."""
    return face.expression, sample.site_of(face)


def _delete_files(
    cat: Catalogue, settings: Settings, gone: Sequence[str], boxes: set[str], old: list[str]
) -> None:
    data_dir = settings.data_dir
    for sha256, photo in photos.described(cat, gone).items():
        photo_path(data_dir, sha256, photo.format).unlink(missing_ok=True)
    for sha256 in gone:
        thumbnail_path(data_dir, sha256).unlink(missing_ok=True)
    for face in boxes:
        face_path(data_dir, face).unlink(missing_ok=True)
    for name in old:
        shutil.rmtree(releases_dir(data_dir) / name, ignore_errors=True)
    for folder in derived_dirs(data_dir):
        shutil.rmtree(folder, ignore_errors=True)
