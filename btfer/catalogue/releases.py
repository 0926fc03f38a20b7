"""Releases: which faces were frozen, under which name and settings."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from btfer.catalogue.rows import RecordedRelease, ReleasedFace
from btfer.catalogue.store import Catalogue, in_parts, insert_new, now
from btfer.catalogue.tables import fetch, release, release_face, verdict, withdrawal


def add(
    cat: Catalogue,
    name: str,
    digest: str,
    settings: Mapping[str, Any],
    chosen: Iterable[ReleasedFace],
) -> None:
    """Record a release whose folder is complete; doing it again changes nothing."""
    with cat.write() as connection:
        row = {
            "name": name,
            "digest": digest,
            "settings": dict(settings),
            "at": now("microseconds"),
        }
        insert_new(connection, release, [row])
        rows = [one._asdict() | {"release": name} for one in chosen]
        insert_new(connection, release_face, rows)


def newest(cat: Catalogue) -> RecordedRelease | None:
    """The release made last, if there is one."""
    last = sa.select(release).order_by(release.c.at.desc(), release.c.name).limit(1)
    return next(iter(cat.read_as(RecordedRelease, last)), None)


def every(cat: Catalogue) -> list[RecordedRelease]:
    """All releases, the one made last first."""
    return cat.read_as(
        RecordedRelease, sa.select(release).order_by(release.c.at.desc(), release.c.name)
    )


def date_of_content(cat: Catalogue) -> str:
    """The day of the last fetch, verdict or withdrawal, 2026-11-28: the same for the same catalogue; '' = empty."""
    days = (
        sa.select(sa.func.max(table.c.at).label("at")) for table in (fetch, verdict, withdrawal)
    )
    found = [row["at"] for one in days for row in cat.rows(one)]
    return max((at or "" for at in found), default="")[:10]


def with_settings(cat: Catalogue, settings: Mapping[str, Any]) -> list[str]:
    """The names of the releases that were made with these settings, the newest first.

    What was counted in training sets is left aside: it changes with the photos that are here.
    """
    rows = cat.rows(sa.select(release).order_by(release.c.at.desc(), release.c.name))
    wanted = _comparable(settings)
    return [row["name"] for row in rows if _comparable(row["settings"]) == wanted]


def _comparable(settings: Mapping[str, Any]) -> str:
    chosen = {name: value for name, value in settings.items() if name != "excluded_leaks"}
    return json.dumps(chosen, sort_keys=True)


def names(cat: Catalogue) -> list[str]:
    """The name of every release, the oldest first."""
    return [row["name"] for row in cat.rows(sa.select(release.c.name).order_by(release.c.at))]


def named(cat: Catalogue, name: str) -> bool:
    """Whether there is a release of that name."""
    return bool(cat.rows(sa.select(release.c.name).where(release.c.name == name)))


def with_face(cat: Catalogue, face: str) -> list[tuple[str, str]]:
    """The name of each release that holds a face, and the face's file in it; the oldest first."""
    found = (
        sa.select(release_face.c.release, release_face.c.file)
        .join(release, release.c.name == release_face.c.release)
        .where(release_face.c.face == face)
        .order_by(release.c.at)
    )
    return [(row["release"], row["file"]) for row in cat.rows(found)]


def holding(cat: Catalogue, faces: Iterable[str]) -> list[str]:
    """The names of releases that hold any of these faces."""
    found: set[str] = set()
    for part in in_parts(sorted(faces)):
        holding_one = release_face.c.face.in_(part)
        rows = cat.rows(sa.select(release_face.c.release).where(holding_one))
        found |= {row["release"] for row in rows}
    return sorted(found)


def faces_of(cat: Catalogue, photos: Iterable[str]) -> set[str]:
    """Faces of some photos (sha256) that a release holds: a rebuilt one holds faces that no crop stage found here."""
    found: set[str] = set()
    for sha256 in photos:
        of_photo = release_face.c.face.startswith(sha256[:24])  # with which its id begins
        found |= {row["face"] for row in cat.rows(sa.select(release_face.c.face).where(of_photo))}
    return found


def faces_in(cat: Catalogue, name: str) -> list[ReleasedFace]:
    """The faces of a release."""
    columns = (release_face.c[field] for field in ReleasedFace._fields)
    return cat.read_as(ReleasedFace, sa.select(*columns).where(release_face.c.release == name))
