"""What dedup has computed once: hashes of views and of faces, and what comparing two pictures found.

All of it can be computed again, and is where the kind or the version is another one.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, in_parts, insert_new
from btfer.catalogue.tables import comparison, face_hash, photo_hash

Hashes = np.ndarray[Any, np.dtype[Any]]


class ViewHashes(NamedTuple):
    """Hashes of a picture's views: int64 [N, 2], of each and its mirror image; the first `wholes` show it whole."""

    hashes: Hashes
    wholes: int


class Comparison(NamedTuple):
    """Two photos by sha256, or faces by id (the smaller first), and what comparing them found.

    difference: the largest local difference; 9 = they could not be compared. same_scene: whether they are alike as a
    whole, whatever the faces say. marked: the one of them with see-through letters over the other; '' = neither.
    """

    one: str
    other: str
    same: bool
    difference: float
    same_scene: bool
    marked: str = ""


def view_hashes(cat: Catalogue, kind: str) -> dict[str, ViewHashes]:
    """The hashes of one kind that are known, by photo."""
    columns = (photo_hash.c.photo, photo_hash.c.wholes, photo_hash.c.hashes)
    with cat.read() as connection:
        rows = connection.execute(sa.select(*columns).where(photo_hash.c.kind == kind))
        return {name: ViewHashes(_unpacked(packed), wholes) for name, wholes, packed in rows}


def add_view_hashes(cat: Catalogue, kind: str, found: Mapping[str, ViewHashes]) -> None:
    """Remember hashes of one kind, by photo."""
    rows = [
        {"photo": name, "kind": kind, "wholes": one.wholes, "hashes": one.hashes.tobytes()}
        for name, one in found.items()
    ]
    with cat.write() as connection:
        insert_new(connection, photo_hash, rows)


def known(cat: Catalogue, version: str) -> list[Comparison]:
    """All comparisons of one version."""
    return cat.read_as(Comparison, _selected().where(comparison.c.version == version))


def marked_among(cat: Catalogue, photos: Collection[str]) -> set[str]:
    """Those of some photos (sha256) that have see-through letters over what a copy shows plainly."""
    found: set[str] = set()
    with cat.read() as connection:
        for part in in_parts(sorted(photos)):
            some = sa.select(comparison.c.marked).where(comparison.c.marked.in_(part))
            found |= set(connection.execute(some).scalars())
    return found


def differences(cat: Catalogue, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """The largest local difference of some pairs, in either order of names, where they have been compared."""
    asked: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for pair in pairs:
        asked.setdefault((min(pair), max(pair)), []).append(pair)
    found: dict[tuple[str, str], float] = {}
    for part in in_parts(sorted({one for one, _ in asked})):
        some = _selected().where(comparison.c.one.in_(part)).order_by(comparison.c.version)
        for row in cat.read_as(Comparison, some):
            found |= dict.fromkeys(asked.get((row.one, row.other), ()), row.difference)
    return found


def face_differences(cat: Catalogue, faces: Collection[str]) -> dict[tuple[str, str], float]:
    """The largest local difference of faces (ids) and those that are the same shot, by both in either order."""
    found: dict[tuple[str, str], float] = {}
    for part in in_parts(sorted(faces)):
        either = comparison.c.one.in_(part) | comparison.c.other.in_(part)
        for row in cat.read_as(
            Comparison, _selected().where(either).order_by(comparison.c.version)
        ):
            found[row.one, row.other] = found[row.other, row.one] = row.difference
    return found


def add(cat: Catalogue, version: str, found: Iterable[Comparison]) -> None:
    """Remember comparisons."""
    rows = [one._asdict() | {"version": version} for one in found]
    with cat.write() as connection:
        insert_new(connection, comparison, rows)


def face_hashes(cat: Catalogue, version: str) -> dict[str, Hashes]:
    """The hashes of level faces, uint64 [2] by face, of those that were compared with all before them."""
    columns = sa.select(face_hash.c.face, face_hash.c.hashes)
    with cat.read() as connection:
        rows = connection.execute(columns.where(face_hash.c.version == version))
        return {name: np.frombuffer(packed, np.uint64) for name, packed in rows}


def add_faces(
    cat: Catalogue, version: str, found: Mapping[str, Hashes], same: Iterable[Comparison]
) -> None:
    """Remember faces that were compared with all others, and those that are the same shot, at once.

    found: uint64 [2] by face, of the level face and its mirror image.
    """
    pairs = [one._asdict() | {"version": version} for one in same]
    rows = [
        {"face": name, "version": version, "hashes": hashes.tobytes()}
        for name, hashes in found.items()
    ]
    with cat.write() as connection:
        insert_new(connection, comparison, pairs)
        insert_new(connection, face_hash, rows)


def _selected() -> sa.Select[Any]:
    return sa.select(*(comparison.c[name] for name in Comparison._fields))


def _unpacked(packed: bytes) -> Hashes:
    return np.frombuffer(packed, np.int64).reshape(-1, 2)
