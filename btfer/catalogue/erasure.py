"""Taking photos out for good: every row that names them, and the pages of the database file that held those rows."""

from collections.abc import Collection

import sqlalchemy as sa

from btfer.catalogue.rows import PhotoTrace
from btfer.catalogue.store import Catalogue
from btfer.catalogue.tables import (
    face,
    fetch,
    lease,
    pair_verdict,
    photo,
    release,
    release_face,
    sighting,
    verdict,
)


def traces(cat: Catalogue, photos: Collection[str]) -> list[PhotoTrace]:
    """Where the photos came from, of every sighting."""
    columns = (fetch.c.photo, fetch.c.url, fetch.c.final_url, sighting.c.page_url)
    joined = sa.select(*columns).outerjoin(sighting, sighting.c.fetch == fetch.c.id)
    return cat.read_as(PhotoTrace, joined.where(fetch.c.photo.in_(photos)))


def erase(cat: Catalogue, photos: Collection[str], old_releases: Collection[str] = ()) -> None:
    """Delete every row about the photos, and the records of releases that are no more; in one transaction.

    Copies that dedup dropped for one of them are judged anew: their keeper is no more.
    """
    faces = sa.select(face.c.id).where(face.c.photo.in_(photos))
    fetches = sa.select(fetch.c.id).where(fetch.c.photo.in_(photos))
    rows = verdict.c.photo.in_(photos) | verdict.c.keeper.in_(photos)
    undone = sa.select(verdict.c.id).where(rows)
    with cat.write() as connection:
        for statement in (
            sa.delete(release_face).where(
                release_face.c.face.in_(faces) | release_face.c.release.in_(old_releases)
            ),
            sa.delete(release).where(release.c.name.in_(old_releases)),
            sa.delete(lease).where(lease.c.subject.in_(photos) | lease.c.subject.in_(faces)),
            sa.delete(verdict).where(verdict.c.undoes.in_(undone)),
            sa.delete(verdict).where(rows),
            sa.delete(pair_verdict).where(
                pair_verdict.c.one.in_(photos) | pair_verdict.c.other.in_(photos)
            ),
            sa.delete(face).where(face.c.photo.in_(photos)),
            sa.delete(sighting).where(sighting.c.fetch.in_(fetches)),
            sa.delete(fetch).where(fetch.c.photo.in_(photos)),
            sa.delete(photo).where(photo.c.sha256.in_(photos)),
        ):
            connection.execute(statement)


def compact(cat: Catalogue) -> None:
    """Write the database file anew, so that what was deleted is in none of its pages.

    On PostgreSQL this is its own VACUUM's work: backups and write-ahead logs are the administrator's.
    """
    with cat.alone() as connection:
        connection.exec_driver_sql("VACUUM")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
