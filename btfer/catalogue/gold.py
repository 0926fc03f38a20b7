"""Answers on hidden gold pictures, whose right answer is known: how well a person judges. They are no verdicts."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, in_parts, now
from btfer.catalogue.tables import gold_answer


@dataclass(frozen=True)
class GoldAnswer:
    """One person's answer on one picture, and whether it is correct.

    uid: names the sending of it. note, unsure: as of `Verdict`. at: ISO time in UTC, set when it is recorded.
    """

    uid: str
    reviewer: str
    round: str
    photo: str
    face: str
    decision: str
    reason: str
    expression: str
    correct: bool
    note: str = ""
    unsure: bool = False
    at: str = ""


def add(cat: Catalogue, answers: Iterable[GoldAnswer]) -> None:
    """Record answers; one that was sent twice is recorded once."""
    todo, at = list(answers), now("microseconds")
    with cat.write() as connection:
        here: set[str] = set()
        for part in in_parts([one.uid for one in todo]):
            known = sa.select(gold_answer.c.uid).where(gold_answer.c.uid.in_(part))
            here |= set(connection.execute(known).scalars())
        rows = [asdict(one) | {"at": at} for one in todo if one.uid not in here]
        if rows:
            connection.execute(sa.insert(gold_answer), rows)


def asked(cat: Catalogue, round_: str, reviewer: str) -> set[str]:
    """The ids of the photos or faces on which a person has answered."""
    subject = sa.case((gold_answer.c.face != "", gold_answer.c.face), else_=gold_answer.c.photo)
    own = (gold_answer.c.round == round_) & (gold_answer.c.reviewer == reviewer)
    with cat.read() as connection:
        return set(connection.execute(sa.select(subject).where(own)).scalars())


def take_back(cat: Catalogue, round_: str, reviewer: str, *, since: str) -> list[GoldAnswer]:
    """Delete what a person answered from a time on, and return it, oldest first. since: ISO time in UTC."""
    chosen = (
        (gold_answer.c.round == round_)
        & (gold_answer.c.reviewer == reviewer)
        & (gold_answer.c.at >= since)
    )
    columns = (gold_answer.c[one.name] for one in fields(GoldAnswer))
    with cat.write() as connection:
        rows = connection.execute(sa.select(*columns).where(chosen).order_by(gold_answer.c.id))
        found = [GoldAnswer(*row) for row in rows]
        connection.execute(sa.delete(gold_answer).where(chosen))
    return found


def answers(cat: Catalogue) -> list[GoldAnswer]:
    """Every answer, oldest first."""
    columns = (gold_answer.c[one.name] for one in fields(GoldAnswer))
    return cat.read_as(GoldAnswer, sa.select(*columns).order_by(gold_answer.c.id))


def correct_of(cat: Catalogue, reviewer: str) -> tuple[int, int]:
    """How many of a person's answers are correct, and how many there are."""
    own = gold_answer.c.reviewer == reviewer
    n_correct = sa.func.coalesce(sa.func.sum(sa.cast(gold_answer.c.correct, sa.Integer)), 0)
    with cat.read() as connection:
        found = connection.execute(sa.select(n_correct, sa.func.count()).where(own)).one()
    return int(found[0]), int(found[1])
