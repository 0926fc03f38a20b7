"""The next version of a release that lost images: the others stay as they are, one face takes each free place."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from btfer.catalogue import Catalogue, erasure, faces, leaks, releases
from btfer.catalogue.rows import KeptFace
from btfer.errors import UsageError
from btfer.files import sha256_file
from btfer.paths import face_path
from btfer.pipeline import overview, person_cap, release, release_images, sample
from btfer.pipeline.build import counted
from btfer.pipeline.forget.entry import LostFrom, LostImage
from btfer.pipeline.forget.folders import files_in, read_table
from btfer.pipeline.release_images import ReleaseImage
from btfer.pipeline.release_versions import tombstones_of
from btfer.pipeline.verify import read_sums
from btfer.release_record import ONLY, ReleaseRecord, next_version, read_record
from btfer.settings import Settings
from btfer.store import store_of


class NoSuccessor(Exception):
    """A release cannot have a next version; the text says why."""


def make(cat: Catalogue, settings: Settings, folder: Path, lost: LostFrom) -> str:
    """Write the next version of a stripped release; its name, '' where no image would be left.

    The same folder gives the same version, so it may be run again after a kill. Raises NoSuccessor where the
    folder is damaged beyond what was taken out, BtferError where writing fails.
    """
    old = _StrippedRelease(cat, settings, folder)
    spare = _Spare(cat, settings, old.record, {one.face for one in old.kept}, old.crop_digests())
    slots: list[ReleaseImage] = list(old.kept)
    record = next_version(old.record, folder.name, _digest(cat, folder))
    changes = list(record.changes)
    for one in sorted(lost.images, key=lambda one: one.place):
        other = spare.instead_of(one)
        end = "another face took its place" if other else spare.none_left
        changes.append(f"version {record.version}: {one.file} was withdrawn; {end}")
        if other:
            slots.insert(min(one.place, len(slots)), other)
    if not slots:
        return ""
    labels = Counter(one.metadata.label for one in slots)
    counts = {label: labels[label] for label in old.record.counts}
    record = replace(record, counts=counts, changes=tuple(changes))
    record = old.counted_here(record)
    tokens = {f"images/{one.file}": one.token for one in lost.images if one.token}
    gone = tombstones_of(folder, tokens, releases.date_of_content(cat))
    name = folder.name.rpartition("-")[0] or folder.name
    return release.write(cat, settings, slots, record, name=name, gone=gone).path.name


def _digest(cat: Catalogue, folder: Path) -> str:
    """That of the release before it was stripped, or as much of it as its name has."""
    known = {one.name: one.digest for one in releases.every(cat)}
    return known.get(folder.name, folder.name.rpartition("-")[2])


def remove_old(cat: Catalogue, folder: Path) -> None:
    """Delete a release that has a next version, folder and row."""
    shutil.rmtree(folder, ignore_errors=True)
    erasure.remove_release(cat, folder.name)


@dataclass(frozen=True)
class _StrippedRelease:
    """What is left of a release. Raises NoSuccessor on reading where it cannot be read."""

    cat: Catalogue
    settings: Settings
    folder: Path

    @cached_property
    def record(self) -> ReleaseRecord:
        try:
            return read_record(self.folder)
        except UsageError as error:
            raise NoSuccessor(str(error)) from None

    @cached_property
    def kept(self) -> list[ReleaseImage]:
        """The images that stay, each with the pixels that it was released with."""
        try:
            face_of = self._faces()
            found = release_images.read_images(self.folder, self.settings.data_dir, face_of)
        except (UsageError, UnicodeDecodeError) as error:
            raise NoSuccessor(f"its tables are damaged: {error}") from None
        except KeyError as error:
            raise NoSuccessor(f"nothing says whose face {error} is") from None
        if self.record.sources == ONLY:
            return [self._by_address(one) for one in found]
        return [self._with_pixels(one) for one in found]

    def _by_address(self, one: ReleaseImage) -> ReleaseImage:
        if not one.origin or not one.origin.image_sha256:
            raise NoSuccessor(f"its sources.csv does not state {one.file}")
        return replace(one, pixels=face_path(self.settings.data_dir, one.face))

    def _with_pixels(self, one: ReleaseImage) -> ReleaseImage:
        """From the folder, or from the crop where the folder's file is missing or damaged."""
        expected = self._sums.get(f"images/{one.file}")
        store = store_of(self.settings)
        for path in (one.pixels, face_path(store.folder, one.face)):
            if store.fetch(path).is_file() and sha256_file(path) == expected:
                return replace(one, pixels=path)
        raise NoSuccessor(f"images/{one.file} is missing or changed")

    @cached_property
    def _sums(self) -> dict[str, str]:
        try:
            return read_sums(self.folder)
        except (OSError, ValueError, UsageError) as error:
            raise NoSuccessor(f"its SHA256SUMS is damaged: {error}") from None

    def _faces(self) -> dict[str, str]:
        """The face of each file: by the catalogue, else by the release itself, else by equal bytes of a crop."""
        known = {one.file: one.face for one in releases.faces_in(self.cat, self.folder.name)}
        table = read_table(self.folder / "sources.csv")
        for row in table.records() if table else ():
            known.setdefault(row.get("file_name", "").removeprefix("images/"), row.get("face", ""))
        metadata = read_table(self.folder / "metadata.csv")
        rows = metadata.records() if metadata else ()
        names = {row.get("file_name", "").removeprefix("images/") for row in rows}
        if names - known.keys():
            store_of(self.settings).fetch_folder("faces")
            crops = {
                sha256_file(one): one.stem for one in files_in(self.settings.data_dir / "faces")
            }
            for name in names - known.keys():
                face = crops.get(self._sums.get(f"images/{name}", ""))
                if face:
                    known[name] = face
        return known

    def crop_digests(self) -> list[str]:
        """The crop settings under which its faces were found here, [] where they were found elsewhere."""
        if not self.kept:
            return [self.record.settings.crop.digest]
        found = faces.by_id(self.cat, {one.face for one in self.kept}).values()
        return sorted({face.crop_digest for face in found})

    def counted_here(self, record: ReleaseRecord) -> ReleaseRecord:
        """A release that was rebuilt here came about elsewhere: its funnel stays as it is stated."""
        digests = self.crop_digests()
        return counted(self.cat, overview.read(self.cat, digests[0]), record) if digests else record


class _Spare:
    """Faces that may take a place: kept by people, free, in the draw's order, of photos that are not in yet.

    stay: faces of the release that stay in it. digests: of the crop settings that it was made with. none_left: why
    a place stays free. Of a release with at most so many images of a person nobody can come in where the face network
    that it names is not here: forgetting does not wait for it.
    """

    def __init__(
        self,
        cat: Catalogue,
        settings: Settings,
        record: ReleaseRecord,
        stay: set[str],
        digests: Iterable[str],
    ) -> None:
        self._cat = cat
        self._data_dir = settings.data_dir
        made_with = record.settings
        self._seed = made_with.seed
        self._max_per_site = made_with.max_per_site
        self._cap = made_with.per_person
        self._people = person_cap.same_people(cat, settings, self._cap) if self._cap else None
        self._in = sorted(stay)
        kept = [
            face
            for digest in digests
            for face in overview.read(cat, digest).kept_faces(made_with.unreviewed)
        ]
        used_photos = {face.photo for face in faces.by_id(cat, stay).values()}
        free = [
            face
            for face in kept
            if face.photo not in used_photos and release_images.may_be_cropped(face, made_with.use)
        ]
        sets = [one.digest for one in made_with.excluded_leaks.values()]
        self._free = sample.one_per_photo(leaks.clear_of(cat, free, sets), self._seed)
        self._n_from = Counter(_class_and_site(face) for face in kept if face.id in stay)

    def instead_of(self, one: LostImage) -> ReleaseImage | None:
        """The next of the stratum, else of the class, and of a site that has room; None where none is left."""
        wanted = one.ethnicity, one.gender, one.age
        of_class = [
            face for face in self._free if face.expression == one.label and self._room(face)
        ]
        of_class.sort(
            key=lambda face: sample.stratum(face) != wanted
        )  # stable: in the draw's order
        found = next((face for face in of_class if self._may_join(face)), None)
        if found is None:
            return None
        self._free.remove(found)
        self._in.append(found.id)
        self._n_from[_class_and_site(found)] += 1
        places = {found.id: (one.file, one.label)}
        return release_images.images_at(self._cat, self._data_dir, places)[0]

    @property
    def none_left(self) -> str:
        if self._cap and not self._people:
            return f"no face took its place, for lack of the face network {self._cap.embedder}"
        return "no face was left to take its place"

    def _may_join(self, face: KeptFace) -> bool:
        if not self._cap:
            return True
        return self._people is not None and self._people.has_room(face.id, self._in)

    def _room(self, face: KeptFace) -> bool:
        class_and_site = _class_and_site(face)
        unlimited = not self._max_per_site or not class_and_site[1]
        return unlimited or self._n_from[class_and_site] < self._max_per_site


def _class_and_site(face: KeptFace) -> tuple[str, str]:
    """What a release has at most `max_per_site` faces of."""
    return face.expression, sample.site_of(face)
