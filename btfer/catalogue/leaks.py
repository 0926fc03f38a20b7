"""Which faces were looked for in which training set, and which of them were found there.

Verdicts of round `leaks`: on a face, under the training set's digest as `settings`; dropped = found.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from btfer.catalogue import verdicts
from btfer.catalogue.store import Catalogue, Row
from btfer.catalogue.verdicts import Verdict

ROUND = "leaks"


def judged(cat: Catalogue, digest: str) -> dict[str, bool]:
    """Of each face that was looked for in a set whether it is there."""
    held = verdicts.current(ROUND)
    statement = sa.select(held.c.face, held.c.decision).where(held.c.settings == digest)
    return {row["face"]: row["decision"] == "drop" for row in cat.rows(statement)}


def record(
    cat: Catalogue, digest: str, name: str, rows: Iterable[Row], bits: Mapping[str, int]
) -> None:
    """Write down that faces were looked for. rows: with id and photo; bits: of those that are there."""
    verdicts.add_all(
        cat,
        (
            Verdict(
                ROUND,
                row["photo"],
                "drop" if row["id"] in bits else "keep",
                ROUND,
                face=row["id"],
                settings=digest,
                reason=f"in training set {name}" if row["id"] in bits else "",
                distance=bits.get(row["id"]),
            )
            for row in rows
        ),
    )


def clear_of(cat: Catalogue, rows: Iterable[Row], digests: Iterable[str]) -> list[Row]:
    """The faces that were looked for in all of these sets and are in none."""
    known = [judged(cat, digest) for digest in digests]
    return [row for row in rows if all(one.get(row["id"]) is False for one in known)]
