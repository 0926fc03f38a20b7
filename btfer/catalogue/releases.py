"""Releases: which faces were frozen, under which name and settings."""

from collections.abc import Iterable

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, Row, insert_new, now
from btfer.catalogue.tables import release, release_face


def add(cat: Catalogue, name: str, digest: str, settings: Row, chosen: list[Row]) -> None:
    """Record a release whose folder is complete. chosen: rows of face, file, expression. Again is no change."""
    with cat.write() as connection:
        row = {"name": name, "digest": digest, "settings": settings, "at": now()}
        insert_new(connection, release, [row])
        insert_new(connection, release_face, [one | {"release": name} for one in chosen])


def newest(cat: Catalogue) -> Row | None:
    """The release made last, if there is one."""
    rows = cat.rows(sa.select(release).order_by(release.c.at.desc(), release.c.name).limit(1))
    return rows[0] if rows else None


def named(cat: Catalogue, name: str) -> bool:
    """Whether there is a release of that name."""
    return bool(cat.rows(sa.select(release.c.name).where(release.c.name == name)))


def with_face(cat: Catalogue, face: str) -> list[Row]:
    """The releases that hold a face, with its file name in each."""
    return cat.rows(
        sa.select(release_face, release.c.at)
        .join(release, release.c.name == release_face.c.release)
        .where(release_face.c.face == face)
        .order_by(release.c.at)
    )


def holding(cat: Catalogue, faces: Iterable[str]) -> list[str]:
    """The names of releases that hold any of these faces."""
    wanted = sorted(faces)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        part = release_face.c.face.in_(wanted[start : start + 500])
        found |= {row["release"] for row in cat.rows(sa.select(release_face.c.release).where(part))}
    return sorted(found)


def faces_of(cat: Catalogue, photos: Iterable[str]) -> set[str]:
    """Faces of some photos (sha256) that a release holds: a rebuilt one holds faces that no crop stage found here."""
    found: set[str] = set()
    for sha256 in photos:
        of_photo = release_face.c.face.startswith(sha256[:24])  # with which its id begins
        found |= {row["face"] for row in cat.rows(sa.select(release_face.c.face).where(of_photo))}
    return found


def faces_in(cat: Catalogue, name: str) -> list[Row]:
    """The faces of a release: face, file, expression."""
    return cat.rows(sa.select(release_face).where(release_face.c.release == name))
