"""Of all sightings of one photo: which licence holds, and which sighting gives the credit."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from btfer.licences.licence import NOT_STATED, Kind, Licence
from btfer.licences.parse import parse_licence
from btfer.licences.strict import agree, conflict, strictest

_NOBODY = {
    *("", "-", "?", "n/a", "na", "nan", "none", "null", "unbekannt", "inconnu", "desconocido"),
    *("unknown", "unknown author", "author unknown", "unknown photographer", "anonymous", "admin"),
    *("not stated", "author not stated", "not specified", "various", "various authors"),
}
"""What stands in the field `author` where nobody is named."""


class Stated(NamedTuple):
    """What one sighting states of a photo; every field may be ''."""

    licence: str
    licence_url: str
    author: str = ""
    title: str = ""
    page_url: str = ""


@dataclass(frozen=True, slots=True)
class PhotoRights:
    """What the sightings of a photo's bytes state together.

    licence, licence_url: of the strictest statement, as it was stated. author, title, page_url: of the sighting
    that gives the credit. needs_credit: some statement asks for it. conflict: a sentence where statements
    contradict each other, else ''.
    """

    licence: str
    licence_url: str
    author: str
    title: str
    page_url: str
    needs_credit: bool
    conflict: str


def resolve(sightings: Sequence[Stated]) -> PhotoRights:
    """The rights in a photo. The strictest statement holds; credit comes from a sighting with author and page.

    sightings: all of the photo, oldest first, one at least. Of equal ones the first counts.
    """
    which, needs_credit, sentence = _held(
        tuple((one.licence, one.licence_url) for one in sightings)
    )
    best = max(range(len(sightings)), key=lambda n: (*_credits(sightings[n]), n == which, -n))
    credited = sightings[best]
    return PhotoRights(
        licence=sightings[which].licence,
        licence_url=sightings[which].licence_url,
        author=credited.author if author_key(credited.author) else "",
        title=credited.title,
        page_url=credited.page_url,
        needs_credit=needs_credit,
        conflict=sentence,
    )


@lru_cache(maxsize=4096)  # many photos, few licences
def _held(stated: tuple[tuple[str, str], ...]) -> tuple[int, bool, str]:
    """Which of the statements holds, whether one asks for credit, and where they contradict each other."""
    read = [parse_licence(*one) for one in stated]
    held = strictest(read)
    which = next((n for n, one in enumerate(read) if one is held), 0)
    return which, any(one.needs_credit for one in read), conflict(read)


def _credits(one: Stated) -> tuple[bool, bool, bool]:
    named, linked = bool(author_key(one.author)), bool(one.page_url)
    return named and linked, named, linked


@lru_cache(maxsize=65_536)
def author_key(author: str) -> str:
    """An author's name by which two spellings are one author; '' where nobody is named."""
    plain = unicodedata.normalize("NFKC", author).casefold()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return "" if " ".join(plain.split()).strip(" .:()[]") in _NOBODY else " ".join(words)


def licence_shown(name: str, url: str = "") -> str:
    """How a licence is called in a release: as it was stated, where that says the whole of what holds."""
    held = parse_licence(name, url)
    if held.kind is Kind.NOT_STATED:
        return NOT_STATED.name
    return name if name.strip() and _says_all(parse_licence(name), held) else held.name


def _says_all(alone: Licence, held: Licence) -> bool:
    return alone is held or (agree(alone, held) and not alone.conflict)
