"""Whose photo a face or an image of a release was cut from: by the catalogue, else by what releases say of it."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from btfer.catalogue import Catalogue, faces, photos
from btfer.files import sha256_file
from btfer.pipeline.forget.entry import PREFIX_DIGITS
from btfer.pipeline.forget.folders import files_in, read_table, release_folders, seed_in
from btfer.pipeline.forget.places import HEX, Place
from btfer.pipeline.release_images import photo_pseudonyms, pseudonym
from btfer.settings import Settings
from btfer.store import store_of
from btfer.urls import alike, identity


class Owners:
    """Reads the sources.csv of all releases once."""

    def __init__(self, cat: Catalogue, settings: Settings) -> None:
        self._cat = cat
        self._settings = settings

    def of_place(self, place: Place) -> str:
        """The photo (sha256) of an image of a release, '' where nothing names it any more."""
        return self.of_face(place.face) or self._stated(place) or self._of_equal_crop(place)

    def of_face(self, face: str) -> str:
        """The photo of a face, '' where it is not known for certain."""
        if not face:
            return ""
        known = faces.by_id(self._cat, [face])
        if known:
            return known[face].photo
        start = face[:PREFIX_DIGITS]
        found = {one.sha256 for one in photos.find(self._cat, start)}
        found |= {one for one in self.all_sourced if one.startswith(start)}
        return min(found) if len(found) == 1 else ""

    def _stated(self, place: Place) -> str:
        """By its pseudonym, which the photo's sha256 and a key give: the catalogue's, earlier the release's seed."""
        folder = self._folder(place)
        table, seed = read_table(folder / "metadata.csv"), seed_in(folder)
        rows = table.records() if table else ()
        hidden = {row.get("photo_id", "") for row in rows if row.get("file_name") == place.name} - {
            ""
        }
        own = self._settings.seed if seed is None else seed
        names = photo_pseudonyms(self._cat, (one.sha256 for one in photos.find(self._cat, "")))
        found = (one for one, name in names.items() if hidden & {name, pseudonym(one, own)})
        return next(found, "")

    def _of_equal_crop(self, place: Place) -> str:
        path = self._folder(place) / place.name
        if not path.is_file():
            return ""
        digest = sha256_file(path)
        store_of(self._settings).fetch_folder("faces")
        same = (
            one for one in files_in(self._settings.data_dir / "faces") if sha256_file(one) == digest
        )
        found = next(same, None)
        return self.of_face(found.stem) if found else ""

    def _folder(self, place: Place) -> Path:
        return self._settings.data_dir / "releases" / place.release

    def is_shown(self, sha256: str) -> bool:
        """Whether a folder has the photo by its pseudonym, such as one that came back from a backup."""
        hidden = set(photo_pseudonyms(self._cat, [sha256]).values())
        for folder in release_folders(self._settings.data_dir):
            seed = seed_in(folder)
            own = pseudonym(sha256, self._settings.seed if seed is None else seed)
            table = read_table(folder / "metadata.csv")
            rows = table.records() if table else ()
            if any(row.get("photo_id") in {*hidden, own} for row in rows):
                return True
        return False

    @cached_property
    def _origins(self) -> list[dict[str, str]]:
        folders = release_folders(self._settings.data_dir)
        tables = [read_table(one / "sources.csv") for one in folders]
        return [row for table in tables if table for row in table.records()]

    @cached_property
    def all_sourced(self) -> set[str]:
        """Every photo that some release names."""
        return set(self._photos_in(self._origins))

    def sourced(self, column: str, value: str) -> set[str]:
        """Photos that some release says it has, by a column of its sources.csv."""
        same = identity(value)
        rows = (row for row in self._origins if identity(row.get(column, "")) == same)
        return set(self._photos_in(rows))

    def addresses_like(self, url: str) -> list[str]:
        """Addresses in some release's sources.csv that a person would take for this one."""
        stated = {row.get(name, "") for row in self._origins for name in ("url", "page_url")}
        return sorted(one for one in stated if one and alike(one) == alike(url))

    def _photos_in(self, rows: Iterable[dict[str, str]]) -> Iterator[str]:
        stated = (row.get("photo_sha256", "") for row in rows)
        return (one for one in stated if len(one) == 64 and HEX.fullmatch(one))
