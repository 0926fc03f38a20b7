"""What the sightings of photos state about licence, author and page, for many photos at once."""

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, in_parts
from btfer.catalogue.tables import fetch, sighting
from btfer.licences import PhotoRights, Stated, resolve

_MANY = 5_000  # photos: beyond, all rows are read


def statements(cat: Catalogue, ids: Collection[str] | None = None) -> dict[str, tuple[Stated, ...]]:
    """What each photo's sightings state, by sha256, oldest first; equal statements once. ids: of some photos only."""
    wanted = None if ids is None or len(ids) > _MANY else list(ids)
    parts = [_statement()] if wanted is None else _of_some(wanted)
    found = _gathered(cat, parts)
    return found if ids is None or wanted else {name: found[name] for name in ids if name in found}


def rights_of_several(cat: Catalogue) -> dict[str, PhotoRights]:
    """The rights in every photo that was seen more than once; of the others, the one sighting says it all."""
    often = (
        sa.select(fetch.c.photo)
        .join(sighting, sighting.c.fetch == fetch.c.id)
        .where(fetch.c.photo.is_not(None))
        .group_by(fetch.c.photo)
        .having(sa.func.count() > 1)
    )
    found = _gathered(cat, [_statement().where(fetch.c.photo.in_(often))])
    return {sha256: resolve(stated) for sha256, stated in found.items()}


def licence_conflicts(cat: Catalogue, ids: Collection[str] | None = None) -> set[str]:
    """Photos whose sightings contradict each other about the licence, or one of them itself. ids: only of these."""
    licences: dict[tuple[tuple[str, str], ...], bool] = {}  # many photos, few licences
    found = set()
    for sha256, key in _licences(cat, ids).items():
        if key not in licences:
            licences[key] = bool(resolve([Stated(*one) for one in key]).conflict)
        if licences[key]:
            found.add(sha256)
    return found


def _statement() -> sa.Select[Any]:
    columns = (sighting.c[name] for name in Stated._fields)
    joined = sa.select(fetch.c.photo, *columns).join(sighting, sighting.c.fetch == fetch.c.id)
    return joined.where(fetch.c.photo.is_not(None)).order_by(sighting.c.id)


def _licences(
    cat: Catalogue, ids: Collection[str] | None
) -> dict[str, tuple[tuple[str, str], ...]]:
    """The licences, with their addresses, that sightings of each photo state; equal ones once. ids: only of these."""
    columns = (sighting.c.licence, sighting.c.licence_url)
    stated = (columns[0] != "") | (columns[1] != "")
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    with cat.read() as connection:
        if ids is None:
            # Joined here: to join all in SQLite takes four times as long, and often nothing is stated at all.
            rows = connection.execute(sa.select(sighting.c.fetch, *columns).where(stated)).all()
            fetched = sa.select(fetch.c.id, fetch.c.photo).where(fetch.c.photo.is_not(None))
            photo_of: dict[str, str] = dict(map(tuple, connection.execute(fetched))) if rows else {}
            named = [(photo_of.get(str(of), ""), one, url) for of, one, url in rows]
        else:
            joined = sa.select(fetch.c.photo, *columns).join(sighting).where(stated)
            parts = (joined.where(fetch.c.photo.in_(part)) for part in in_parts(ids))
            named = [tuple(row) for part in parts for row in connection.execute(part)]
    for sha256, *one in named:
        before, pair = found.get(sha256, ()), (one[0], one[1])
        if sha256 and pair not in before:
            found[sha256] = (*before, pair)
    return found


def _of_some(ids: Collection[str]) -> Iterator[sa.Select[Any]]:
    for part in in_parts(ids):
        yield _statement().where(fetch.c.photo.in_(part))


def _gathered(
    cat: Catalogue, parts: Collection[sa.Select[Any]] | Iterator[sa.Select[Any]]
) -> dict[str, tuple[Stated, ...]]:
    found: dict[str, tuple[Stated, ...]] = {}
    with cat.read() as connection:
        for part in parts:
            for rows in connection.execute(part).partitions(5_000):
                for sha256, *values in rows:
                    one, before = Stated(*values), found.get(sha256, ())
                    if one not in before:
                        found[sha256] = (*before, one)
    return found
