"""The log of people's verdicts, as far as a reviewer may see it without being influenced by others."""

from btfer.catalogue import Catalogue, verdicts, votes
from btfer.catalogue.verdicts import StoredVerdict
from btfer.catalogue.votes import ReviewSubject
from btfer.review.rules import ROUNDS


def visible_log(cat: Catalogue, reviewer: str, *, limit: int) -> list[StoredVerdict]:
    """The newest verdicts in both rounds, newest first, undone ones too.

    Where a round asks for several votes, those of others show once all votes on the picture are in.
    """
    rows = verdicts.log(cat, rounds=ROUNDS, limit=limit)
    for round_ in ROUNDS:
        if votes.needed(cat, round_) > 1:
            rows = _without_open(cat, round_, rows, reviewer)
    return rows


def _without_open(
    cat: Catalogue, round_: str, rows: list[StoredVerdict], reviewer: str
) -> list[StoredVerdict]:
    named = {row.photo for row in rows if row.round == round_}
    closed = {
        ReviewSubject(row.photo, row.face)
        for row in (*verdicts.current_on(cat, round_, named), *votes.disputes(cat, round_))
    }
    return [
        row
        for row in rows
        if row.round != round_
        or row.reviewer == reviewer
        or ReviewSubject(row.photo, row.face) in closed
    ]
