"""Where the tables end, and where a stage left off: what came since is all that it has to look at.

Rows are only added, and one writer at a time numbers them, so that what has changed is what has a higher number. Where
pictures were forgotten, rows are gone and numbers come again: then nothing is known, and all is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from btfer.catalogue.erasure import ERASED
from btfer.catalogue.store import Catalogue
from btfer.catalogue.tables import (
    erasure,
    pair_verdict,
    photo,
    review_plan,
    sighting,
    stage_mark,
    verdict,
    withdrawal,
)
from btfer.parsing import parse_json


class CatalogueVersion(NamedTuple):
    """The highest numbers of verdicts, sightings and photos.

    plan: votes asked for; gone: how many withdrawals and erasures there are, and a word that is new
    where rows went or changed; answered: when a pair was answered or opened last.
    """

    verdict: int
    sighting: int
    photo: int
    plan: tuple[tuple[str, int], ...]
    gone: tuple[int, int, str]
    answered: str = ""

    def goes_on_from(self, earlier: "CatalogueVersion") -> bool:
        """Whether what has changed since is what has a higher number."""
        as_many = all(now >= then for now, then in zip(self[:3], earlier[:3], strict=True))
        return as_many and (self.plan, self.gone) == (earlier.plan, earlier.gone)


@dataclass(frozen=True)
class StageMark:
    """What the catalogue was when nothing waited for a stage, and what the stage found then."""

    version: CatalogueVersion
    found: Mapping[str, Any] = field(default_factory=dict)


def version(cat: Catalogue) -> CatalogueVersion:
    """Where the tables end now; the same as before where nothing has changed."""

    def newest(what: sa.ColumnElement[Any], table: sa.Table) -> sa.ScalarSelect[Any]:
        return sa.select(what).select_from(table).scalar_subquery()

    ends = sa.select(
        newest(sa.func.max(verdict.c.id), verdict),
        newest(sa.func.max(sighting.c.id), sighting),
        newest(sa.func.max(photo.c.number), photo),
        newest(sa.func.count(), withdrawal),
        newest(sa.func.count(), erasure),
        newest(sa.func.max(stage_mark.c.settings), stage_mark).where(stage_mark.c.stage == ERASED),
        newest(sa.func.max(pair_verdict.c.at), pair_verdict),
    )
    plan = sa.select(review_plan.c.round, review_plan.c.reviewers_per_image)
    with cat.read() as connection:
        *numbers, withdrawn, erased, deletion, answered = connection.execute(ends).one()
        asked = sorted((row.round, row.reviewers_per_image) for row in connection.execute(plan))
    gone = (withdrawn, erased, deletion or "")
    of_verdicts, of_sightings, of_photos = (number or 0 for number in numbers)
    return CatalogueVersion(
        of_verdicts, of_sightings, of_photos, tuple(asked), gone, answered or ""
    )


def mark_of(cat: Catalogue, stage: str, settings: str = "") -> StageMark | None:
    """Where a stage left off under some settings; None where that is not known, or cannot be read."""
    own = (stage_mark.c.stage == stage) & (stage_mark.c.settings == settings)
    texts = (sa.cast(one, sa.String) for one in (stage_mark.c.version, stage_mark.c.found))
    with cat.read() as connection:
        row = connection.execute(sa.select(*texts).where(own)).one_or_none()
    try:
        read, found = map(parse_json, row or ())
        judged, seen, came, plan, gone, answered = read
        asked = tuple((round_, n) for round_, n in plan)  # JSON has lists only
        version_ = CatalogueVersion(judged, seen, came, asked, tuple(gone), answered)
        return StageMark(version_, found) if isinstance(found, dict) else None
    except (TypeError, ValueError):
        return None


def set_mark(cat: Catalogue, stage: str, mark: StageMark, settings: str = "") -> None:
    """Remember that nothing waited for a stage; that of an earlier run is replaced."""
    if mark_of(cat, stage, settings) == mark:
        return
    own = (stage_mark.c.stage == stage) & (stage_mark.c.settings == settings)
    row = {"stage": stage, "settings": settings, "version": mark.version, "found": mark.found}
    with cat.write() as connection:
        connection.execute(sa.delete(stage_mark).where(own))
        connection.execute(sa.insert(stage_mark).values(row))


def judged_since(
    cat: Catalogue, old: CatalogueVersion, *rounds: str, undone_in: str = ""
) -> set[str]:
    """The photos (sha256) that verdicts of these rounds have named since, or undos of one more round."""
    # By the number, not by the index of rounds, which would go through all of them.
    round_ = verdict.c.round.concat("")
    of_rounds = round_.in_(rounds) | ((round_ == undone_in) & (verdict.c.decision == "undo"))
    named = sa.select(verdict.c.photo).where(verdict.c.id > old.verdict, of_rounds)
    with cat.read() as connection:
        return set(connection.execute(named).scalars())
