"""Photos: the queues of dedup, of the first review round and of the crop stage, and what is known of each photo."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from btfer.catalogue import verdicts, versions
from btfer.catalogue.prefixes import begins_with
from btfer.catalogue.rows import (
    DescribedPhoto,
    DuplicateCandidate,
    DuplicatePhoto,
    IndexedHashes,
    LabelledPhoto,
    Photo,
    PhotoSighting,
    PhotoTally,
    PhotoToCrop,
    PhotoToReview,
)
from btfer.catalogue.statements import statements
from btfer.catalogue.store import Catalogue, Row, in_parts, plain_rows
from btfer.catalogue.tables import (
    HAS_KEEPER,
    face,
    fetch,
    photo,
    query,
    search,
    sighting,
    verdict,
)
from btfer.licences import PhotoRights, resolve
from btfer.queries import Cell
from btfer.urls import alike, identity, other_scheme

UNLABELLED = "unlabelled"
_CROP = "crop"  # as the stage is named where it left off
_FEW = 5_000  # photos: beyond, a queue is asked for as a whole


def hash_index(cat: Catalogue) -> list[IndexedHashes]:
    """For dedup: every photo's hashes, and whether dedup has judged it (`decision`; '' = new)."""
    dedup = verdicts.current("dedup")
    return cat.read_as(
        IndexedHashes,
        sa.select(
            photo.c.sha256,
            photo.c.phash,
            photo.c.mirror_phash,
            sa.func.coalesce(dedup.c.decision, ""),
        )
        .outerjoin(dedup, dedup.c.photo == photo.c.sha256)
        .order_by(photo.c.sha256),
    )


def for_dedup(cat: Catalogue, ids: Collection[str]) -> list[DuplicateCandidate]:
    """What decides which copy stays, of some photos, in the order of their sha256."""
    dedup, people = verdicts.current("dedup"), verdicts.current("photos")
    stated: dict[str, list[tuple[str, str]]] = {}
    licence = sa.select(fetch.c.photo, sighting.c.licence, sighting.c.licence_url).distinct()
    of = licence.join(fetch, fetch.c.id == sighting.c.fetch)
    for row in _rows_of(cat, of, fetch.c.photo, ids):
        stated.setdefault(row["photo"], []).append((row["licence"], row["licence_url"]))
    facts = (
        sa.select(
            photo.c.sha256,
            photo.c.width.label("width_px"),
            photo.c.height.label("height_px"),
            photo.c.n_bytes,
            photo.c.at,
            people.c.id.is_not(None).label("judged"),
            sa.func.coalesce(dedup.c.decision, "").label("decision"),
            sa.func.coalesce(dedup.c.reviewer, "").label("by"),
            sa.func.coalesce(dedup.c.keeper, "").label("keeper"),
        )
        .outerjoin(dedup, dedup.c.photo == photo.c.sha256)
        .outerjoin(people, people.c.photo == photo.c.sha256)
    )
    found = _rows_of(cat, facts, photo.c.sha256, ids)
    rows = [
        DuplicateCandidate(**row, licences=tuple(sorted(stated.get(row["sha256"], ()))))
        for row in found
    ]
    return sorted(rows, key=lambda row: row.sha256)


def _rows_of(
    cat: Catalogue, statement: sa.Select[Any], key: sa.ColumnElement[str], ids: Iterable[str]
) -> list[Row]:
    """A statement's rows for some keys, asked for in parts; of very many keys, all rows are read."""
    wanted = list(ids)
    if len(wanted) > 5_000:
        chosen = set(wanted)
        return [row for row in cat.rows(statement) if row[key.name] in chosen]
    return [row for part in in_parts(wanted) for row in cat.rows(statement.where(key.in_(part)))]


def awaiting_review(cat: Catalogue) -> list[PhotoToReview]:
    """What round `photos` has not decided of those that dedup kept, in the order of finding."""
    dedup, people = verdicts.current("dedup"), verdicts.current("photos")
    facts = (photo.c.width, photo.c.height, photo.c.hints)
    return cat.read_as(
        PhotoToReview,
        from_first(sa.select(photo.c.sha256, _label(people), *facts))
        .join(dedup, (dedup.c.photo == photo.c.sha256) & (dedup.c.decision == "keep"))
        .outerjoin(people, people.c.photo == photo.c.sha256)
        .where(people.c.id.is_(None))
        .order_by(sighting.c.id),
    )


def tally(cat: Catalogue) -> list[PhotoTally]:
    """How far round `photos` is with the photos that dedup kept."""
    dedup, people = verdicts.current("dedup"), verdicts.current("photos")
    label = _label(people).label("expression")
    decision = sa.func.coalesce(people.c.decision, "").label("decision")
    columns: list[sa.ColumnElement[Any]] = [label, decision, sa.func.count()]
    return cat.read_as(
        PhotoTally,
        from_first(sa.select(*columns))
        .join(dedup, (dedup.c.photo == photo.c.sha256) & (dedup.c.decision == "keep"))
        .outerjoin(people, people.c.photo == photo.c.sha256)
        .group_by(label, decision),
    )


def label_of_each(cat: Catalogue) -> dict[str, str]:
    """Every photo's label by sha256."""
    people = verdicts.current("photos")
    statement = from_first(sa.select(photo.c.sha256, _label(people).label("expression")))
    rows = cat.rows(statement.outerjoin(people, people.c.photo == photo.c.sha256))
    return {row["sha256"]: row["expression"] for row in rows}


def described(cat: Catalogue, ids: Collection[str]) -> dict[str, DescribedPhoto]:
    """Some photos by sha256, with all that is known of each; unknown ones are left out."""
    found: dict[str, DescribedPhoto] = {}
    for part in in_parts(ids):
        people = verdicts.current("photos", part)
        columns = (photo.c.width, photo.c.height, photo.c.hints)
        seen = _labelled(people, *columns, fetch.c.url, only=part)
        of_fetch = seen.join(fetch, fetch.c.id == sighting.c.fetch)
        stated = statements(cat, part)
        for one in cat.read_as(DescribedPhoto, of_fetch):
            found[one.sha256] = _with_rights(one, resolve(stated[one.sha256]))
    return found


def _with_rights(one: DescribedPhoto, rights: PhotoRights) -> DescribedPhoto:
    return replace(
        one,
        licence=rights.licence,
        licence_url=rights.licence_url,
        author=rights.author,
        title=rights.title,
        page_url=rights.page_url,
        needs_credit=rights.needs_credit,
        licence_conflict=rights.conflict,
    )


def awaiting_crop(cat: Catalogue, crop_digest: str, *, unreviewed: str = "") -> list[PhotoToCrop]:
    """The queue of the crop stage under one setting: photos kept so far and not yet looked at.

    unreviewed: `keep` takes photos that no person has judged as well. Only what was judged since the stage has ended
    (`crop_ended`) is looked at.
    """
    mark = versions.mark_of(cat, _CROP, f"{crop_digest}{unreviewed}")
    if mark and versions.version(cat).goes_on_from(mark.version):
        judged = versions.judged_since(cat, mark.version, "dedup", "photos", undone_in="crop")
        if len(judged) <= _FEW:
            parts = (_to_crop(crop_digest, unreviewed, part) for part in in_parts(sorted(judged)))
            return [row for part in parts for row in cat.read_as(PhotoToCrop, part)]
    return cat.read_as(PhotoToCrop, _to_crop(crop_digest, unreviewed, None))


def crop_ended(
    cat: Catalogue, crop_digest: str, before: versions.CatalogueVersion, *, unreviewed: str = ""
) -> None:
    """Remember that the crop stage has looked at all that awaited it in the catalogue as it was `before`."""
    versions.set_mark(cat, _CROP, versions.StageMark(before), f"{crop_digest}{unreviewed}")


def _to_crop(
    crop_digest: str, unreviewed: str, only: Collection[str] | None
) -> sa.Select[tuple[str, str]]:
    """The photos that await the crop stage, in the order of their sha256. only: among these."""
    dedup, people, crop = (verdicts.current(name, only) for name in ("dedup", "photos", "crop"))
    done = (crop.c.photo == photo.c.sha256) & (crop.c.face == "") & (crop.c.settings == crop_digest)
    judged = sa.func.coalesce(people.c.decision, "keep" if unreviewed == "keep" else "")
    queue = (
        sa.select(photo.c.sha256, photo.c.format)
        .join(dedup, (dedup.c.photo == photo.c.sha256) & (dedup.c.decision == "keep"))
        .outerjoin(people, people.c.photo == photo.c.sha256)
        .outerjoin(crop, done)
        .where(judged.in_(("keep", "relabel")), crop.c.id.is_(None))
        .order_by(photo.c.sha256)
    )
    return queue if only is None else queue.where(photo.c.sha256.in_(only))


def labels(cat: Catalogue) -> dict[str, LabelledPhoto]:
    """Every photo with its label and intent, by sha256.

    The label is the person's relabel in round `photos`, else what the first query that found it intends.
    """
    every = cat.read_as(LabelledPhoto, _labelled(verdicts.current("photos")))
    return {one.sha256: one for one in every}


def conflicting(cat: Catalogue) -> set[str]:
    """Photos that were found, they or a near-duplicate of theirs, under queries of different expressions."""
    # Nearly all photos are no copies: what holds of dedup is asked of those alone that had a keeper once.
    once = sa.select(verdict.c.photo).where(verdict.c.round == "dedup", HAS_KEEPER)
    dedup = verdicts.current("dedup", once)
    keeper = sa.func.coalesce(sa.func.nullif(dedup.c.keeper, ""), fetch.c.photo)
    statement = (
        sa.select(keeper.label("keeper"))
        .join(sighting, sighting.c.fetch == fetch.c.id)
        .join(query, query.c.id == sighting.c.query)
        .outerjoin(dedup, dedup.c.photo == fetch.c.photo)
        .where(fetch.c.photo.is_not(None), query.c.expression != "")
        .group_by(keeper)
        # Not by counting which there are, for which a database sorts all sightings.
        .having(sa.func.min(query.c.expression) != sa.func.max(query.c.expression))
    )
    with cat.read() as connection:
        return {photo_ for (photo_,) in plain_rows(connection, statement)}


def with_copies(cat: Catalogue) -> set[str]:
    """Photos that dedup kept for others that are near-duplicates of them."""
    dedup = verdicts.current("dedup")
    kept_for = sa.select(dedup.c.keeper).where(dedup.c.decision == "drop").distinct()
    return {row["keeper"] for row in cat.rows(kept_for)}


def sightings(cat: Catalogue, sha256: str) -> list[PhotoSighting]:
    """Every sighting of one photo with its query, oldest first."""
    return cat.read_as(
        PhotoSighting,
        sa.select(
            *(sighting.c[name] for name in PhotoSighting._fields[:9]),
            fetch.c.url,
            fetch.c.final_url,
            query.c.phrase,
            query.c.expression,
            query.c.language,
        )
        .join(fetch, fetch.c.id == sighting.c.fetch)
        .join(query, query.c.id == sighting.c.query)
        .where(fetch.c.photo == sha256)
        .order_by(sighting.c.id),
    )


def find(cat: Catalogue, start: str) -> list[Photo]:
    """Photos whose sha256 begins with `start`."""
    columns = [one for one in photo.columns if one is not photo.c.number]
    return cat.read_as(Photo, sa.select(*columns).where(begins_with(photo.c.sha256, start)))


def shown_at(cat: Catalogue, things: Iterable[str]) -> set[str]:
    """Photos, by sha256, that came from one of these URLs, are shown on one of these pages, or are named."""
    one_form = {identity(thing) for thing in things}
    named = one_form | {other_scheme(thing) for thing in one_form}
    places = (fetch.c.photo, fetch.c.url, fetch.c.final_url, sighting.c.page_url)
    rows = cat.rows(
        sa.select(*places)
        .join(sighting, sighting.c.fetch == fetch.c.id)
        .where(fetch.c.photo.is_not(None))
    )
    return {row["photo"] for row in rows if named & {identity(text) for text in row.values()}}


def addresses_like(cat: Catalogue, url: str) -> list[str]:
    """Addresses of photos that are here, and of their pages, that a person would take for this one."""
    places = (fetch.c.url, fetch.c.final_url, sighting.c.page_url)
    rows = cat.rows(
        sa.select(*places)
        .join(sighting, sighting.c.fetch == fetch.c.id)
        .where(fetch.c.photo.is_not(None))
    )
    return sorted(
        {text for row in rows for text in row.values() if text and alike(text) == alike(url)}
    )


def findable(cat: Catalogue, text: str) -> set[str]:
    """Photos, by sha256, that a text names: the start of the sha256 or of a face id, an address, or a file's name."""
    named = sa.select(photo.c.sha256).where(begins_with(photo.c.sha256, text))
    of_face = sa.select(face.c.photo).where(begins_with(face.c.id, text))
    file_name = fetch.c.url.endswith(f"/{text}", autoescape=True)
    from_there = sa.select(fetch.c.photo).where(
        fetch.c.photo.is_not(None),
        file_name | fetch.c.url.in_([text]) | fetch.c.final_url.in_([text]),
    )
    shown_there = (
        sa.select(fetch.c.photo)
        .join(sighting, sighting.c.fetch == fetch.c.id)
        .where(fetch.c.photo.is_not(None), sighting.c.page_url == text)
    )
    with cat.read() as connection:
        parts = (named, of_face, from_there, shown_there)
        return {name for part in parts for name in connection.execute(part).scalars()}


def count(cat: Catalogue) -> int:
    """How many photos there are."""
    return int(cat.rows(sa.select(sa.func.count().label("n")).select_from(photo))[0]["n"])


def count_by_class(cat: Catalogue) -> dict[str, int]:
    """How many photos each class has, by the label that each photo has now."""
    people = verdicts.current("photos")
    label, n = _label(people).label("expression"), sa.func.count().label("n")
    columns: list[sa.ColumnElement[Any]] = [label, n]
    statement = from_first(sa.select(*columns))
    statement = statement.outerjoin(people, people.c.photo == photo.c.sha256).group_by(label)
    return {row["expression"]: row["n"] for row in cat.rows(statement)}


def count_by_cell(cat: Catalogue) -> dict[Cell, int]:
    """How many photos each cell has: by the label that each photo has now, and whom its query asked for."""
    people = verdicts.current("photos")
    label = sa.func.nullif(_label(people), UNLABELLED)
    cell = [sa.func.coalesce(label, ""), *(query.c[name] for name in Cell._fields[1:])]
    statement = from_first(sa.select(*cell, sa.func.count()))
    statement = statement.outerjoin(people, people.c.photo == photo.c.sha256).group_by(*cell)
    with cat.read() as connection:
        return {Cell(*row[:-1]): row[-1] for row in connection.execute(statement)}


def asked_cells(cat: Catalogue) -> list[Cell]:
    """Every cell that a query has asked some source for, in order."""
    cell = [query.c[name] for name in Cell._fields]
    asked = sa.select(*cell).distinct().join(search, search.c.query == query.c.id)
    return sorted(cat.read_as(Cell, asked))


def _labelled(
    people: sa.Subquery, *columns: sa.ColumnElement[Any], only: Collection[str] | None = None
) -> sa.Select[Any]:
    """The columns of `LabelledPhoto`, then those given. people: the current verdicts of round `photos`."""
    statement = sa.select(
        photo.c.sha256,
        photo.c.format,
        _label(people).label("expression"),
        query.c.expression.label("intended"),
        query.c.phrase,
        query.c.ethnicity,
        query.c.gender,
        query.c.age,
        query.c.language,
        sighting.c.source,
        sighting.c.page_url,
        sighting.c.title,
        sighting.c.licence,
        sighting.c.licence_url,
        sighting.c.author,
        sighting.c.rank,
        *columns,
    )
    joined = from_first(statement, only).outerjoin(people, people.c.photo == photo.c.sha256)
    return joined.order_by(sighting.c.id)


def _label(people: sa.Subquery) -> sa.ColumnElement[str]:
    """What people agreed on, else what the query intends, else `unlabelled`."""
    agreed, intended = (
        sa.func.nullif(one, "") for one in (people.c.expression, query.c.expression)
    )
    return sa.func.coalesce(agreed, intended, UNLABELLED)


def from_first(
    statement: sa.Select[*tuple[Any, ...]],
    only: Collection[str] | sa.ColumnElement[bool] | None = None,
) -> sa.Select[Any]:
    """The statement over photos joined with their first sighting (the first that has a label) and its query.

    only: of these photos, or of those whose `fetch.photo` is as this says.
    """
    first = _first_sightings(only)
    return (
        statement.select_from(photo)
        .join(first, first.c.photo == photo.c.sha256)
        .join(sighting, sighting.c.id == first.c.first)
        .join(query, query.c.id == sighting.c.query)
    )


def _first_sightings(
    only: Collection[str] | sa.ColumnElement[bool] | None = None,
) -> sa.Subquery:
    """Each photo's first sighting that has a label, else the first of all: photo, first."""
    if only is None:
        only = fetch.c.photo.is_not(None)
    elif not isinstance(only, sa.ColumnElement):
        only = fetch.c.photo.in_(only)
    labelled = sa.case((query.c.expression != "", sighting.c.id))
    return (
        sa.select(
            fetch.c.photo,
            sa.func.coalesce(sa.func.min(labelled), sa.func.min(sighting.c.id)).label("first"),
        )
        .join(sighting, sighting.c.fetch == fetch.c.id)
        .join(query, query.c.id == sighting.c.query)
        .where(only)
        .group_by(fetch.c.photo)
        .subquery()
    )


def duplicates(cat: Catalogue) -> list[DuplicatePhoto]:
    """Every photo that dedup dropped, with its keeper."""
    dedup = verdicts.current("dedup")
    columns = sa.select(dedup.c.photo, dedup.c.keeper, dedup.c.distance)
    return cat.read_as(DuplicatePhoto, columns.where(dedup.c.decision == "drop"))


def known(cat: Catalogue, ids: Iterable[str]) -> set[str]:
    """Those of the given sha256 that are photos here."""
    return {row["sha256"] for row in _rows_of(cat, sa.select(photo.c.sha256), photo.c.sha256, ids)}
