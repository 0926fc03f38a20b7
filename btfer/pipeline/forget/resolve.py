"""What a request names: photos by address, hash, face or image of a release. Read once, before anything goes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from btfer.catalogue import Catalogue, erasures, faces, photos, releases
from btfer.errors import UsageError
from btfer.files import sha256_file
from btfer.pipeline.forget.entry import PREFIX_DIGITS
from btfer.pipeline.forget.folders import files_in, read_table, release_folders, seed_in
from btfer.pipeline.release_images import photo_pseudonyms, pseudonym
from btfer.pipeline.release_metadata import SPLIT
from btfer.settings import Settings

LEAST_DIGITS = 8
_SHOWN = 5
_URL = re.compile(r"(https?|file)://\S+")
_HEX = re.compile(r"[0-9a-f]+")
_FACE = re.compile(r"[0-9a-f]{8,}-[0-9a-f-]+")
_IMAGE = re.compile(r"\S+\.png")


@dataclass
class Resolved:
    """photos: sha256. images: sha256 of released images whose photo nothing names any more.

    things: URLs and hashes that go on the withdrawal list, whether they are here or not.
    """

    photos: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    things: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.photos or self.images)


@dataclass(frozen=True)
class _Place:
    """An image of a release: its name there (`images/sad/sad-001.png`) and its face id, where one is known."""

    release: str
    name: str
    face: str


class ForgottenBefore(UsageError):
    """What is named was forgotten before, under this name or another."""


def is_bare_name(thing: str) -> bool:
    """Whether it names an image of whatever release has one of that name: another one tomorrow, perhaps."""
    return bool(_IMAGE.fullmatch(thing)) and "://" not in thing and not _release_part(thing)


def plain_name(thing: str) -> str:
    """One spelling for one request: `./sad/sad-001.png` is `sad-001.png`; digits are in small letters."""
    thing = thing.strip()
    if not _IMAGE.fullmatch(thing) or "://" in thing:
        return thing.lower() if _HEX.fullmatch(thing.lower()) else thing
    part, file = _release_part(thing), thing.split("/")[-1]
    return f"{part}/{file}" if part else file


def resolve(cat: Catalogue, settings: Settings, asked: Sequence[str]) -> Resolved:
    """The photos that are named. Raises UsageError for what names none, or more than one, with what it may mean."""
    return _Resolver(cat, settings).all(asked)


class _Resolver:
    def __init__(self, cat: Catalogue, settings: Settings) -> None:
        self._cat = cat
        self._settings = settings
        self._found = Resolved()

    def all(self, asked: Sequence[str]) -> Resolved:
        for thing in asked:
            self._one(thing.strip())
        return self._found

    def _one(self, thing: str) -> None:
        lower = thing.lower()
        if _URL.fullmatch(thing):
            self._found.things.add(thing)
            self._found.photos |= photos.shown_at(self._cat, [thing]) | self._sourced("url", thing)
            self._found.photos |= self._sourced("page_url", thing)
        elif _HEX.fullmatch(lower) and len(lower) == 64:
            self._digest(lower)
        elif _HEX.fullmatch(lower):
            self._start(lower)
        elif _FACE.fullmatch(lower.removesuffix(".png")):
            self._face(lower.removesuffix(".png"))
        elif _IMAGE.fullmatch(thing):
            self._image(thing)
        else:
            raise UsageError(f"'{thing}' names no photo or face: {_ways()}")

    def _digest(self, sha256: str) -> None:
        """Of a photo, or of an image that a release has."""
        images = self._sourced("image_sha256", sha256)
        if not images:
            self._found.things.add(sha256)
        self._found.photos |= images
        known = sha256 in photos.known(self._cat, [sha256])
        if known or self._sourced("photo_sha256", sha256) or self._is_shown(sha256):
            self._found.photos.add(sha256)

    def _is_shown(self, sha256: str) -> bool:
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

    def _start(self, digits: str) -> None:
        if len(digits) < LEAST_DIGITS:
            raise UsageError(f"'{digits}' has {len(digits)} digits: give {LEAST_DIGITS} or more")
        found = {one.sha256 for one in photos.find(self._cat, digits)}
        found |= {one for one in self._all_sourced if one.startswith(digits)}
        self._found.photos.add(_only(digits, found))

    def _face(self, id_: str) -> None:
        found = {one.id: one.photo for one in faces.find(self._cat, id_)}
        if found:
            self._found.photos.add(found[_only(id_, found)])
            return
        known = {one.face for one in self._places if one.face.startswith(id_)}
        _only(id_, known)
        self._found.photos.add(self._photo_of(min(known)) or _unknown(id_))

    def _image(self, thing: str) -> None:
        places = self._meant(thing)
        names = sorted({one.release for one in places})
        if not places:
            raise UsageError(f"'{thing}' names no photo or face: no release has it. {_ways()}")
        if len(names) > 1:
            examples = ", ".join(f"{name}/{thing.split('/')[-1]}" for name in names[:_SHOWN])
            raise UsageError(
                f"'{thing}' is an image of {len(names)} releases: name one, such as {examples}"
            )
        [place, *others] = places
        if others:
            raise UsageError(f"'{thing}' names {len(places)} images of {place.release}")
        self._take(place)

    def _meant(self, thing: str) -> list[_Place]:
        """The images of that name, in the release that is named, or in all."""
        part, file = _release_part(thing), thing.split("/")[-1]
        found = [one for one in self._places if one.name.split("/")[-1] == file]
        if not part:
            return found
        here = [one for one in found if self._is_named(one.release, part)]
        return here or self._in_a_later_version(found, part, file)

    def _in_a_later_version(self, found: Sequence[_Place], part: str, file: str) -> list[_Place]:
        """Of a release that an erasure replaced: its image keeps its name until it is forgotten itself."""
        after = erasures.successors(self._cat)
        for name in [one for one in after if self._is_named(one, part)]:
            while name in after:
                if erasures.has_lost(self._cat, f"{name}/{file}"):
                    raise ForgottenBefore(f"{name}/{file} was forgotten before: leave it out")
                name = after[name]
            return [one for one in found if one.release == name]
        return []

    def _is_named(self, release: str, part: str) -> bool:
        """By its name or by its digest, of which 8 digits are enough."""
        part = part.lower() if _HEX.fullmatch(part.lower()) else part
        own = release.rpartition("-")[2]
        is_digest = bool(_HEX.fullmatch(part)) and len(part) >= LEAST_DIGITS
        return release == part or (is_digest and (part.startswith(own) or own.startswith(part)))

    def _take(self, place: _Place) -> None:
        photo = self._photo_of(place.face) or self._stated(place) or self._of_equal_crop(place)
        if photo:
            self._found.photos.add(photo)
            return
        path = self._folder(place) / place.name
        if not path.is_file():
            _unknown(f"{place.release}/{place.name}")
        self._found.images.add(sha256_file(path))

    def _photo_of(self, face: str) -> str:
        if not face:
            return ""
        known = faces.by_id(self._cat, [face])
        if known:
            return known[face].photo
        start = face[:PREFIX_DIGITS]
        found = {one.sha256 for one in photos.find(self._cat, start)}
        found |= {one for one in self._all_sourced if one.startswith(start)}
        return min(found) if len(found) == 1 else ""

    def _stated(self, place: _Place) -> str:
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

    def _of_equal_crop(self, place: _Place) -> str:
        path = self._folder(place) / place.name
        if not path.is_file():
            return ""
        digest = sha256_file(path)
        same = (
            one for one in files_in(self._settings.data_dir / "faces") if sha256_file(one) == digest
        )
        found = next(same, None)
        return self._photo_of(found.stem) if found else ""

    def _folder(self, place: _Place) -> Path:
        return self._settings.data_dir / "releases" / place.release

    @cached_property
    def _places(self) -> list[_Place]:
        """Every image of every release, whether the catalogue or only a folder knows it."""
        found: dict[tuple[str, str], str] = {}
        for folder in release_folders(self._settings.data_dir):
            for name, face in _names_in(folder):
                key = folder.name, name
                found[key] = found.get(key) or face
        for release in releases.names(self._cat):
            for one in releases.faces_in(self._cat, release):
                found[release, f"images/{one.file}"] = one.face
        return [_Place(*key, face) for key, face in sorted(found.items())]

    @cached_property
    def _origins(self) -> list[dict[str, str]]:
        folders = release_folders(self._settings.data_dir)
        tables = [read_table(one / "sources.csv") for one in folders]
        return [row for table in tables if table for row in table.records()]

    @cached_property
    def _all_sourced(self) -> set[str]:
        return set(self._photos_in(self._origins))

    def _sourced(self, column: str, value: str) -> set[str]:
        """Photos that some release says it has, by a column of its sources.csv."""
        return set(self._photos_in(row for row in self._origins if row.get(column) == value))

    def _photos_in(self, rows: Iterable[dict[str, str]]) -> Iterator[str]:
        stated = (row.get("photo_sha256", "") for row in rows)
        return (one for one in stated if len(one) == 64 and _HEX.fullmatch(one))


def _names_in(folder: Path) -> Iterator[tuple[str, str]]:
    """The names of a folder's images, and their faces where it states them."""
    for path in files_in(folder / "images"):
        yield path.relative_to(folder).as_posix(), ""
    for name in ("metadata.csv", "sources.csv"):
        table = read_table(folder / name)
        for row in table.records() if table else ():
            if row.get("file_name", "").endswith(".png"):
                yield row["file_name"], row.get("face", "")


def _release_part(thing: str) -> str:
    """The part of `NAME/images/test/sad/sad-001.png` that names the release, '' where none does."""
    parts = [one for one in thing.split("/")[:-1] if one not in ("", ".", "images", SPLIT)]
    label = thing.split("/")[-1].rpartition("-")[0]
    named = [one for one in parts if one != label]
    return named[-1] if named else ""


def _only(thing: str, found: Iterable[str]) -> str:
    every = sorted(found)
    if not every:
        raise UsageError(f"'{thing}' names no photo or face: {_ways()}")
    if len(every) > 1:
        shown = ", ".join(every[:_SHOWN])
        raise UsageError(
            f"'{thing}' names {len(every)} photos or faces: give more digits of one of {shown}"
        )
    return every[0]


def _unknown(thing: str) -> str:
    raise UsageError(f"nothing says any more which photo '{thing}' was cut from: name the photo")


def _ways() -> str:
    return (
        "give a URL, a photo's sha256 (8 digits or more), a face id, "
        "or an image as RELEASE/happy-003.png"
    )
