"""Taking photos out for good: every row that names them."""

import secrets
from collections.abc import Collection

import sqlalchemy as sa

from btfer.catalogue.rows import PhotoTrace
from btfer.catalogue.store import Catalogue, in_parts
from btfer.catalogue.tables import (
    comparison,
    face,
    face_hash,
    fetch,
    gold_answer,
    lease,
    pair_verdict,
    photo,
    photo_hash,
    release,
    release_face,
    sighting,
    stage_mark,
    verdict,
)

ERASED = "erase"
"""The stage whose mark, a new one each time, says that rows went or changed."""
SHOWN_DIGITS = 16
"""Of a photo's sha256, as the review app shows it."""


def traces(cat: Catalogue, photos: Collection[str]) -> list[PhotoTrace]:
    """Where the photos came from, of every sighting."""
    columns = (fetch.c.photo, fetch.c.url, fetch.c.final_url, sighting.c.page_url, sighting.c.title)
    joined = sa.select(*columns).outerjoin(sighting, sighting.c.fetch == fetch.c.id)
    return [
        one
        for part in in_parts(sorted(photos))
        for one in cat.read_as(PhotoTrace, joined.where(fetch.c.photo.in_(part)))
    ]


def erase(cat: Catalogue, photos: Collection[str], faces: Collection[str] = ()) -> None:
    """Delete every row about the photos and about these faces of releases, in one transaction.

    Copies that dedup dropped for one of them are judged anew: their keeper is no more. On SQLite the freed
    bytes are overwritten with zeros.
    """
    with cat.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        tell_changed_rows(connection)
        for part in in_parts(sorted(faces)):
            connection.execute(sa.delete(release_face).where(release_face.c.face.in_(part)))
            connection.execute(sa.delete(lease).where(lease.c.subject.in_(part)))
        _clear_notes_that_name(connection, photos)
        for part in in_parts(sorted(photos), 100):
            _erase_some(connection, part)


def tell_changed_rows(connection: sa.Connection) -> None:
    """Let `versions.version` tell that rows are gone, or are not what they were, from the moment on at which it is so.

    Where stages left off is forgotten: the numbers of rows that are gone come again.
    """
    mark = {"stage": ERASED, "settings": secrets.token_hex(8), "version": [], "found": {}}
    connection.execute(sa.delete(stage_mark))
    connection.execute(sa.insert(stage_mark).values(mark))


def _clear_notes_that_name(connection: sa.Connection, photos: Collection[str]) -> None:
    """What people wrote beside other pictures goes where it names one of these: by its hash, or by an address."""
    tables = (verdict, gold_answer)
    noted = {
        table: connection.execute(
            sa.select(table.c.id, table.c.note).where(table.c.note != "")
        ).all()
        for table in tables
    }
    if not any(noted.values()):
        return
    names = _names_of(connection, photos)
    for table, rows in noted.items():
        named = [
            id_ for id_, note in rows if any(name in note.lower() or name in note for name in names)
        ]
        for some in in_parts(named):
            connection.execute(sa.update(table).where(table.c.id.in_(some)).values(note=""))


def _names_of(connection: sa.Connection, photos: Collection[str]) -> set[str]:
    """How a note may name the photos: by the digits that the app shows, or by an address."""
    names = {sha256[:SHOWN_DIGITS] for sha256 in photos}
    columns = (fetch.c.url, fetch.c.final_url, sighting.c.page_url)
    joined = sa.select(*columns).outerjoin(sighting, sighting.c.fetch == fetch.c.id)
    for part in in_parts(sorted(photos)):
        for row in connection.execute(joined.where(fetch.c.photo.in_(part))):
            names |= {one for one in row if one}
    return names


def _erase_some(connection: sa.Connection, photos: Collection[str]) -> None:
    faces = sa.select(face.c.id).where(face.c.photo.in_(photos))
    fetches = sa.select(fetch.c.id).where(fetch.c.photo.in_(photos))
    rows = verdict.c.photo.in_(photos) | verdict.c.keeper.in_(photos)
    undone = sa.select(verdict.c.id).where(rows)
    released = [release_face.c.face.startswith(sha256[:24]) for sha256 in photos]
    for statement in (
        sa.delete(release_face).where(sa.or_(release_face.c.face.in_(faces), *released)),
        sa.delete(lease).where(lease.c.subject.in_(photos) | lease.c.subject.in_(faces)),
        sa.delete(verdict).where(verdict.c.undoes.in_(undone)),
        sa.delete(verdict).where(rows),
        sa.delete(gold_answer).where(gold_answer.c.photo.in_(photos)),
        sa.delete(pair_verdict).where(
            pair_verdict.c.one.in_(photos) | pair_verdict.c.other.in_(photos)
        ),
        *(
            sa.delete(comparison).where(name.in_(photos) | name.in_(faces))
            for name in (comparison.c.one, comparison.c.other)
        ),
        sa.delete(photo_hash).where(photo_hash.c.photo.in_(photos)),
        sa.delete(face_hash).where(face_hash.c.face.in_(faces)),
        sa.delete(face).where(face.c.photo.in_(photos)),
        sa.delete(sighting).where(sighting.c.fetch.in_(fetches)),
        sa.delete(fetch).where(fetch.c.photo.in_(photos)),
        sa.delete(photo).where(photo.c.sha256.in_(photos)),
    ):
        connection.execute(statement)


def remove_release(cat: Catalogue, name: str) -> None:
    """Delete the record of a release that is no more."""
    with cat.write() as connection:
        connection.execute(sa.delete(release_face).where(release_face.c.release == name))
        connection.execute(sa.delete(release).where(release.c.name == name))
