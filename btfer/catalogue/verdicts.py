"""Verdicts: rows are only ever added. Of a stage the newest holds; of people, what they agree on.

A round of people (photos, faces) asks for one or more votes on each picture (`review_plan`). What holds is
the newest final verdict (an adjudication, a withdrawal); else the votes, once there are enough of them and
they agree. A person's newest vote on a picture is the one that counts. Times order what comes from several
machines, so that it is the same everywhere, whichever was merged first.
"""

import datetime
import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, Row, in_parts, now
from btfer.catalogue.tables import review_plan, verdict
from btfer.errors import UsageError

PEOPLE = ("photos", "faces")


@dataclass(frozen=True)
class Verdict:
    """One judgement of a photo, or of one of its faces, in a round (dedup, photos, crop, faces, leaks).

    final: holds over votes. uid: names the row on every machine.
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


def add(cat: Catalogue, new: Iterable[Verdict]) -> list[int]:
    """Append verdicts in one transaction; their ids, in order."""
    at = stamp()
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
    at = stamp()
    with cat.write() as connection:
        return [undo_within(connection, one, reviewer, at) for one in ids]


def undo_within(connection: sa.Connection, id_: int, reviewer: str, at: str) -> int:
    """Take one verdict back inside the caller's transaction; the id of the `undo`. Raises as `undo`."""
    found = connection.execute(standing().where(verdict.c.id == id_)).one_or_none()
    if found is None:
        raise UsageError(f"verdict {id_} does not stand: it is unknown, or undone already")
    old = found._mapping
    kept = {name: old[name] for name in ("round", "photo", "face", "settings")}
    return add_within(
        connection, Verdict(**kept, decision="undo", reviewer=reviewer, undoes=id_), at
    )


@dataclass(frozen=True)
class MergedVerdict:
    """A verdict as another catalogue tells it: when it was given, and when and by whom taken back ('' = it stands)."""

    verdict: Verdict
    at: str
    undone: str = ""
    undone_by: str = ""


def merge(cat: Catalogue, told: Iterable[MergedVerdict]) -> tuple[int, int]:
    """Add those that are not here yet, and take back those that were taken back there; how many of each.

    In one transaction. Doing it twice, or in another order, ends the same.
    """
    every = list(told)
    with cat.write() as connection:
        here = _ids_of(connection, [one.verdict.uid for one in every])
        undone = set(connection.execute(sa.select(verdict.c.undoes)).scalars())
        added = taken_back = 0
        for one in every:
            uid = one.verdict.uid
            if uid not in here:
                here[uid] = add_within(connection, one.verdict, one.at)
                added += 1
            if one.undone and here[uid] not in undone:
                undo_within(connection, here[uid], one.undone_by, one.undone)
                undone.add(here[uid])
                taken_back += 1
    return added, taken_back


def _ids_of(connection: sa.Connection, uids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in in_parts(uids):
        named = verdict.c.uid.in_(part)
        rows = connection.execute(sa.select(verdict.c.uid, verdict.c.id).where(named))
        found |= {row.uid: row.id for row in rows}
    return found


def standing() -> sa.Select:
    """All verdict rows that are no undo and were not undone."""
    undo_ = verdict.alias("undo")
    undone = sa.exists().where(undo_.c.undoes == verdict.c.id)
    return sa.select(verdict).where(verdict.c.decision != "undo", ~undone)


def current(round_: str, photos: Collection[str] | None = None) -> sa.Subquery:
    """The verdicts that hold in a round, at most one for each photo, face and setting.

    photos: only those on these (sha256), which is quick; the others are left out.
    """
    rows = standing().where(verdict.c.round == round_)
    if photos is not None:
        rows = rows.where(verdict.c.photo.in_(photos))
    ids = _agreed(round_, rows) if round_ in PEOPLE else _newest(rows)
    # `+ 0` keeps SQLite from walking the whole list of ids once for each photo of a join (25 s at 10,000
    # photos); with the round it goes by the index of subjects instead.
    held = sa.select(verdict).where(verdict.c.round == round_, (verdict.c.id + 0).in_(ids))
    return held.subquery(f"current_{round_}")


def _newest(rows: sa.Select) -> sa.Select:
    """Ids of the newest verdict on each subject."""
    found = rows.subquery()
    subject = (found.c.photo, found.c.face, found.c.settings)
    return sa.select(sa.func.max(found.c.id)).group_by(*subject)


def _agreed(round_: str, rows: sa.Select) -> sa.Select:
    """Ids of the final verdicts, and of one vote where enough people say the same."""
    tally = _tally(rows)
    enough = (tally.c.n_votes >= _needed(round_)) & (tally.c.lowest == tally.c.highest)
    return sa.select(tally.c.id).where(tally.c.place == 1, tally.c.final | enough)


def _tally(rows: sa.Select) -> sa.Subquery:
    """Each person's newest vote (id, photo, face, final), and beside it what all say of the same picture.

    n_votes, lowest and highest of what the votes say (`drop`, `keep` or a class), and `place`: 1 is the
    newest final verdict, or the first vote where there is none.
    """
    found = rows.subquery()
    voter = (found.c.photo, found.c.face, found.c.reviewer, found.c.final)
    newest_first = (found.c.at.desc(), found.c.id.desc())
    newest = sa.func.row_number().over(partition_by=voter, order_by=newest_first)
    says = sa.case((found.c.decision == "relabel", found.c.expression), else_=found.c.decision)
    columns = (*voter, found.c.id, found.c.at, says.label("says"), newest.label("newest"))
    every = sa.select(*columns).subquery()
    vote = sa.select(every).where(every.c.newest == 1).subquery()
    subject = (vote.c.photo, vote.c.face)
    of_votes = sa.case((~vote.c.final, vote.c.says))
    when_final = sa.case((vote.c.final, vote.c.at), else_="")
    order = (vote.c.final.desc(), when_final.desc(), vote.c.at, vote.c.reviewer)
    return sa.select(
        *(vote.c.id, vote.c.photo, vote.c.face, vote.c.final),
        sa.func.count(of_votes).over(partition_by=subject).label("n_votes"),
        sa.func.min(of_votes).over(partition_by=subject).label("lowest"),
        sa.func.max(of_votes).over(partition_by=subject).label("highest"),
        sa.func.row_number().over(partition_by=subject, order_by=order).label("place"),
    ).subquery()


def _needed(round_: str) -> sa.ScalarSelect:
    asked = sa.select(sa.func.max(review_plan.c.reviewers_per_image))
    of_round = asked.where(review_plan.c.round == round_).scalar_subquery()
    return sa.select(sa.func.coalesce(of_round, 1)).scalar_subquery()


def votes(cat: Catalogue, round_: str, photos: Iterable[str] | None = None) -> list[Row]:
    """Every person's newest standing vote on each picture of a round, oldest first; final verdicts are no votes.

    photos: only on these (sha256) and their faces, which is quick where they are few.
    """
    of_round = standing().where(verdict.c.round == round_)
    if photos is None:
        return cat.rows(_votes_among(of_round))
    parts = (of_round.where(verdict.c.photo.in_(part)) for part in in_parts(sorted(photos)))
    rows = [row for part in parts for row in cat.rows(_votes_among(part))]
    return sorted(rows, key=lambda row: (row["at"], row["id"]))


def _votes_among(rows: sa.Select) -> sa.Select:
    tally = _tally(rows)
    ids = sa.select(tally.c.id).where(~tally.c.final)
    return sa.select(verdict).where(verdict.c.id.in_(ids)).order_by(verdict.c.at, verdict.c.id)


def judged_often(cat: Catalogue, round_: str) -> set[str]:
    """Photos about which, or about one of whose faces, more than one row was ever written in a round of people."""
    subject = (verdict.c.photo, verdict.c.face)
    often = sa.select(verdict.c.photo).where(verdict.c.round == round_).group_by(*subject)
    return {row["photo"] for row in cat.rows(often.having(sa.func.count() > 1))}


def in_dispute(round_: str) -> sa.Subquery:
    """Pictures whose votes are all in and differ, and that nobody settled: photo, face."""
    tally = _tally(standing().where(verdict.c.round == round_))
    complete = (tally.c.place == 1) & ~tally.c.final & (tally.c.n_votes >= _needed(round_))
    disagree = complete & (tally.c.lowest != tally.c.highest)
    return sa.select(tally.c.photo, tally.c.face).where(disagree).subquery(f"disputed_{round_}")


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


def by_id(cat: Catalogue, ids: Iterable[int]) -> list[Row]:
    """The verdicts with these ids, oldest first, undone ones too."""
    parts = (verdict.c.id.in_(part) for part in in_parts(sorted(ids)))
    return [row for part in parts for row in cat.rows(sa.select(verdict).where(part))]


def holding_on(cat: Catalogue, round_: str, photos: Iterable[str]) -> list[Row]:
    """The verdicts that hold in a round on some photos (sha256) and their faces."""
    parts = (current(round_, part) for part in in_parts(sorted(photos)))
    return [row for part in parts for row in cat.rows(sa.select(part))]


def standing_on(cat: Catalogue, round_: str, photos: Iterable[str]) -> list[Row]:
    """Every verdict of a round on some photos (sha256) and their faces that was not undone, oldest first."""
    parts = (verdict.c.photo.in_(part) for part in in_parts(sorted(photos)))
    of_round = standing().where(verdict.c.round == round_).order_by(verdict.c.id)
    return [row for part in parts for row in cat.rows(of_round.where(part))]


def pages_of(cat: Catalogue, reviewer: str, *, newest: int) -> list[Row]:
    """When a person committed their newest verdicts, undone ones too, oldest first: at, n."""
    own = (verdict.c.reviewer == reviewer) & verdict.c.round.in_(PEOPLE)
    given = sa.select(verdict.c.at).where(own, verdict.c.undoes.is_(None))
    rows = given.order_by(verdict.c.id.desc()).limit(newest).subquery()
    counted = sa.select(rows.c.at, sa.func.count().label("n")).group_by(rows.c.at)
    return cat.rows(counted.order_by(rows.c.at))


def dropped(cat: Catalogue, crop_digest: str) -> list[Row]:
    """How many pictures each stage and round dropped: round, reason, dropped; the most first.

    settings: of the crop, whose verdicts count only under these.
    """
    found: list[Row] = []
    for round_ in ("dedup", "photos", "crop", "faces"):
        held = current(round_)
        n = sa.func.count().label("dropped")
        counted = sa.select(sa.literal(round_).label("round"), held.c.reason, n)
        of = (held.c.decision == "drop") & held.c.settings.in_(("", crop_digest))
        found += cat.rows(counted.where(of).group_by(held.c.reason))
    return sorted(found, key=lambda row: -row["dropped"])


def newest_of_stages(cat: Catalogue) -> int:
    """The id of the newest verdict that is no vote of people; 0 = none."""
    newest = (
        sa.select(verdict.c.id)
        .where(verdict.c.round.not_in(PEOPLE))
        .order_by(verdict.c.id.desc())
        .limit(1)
    )
    rows = cat.rows(newest)
    return int(rows[0]["id"]) if rows else 0


def last_batch(cat: Catalogue, round_: str, reviewer: str) -> list[Row]:
    """What a reviewer gave last in a round and still stands: all rows with the newest one's time."""
    own = standing().where(verdict.c.round == round_, verdict.c.reviewer == reviewer)
    newest = cat.rows(own.order_by(verdict.c.id.desc()).limit(1))
    if not newest:
        return []
    return cat.rows(own.where(verdict.c.at == newest[0]["at"]).order_by(verdict.c.id))


def stamp() -> str:
    """The time in UTC in microseconds: the same for all that are written together, so that `last_batch` finds them."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
