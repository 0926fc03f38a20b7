"""What holds of every photo and face, read in one pass: for the funnel, and for what may be drawn.

`verdicts.current` says the same in SQL, where a few photos are asked for. Of hundreds of thousands nearly all were
judged once, so that one row is all there is to know; only the others go through `current`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, NamedTuple

import sqlalchemy as sa

from btfer.catalogue import verdicts
from btfer.catalogue.photos import UNLABELLED, count, from_first
from btfer.catalogue.store import Catalogue, in_parts, plain_rows
from btfer.catalogue.tables import face, fetch, photo, query, review_plan, sighting, verdict
from btfer.queries import Query

_MANY = 5_000
_MOST_SLICES = 8
_FINAL, _UNSURE = 1, 2
ROUNDS = ("dedup", "photos", "crop", "faces")
_ROUNDS_OF_PHOTOS = ("dedup", "photos")


_OfRound = dict[str, "CurrentVerdict | None"]
"""What holds of each picture in a round; None where more must be looked at."""


class CurrentVerdict(NamedTuple):
    """What holds of one photo or face in one round."""

    decision: str
    reason: str
    expression: str


CurrentVerdicts = dict[str, dict[str, CurrentVerdict]]
"""By round, then by sha256 of a photo or by face id."""

_KEEP = CurrentVerdict("keep", "", "")


class _Kind(NamedTuple):
    """What a row says, whichever picture it is about."""

    round: str
    standing: int
    said: CurrentVerdict


class FirstSighting(NamedTuple):
    """Where a photo was found first under a label, and what its query intends."""

    query: str
    page_url: str
    licence: str
    licence_url: str
    author: str


@dataclass(frozen=True)
class Slice:
    """The photos whose sha256 comes from `start` on and before `end`."""

    start: str
    end: str

    def has(self, sha256: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Whether a photo is among them."""
        return (sha256 >= self.start) & (sha256 < self.end)


def slices(cat: Catalogue, size: int) -> list[Slice]:
    """All photos, in slices of about so many: hashes are spread evenly.

    They are few, and so larger of very many photos, since all verdicts are gone through for each.
    """
    n = min(-(-count(cat) // size) or 1, _MOST_SLICES)
    starts = [f"{i * 16**8 // n:08x}" for i in range(n)]
    return [Slice(*one) for one in pairwise([*starts, "g"])]


class Holding(NamedTuple):
    """What holds in every round.

    several: by round, the photos that more than one row is about, or that have a face of which this is so.
    unsure: whether any person was.
    """

    current: CurrentVerdicts
    several: dict[str, set[str]]
    unsure: bool


def current_verdicts(
    cat: Catalogue, crop_digest: str, photos: Slice | None = None
) -> CurrentVerdicts:
    """What holds in every round. Verdicts of the crop stage count only under these settings (their digest)."""
    return holding(cat, crop_digest, photos).current


def holding(
    cat: Catalogue, crop_digest: str, photos: Iterable[str] | Slice | None = None
) -> Holding:
    """As `current_verdicts`. photos: only of these (sha256) and their faces, which is quick where they are few."""
    plan = sa.select(review_plan)
    only = photos if photos is None or isinstance(photos, Slice) else set(photos)
    with cat.read() as connection:
        asked = {row.round: row.reviewers_per_image for row in connection.execute(plan)}
        named = _named(connection, crop_digest, only)
    current, several = {}, {}
    for round_ in ROUNDS:
        of_round = {kind: ids for kind, ids in named.items() if kind.round == round_}
        one_is_enough = round_ not in verdicts.PEOPLE or asked.get(round_, 1) == 1
        held = _if_alone(of_round, one_is_enough=one_is_enough)
        repeated = _repeated(of_round, len(held))
        several[round_] = _photos_of(cat, round_, repeated, only)
        if repeated:
            held |= dict.fromkeys(repeated)
            held |= _current(cat, crop_digest, round_, several[round_])
        current[round_] = {id_: one for id_, one in held.items() if one}
    return Holding(current, several, any(kind.standing == _UNSURE for kind in named))


def _named(
    connection: sa.Connection, crop_digest: str, photos: Collection[str] | Slice | None
) -> dict[_Kind, list[str]]:
    """The pictures of the rows of each kind.

    Nearly all rows say `keep` and no more: the database gives their names as one text for each round, which takes a
    third of the time of 100,000 rows.
    """
    name = sa.case((verdict.c.face == "", verdict.c.photo), else_=verdict.c.face)
    plain = (verdict.c.decision == "keep") & (verdict.c.reason == "") & (verdict.c.expression == "")
    plain &= ~verdict.c.final & ~verdict.c.unsure
    valid = verdict.c.settings.in_(("", crop_digest))
    kept: list[Any] = [
        sa.func.aggregate_strings(sa.case((valid & (verdict.c.round == one), name)), "\n")
        for one in ROUNDS
    ]
    named: dict[_Kind, list[str]] = defaultdict(list)
    for texts in _rows(connection, sa.select(*kept).where(plain), photos):
        for round_, text in zip(ROUNDS, texts, strict=True):
            if text:
                named[_Kind(round_, 0, _KEEP)] += text.split("\n")
    standing = sa.case((verdict.c.final, _FINAL), (verdict.c.unsure, _UNSURE), else_=0)
    said = (verdict.c[one] for one in CurrentVerdict._fields)
    more = sa.select(name, verdict.c.round, standing, *said).where(~plain, valid)
    for id_, round_, of, *rest in _rows(connection, more, photos):
        if round_ in ROUNDS:
            named[_Kind(round_, of, CurrentVerdict(*rest))].append(id_)
    return named


def _rows(
    connection: sa.Connection, rows: sa.Select[Any], photos: Collection[str] | Slice | None
) -> Iterator[tuple[Any, ...]]:
    """Of all photos every row, as they lie: five times as quick as by an index, and to choose costs more."""
    if photos is None or isinstance(photos, Slice):
        every = rows if photos is None else rows.where(photos.has(verdict.c.photo))
        yield from plain_rows(connection, every)
        return
    chosen = rows.where(verdict.c.round.in_(ROUNDS))
    for part in in_parts(photos):
        yield from plain_rows(connection, chosen.where(verdict.c.photo.in_(part)))


def _if_alone(named: dict[_Kind, list[str]], *, one_is_enough: bool) -> _OfRound:
    """What holds of each picture of a round if no other row is about it; None = more must be looked at."""
    found: _OfRound = {}
    for kind, ids in named.items():
        asks_more = kind.standing == _UNSURE or (not one_is_enough and kind.standing != _FINAL)
        counts = kind.said.decision != "undo" and not asks_more
        of_kind: _OfRound = dict.fromkeys(ids, kind.said if counts else None)
        found = found | of_kind if found else of_kind
    return found


def _repeated(named: dict[_Kind, list[str]], n_pictures: int) -> list[str]:
    """The pictures of a round that several rows are about."""
    if sum(map(len, named.values())) == n_pictures:
        return []
    return [id_ for id_, n in Counter(chain(*named.values())).items() if n > 1]


def _photos_of(
    cat: Catalogue, round_: str, ids: list[str], photos: Collection[str] | Slice | None
) -> set[str]:
    """The photos among these pictures of a round, and those of the faces among them."""
    if not ids or round_ in _ROUNDS_OF_PHOTOS:
        return set(ids)
    rows = sa.select(verdict.c.face, verdict.c.photo).where(verdict.c.face != "")
    with cat.read() as connection:
        photo_of = dict(_rows(connection, rows, photos))
    return {photo_of.get(id_, id_) for id_ in ids}


def _current(
    cat: Catalogue, crop_digest: str, round_: str, photos: Iterable[str]
) -> dict[str, CurrentVerdict]:
    """What holds of photos on which several rows were written, and of their faces."""
    named = set(photos)
    # Of very many, all that hold are read: parts of 500 would ask two hundred times.
    many = len(named) > _MANY
    rows = verdicts.current_in(cat, round_) if many else verdicts.current_on(cat, round_, named)
    return {
        row.face or row.photo: CurrentVerdict(row.decision, row.reason, row.expression)
        for row in rows
        if row.settings in ("", crop_digest) and (not many or row.photo in named)
    }


def photo_of_each(
    cat: Catalogue, crop_digest: str, photos: Iterable[str] | Slice | None = None
) -> dict[str, str]:
    """The photo (sha256) of every face that was found under some crop settings, by face id. photos: only of these."""
    columns = sa.select(face.c.id, face.c.photo).where(face.c.settings == crop_digest)
    if photos is None:
        statements = [columns]
    elif isinstance(photos, Slice):
        statements = [columns.where(photos.has(face.c.photo))]
    else:
        statements = [columns.where(face.c.photo.in_(part)) for part in in_parts(photos)]
    with cat.read() as connection:
        return dict(chain(*(plain_rows(connection, one) for one in statements)))


def first_seen(cat: Catalogue) -> dict[str, FirstSighting]:
    """Each photo's first sighting that has a label, else its first of all, by sha256."""
    names = (sighting.c[name] for name in FirstSighting._fields)
    with cat.read() as connection:
        rows = plain_rows(connection, from_first(sa.select(photo.c.sha256, *names)))
        return {sha256: FirstSighting(*rest) for sha256, *rest in rows}


def first_queries(cat: Catalogue, photos: Slice | None = None) -> dict[str, str]:
    """The query of each photo's first sighting (`first_seen`) by sha256: where no more of it is needed."""
    same: dict[str, str] = {}
    only = None if photos is None else photos.has(fetch.c.photo)
    with cat.read() as connection:
        rows = plain_rows(connection, from_first(sa.select(photo.c.sha256, sighting.c.query), only))
        return {sha256: same.setdefault(one, one) for sha256, one in rows}


def queries(cat: Catalogue) -> dict[str, Query]:
    """Every query by its id, whichever plan it is of."""
    return {row.pop("id"): Query(**row) for row in cat.rows(sa.select(query))}


def labels(
    current: CurrentVerdicts, query_of: Mapping[str, str], asked: Mapping[str, Query]
) -> dict[str, str]:
    """Each photo's label by sha256: what people agreed on, else what the query intends.

    query_of: the query (id) of each photo. asked: the queries by id.
    """
    of_people = current["photos"]
    return {
        sha256: (of_people[sha256].expression if sha256 in of_people else "")
        or asked[one].expression
        or UNLABELLED
        for sha256, one in query_of.items()
    }
