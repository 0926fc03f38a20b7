"""Which faces were looked for in which training set, and which of them were found there.

Verdicts of round `leaks`: on a face, under the training set's digest as `settings`; dropped = found.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from btfer.catalogue import verdicts
from btfer.catalogue.rows import KeptFace
from btfer.catalogue.store import Catalogue
from btfer.catalogue.verdicts import Verdict

ROUND = "leaks"


def judged(cat: Catalogue, digest: str) -> dict[str, bool]:
    """Of each face that was looked for in a set whether it is there."""
    current = verdicts.current(ROUND)
    statement = sa.select(current.c.face, current.c.decision).where(current.c.settings == digest)
    return {row["face"]: row["decision"] == "drop" for row in cat.rows(statement)}


def record(
    cat: Catalogue, digest: str, name: str, faces: Iterable[KeptFace], bits: Mapping[str, int]
) -> None:
    """Write down that faces were looked for. bits: between the hashes, by id of the faces that are there."""
    verdicts.add_all(
        cat,
        (
            Verdict(
                ROUND,
                face.photo,
                "drop" if face.id in bits else "keep",
                ROUND,
                face=face.id,
                settings=digest,
                reason=f"in training set {name}" if face.id in bits else "",
                distance=bits.get(face.id),
            )
            for face in faces
        ),
    )


def clear_of(cat: Catalogue, faces: Iterable[KeptFace], digests: Iterable[str]) -> list[KeptFace]:
    """The faces that were looked for in all of these sets and are in none."""
    known = [judged(cat, digest) for digest in digests]
    return [face for face in faces if all(one.get(face.id) is False for one in known)]
