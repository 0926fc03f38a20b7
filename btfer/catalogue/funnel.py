"""What the funnel counts: every standing verdict, with the label of what it is about."""

import sqlalchemy as sa

from btfer.catalogue import photos, verdicts
from btfer.catalogue.store import Catalogue, Row


def standing_verdicts(cat: Catalogue, settings: str) -> list[Row]:
    """One row per verdict that holds: round, expression, face, decision, reason.

    The expression is the face's relabel, else its photo's label. Verdicts of the crop stage count
    only under this crop setting.
    """
    of_photo = photos.labels(cat)
    rows = []
    for round_ in ("dedup", "photos", "crop", "faces"):
        for row in _current(cat, round_, settings):
            label = row["expression"] or of_photo[row["photo"]]["expression"]
            rows.append(row | {"round": round_, "expression": label})
    return rows


def _current(cat: Catalogue, round_: str, settings: str) -> list[Row]:
    holds = verdicts.current(round_)
    names = ("photo", "face", "decision", "reason", "expression")
    statement = sa.select(*(holds.c[name] for name in names))
    return cat.rows(statement.where(holds.c.settings.in_(("", settings))))
