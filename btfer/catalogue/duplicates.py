"""Groups of near-duplicates as they are now: a photo that dedup or a person kept, and the copies dropped for it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from btfer.catalogue import verdicts
from btfer.catalogue.rows import PhotoHashes
from btfer.catalogue.store import Catalogue, in_parts
from btfer.catalogue.tables import HAS_KEEPER, fetch, photo, query, sighting, verdict
from btfer.catalogue.verdicts import Verdict, not_undone

# The index of subjects would visit the rows in the order of their photos' names, which takes SQLite five
# times as long as reading the table as it lies; `|| ''` keeps it from that.
_OF_DEDUP = verdict.c.round.concat("") == "dedup"
_DROPPED = _OF_DEDUP & (verdict.c.decision == "drop")


class DuplicateCopy(NamedTuple):
    """A photo dropped as a copy: of which keeper (sha256), distance_bits from it (None = not known), by whom, when.

    at: ISO time in UTC.
    """

    photo: str
    keeper: str
    distance_bits: int | None
    reviewer: str
    at: str


class GroupSighting(NamedTuple):
    """Where a photo of a group was found. at: ISO time in UTC. phrase, expression: of the query that found it."""

    photo: str
    source: str
    page_url: str
    title: str
    licence: str
    licence_url: str
    author: str
    at: str
    phrase: str
    expression: str


@dataclass(frozen=True)
class DuplicateFacts:
    """What a person is shown of a photo, and what decides whether it stays.

    at: when it was first fetched, ISO time in UTC. decided_by, keeper, verdict_id: of dedup's current verdict ('' and
    0 = none). judgement, reason, vote_id: of the current verdict of round `photos` (None = not judged). sightings:
    oldest first.
    """

    sha256: str
    format: str
    width_px: int
    height_px: int
    n_bytes: int
    at: str
    phash: int
    mirror_phash: int
    decided_by: str
    keeper: str
    verdict_id: int
    judgement: str
    reason: str
    vote_id: int | None
    sightings: tuple[GroupSighting, ...]


def copies(cat: Catalogue) -> list[DuplicateCopy]:
    """Every photo that is dropped as a copy."""
    with cat.read() as connection:
        return _copies(connection, _dropped_copies())


def copies_of(cat: Catalogue, keeper: str) -> list[DuplicateCopy]:
    """The photos that are dropped as copies of one, oldest verdict first."""
    of_keeper = _dropped_copies().where(verdict.c.keeper == keeper, HAS_KEEPER)
    with cat.read() as connection:
        return _copies(connection, of_keeper.order_by(verdict.c.id))


def copies_of_dropped(cat: Catalogue) -> set[str]:
    """Copies whose keeper is dropped itself, and by no person: what dedup is to look at again.

    It happens where a person undoes their choice of a keeper after new copies of it have come.
    """
    rows = copies(cat)
    dropped = {row.photo for row in rows}
    return {row.photo for row in rows if row.keeper in dropped and row.reviewer == "dedup"}


def classes_searched(cat: Catalogue) -> list[tuple[str, str]]:
    """Photos that are or were of a group, each with the expression classes of the queries that found it."""
    return _found_by(cat, query.c.expression)


def sources(cat: Catalogue) -> list[tuple[str, str]]:
    """Photos that are or were of a group, each with the sources that found it."""
    return _found_by(cat, sighting.c.source)


def _found_by(cat: Catalogue, column: sa.Column[Any]) -> list[tuple[str, str]]:
    once = [sa.select(column).where(_DROPPED) for column in (verdict.c.photo, verdict.c.keeper)]
    found = sa.select(fetch.c.photo, column).distinct()
    found = found.join(sighting, sighting.c.fetch == fetch.c.id)
    found = found.join(query, query.c.id == sighting.c.query)
    found = found.where(column != "", fetch.c.photo.in_(sa.union(*once)))
    with cat.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(found)]


def facts(cat: Catalogue, photos: Iterable[str]) -> dict[str, DuplicateFacts]:
    """What a person is shown of some photos, by sha256, and what decides who stays."""
    found: dict[str, DuplicateFacts] = {}
    for part in in_parts(sorted(photos)):
        with cat.read() as connection:
            seen: dict[str, list[GroupSighting]] = defaultdict(list)
            for row in connection.execute(_sightings(part)):
                seen[row.photo].append(GroupSighting(*row))
            for row in connection.execute(_facts(part)):
                columns = (*row, tuple(seen[row.sha256]))
                found[row.sha256] = DuplicateFacts(*columns)
    return found


def _facts(photos: Collection[str]) -> sa.Select[Any]:
    dedup, people = (verdicts.current(name, photos) for name in ("dedup", "photos"))
    columns = ("sha256", "format", "width", "height", "n_bytes", "at", "phash", "mirror_phash")
    return (
        sa.select(
            *(photo.c[name] for name in columns),
            sa.func.coalesce(dedup.c.reviewer, ""),
            sa.func.coalesce(dedup.c.keeper, ""),
            sa.func.coalesce(dedup.c.id, 0),
            sa.func.coalesce(people.c.decision, ""),
            sa.func.coalesce(people.c.reason, ""),
            people.c.id,
        )
        .outerjoin(dedup, dedup.c.photo == photo.c.sha256)
        .outerjoin(people, people.c.photo == photo.c.sha256)
        .where(photo.c.sha256.in_(photos))
    )


def change(
    cat: Catalogue, keeper: str, decide: Callable[[list[PhotoHashes]], list[Verdict]]
) -> int:
    """Append what `decide` makes of a group, in the transaction that reads it; how many verdicts.

    It is given the keeper and then its copies, or [] where the photo keeps no copy now.
    """
    at = verdicts.timestamp()
    with cat.write() as connection:
        rows = [vars(one) | {"at": at} for one in decide(_group(connection, keeper))]
        if rows:
            connection.execute(sa.insert(verdict), rows)
    return len(rows)


def undo_last(cat: Catalogue, reviewer: str) -> list[str]:
    """Undo what a person changed last in a group, all that came at once; the photos that it was about."""
    own = not_undone().where(_OF_DEDUP, verdict.c.reviewer == reviewer)
    now = verdicts.timestamp()
    with cat.write() as connection:
        newest = connection.execute(own.order_by(verdict.c.id.desc()).limit(1)).one_or_none()
        if newest is None:
            return []
        batch = connection.execute(own.where(verdict.c.at == newest.at)).all()
        for row in batch:
            verdicts.undo_within(connection, row.id, reviewer, now)
    return [row.photo for row in batch]


def _dropped_copies() -> sa.Select[Any]:
    """Drops of round `dedup` that were not undone and that no later verdict of it has replaced.

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
    names = ("photo", "keeper", "distance", "reviewer", "at")
    columns = [verdict.c[name] for name in names]
    return not_undone().where(_DROPPED, ~replaced).with_only_columns(*columns)


def _copies(connection: sa.Connection, statement: sa.Select[Any]) -> list[DuplicateCopy]:
    return [DuplicateCopy(*row) for row in connection.execute(statement)]


def _group(connection: sa.Connection, keeper: str) -> list[PhotoHashes]:
    """The keeper, then its copies and the copies of those; [] = no group."""
    by_index = (verdict.c.round == "dedup") & (verdict.c.photo == keeper)
    if _copies(connection, _dropped_copies().where(by_index)):
        return []
    members, edge = [keeper], {keeper}
    while edge:
        found = {
            row.photo
            for part in in_parts(sorted(edge))
            for row in _copies(
                connection, _dropped_copies().where(verdict.c.keeper.in_(part), HAS_KEEPER)
            )
        }
        edge = found - set(members)
        members += sorted(edge)
    if len(members) == 1:
        return []
    columns = sa.select(photo.c.sha256, photo.c.phash, photo.c.mirror_phash)
    rows = [
        PhotoHashes(*row)
        for part in in_parts(sorted(members))
        for row in connection.execute(columns.where(photo.c.sha256.in_(part)))
    ]
    return sorted(rows, key=lambda row: (row.sha256 != keeper, row.sha256))


def _sightings(photos: Collection[str]) -> sa.Select[Any]:
    columns = ("source", "page_url", "title", "licence", "licence_url", "author", "at")
    shown = (*(sighting.c[name] for name in columns), query.c.phrase, query.c.expression)
    seen = sa.select(fetch.c.photo, *shown).join(sighting, sighting.c.fetch == fetch.c.id)
    seen = seen.join(query, query.c.id == sighting.c.query)
    return seen.where(fetch.c.photo.in_(photos)).order_by(sighting.c.id)
