"""Verdicts: rows are only ever added; what holds is the newest one of a subject that is not undone."""

import datetime
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, Row, now
from btfer.catalogue.tables import verdict
from btfer.errors import UsageError


@dataclass(frozen=True)
class Verdict:
    """One judgement of a photo, or of one of its faces, in a round (dedup, photos, crop, faces)."""

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


def add(cat: Catalogue, new: Iterable[Verdict]) -> list[int]:
    """Append verdicts in one transaction; their ids, in order."""
    at = now()
    with cat.write() as connection:
        return [add_within(connection, one, at) for one in new]


def add_all(cat: Catalogue, new: Iterable[Verdict]) -> None:
    """Append many verdicts in one transaction, and quickly."""
    at = now()
    rows = [vars(one) | {"at": at} for one in new]
    with cat.write() as connection:
        if rows:
            connection.execute(sa.insert(verdict), rows)


def add_within(connection: sa.Connection, one: Verdict, at: str) -> int:
    """Append one verdict inside the caller's transaction; its id."""
    result = connection.execute(sa.insert(verdict).values(**asdict(one), at=at))
    key = result.inserted_primary_key
    assert key is not None  # every dialect that we open tells it
    return int(key[0])


def undo(cat: Catalogue, ids: Iterable[int], reviewer: str) -> list[int]:
    """Take verdicts back by appending an `undo` for each. Raises UsageError for an id that is unknown or undone."""
    at = now()
    with cat.write() as connection:
        return [_undo_one(connection, one, reviewer, at) for one in ids]


def _undo_one(connection: sa.Connection, id_: int, reviewer: str, at: str) -> int:
    found = connection.execute(standing().where(verdict.c.id == id_)).one_or_none()
    if found is None:
        raise UsageError(f"verdict {id_} does not stand: it is unknown, or undone already")
    old = found._mapping
    kept = {name: old[name] for name in ("round", "photo", "face", "settings")}
    return add_within(
        connection, Verdict(**kept, decision="undo", reviewer=reviewer, undoes=id_), at
    )


def standing() -> sa.Select:
    """All verdict rows that are no undo and were not undone."""
    undone = sa.select(verdict.c.undoes).where(verdict.c.undoes.is_not(None))
    return sa.select(verdict).where(verdict.c.decision != "undo", verdict.c.id.not_in(undone))


def current(round_: str) -> sa.Subquery:
    """The verdicts that hold in a round: the newest standing one of each photo, face and setting."""
    rows = standing().where(verdict.c.round == round_).subquery()
    newest = sa.select(sa.func.max(rows.c.id)).group_by(rows.c.photo, rows.c.face, rows.c.settings)
    # `+ 0` keeps SQLite from walking the whole list of ids once for each photo of a join (25 s at 10,000
    # photos); with the round it goes by the index of subjects instead.
    is_newest = (verdict.c.id + 0).in_(newest)
    held = sa.select(verdict).where(verdict.c.round == round_, is_newest)
    return held.subquery(f"current_{round_}")


def log(cat: Catalogue, *, rounds: Iterable[str] = (), limit: int | None = None) -> list[Row]:
    """Every verdict ever given, newest first, undone ones too."""
    statement = sa.select(verdict).order_by(verdict.c.id.desc()).limit(limit)
    chosen = list(rounds)
    return cat.rows(statement.where(verdict.c.round.in_(chosen)) if chosen else statement)


def of_photo(cat: Catalogue, sha256: str) -> list[Row]:
    """Every verdict on a photo and its faces, oldest first, undone ones too."""
    return cat.rows(sa.select(verdict).where(verdict.c.photo == sha256).order_by(verdict.c.id))


def holding(cat: Catalogue, round_: str) -> list[Row]:
    """The verdicts that hold in a round, oldest first."""
    now_held = current(round_)
    return cat.rows(sa.select(now_held).order_by(now_held.c.id))


def add_unjudged(cat: Catalogue, new: Iterable[Verdict], at: Iterable[str] = ()) -> list[int]:
    """Append, in one transaction, the verdicts whose subject has none standing in their round; their ids.

    at: one time for each verdict ('' = now). Now is written in microseconds and is the same for all
    that are added together, so that `last_batch` finds them again.
    """
    new, stamp = list(new), datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    times = list(at) or [""] * len(new)
    with cat.write() as connection:
        pairs = zip(new, times, strict=True)
        ids = (_add_if_unjudged(connection, one, time or stamp) for one, time in pairs)
        return [id_ for id_ in ids if id_]


def _add_if_unjudged(connection: sa.Connection, one: Verdict, at: str) -> int:
    """The new id, or 0 where a verdict on the same subject stands."""
    same = (verdict.c.photo == one.photo) & (verdict.c.face == one.face)
    judged = standing().where(verdict.c.round == one.round, same).limit(1)
    found = connection.execute(judged).first()
    return 0 if found else add_within(connection, one, at)


def last_batch(cat: Catalogue, round_: str, reviewer: str) -> list[Row]:
    """What a reviewer gave last in a round and still stands: all rows with the newest one's time."""
    own = standing().where(verdict.c.round == round_, verdict.c.reviewer == reviewer)
    newest = cat.rows(own.order_by(verdict.c.id.desc()).limit(1))
    if not newest:
        return []
    return cat.rows(own.where(verdict.c.at == newest[0]["at"]).order_by(verdict.c.id))
