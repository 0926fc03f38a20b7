"""Verdicts from another catalogue, merged into this one."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, Row, in_parts, insert_new
from btfer.catalogue.tables import review_page, verdict
from btfer.catalogue.verdicts import Verdict, add_within, undo_within


@dataclass(frozen=True)
class MergedVerdict:
    """A verdict from another catalogue: when it was given, and when and by whom it was undone ('' = it was not).

    guidelines: the version that the person had before them ('' = none).
    """

    verdict: Verdict
    at: str
    undone: str = ""
    undone_by: str = ""
    guidelines: str = ""


def merge(cat: Catalogue, incoming: Iterable[MergedVerdict]) -> tuple[int, int]:
    """Add those that are not here yet, and undo those that were undone there; how many of each.

    In one transaction. Doing it twice, or in another order, ends the same.
    """
    every = list(incoming)
    with cat.write() as connection:
        here = _ids_of(connection, [one.verdict.uid for one in every])
        undone = set(connection.execute(sa.select(verdict.c.undoes)).scalars())
        added = n_undone = 0
        for one in every:
            uid = one.verdict.uid
            if uid not in here:
                here[uid] = add_within(connection, one.verdict, one.at)
                added += 1
            if one.undone and here[uid] not in undone:
                undo_within(connection, here[uid], one.undone_by, one.undone)
                undone.add(here[uid])
                n_undone += 1
        insert_new(connection, review_page, _pages(every))
    return added, n_undone


def _pages(every: list[MergedVerdict]) -> list[Row]:
    """Which guidelines were read, of pages that are not known here."""
    pages = {
        (one.verdict.reviewer, one.verdict.round, one.at): one.guidelines
        for one in every
        if one.guidelines
    }
    return [
        {
            "reviewer": who,
            "round": round_,
            "at": at,
            "guidelines": read,
            "seconds": 0.0,
            "unseen": 0,
        }
        for (who, round_, at), read in pages.items()
    ]


def _ids_of(connection: sa.Connection, uids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in in_parts(uids):
        rows = connection.execute(
            sa.select(verdict.c.uid, verdict.c.id).where(verdict.c.uid.in_(part))
        )
        found |= {row.uid: row.id for row in rows}
    return found
