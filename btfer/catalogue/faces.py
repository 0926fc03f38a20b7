"""Faces: what the crop stage found, the queue of the second review round, and what may be sampled."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from btfer.catalogue import photos, verdicts
from btfer.catalogue.erasure import tell_changed_rows
from btfer.catalogue.prefixes import begins_with
from btfer.catalogue.rows import AcceptedFace, Face, LabelledFace, PhotoWithoutFace
from btfer.catalogue.store import Catalogue, Row, in_parts, insert_new, now
from btfer.catalogue.tables import face, verdict
from btfer.catalogue.tables import photo as photo_table
from btfer.catalogue.verdicts import Verdict

SAME_SHOT = "same shot as another"
"""Why a face that the crop stage accepted is dropped again: it stands in another photo as well."""

# The columns whose names the database had before fields told their units.
_RENAMED = {
    "crop_digest": "settings",
    "x_px": "x",
    "y_px": "y",
    "width_px": "width",
    "height_px": "height",
}
_COLUMN_OF = {one.name: _RENAMED.get(one.name, one.name) for one in fields(Face)}
_FACE_COLUMNS = tuple(face.c[column] for column in _COLUMN_OF.values())


def add(cat: Catalogue, found: Iterable[Face], judged: Iterable[Verdict]) -> None:
    """Write the faces of some photos, and the crop stage's verdicts on them, in one transaction."""
    at = now()
    with cat.write() as connection:
        insert_new(connection, face, [_row(one) for one in found])
        verdicts.add_all_within(connection, judged, at)


def _row(one: Face) -> Row:
    return {column: getattr(one, name) for name, column in _COLUMN_OF.items()}


def accepted(cat: Catalogue, crop_digest: str) -> list[AcceptedFace]:
    """Faces that the crop stage accepted, of photos that were not dropped, with people's current verdicts."""
    return cat.read_as(AcceptedFace, _accepted(crop_digest))


def comparable(cat: Catalogue, crop_digest: str) -> list[AcceptedFace]:
    """`accepted`, and the faces that would be accepted if they were not the same shot as another."""
    return cat.read_as(AcceptedFace, _accepted(crop_digest, or_reason=SAME_SHOT))


def _accepted(crop_digest: str, *, or_reason: str = "-") -> sa.Select[Any]:
    """The columns of `AcceptedFace`, in their order. or_reason: of drops that count as accepted; '-' is of none."""
    crop, people = verdicts.current("crop"), verdicts.current("faces")
    dedup, photo = verdicts.current("dedup"), verdicts.current("photos")
    said = (people.c.decision, people.c.expression, people.c.reviewer, people.c.reason)
    return (
        sa.select(*_FACE_COLUMNS, *(sa.func.coalesce(one, "") for one in said))
        .join(crop, _of_face(crop) & ((crop.c.decision == "keep") | (crop.c.reason == or_reason)))
        .join(dedup, (dedup.c.photo == face.c.photo) & (dedup.c.decision == "keep"))
        .outerjoin(photo, photo.c.photo == face.c.photo)
        .outerjoin(people, _of_face(people))
        .where(face.c.settings == crop_digest)
        .where(sa.func.coalesce(photo.c.decision, "keep") != "drop")
        .order_by(face.c.id)
    )


def _of_face(held: sa.Subquery) -> sa.ColumnElement[bool]:
    """The photo as well as the face: verdicts are indexed by both."""
    return (held.c.photo == face.c.photo) & (held.c.face == face.c.id)


def awaiting_review(cat: Catalogue, crop_digest: str) -> list[LabelledFace]:
    """The queue of round `faces`, with each face's label."""
    return [one for one in accepted_with_labels(cat, crop_digest) if not one.decision]


def accepted_with_labels(cat: Catalogue, crop_digest: str) -> list[LabelledFace]:
    """`accepted`, each with its label: the class that people gave the face, else its photo's."""
    label_of = photos.label_of_each(cat)
    names = [one.name for one in fields(AcceptedFace)]
    photo, relabel = names.index("photo"), names.index("relabel")

    def labelled(*row: Any) -> LabelledFace:
        return LabelledFace(*(*row, row[relabel] or label_of[row[photo]]))

    return cat.read_as(labelled, _accepted(crop_digest))


def find(cat: Catalogue, start: str) -> list[Face]:
    """Faces whose id begins with `start`."""
    return _faces(cat, begins_with(face.c.id, start))


def of_photo(cat: Catalogue, sha256: str) -> list[Face]:
    """Every face box of one photo, under every setting."""
    return _faces(cat, face.c.photo == sha256)


def on_photos(cat: Catalogue, photos: Iterable[str], crop_digest: str) -> list[Face]:
    """Every face box of some photos (sha256) under one crop setting."""
    under_it = face.c.settings == crop_digest
    parts = in_parts(sorted(photos))
    return [one for part in parts for one in _faces(cat, under_it & face.c.photo.in_(part))]


def by_id(cat: Catalogue, ids: Iterable[str]) -> dict[str, Face]:
    """The faces with these ids, by id; unknown ones are left out."""
    return {one.id: one for part in in_parts(ids) for one in _faces(cat, face.c.id.in_(part))}


def under(cat: Catalogue, crop_digest: str) -> list[Face]:
    """Every face box that was found under one crop setting."""
    return _faces(cat, face.c.settings == crop_digest)


def _faces(cat: Catalogue, which: sa.ColumnElement[bool]) -> list[Face]:
    return cat.read_as(Face, sa.select(*_FACE_COLUMNS).where(which).order_by(face.c.id))


def all_settings(cat: Catalogue) -> list[str]:
    """The digests of all crop settings under which a face was found."""
    return [row["settings"] for row in cat.rows(sa.select(face.c.settings).distinct())]


def touch_settings(cat: Catalogue, crop_digest: str) -> None:
    """Repeat the newest of the crop stage's verdicts under a setting: it is the one that ran last."""
    # From the newest row on: the index of rounds would go through all of them.
    of_crop = (verdict.c.round.concat("") == "crop") & (verdict.c.settings == crop_digest)
    newest = verdicts.not_undone().where(of_crop).order_by(verdict.c.id.desc()).limit(1)
    for row in cat.rows(newest):
        same = {name: row[name] for name in ("photo", "decision", "reviewer", "face", "reason")}
        verdicts.add(cat, [Verdict("crop", settings=crop_digest, **same)])


def newest_settings(cat: Catalogue) -> str:
    """The digest of the settings that the crop stage ran with last; '' before its first run.

    Every page of the review asks: only the rows since it was asked last are looked at, as the crop stage's last
    one may lie behind a hundred thousand of people's.
    """
    upto, before = _newest_settings.get(cat, (0, ""))
    with cat.read() as connection:
        end = connection.execute(sa.select(sa.func.max(verdict.c.id))).scalar() or 0
        if end < upto:  # rows were erased
            upto, before = 0, ""
        # By the number, not by the index of rounds, which would go through all of the crop stage's.
        newer = (verdict.c.round.concat("") == "crop") & (verdict.c.id > upto)
        last = sa.select(verdict.c.settings).where(newer).order_by(verdict.c.id.desc()).limit(1)
        found = connection.execute(last).scalar()
    digest = before if found is None else str(found)
    _newest_settings[cat] = (end, digest)
    return digest


_newest_settings: WeakKeyDictionary[Catalogue, tuple[int, str]] = WeakKeyDictionary()


def photos_without_face(
    cat: Catalogue, crop_digest: str, reason: str = ""
) -> list[PhotoWithoutFace]:
    """Photos that only the crop stage dropped.

    reason: only those dropped for it, such as `no face`. Without settings, nothing has been cropped yet.
    """
    if not crop_digest:
        return []
    crop, dedup, people = (verdicts.current(name) for name in ("crop", "dedup", "photos"))
    dropped = (crop.c.face == "") & (crop.c.settings == crop_digest) & (crop.c.decision == "drop")
    facts = (photo_table.c.sha256, crop.c.reason, photo_table.c.width, photo_table.c.height)
    said = (people.c.decision, people.c.expression, people.c.reviewer)
    statement = (
        sa.select(*facts, crop.c.id, photo_table.c.at, *(sa.func.coalesce(one, "") for one in said))
        .join(crop, (crop.c.photo == photo_table.c.sha256) & dropped)
        .join(dedup, (dedup.c.photo == photo_table.c.sha256) & (dedup.c.decision == "keep"))
        .outerjoin(people, people.c.photo == photo_table.c.sha256)
        .where(sa.func.coalesce(people.c.decision, "keep") != "drop")
        .order_by(photo_table.c.sha256)
    )
    chosen = statement.where(crop.c.reason == reason) if reason else statement
    return cat.read_as(PhotoWithoutFace, chosen)


def hint(cat: Catalogue, name: str, values: Mapping[str, float]) -> None:
    """Give faces (by id) a hint, and take it from all others that have it."""
    with cat.write() as connection:
        # What is in memory of hints, or kept of their order, holds no more.
        tell_changed_rows(connection)
        named = sa.cast(face.c.hints, sa.String).contains(f'"{name}"', autoescape=True)
        hinted = connection.execute(sa.select(face.c.id).where(named)).scalars().all()
        for id_ in sorted({*hinted, *values}):
            this = face.c.id == id_
            hints = connection.execute(sa.select(face.c.hints).where(this)).scalar_one_or_none()
            if hints is None:
                continue
            kept = {key: value for key, value in hints.items() if key != name}
            given = {name: values[id_]} if id_ in values else {}
            connection.execute(sa.update(face).where(this).values(hints=kept | given))
