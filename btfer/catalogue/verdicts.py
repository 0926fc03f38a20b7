"""Verdicts: rows are only ever added. Of a stage the newest holds; of people, what they agree on.

A round of people (photos, faces) asks for one or more votes on each picture (`review_plan`), and for two at least
where somebody was unsure. What holds is the newest final verdict (an adjudication, a withdrawal); else the votes,
once there are enough of them and they agree. A person's newest vote on a picture is the one that counts. Times order
what comes from several machines, so that it is the same everywhere, whichever was merged first.
"""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from btfer.catalogue.current_sql import PEOPLE as PEOPLE
from btfer.catalogue.current_sql import current as current
from btfer.catalogue.current_sql import in_dispute as in_dispute
from btfer.catalogue.current_sql import not_undone as not_undone
from btfer.catalogue.current_sql import tally
from btfer.catalogue.store import Catalogue, in_parts, now
from btfer.catalogue.tables import verdict
from btfer.errors import UsageError

ROUNDS = ("dedup", "photos", "crop", "faces", "leaks")
"""Every round in which a verdict is given."""


@dataclass(frozen=True)
class Verdict:
    """One judgement of a photo, or of one of its faces, in a round (one of `ROUNDS`).

    final: holds over votes. uid: names the row on every machine. note: what the person wrote beside it. unsure: they
    ask for a second person's vote.
    """

    round: str
    photo: str
    decision: str
    reviewer: str
    face: str = ""
    settings: str = ""
    reason: str = ""
    expression: str = ""
    keeper: str = ""
    distance: int | None = None
    undoes: int | None = None
    final: bool = False
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)
    note: str = ""
    unsure: bool = False


class StoredVerdict(NamedTuple):
    """A row of the table `verdict`, column by column.

    settings: digest of the crop settings, or of a training set ('' = of none). expression: the new class of a
    relabel. keeper: the photo that a duplicate was dropped for, distance_bits from it. undoes: the id of the verdict
    that this one undoes. at: ISO time in UTC. final: holds over votes. note, unsure: as of `Verdict`.
    """

    id: int
    round: str
    photo: str
    face: str
    settings: str
    decision: str
    reason: str
    expression: str
    reviewer: str
    keeper: str
    distance_bits: int | None
    undoes: int | None
    at: str
    uid: str
    final: bool
    note: str = ""
    unsure: bool = False


class CommittedPage(NamedTuple):
    """When (ISO time in UTC) a person committed verdicts at once, and how many."""

    at: str
    n_verdicts: int


class DropCount(NamedTuple):
    """How many photos or faces one round dropped for one reason."""

    round: str
    reason: str
    dropped: int


class GivenVerdicts(NamedTuple):
    """How many verdicts of a round a person gave on a day (UTC) that say one thing: a decision, a reason, a class."""

    photo: str
    round: str
    reviewer: str
    day: str
    says: str
    n: int


_said: sa.ColumnElement[Any] = sa.case(
    (verdict.c.decision == "drop", verdict.c.reason),
    (verdict.c.decision == "relabel", verdict.c.expression),
    else_=verdict.c.decision,
)
BESIDE: dict[str, sa.ColumnElement[bool]] = {
    "unsure": verdict.c.unsure,
    "with a note": verdict.c.note != "",
}
"""What a verdict may have beside what it says."""


def add(cat: Catalogue, new: Iterable[Verdict]) -> list[int]:
    """Append verdicts in one transaction; their ids, in order."""
    with cat.write() as connection:
        at = next_timestamp(connection)
        return [add_within(connection, one, at) for one in new]


def add_all(cat: Catalogue, new: Iterable[Verdict]) -> None:
    """Append many verdicts in one transaction, and quickly."""
    with cat.write() as connection:
        add_all_within(connection, new, now())


def add_all_within(connection: sa.Connection, new: Iterable[Verdict], at: str) -> None:
    """Append many verdicts inside the caller's transaction."""
    if rows := [vars(one) | {"at": at} for one in new]:
        connection.execute(sa.insert(verdict), rows)


def add_within(connection: sa.Connection, one: Verdict, at: str) -> int:
    """Append one verdict inside the caller's transaction; its id."""
    result = connection.execute(sa.insert(verdict).values(**asdict(one), at=at))
    key = result.inserted_primary_key
    assert key is not None  # every dialect that we open returns it
    return int(key[0])


def undo(cat: Catalogue, ids: Iterable[int], reviewer: str) -> list[int]:
    """Undo verdicts by appending an `undo` for each. Raises UsageError for an id that is unknown or undone."""
    at = timestamp()
    with cat.write() as connection:
        return [undo_within(connection, one, reviewer, at) for one in ids]


def undo_within(connection: sa.Connection, id_: int, reviewer: str, at: str) -> int:
    """Undo one verdict inside the caller's transaction; the id of the `undo`. Raises as `undo`."""
    found = connection.execute(not_undone().where(verdict.c.id == id_)).one_or_none()
    if found is None:
        raise UsageError(f"verdict {id_} cannot be undone: it is unknown, or undone already")
    old = StoredVerdict(*found)
    undo_ = Verdict(old.round, old.photo, "undo", reviewer, old.face, old.settings, undoes=id_)
    return add_within(connection, undo_, at)


def votes(cat: Catalogue, round_: str, photos: Iterable[str] | None = None) -> list[StoredVerdict]:
    """Every person's newest vote on each picture of a round, oldest first; undone and final verdicts are no votes.

    photos: only on these (sha256) and their faces, which is quick where they are few.
    """
    of_round = not_undone().where(verdict.c.round == round_)
    if photos is None:
        return _stored(cat, _votes_among(of_round))
    parts = (of_round.where(verdict.c.photo.in_(part)) for part in in_parts(sorted(photos)))
    rows = [row for part in parts for row in _stored(cat, _votes_among(part))]
    return sorted(rows, key=lambda row: (row.at, row.id))


def _votes_among(rows: sa.Select[Any]) -> sa.Select[Any]:
    voted = tally(rows)
    ids = sa.select(voted.c.id).where(~voted.c.final)
    return sa.select(verdict).where(verdict.c.id.in_(ids)).order_by(verdict.c.at, verdict.c.id)


def judged_often(cat: Catalogue, round_: str) -> set[str]:
    """Photos about which, or about one of whose faces, more than one row was ever written in a round of people."""
    subject = (verdict.c.photo, verdict.c.face)
    often = sa.select(verdict.c.photo).where(verdict.c.round == round_).group_by(*subject)
    with cat.read() as connection:
        return set(connection.execute(often.having(sa.func.count() > 1)).scalars())


def log(
    cat: Catalogue,
    *,
    rounds: Iterable[str] = (),
    limit: int | None = None,
    before: int | None = None,
    reviewer: str = "",
    says: str = "",
    day: str = "",
) -> list[StoredVerdict]:
    """Every verdict ever given, newest first, undone ones too; '' = any.

    before: only those with a smaller id. says: a decision, a drop reason, a class, or one of `BESIDE`. day: in UTC.
    """
    statement = sa.select(verdict).order_by(verdict.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(verdict.c.id < before)
    if reviewer:
        statement = statement.where(verdict.c.reviewer == reviewer)
    if day:
        statement = statement.where(verdict.c.at.startswith(day, autoescape=True))
    if says in BESIDE:
        statement = statement.where(BESIDE[says])
    elif says:
        statement = statement.where(_said == says)
    chosen = list(rounds)
    return _stored(cat, statement.where(verdict.c.round.in_(chosen)) if chosen else statement)


def given(cat: Catalogue, rounds: Iterable[str]) -> list[GivenVerdicts]:
    """How many verdicts each person gave on each photo a day (UTC), by what they say; undone ones and undos too."""
    day = sa.func.substr(verdict.c.at, 1, 10)
    columns = (verdict.c.photo, verdict.c.round, verdict.c.reviewer, day, _said)
    counted = sa.select(*columns, sa.func.count()).where(verdict.c.round.in_(list(rounds)))
    with cat.read() as connection:
        return [GivenVerdicts(*row) for row in connection.execute(counted.group_by(*columns))]


def of_photo(cat: Catalogue, sha256: str) -> list[StoredVerdict]:
    """Every verdict on a photo and its faces, oldest first, undone ones too."""
    by_index = (verdict.c.photo == sha256) & verdict.c.round.in_(ROUNDS)
    return _stored(cat, sa.select(verdict).where(by_index).order_by(verdict.c.id))


def by_id(cat: Catalogue, ids: Iterable[int]) -> list[StoredVerdict]:
    """The verdicts with these ids, oldest first, undone ones too."""
    parts = (sa.select(verdict).where(verdict.c.id.in_(part)) for part in in_parts(sorted(ids)))
    return [row for part in parts for row in _stored(cat, part.order_by(verdict.c.id))]


def undone_among(cat: Catalogue, ids: Iterable[int]) -> set[int]:
    """Those of the verdicts with these ids that were undone."""
    parts = (
        sa.select(verdict.c.undoes).where(verdict.c.undoes.in_(part)) for part in in_parts(ids)
    )
    with cat.read() as connection:
        return {id_ for part in parts for id_ in connection.execute(part).scalars()}


def current_in(cat: Catalogue, round_: str) -> list[StoredVerdict]:
    """The verdicts that hold in a round, oldest first."""
    holding = current(round_)
    return _stored(cat, sa.select(holding).order_by(holding.c.id))


def current_on(cat: Catalogue, round_: str, photos: Iterable[str]) -> list[StoredVerdict]:
    """The verdicts that hold in a round on some photos (sha256) and their faces."""
    parts = (sa.select(current(round_, part)) for part in in_parts(sorted(photos)))
    return [row for part in parts for row in _stored(cat, part)]


def not_undone_on(cat: Catalogue, round_: str, photos: Iterable[str]) -> list[StoredVerdict]:
    """Every verdict of a round on some photos (sha256) and their faces that was not undone, oldest first."""
    of_round = not_undone().where(verdict.c.round == round_).order_by(verdict.c.id)
    parts = (of_round.where(verdict.c.photo.in_(part)) for part in in_parts(sorted(photos)))
    return [row for part in parts for row in _stored(cat, part)]


def pages_of(cat: Catalogue, reviewer: str, *, newest: int) -> list[CommittedPage]:
    """When a person committed their newest verdicts, undone ones too, oldest first."""
    own = (verdict.c.reviewer == reviewer) & verdict.c.round.in_(PEOPLE)
    # Not `IS NULL`: SQLite would take the index of `undoes`, which nearly all rows share, in twice the time.
    given = sa.select(verdict.c.at).where(own, sa.func.coalesce(verdict.c.undoes, 0) == 0)
    rows = given.order_by(verdict.c.id.desc()).limit(newest).subquery()
    counted = sa.select(rows.c.at, sa.func.count()).group_by(rows.c.at).order_by(rows.c.at)
    with cat.read() as connection:
        return [CommittedPage(*row) for row in connection.execute(counted)]


def newest_of_stages(cat: Catalogue) -> int:
    """The id of the newest verdict that is no vote of people; 0 = none."""
    of_stages = sa.select(verdict.c.id).where(verdict.c.round.not_in(PEOPLE))
    with cat.read() as connection:
        newest = connection.execute(of_stages.order_by(verdict.c.id.desc()).limit(1)).scalar()
    return int(newest or 0)


def last_batch(cat: Catalogue, round_: str, reviewer: str) -> list[StoredVerdict]:
    """What a reviewer gave last in a round and was not undone: all rows with the newest one's time."""
    own = not_undone().where(verdict.c.round == round_, verdict.c.reviewer == reviewer)
    newest = _stored(cat, own.order_by(verdict.c.id.desc()).limit(1))
    if not newest:
        return []
    return _stored(cat, own.where(verdict.c.at == newest[0].at).order_by(verdict.c.id))


def timestamp() -> str:
    """The time in UTC in microseconds: the same for all that are written together, so that `last_batch` finds them."""
    return now("microseconds")


def _stored(cat: Catalogue, statement: sa.Select[Any]) -> list[StoredVerdict]:
    """The rows of a statement that selects all columns of `verdict`, in the table's order."""
    with cat.read() as connection:
        return [StoredVerdict(*row) for row in connection.execute(statement)]


LAST_VERDICT = sa.select(verdict.c.at).order_by(verdict.c.id.desc()).limit(1)


def next_timestamp(connection: sa.Connection, last: sa.Select[str] = LAST_VERDICT) -> str:
    """The time of what is written now: after the last one, also where the clock was put back since.

    last: asks when that was; of verdicts, if nothing else is said.
    """
    at = timestamp()
    if not (written := connection.scalar(last)) or written < at:
        return at
    after = datetime.datetime.fromisoformat(written) + datetime.timedelta(microseconds=1)
    return after.isoformat(timespec="microseconds")
