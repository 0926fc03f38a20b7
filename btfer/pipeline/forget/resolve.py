"""What a request names: photos by address, hash, face or image of a release. Read once, before anything goes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from btfer.catalogue import Catalogue, erasures, faces, photos
from btfer.errors import UsageError
from btfer.files import sha256_file
from btfer.paths import releases_dir
from btfer.pipeline.forget.folders import read_table, release_folders
from btfer.pipeline.forget.owners import Owners
from btfer.pipeline.forget.places import (
    HEX,
    IMAGE,
    TOKEN,
    Place,
    all_places,
    digests_in,
    release_part,
    tokens_on_page,
    tombstones_in,
)
from btfer.pipeline.photo_names import LEAST_DIGITS, PSEUDONYM_DIGITS, photos_named
from btfer.pipeline.release_versions import image_tokens
from btfer.settings import Settings

_SHOWN = 5
_URL = re.compile(r"(https?|file)://\S+", re.IGNORECASE)
_FACE = re.compile(r"[0-9a-f]{8,}-[0-9a-f-]+")


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

    def add(self, other: "Resolved") -> None:
        """Take in what another one names."""
        self.photos |= other.photos
        self.images |= other.images
        self.things |= other.things


class ForgottenBefore(UsageError):
    """What is named was forgotten before, under this name or another. date: when, '' = not known."""

    def __init__(self, thing: str, date: str = "") -> None:
        super().__init__(f"'{thing}' was forgotten before: leave it out")
        self.date = date


class Resolver:
    """Finds the photos that are named; reads releases once, for all that is asked."""

    def __init__(self, cat: Catalogue, settings: Settings) -> None:
        self._cat = cat
        self._settings = settings
        self._found = Resolved()
        self._owners = Owners(cat, settings)
        self._digests_of: dict[Path, dict[str, str]] = {}

    def find(self, thing: str) -> Resolved:
        """What one thing names. Raises UsageError where it is nothing, or more than one, with what it may mean."""
        self._found = Resolved()
        self._one(thing.strip())
        return self._found

    def _one(self, thing: str) -> None:
        lower = thing.lower()
        if _URL.fullmatch(thing):
            self._found.things.add(thing)
            self._found.photos |= photos.shown_at(self._cat, [thing]) | self._owners.sourced(
                "url", thing
            )
            self._found.photos |= self._owners.sourced("page_url", thing)
            if not self._found.photos and (here := self._alike(thing)):
                raise _no_such_address(thing, here)
        elif TOKEN.fullmatch(thing.upper()) and (shown := self._with_token(thing.upper())):
            self._take(shown)
        elif HEX.fullmatch(lower) and len(lower) == 64:
            self._digest(lower)
        elif HEX.fullmatch(lower):
            self._start(lower)
        elif _FACE.fullmatch(lower.removesuffix(".png")):
            self._face(lower.removesuffix(".png"))
        elif IMAGE.fullmatch(thing):
            self._image(thing)
        elif TOKEN.fullmatch(thing.upper()):
            raise self._no_token(thing.upper())
        else:
            raise UsageError(f"'{thing}' names no photo or face: {_ways()}")

    def _alike(self, url: str) -> list[str]:
        return photos.addresses_like(self._cat, url) or self._owners.addresses_like(url)

    def _with_token(self, token: str) -> Place | None:
        """The image that an opt-out page shows with this token."""
        for folder in release_folders(self._settings.data_dir):
            tokens = image_tokens(self._cat, self._digests(folder))
            for name, its in (*tokens.items(), *tokens_on_page(folder).items()):
                if its == token and (shown := self._place(folder.name, name)):
                    return shown
        return None

    def _digests(self, folder: Path) -> dict[str, str]:
        if folder not in self._digests_of:
            self._digests_of[folder] = digests_in(folder)
        return self._digests_of[folder]

    def _place(self, release: str, name: str) -> Place | None:
        found = (one for one in self._places if (one.release, one.name) == (release, name))
        return next(found, None)

    def _no_token(self, token: str) -> UsageError:
        for folder in release_folders(self._settings.data_dir):
            for row in tombstones_in(folder):
                if row.get("token") == token:
                    return ForgottenBefore(token, row.get("date", ""))
        return UsageError(
            f"'{token}' is the token of no image: no release here shows it on its opt-out page; {_ways()}"
        )

    def _digest(self, sha256: str) -> None:
        """Of a photo, or of an image that a release has."""
        images = self._owners.sourced("image_sha256", sha256)
        if not images:
            self._found.things.add(sha256)
        for folder in [] if images else release_folders(self._settings.data_dir):
            for name, digest in self._digests(folder).items():
                if digest == sha256 and (shown := self._place(folder.name, name)):
                    self._take(shown)
        self._found.photos |= images
        known = sha256 in photos.known(self._cat, [sha256])
        if known or self._owners.sourced("photo_sha256", sha256) or self._owners.is_shown(sha256):
            self._found.photos.add(sha256)

    def _start(self, digits: str) -> None:
        if len(digits) < LEAST_DIGITS:
            raise UsageError(f"'{digits}' has {len(digits)} digits: give {LEAST_DIGITS} or more")
        found = photos_named(self._cat, digits)
        found |= {one for one in self._owners.all_sourced if one.startswith(digits)}
        if not found and len(digits) == PSEUDONYM_DIGITS:
            self._pseudonym(digits)
            return
        self._found.photos.add(_only(digits, found))

    def _pseudonym(self, photo_id: str) -> None:
        """Of a release that was made elsewhere, or by an earlier btfer: its own tables say whose it is."""
        names = [
            (folder.name, row.get("file_name", ""))
            for folder in release_folders(self._settings.data_dir)
            if (table := read_table(folder / "metadata.csv"))
            for row in table.records()
            if row.get("photo_id") == photo_id
        ]
        shown = [place for name in names if (place := self._place(*name))]
        if not shown:
            _only(photo_id, [])
        for place in shown:
            self._take(place)

    def _face(self, id_: str) -> None:
        found = {one.id: one.photo for one in faces.find(self._cat, id_)}
        if found:
            self._found.photos.add(found[_only(id_, found)])
            return
        known = {one.face for one in self._places if one.face.startswith(id_)}
        _only(id_, known)
        self._found.photos.add(self._owners.of_face(min(known)) or _unknown(id_))

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

    def _meant(self, thing: str) -> list[Place]:
        """The images of that name, in the release that is named, or in all."""
        part, file = release_part(thing), thing.split("/")[-1]
        found = [one for one in self._places if one.name.split("/")[-1] == file]
        if not part:
            return found
        here = [one for one in found if self._is_named(one.release, part)]
        return here or self._in_a_later_version(found, part, file)

    def _in_a_later_version(self, found: Sequence[Place], part: str, file: str) -> list[Place]:
        """Of a release that an erasure replaced: its image keeps its name until it is forgotten itself."""
        after = erasures.successors(self._cat)
        for name in [one for one in after if self._is_named(one, part)]:
            while name in after:
                if erasures.has_lost(self._cat, f"{name}/{file}"):
                    raise ForgottenBefore(
                        f"{name}/{file}", erasures.lost_at(self._cat, f"{name}/{file}")
                    )
                name = after[name]
            return [one for one in found if one.release == name]
        return []

    def _is_named(self, release: str, part: str) -> bool:
        """By its name or by its digest, of which 8 digits are enough."""
        part = part.lower() if HEX.fullmatch(part.lower()) else part
        own = release.rpartition("-")[2]
        is_digest = bool(HEX.fullmatch(part)) and len(part) >= LEAST_DIGITS
        return release == part or (is_digest and (part.startswith(own) or own.startswith(part)))

    def _take(self, place: Place) -> None:
        photo = self._owners.of_place(place)
        if photo:
            self._found.photos.add(photo)
            return
        path = releases_dir(self._settings.data_dir) / place.release / place.name
        if not path.is_file():
            _unknown(f"{place.release}/{place.name}")
        self._found.images.add(sha256_file(path))

    @cached_property
    def _places(self) -> list[Place]:
        return all_places(self._cat, self._settings.data_dir)


def _no_such_address(thing: str, here: Sequence[str]) -> UsageError:
    """Said in place of "nothing of it is here", which would be believed."""
    return UsageError(
        f"nothing here is from '{thing}', but from {', '.join(here[:_SHOWN])}: give it as it stands here. "
        "To refuse yours from now on: btfer withdraw"
    )


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
        "give a URL, a photo's sha256 (8 digits or more) or photo_id, a face id, "
        "an image as RELEASE/happy-003.png, or its token on the opt-out page"
    )
