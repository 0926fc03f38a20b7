"""What holds in a round, in SQL: the verdicts that were not undone, and of people what they agree on.

Of a stage the newest verdict holds. Of people (rounds photos, faces) the newest final verdict holds (an
adjudication, a withdrawal); else their votes, once there are enough of them and they agree. A vote whose person
was unsure is not enough alone.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from btfer.catalogue.tables import review_plan, verdict

PEOPLE = ("photos", "faces")
FEWEST_WHERE_UNSURE = 2
"""Votes that a picture asks for when a person was unsure about it."""


def not_undone() -> sa.Select[Any]:
    """All verdict rows that are no undo and were not undone."""
    undo_ = verdict.alias("undo")
    undone = sa.exists().where(undo_.c.undoes == verdict.c.id)
    return sa.select(verdict).where(verdict.c.decision != "undo", ~undone)


def current(
    round_: str, photos: Collection[str] | sa.Select[tuple[str]] | None = None
) -> sa.Subquery:
    """The verdicts that hold in a round, at most one for each photo, face and setting.

    photos: only those on these (sha256, or a query for them), which is quick; the others are left out.
    """
    asked = verdict.c.round == round_
    if photos is not None:
        asked &= verdict.c.photo.in_(photos)
    rows = not_undone().where(asked)
    ids = _agreed(round_, rows) if round_ in PEOPLE else _newest(rows)
    # Asked of each row, not joined: the ids are found once and looked up. SQLite would walk their whole list once for
    # each photo of a join (25 s at 10,000 photos), and PostgreSQL find them anew for each (113 s).
    held = sa.func.coalesce(verdict.c.id.in_(ids), sa.false())
    holding = sa.select(verdict).where(asked, held)
    return holding.subquery(f"current_{round_}")


def _newest(rows: sa.Select[Any]) -> sa.Select[Any]:
    """Ids of the newest verdict on each subject."""
    found = rows.subquery()
    subject = (found.c.photo, found.c.face, found.c.settings)
    return sa.select(sa.func.max(found.c.id)).group_by(*subject)


def _agreed(round_: str, rows: sa.Select[Any]) -> sa.Select[Any]:
    """Ids of the final verdicts, and of one vote where enough people say the same."""
    tallied = tally(rows)
    agreed = _enough(round_, tallied) & (tallied.c.lowest == tallied.c.highest)
    return sa.select(tallied.c.id).where(tallied.c.place == 1, tallied.c.final | agreed)


def _enough(round_: str, tallied: sa.Subquery) -> sa.ColumnElement[bool]:
    """Whether all votes that a picture asks for are in."""
    alone = (tallied.c.unsure == 1) & (tallied.c.n_votes < FEWEST_WHERE_UNSURE)
    return (tallied.c.n_votes >= votes_needed(round_)) & ~alone


def tally(rows: sa.Select[Any]) -> sa.Subquery:
    """Each person's newest vote (id, photo, face, final), and beside it what all say of the same picture.

    n_votes, lowest and highest of what the votes say (`drop`, `keep` or a class), unsure (1 = somebody was), and
    `place`: 1 is the newest final verdict, or the first vote where there is none.
    """
    found = rows.subquery()
    voter = (found.c.photo, found.c.face, found.c.reviewer, found.c.final)
    newest_first = (found.c.at.desc(), found.c.id.desc())
    newest = sa.func.row_number().over(partition_by=voter, order_by=newest_first)
    says = sa.case((found.c.decision == "relabel", found.c.expression), else_=found.c.decision)
    doubted = sa.case((found.c.unsure & ~found.c.final, 1), else_=0).label("unsure")
    columns = (*voter, found.c.id, found.c.at, doubted, says.label("says"), newest.label("newest"))
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
        sa.func.max(vote.c.unsure).over(partition_by=subject).label("unsure"),
        sa.func.row_number().over(partition_by=subject, order_by=order).label("place"),
    ).subquery()


def votes_needed(round_: str) -> sa.ScalarSelect[int]:
    """How many people are to vote on each picture of a round; 1 where nobody has set it."""
    asked = sa.select(sa.func.max(review_plan.c.reviewers_per_image))
    of_round = asked.where(review_plan.c.round == round_).scalar_subquery()
    return sa.select(sa.func.coalesce(of_round, 1)).scalar_subquery()


def in_dispute(round_: str, photos: Collection[str] | None = None) -> sa.Subquery:
    """Pictures whose votes are all in and differ, and that nobody settled: photo, face.

    photos: only these (sha256) and their faces, which is quick.
    """
    rows = not_undone().where(verdict.c.round == round_)
    tallied = tally(rows if photos is None else rows.where(verdict.c.photo.in_(photos)))
    complete = (tallied.c.place == 1) & ~tallied.c.final & _enough(round_, tallied)
    disagree = complete & (tallied.c.lowest != tallied.c.highest)
    return sa.select(tallied.c.photo, tallied.c.face).where(disagree).subquery(f"disputed_{round_}")
