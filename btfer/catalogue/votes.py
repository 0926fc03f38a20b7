"""Several people on one queue: how many votes a picture needs, who has it before them, and the votes themselves."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from btfer.catalogue import review_pages, verdicts
from btfer.catalogue.current_sql import FEWEST_WHERE_UNSURE
from btfer.catalogue.review_pages import PageFacts
from btfer.catalogue.store import Catalogue, in_parts
from btfer.catalogue.tables import lease, review_plan, verdict
from btfer.catalogue.verdicts import StoredVerdict, Verdict, add_within, not_undone

_LOOKED_AT = 200  # candidates at once: a few pages, of which others may have some before them


class ReviewSubject(NamedTuple):
    """A photo (`face` = ''), or one of its faces."""

    photo: str
    face: str = ""

    @property
    def id(self) -> str:
        """What names it in a queue: the face id, or the photo's sha256."""
        return self.face or self.photo


class Claim(NamedTuple):
    """What was leased to a person, and which candidates no longer await them."""

    leased: list[ReviewSubject]
    closed: set[ReviewSubject]


@dataclass
class _VoteState:
    """Who has voted on a picture, and whether they were unsure; and whether that is settled."""

    unsure_of: dict[str, bool] = field(default_factory=dict)
    final: bool = False

    def needed(self, planned: int) -> int:
        """How many votes it asks for, where the round asks for `planned`."""
        return max(planned, FEWEST_WHERE_UNSURE) if any(self.unsure_of.values()) else planned

    def asks(self, reviewer: str, planned: int) -> bool:
        """Whether it still awaits this person's vote."""
        open_ = not self.final and len(self.unsure_of) < self.needed(planned)
        return open_ and reviewer not in self.unsure_of


def needed(cat: Catalogue, round_: str) -> int:
    """How many people are to judge each picture of a round."""
    with cat.read() as connection:
        return _needed(connection, round_)


def plan(cat: Catalogue, round_: str, reviewers_per_image: int) -> None:
    """Set how many people are to vote on each picture of a round, from now on."""
    row = {"round": round_, "reviewers_per_image": reviewers_per_image}
    with cat.write() as connection:
        connection.execute(sa.delete(review_plan).where(review_plan.c.round == round_))
        connection.execute(sa.insert(review_plan).values(row))


def add_open(
    cat: Catalogue, round_: str, new: Iterable[Verdict], page: PageFacts | None = None
) -> int:
    """Append, in one transaction, those votes that their pictures still ask for; how many. Their leases end.

    A vote whose uid is there already was sent twice: it is counted, and not written again. page: what is known
    of the page that they were sent as.
    """
    todo, rows = list(new), []
    with cat.write() as connection:
        at = verdicts.next_timestamp(connection)
        ask = _needed(connection, round_)
        here = _known_uids(connection, [one.uid for one in todo])
        known = _vote_states(connection, round_, [_subject(one) for one in todo])
        for one in todo:
            so_far = known[_subject(one)]
            if one.uid not in here and so_far.asks(one.reviewer, ask):
                rows.append(vars(one) | {"at": at})
                so_far.unsure_of[one.reviewer] = one.unsure
        if rows:
            connection.execute(sa.insert(verdict), rows)
        if rows and page:
            review_pages.add_within(connection, round_, todo[0].reviewer, at, page)
        _end_leases(connection, round_, todo)
    return len(rows) + len(here)


def known_uids(cat: Catalogue, uids: Sequence[str]) -> set[str]:
    """Those of these verdicts that are in the catalogue."""
    with cat.read() as connection:
        return set(_known_uids(connection, uids))


def settle(cat: Catalogue, round_: str, new: Iterable[Verdict]) -> list[int]:
    """Append, in one transaction, final verdicts on pictures that have none yet; their ids.

    Nobody has the last word on a picture that they voted on. One that was sent twice is written once, and
    its id is among them both times.
    """
    todo = list(new)
    with cat.write() as connection:
        at = verdicts.next_timestamp(connection)
        here = _known_uids(connection, [one.uid for one in todo])
        known = _vote_states(connection, round_, [_subject(one) for one in todo])
        open_ = [
            one
            for one in todo
            if one.uid not in here
            and not known[_subject(one)].final
            and one.reviewer not in known[_subject(one)].unsure_of
        ]
        return [*here.values(), *(add_within(connection, one, at) for one in open_)]


def claim(
    cat: Catalogue,
    round_: str,
    candidates: Iterable[ReviewSubject],
    reviewer: str,
    *,
    size: int,
    minutes: float,
    besides: Sequence[str] = (),
) -> Claim:
    """Lease the first `size` of the candidates that await this person; their other leases end.

    What others have before them is passed over, as long as their votes will be enough. Of the candidates only as
    many are looked at as it takes. besides: ids that another window of theirs shows; leases on these are renewed.
    """
    at = datetime.datetime.now(datetime.UTC)
    until = at + datetime.timedelta(minutes=minutes)
    got: list[ReviewSubject] = []
    closed: set[ReviewSubject] = set()
    with cat.write() as connection:
        connection.execute(sa.delete(lease).where(lease.c.until < _text(at)))
        ask = _needed(connection, round_)
        for subject, so_far, leased in _in_turn(connection, round_, candidates, reviewer):
            if not so_far.asks(reviewer, ask):
                closed.add(subject)
            elif len(so_far.unsure_of) + leased < so_far.needed(ask):
                got.append(subject)
            if len(got) == size:
                break
        kept = _leases_of(connection, round_, reviewer).intersection(besides)
        _lease_only(connection, round_, [*kept.union(one.id for one in got)], reviewer, until)
    return Claim(got, closed)


def leased_to(cat: Catalogue, round_: str, reviewer: str) -> set[str]:
    """The ids of what a person has before them in a round."""
    own = sa.select(lease.c.subject).where(lease.c.round == round_, lease.c.reviewer == reviewer)
    with cat.read() as connection:
        return set(connection.execute(own).scalars())


def leased_to_others(cat: Catalogue, round_: str, ids: Iterable[str], reviewer: str) -> set[str]:
    """Those of the ids that somebody else has before them now."""
    here = sa.select(lease.c.subject).where(
        lease.c.round == round_,
        lease.c.reviewer != reviewer,
        lease.c.until >= _text(datetime.datetime.now(datetime.UTC)),
    )
    with cat.read() as connection:
        parts = (here.where(lease.c.subject.in_(part)) for part in in_parts(ids))
        return {one for part in parts for one in connection.execute(part).scalars()}


def awaiting(
    cat: Catalogue, round_: str, subjects: Sequence[ReviewSubject], reviewer: str
) -> set[ReviewSubject]:
    """Those that still ask for this person's vote, whoever has them before them."""
    with cat.read() as connection:
        ask = _needed(connection, round_)
        known = _vote_states(connection, round_, subjects)
        return {one for one in subjects if known[one].asks(reviewer, ask)}


def lease_only(
    cat: Catalogue, round_: str, ids: Iterable[str], reviewer: str, *, minutes: float
) -> None:
    """Lease these to a reviewer, and no others: `claim` then gives them first."""
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    with cat.write() as connection:
        _lease_only(connection, round_, list(ids), reviewer, until)


def dropped_meanwhile(
    cat: Catalogue, round_: str, subjects: Sequence[ReviewSubject]
) -> set[ReviewSubject]:
    """Those that an earlier stage or round has dropped since, so that nobody is to judge them."""
    named = {one.photo for one in subjects}
    rows = verdicts.current_on(cat, "dedup", named)
    kept = {row.photo for row in rows if row.decision == "keep"}
    if round_ == "photos":
        return {one for one in subjects if one.photo not in kept}
    rows = verdicts.current_on(cat, "photos", named)
    kept -= {row.photo for row in rows if row.decision == "drop"}
    rows = verdicts.current_on(cat, "crop", named)
    taken = {row.face for row in rows if row.decision == "keep"}
    return {one for one in subjects if one.photo not in kept or one.face not in taken}


def disputes(cat: Catalogue, round_: str) -> list[StoredVerdict]:
    """Every vote on each picture that people judged differently and nobody settled, oldest first."""
    chosen = _in_dispute(cat, round_)
    if not chosen:
        return []
    every = verdicts.votes(cat, round_)
    return [row for row in every if ReviewSubject(row.photo, row.face) in chosen]


def count_disputes(cat: Catalogue, round_: str) -> int:
    """How many pictures people judged differently and nobody settled."""
    counted = sa.select(sa.func.count()).select_from(verdicts.in_dispute(round_))
    with cat.read() as connection:
        return int(connection.execute(counted).scalar_one())


def _in_dispute(cat: Catalogue, round_: str) -> set[ReviewSubject]:
    open_ = verdicts.in_dispute(round_)
    with cat.read() as connection:
        rows = connection.execute(sa.select(open_.c.photo, open_.c.face))
        return {ReviewSubject(*row) for row in rows}


def _needed(connection: sa.Connection, round_: str) -> int:
    asked = sa.select(review_plan.c.reviewers_per_image).where(review_plan.c.round == round_)
    return int(connection.execute(asked).scalar() or 1)


def _in_turn(
    connection: sa.Connection, round_: str, candidates: Iterable[ReviewSubject], reviewer: str
) -> Iterator[tuple[ReviewSubject, _VoteState, int]]:
    """Candidates with their votes and how many others have them before them."""
    rest = iter(candidates)
    while part := list(islice(rest, _LOOKED_AT)):
        known = _vote_states(connection, round_, part)
        others = sa.select(lease.c.subject).where(
            lease.c.round == round_,
            lease.c.reviewer != reviewer,
            lease.c.subject.in_([one.id for one in part]),
        )
        leased = Counter(connection.execute(others).scalars())
        for one in part:
            yield one, known[one], leased[one.id]


def _vote_states(
    connection: sa.Connection, round_: str, subjects: Sequence[ReviewSubject]
) -> dict[ReviewSubject, _VoteState]:
    """Who voted on each; a picture without votes has an empty one."""
    found: dict[ReviewSubject, _VoteState] = defaultdict(_VoteState)
    named = sorted({one.photo for one in subjects})
    for part in in_parts(named):
        here = not_undone().where(verdict.c.round == round_, verdict.c.photo.in_(part))
        for row in connection.execute(here.order_by(verdict.c.at, verdict.c.id)):
            so_far = found[ReviewSubject(row.photo, row.face)]
            so_far.final = so_far.final or row.final
            if not row.final:  # of one person the newest counts
                so_far.unsure_of[row.reviewer] = row.unsure
    return found


def _leases_of(connection: sa.Connection, round_: str, reviewer: str) -> set[str]:
    own = sa.select(lease.c.subject).where(lease.c.round == round_, lease.c.reviewer == reviewer)
    return set(connection.execute(own).scalars())


def _known_uids(connection: sa.Connection, uids: Sequence[str]) -> dict[str, int]:
    """The ids of the verdicts that are there already, by uid."""
    found: dict[str, int] = {}
    for part in in_parts(uids):
        rows = sa.select(verdict.c.uid, verdict.c.id).where(verdict.c.uid.in_(part))
        found |= {row.uid: row.id for row in connection.execute(rows)}
    return found


def _lease_only(
    connection: sa.Connection,
    round_: str,
    ids: Sequence[str],
    reviewer: str,
    until: datetime.datetime,
) -> None:
    own = (lease.c.round == round_) & (lease.c.reviewer == reviewer)
    connection.execute(sa.delete(lease).where(own))
    row = {"round": round_, "reviewer": reviewer, "until": _text(until)}
    if ids:
        connection.execute(sa.insert(lease), [row | {"subject": id_} for id_ in ids])


def _end_leases(connection: sa.Connection, round_: str, judged: Sequence[Verdict]) -> None:
    this = (lease.c.subject == sa.bindparam("the_subject")) & (
        lease.c.reviewer == sa.bindparam("the_reviewer")
    )
    rows = [{"the_subject": _subject(one).id, "the_reviewer": one.reviewer} for one in judged]
    if rows:
        connection.execute(sa.delete(lease).where(lease.c.round == round_, this), rows)


def _subject(one: Verdict) -> ReviewSubject:
    return ReviewSubject(one.photo, one.face)


def _text(at: datetime.datetime) -> str:
    return at.isoformat(timespec="microseconds")
