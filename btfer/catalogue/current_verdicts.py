"""What holds of every photo and face, read in one pass: for the funnel, and for what may be drawn.

`verdicts.current` says the same in SQL, where a few photos are asked for. Of hundreds of thousands nearly all were
judged once, so that one row is all there is to know; only the others go through `current`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from btfer.catalogue import verdicts
from btfer.catalogue.photos import UNLABELLED, from_first
from btfer.catalogue.store import Catalogue, in_parts
from btfer.catalogue.tables import face, photo, query, review_plan, sighting, verdict
from btfer.queries import Query

_MANY = 5_000
_FINAL, _UNSURE = 1, 2
ROUNDS = ("dedup", "photos", "crop", "faces")


class CurrentVerdict(NamedTuple):
    """What holds of one photo or face in one round."""

    decision: str
    reason: str
    expression: str
    reviewer: str


CurrentVerdicts = dict[str, dict[str, CurrentVerdict]]
"""By round, then by sha256 of a photo or by face id."""


_OfRound = dict[str, CurrentVerdict | None]
"""What holds of each picture in a round; None where more must be looked at."""


class FirstSighting(NamedTuple):
    """Where a photo was found first under a label, and what its query intends."""

    query: str
    page_url: str
    licence: str
    licence_url: str
    author: str


class Holding(NamedTuple):
    """What holds in every round, and by round the pictures that more than one row is about, with their photos."""

    current: CurrentVerdicts
    several: dict[str, dict[str, str]]


def current_verdicts(cat: Catalogue, crop_digest: str) -> CurrentVerdicts:
    """What holds in every round. Verdicts of the crop stage count only under these settings (their digest)."""
    return holding(cat, crop_digest).current


def holding(cat: Catalogue, crop_digest: str, photos: Iterable[str] | None = None) -> Holding:
    """As `current_verdicts`. photos: only of these (sha256) and their faces, which is quick where they are few."""
    current: dict[str, _OfRound] = {round_: {} for round_ in ROUNDS}
    several: dict[str, dict[str, str]] = {round_: {} for round_ in ROUNDS}
    same: dict[str, str] = {}  # the same names come in every round
    kinds: dict[tuple[Any, ...], tuple[_OfRound | None, CurrentVerdict | None]] = {}
    plan = sa.select(review_plan)
    with cat.read() as connection:
        asked = {row.round: row.reviewers_per_image for row in connection.execute(plan)}
        open_ = {name for name in verdicts.PEOPLE if asked.get(name, 1) > 1}
        rows = (
            row
            for statement in _statements(crop_digest, photos)
            for row in _many(connection, statement)
        )
        for sha256, of, *said in rows:
            kind = tuple(said)
            if kind not in kinds:
                kinds[kind] = _meaning(kind, crop_digest, open_, current)
            of_round, one = kinds[kind]
            if of_round is None:
                continue
            name = of or sha256
            if name in of_round:
                several[kind[0]][name] = sha256
            else:
                of_round[same.setdefault(name, name)] = one
    for round_, photo_of in several.items():
        if photo_of:
            current[round_] |= dict.fromkeys(photo_of) | _current(
                cat, crop_digest, round_, photo_of.values()
            )
    held = {
        round_: {name: one for name, one in of.items() if one} for round_, of in current.items()
    }
    return Holding(held, several)


def _meaning(
    kind: tuple[Any, ...], crop_digest: str, open_: set[str], current: dict[str, _OfRound]
) -> tuple[_OfRound | None, CurrentVerdict | None]:
    """The round that a row belongs to, and what holds by it if it is alone; None = it is of no concern here."""
    round_, settings, standing, *said = kind
    if round_ not in current or settings not in ("", crop_digest):
        return None, None
    asks_more = standing == _UNSURE or (round_ in open_ and standing != _FINAL)
    counts_alone = said[0] != "undo" and not asks_more
    return current[round_], CurrentVerdict(*said) if counts_alone else None


def _statements(crop_digest: str, photos: Iterable[str] | None) -> list[sa.Select[Any]]:
    """Of all photos every row, as they lie: five times as quick as by an index, and to choose costs more."""
    # One number, because a Boolean costs a call for each row.
    standing = sa.case((verdict.c.final, _FINAL), (verdict.c.unsure, _UNSURE), else_=0)
    kind = (verdict.c.round, verdict.c.settings, standing)
    said = (verdict.c[name] for name in CurrentVerdict._fields)
    rows = sa.select(verdict.c.photo, verdict.c.face, *kind, *said)  # what reads them sorts them
    if photos is None:
        return [rows]
    # `concat` keeps SQLite from walking another index.
    of_settings = verdict.c.settings.concat("").in_(("", crop_digest))
    chosen = rows.where(verdict.c.round.in_(ROUNDS), of_settings)
    return [chosen.where(verdict.c.photo.in_(part)) for part in in_parts(photos)]


def _many(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[Any]:
    """The rows of a long result, fetched by thousands: twice as quick as one by one."""
    for part in connection.execute(statement).partitions(5_000):
        yield from part


def _current(
    cat: Catalogue, crop_digest: str, round_: str, photos: Iterable[str]
) -> dict[str, CurrentVerdict]:
    """What holds of photos on which several rows were written, and of their faces."""
    named = set(photos)
    # Of very many, all that hold are read: parts of 500 would ask two hundred times.
    many = len(named) > _MANY
    rows = verdicts.current_in(cat, round_) if many else verdicts.current_on(cat, round_, named)
    return {
        row.face or row.photo: CurrentVerdict(
            row.decision, row.reason, row.expression, row.reviewer
        )
        for row in rows
        if row.settings in ("", crop_digest) and (not many or row.photo in named)
    }


def photo_of_each(
    cat: Catalogue, crop_digest: str, photos: Iterable[str] | None = None
) -> dict[str, str]:
    """The photo (sha256) of every face that was found under some crop settings, by face id, in order of the ids.

    photos: only of these.
    """
    columns = sa.select(face.c.id, face.c.photo).where(face.c.settings == crop_digest)
    statements = (
        [columns]
        if photos is None
        else [columns.where(face.c.photo.in_(part)) for part in in_parts(photos)]
    )
    with cat.read() as connection:
        found = [(id_, of) for one in statements for id_, of in _many(connection, one)]
    return dict(sorted(found))  # a third of the time that SQLite takes


def first_seen(cat: Catalogue) -> dict[str, FirstSighting]:
    """Each photo's first sighting that has a label, else its first of all, by sha256."""
    names = (sighting.c[name] for name in FirstSighting._fields)
    with cat.read() as connection:
        rows = _many(connection, from_first(sa.select(photo.c.sha256, *names)))
        return {sha256: FirstSighting(*rest) for sha256, *rest in rows}


def queries(cat: Catalogue) -> dict[str, Query]:
    """Every query by its id, whichever plan it is of."""
    return {row.pop("id"): Query(**row) for row in cat.rows(sa.select(query))}


def labels(
    current: CurrentVerdicts, seen: dict[str, FirstSighting], query_of: dict[str, Query]
) -> dict[str, str]:
    """Each photo's label by sha256: what people agreed on, else what the query intends."""
    of_people = current["photos"]
    return {
        sha256: (of_people[sha256].expression if sha256 in of_people else "")
        or query_of[one.query].expression
        or UNLABELLED
        for sha256, one in seen.items()
    }
