"""Near-duplicate groups as they stand: a photo that dedup or a person kept, and the copies dropped for it."""

from collections.abc import Callable, Collection, Iterable

import sqlalchemy as sa

from btfer.catalogue import verdicts
from btfer.catalogue.store import Catalogue, Row, in_parts
from btfer.catalogue.tables import fetch, photo, query, sighting, verdict
from btfer.catalogue.verdicts import Verdict, standing

# The index of subjects would visit the rows in the order of their photos' names, which takes SQLite five
# times as long as reading the table as it lies; `|| ''` keeps it from that.
_OF_DEDUP = verdict.c.round.concat("") == "dedup"
_DROPPED = _OF_DEDUP & (verdict.c.decision == "drop")


def copies(cat: Catalogue) -> list[Row]:
    """Every photo that is dropped as a copy: photo, keeper, distance in bits, reviewer."""
    with cat.read() as connection:
        return _copies(connection, _held_copies())


def astray(cat: Catalogue) -> set[str]:
    """Copies whose keeper is dropped itself, and by no person: what dedup is to look at again.

    It happens where a person takes back their choice of a keeper after new copies of it have come.
    """
    rows = copies(cat)
    dropped = {row["photo"] for row in rows}
    return {row["photo"] for row in rows if row["keeper"] in dropped and row["reviewer"] == "dedup"}


def found_under(cat: Catalogue) -> list[tuple[str, str]]:
    """Photos that are or were of a group, each with the expressions of the queries that found it."""
    once = [sa.select(column).where(_DROPPED) for column in (verdict.c.photo, verdict.c.keeper)]
    found = sa.select(fetch.c.photo, query.c.expression).distinct()
    found = found.join(sighting, sighting.c.fetch == fetch.c.id)
    found = found.join(query, query.c.id == sighting.c.query)
    found = found.where(query.c.expression != "", fetch.c.photo.in_(sa.union(*once)))
    with cat.read() as connection:
        return [(row.photo, row.expression) for row in connection.execute(found)]


def facts(cat: Catalogue, photos: Iterable[str]) -> dict[str, Row]:
    """What a person is shown of some photos, by sha256, and what decides who stays.

    The photo's columns; decision, by and keeper of dedup's standing verdict ('' where there is none) and
    its id (`verdict`); judgement and reason of round `photos`, and its id (`vote`; None = not judged);
    sightings, oldest first.
    """
    found: dict[str, Row] = {}
    for part in in_parts(sorted(photos)):
        dedup, people = (verdicts.current(name, part) for name in ("dedup", "photos"))
        rows = cat.rows(
            sa.select(
                photo,
                sa.func.coalesce(dedup.c.decision, "").label("decision"),
                sa.func.coalesce(dedup.c.reviewer, "").label("by"),
                sa.func.coalesce(dedup.c.keeper, "").label("keeper"),
                sa.func.coalesce(dedup.c.id, 0).label("verdict"),
                sa.func.coalesce(people.c.decision, "").label("judgement"),
                sa.func.coalesce(people.c.reason, "").label("reason"),
                people.c.id.label("vote"),
            )
            .outerjoin(dedup, dedup.c.photo == photo.c.sha256)
            .outerjoin(people, people.c.photo == photo.c.sha256)
            .where(photo.c.sha256.in_(part))
        )
        found |= {row["sha256"]: row | {"sightings": []} for row in rows}
        for seen in cat.rows(_sightings(part)):
            found[seen["photo"]]["sightings"].append(seen)
    return found


def change(cat: Catalogue, keeper: str, decide: Callable[[list[Row]], list[Verdict]]) -> int:
    """Append what `decide` makes of a group, in the transaction that reads it; how many verdicts.

    It is given the keeper and then its copies (sha256, phash, mirror_phash), or [] where the photo
    keeps no copy now.
    """
    at = verdicts.stamp()
    with cat.write() as connection:
        rows = [vars(one) | {"at": at} for one in decide(_group(connection, keeper))]
        if rows:
            connection.execute(sa.insert(verdict), rows)
    return len(rows)


def undo_last(cat: Catalogue, reviewer: str) -> list[str]:
    """Take back what a person said last of a group, all that came at once; the photos that it was about."""
    own = standing().where(_OF_DEDUP, verdict.c.reviewer == reviewer)
    now = verdicts.stamp()
    with cat.write() as connection:
        newest = connection.execute(own.order_by(verdict.c.id.desc()).limit(1)).one_or_none()
        if newest is None:
            return []
        batch = connection.execute(own.where(verdict.c.at == newest.at)).all()
        for row in batch:
            verdicts.undo_within(connection, row.id, reviewer, now)
    return [row.photo for row in batch]


def _held_copies() -> sa.Select:
    """Standing drops of round `dedup` that no later verdict of it has replaced.

    As `verdicts.current`, but only of the photos that were ever dropped, which are far fewer.
    """
    later, undo = verdict.alias("later"), verdict.alias("undo_of_later")
    undone = sa.exists().where(undo.c.undoes == later.c.id)
    replaced = sa.exists().where(
        later.c.round == "dedup",
        later.c.photo == verdict.c.photo,
        later.c.id > verdict.c.id,
        later.c.decision != "undo",
        ~undone,
    )
    columns = (verdict.c.photo, verdict.c.keeper, verdict.c.distance, verdict.c.reviewer)
    return standing().where(_DROPPED, ~replaced).with_only_columns(*columns)


def _copies(connection: sa.Connection, statement: sa.Select) -> list[Row]:
    return [dict(row._mapping) for row in connection.execute(statement)]


def _group(connection: sa.Connection, keeper: str) -> list[Row]:
    """The keeper, then its copies and the copies of those: sha256, phash, mirror_phash. [] = no group."""
    by_index = (verdict.c.round == "dedup") & (verdict.c.photo == keeper)
    if _copies(connection, _held_copies().where(by_index)):
        return []
    members, edge = [keeper], {keeper}
    while edge:
        found = {
            row["photo"]
            for part in in_parts(sorted(edge))
            for row in _copies(connection, _held_copies().where(verdict.c.keeper.in_(part)))
        }
        edge = found - set(members)
        members += sorted(edge)
    if len(members) == 1:
        return []
    columns = sa.select(photo.c.sha256, photo.c.phash, photo.c.mirror_phash)
    rows = [
        dict(row._mapping)
        for part in in_parts(sorted(members))
        for row in connection.execute(columns.where(photo.c.sha256.in_(part)))
    ]
    return sorted(rows, key=lambda row: (row["sha256"] != keeper, row["sha256"]))


def _sightings(photos: Collection[str]) -> sa.Select:
    columns = ("source", "page_url", "title", "licence", "licence_url", "author", "at")
    shown = (*(sighting.c[name] for name in columns), query.c.phrase, query.c.expression)
    seen = sa.select(fetch.c.photo, *shown).join(sighting, sighting.c.fetch == fetch.c.id)
    seen = seen.join(query, query.c.id == sighting.c.query)
    return seen.where(fetch.c.photo.in_(photos)).order_by(sighting.c.id)
