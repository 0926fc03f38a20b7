"""What the review keeps in memory of every picture, read in few passes; and what has changed since it was read."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from btfer.catalogue.rows import PhotoBox
from btfer.catalogue.store import Catalogue, in_parts, plain_rows
from btfer.catalogue.tables import face, fetch, photo, sighting, verdict
from btfer.catalogue.verdicts import in_dispute, not_undone
from btfer.catalogue.versions import CatalogueVersion
from btfer.parsing import parse_json


class FoundPhoto(NamedTuple):
    """Where a photo was found first under a label, else first of all.

    first: the id of that sighting. expressions: the classes of all queries that found it.
    """

    first: int
    query: str
    source: str
    expressions: frozenset[str]


class MeasuredPhoto(NamedTuple):
    """A photo's size, its perceptual hash (int64), what intake measured of it, and when it came (ISO time in UTC)."""

    width_px: int
    height_px: int
    phash: int
    hints: Mapping[str, Any]
    at: str


class MeasuredFace(NamedTuple):
    """A face's box, the detector's probability (0 to 1), and what may be wrong with it."""

    box: PhotoBox
    probability: float
    hints: Mapping[str, Any]


class CastVote(NamedTuple):
    """Who voted on a picture; what was undone is no vote."""

    photo: str
    face: str
    reviewer: str


def named_since(cat: Catalogue, old: CatalogueVersion) -> set[str]:
    """The photos (sha256) that have come since, or that verdicts or sightings have named."""
    seen = sa.select(fetch.c.photo).join(sighting, sighting.c.fetch == fetch.c.id)
    new_seen = seen.where(sighting.c.id > old.sighting, fetch.c.photo.is_not(None))
    # In their order, or SQLite would rather go through the index of all photos than through the last rows.
    newer = sa.select(verdict.c.photo).where(verdict.c.id > old.verdict).order_by(verdict.c.id)
    # Somebody may have seen its address long before it was fetched.
    came = sa.select(photo.c.sha256).where(photo.c.number > old.photo)
    with cat.read() as connection:
        return {id_ for one in (newer, new_seen, came) for id_ in connection.execute(one).scalars()}


def groups_of(cat: Catalogue, photos: Collection[str]) -> tuple[set[str], set[str]]:
    """The keepers that dedup ever named for these photos; and all copies that it ever dropped for any of both."""
    has_keeper = (verdict.c.round == "dedup") & (verdict.c.keeper != "")
    keeper = sa.select(verdict.c.keeper).where(has_keeper)
    copy = sa.select(verdict.c.photo).where(verdict.c.keeper != "")
    with cat.read() as connection:

        def named(rows: sa.Select[Any], by: sa.ColumnElement[Any], ids: set[str]) -> set[str]:
            parts = (rows.where(by.in_(part)) for part in in_parts(ids))
            return {one for part in parts for one in connection.execute(part).scalars()}

        keepers_ = named(keeper, verdict.c.photo, set(photos))
        return keepers_, named(copy, verdict.c.keeper, keepers_.union(photos))


def found(
    cat: Catalogue, expression_of: Mapping[str, str], photos: Collection[str] | None = None
) -> dict[str, FoundPhoto]:
    """Where each photo was found, by sha256. expression_of: each query's. photos: only these."""
    known: dict[str, FoundPhoto] = {}
    same: dict[str, str] = {}
    alone = {name: frozenset(filter(None, (one,))) for name, one in expression_of.items()}
    again = []
    photo_of, rows = _sightings(cat, photos)
    for fetched, id_, query, source in rows:
        sha256 = photo_of.get(fetched) if photos is None else fetched
        if sha256 in known:
            again.append((sha256, id_, query, source))
        elif sha256 is not None:
            query, source = same.setdefault(query, query), same.setdefault(source, source)
            known[sha256] = FoundPhoto(id_, query, source, alone[query])
    for sha256, id_, query, source in again:
        before = known[sha256]
        # One with a label comes before all without; else the oldest.
        is_first = (not alone[query], id_) < (not alone[before.query], before.first)
        now = FoundPhoto(id_, query, source, alone[query]) if is_first else before
        known[sha256] = now._replace(expressions=before.expressions | alone[query])
    return known


def _sightings(
    cat: Catalogue, photos: Collection[str] | None
) -> tuple[dict[str, str], Iterator[tuple[str, int, str, str]]]:
    """The photo of each fetch; and fetch, id, query and source of each sighting. photos: these instead of fetches.

    Of all, the join is left to the caller: half the time of SQLite's.
    """
    columns = (sighting.c.id, sighting.c.query, sighting.c.source)
    if photos is not None:
        joined = sa.select(fetch.c.photo, *columns).join(sighting, sighting.c.fetch == fetch.c.id)
        return {}, _rows(cat, joined, fetch.c.photo, photos)
    fetched = _rows(cat, sa.select(fetch.c.id, fetch.c.photo), fetch.c.photo, None)
    every = _rows(cat, sa.select(sighting.c.fetch, *columns), sighting.c.fetch, None)
    return dict(fetched), every


def measured(cat: Catalogue, photos: Collection[str] | None = None) -> dict[str, MeasuredPhoto]:
    """Sizes and hints by sha256. photos: only of these."""
    columns = sa.select(
        photo.c.sha256,
        photo.c.width,
        photo.c.height,
        photo.c.phash,
        photo.c.at,
        sa.cast(photo.c.hints, sa.String),
    )
    rows = [*_rows(cat, columns, photo.c.sha256, photos)]
    hints = _parsed(row[-1] for row in rows)
    return {
        sha256: MeasuredPhoto(width, height, phash, told, at)
        for (sha256, width, height, phash, at, _), told in zip(rows, hints, strict=True)
    }


def measured_faces(
    cat: Catalogue, crop_digest: str, faces: Collection[str] | None = None
) -> dict[str, MeasuredFace]:
    """Boxes and hints of faces under a crop setting, by id. faces: only of these."""
    box = (face.c.x, face.c.y, face.c.width, face.c.height)
    hints = sa.cast(face.c.hints, sa.String)
    columns = sa.select(face.c.id, *box, face.c.probability, hints)
    rows = [*_rows(cat, columns.where(face.c.settings == crop_digest), face.c.id, faces)]
    told = _parsed(row[-1] for row in rows)
    return {
        id_: MeasuredFace(PhotoBox(x, y, width, height), probability, one)
        for (id_, x, y, width, height, probability, _), one in zip(rows, told, strict=True)
    }


def _parsed(texts: Iterable[str | None]) -> list[Any]:
    """JSON texts as values, parsed as one: of 100,000 short ones in a quarter of the time."""
    found: list[Any] = parse_json(f"[{','.join(text or 'null' for text in texts)}]")
    return found


def faces_with_hint(
    cat: Catalogue, crop_digest: str, name: str, photos: Collection[str] | None = None
) -> set[str]:
    """The faces under a crop setting that have a hint. photos: only those in these."""
    named = sa.cast(face.c.hints, sa.String).contains(f'"{name}"', autoescape=True)
    chosen = sa.select(face.c.id).where(face.c.settings == crop_digest, named)
    return {id_ for (id_,) in _rows(cat, chosen, face.c.photo, photos)}


def keepers(cat: Catalogue, photos: Collection[str] | None = None) -> dict[str, str]:
    """The keeper that dedup named last for each photo that it ever dropped."""
    # Of all, the rows as they lie: by the index of rounds it takes three times as long.
    round_ = verdict.c.round.concat("") if photos is None else verdict.c.round
    dropped = (round_ == "dedup") & (verdict.c.decision == "drop")
    columns = sa.select(verdict.c.id, verdict.c.photo, verdict.c.keeper).where(dropped)
    rows = sorted(_rows(cat, columns, verdict.c.photo, photos))
    return {of: keeper for _, of, keeper in rows}


def votes_on(
    cat: Catalogue, round_: str, photos: Collection[str] | None = None, *, unsure: bool = False
) -> list[CastVote]:
    """Every vote of a round that was not undone, final verdicts left out. photos: only on these.

    unsure: only those whose person was.
    """
    columns = (verdict.c.photo, verdict.c.face, verdict.c.reviewer)
    votes = not_undone().where(verdict.c.round == round_, ~verdict.c.final)
    votes = votes.where(verdict.c.unsure) if unsure else votes
    rows = _rows(cat, votes.with_only_columns(*columns), verdict.c.photo, photos)
    return [CastVote(*row) for row in rows]


def disputed(cat: Catalogue, round_: str, photos: Collection[str] | None = None) -> set[str]:
    """Pictures, by id, that people judged differently and nobody settled. photos: only these and their faces."""
    parts = [None] if photos is None else in_parts(photos)
    found_: set[str] = set()
    with cat.read() as connection:
        for part in parts:
            open_ = in_dispute(round_, part)
            rows = connection.execute(sa.select(open_.c.photo, open_.c.face))
            found_ |= {face_ or photo_ for photo_, face_ in rows}
    return found_


def _rows(
    cat: Catalogue,
    statement: sa.Select[Any],
    key: sa.ColumnElement[Any],
    chosen: Collection[str] | None,
) -> Iterator[tuple[Any, ...]]:
    """The rows of a long result, of texts and whole numbers (`plain_rows`). chosen: only those with these keys."""
    if chosen is None:
        statements = [statement.where(key.is_not(None))]
    else:
        statements = [statement.where(key.in_(part)) for part in in_parts(chosen)]
    with cat.read() as connection:
        for one in statements:
            yield from plain_rows(connection, one)
