"""Pairs of photos that people are asked about: same picture, or not.

Dedup's threshold is measured on those that `btfer dedup calibrate` draws. Dedup asks about others itself, where it must
not decide alone (one scene, or copies found under different classes), and does what people answer.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from btfer.catalogue import duplicates, verdicts
from btfer.catalogue.rows import PhotoHashes
from btfer.catalogue.store import Catalogue, Row, in_parts, insert_new
from btfer.catalogue.tables import fetch, pair_verdict, photo

_DRAWN = pair_verdict.c.weight > 0
_OF_DEDUP = pair_verdict.c.asked_by == "dedup"
_ASKED = sa.or_(_DRAWN, _OF_DEDUP)


class PhotoUrl(NamedTuple):
    """An address that a photo (sha256) was fetched from, and the one that it led to."""

    photo: str
    url: str
    final_url: str


class DrawnPair(NamedTuple):
    """A pair of photos (sha256, the smaller first) and the answer (None = not answered).

    weight: how many pairs of the same distance it stands for.
    """

    id: int
    one: str
    other: str
    weight: float
    same: bool | None


class OpenPair(NamedTuple):
    """A pair of photos (sha256) that nobody has answered, and the image format of each."""

    id: int
    one: str
    other: str
    one_format: str
    other_format: str


class AnsweredPairs(NamedTuple):
    """Which pairs have a person's answers now, and which have another one's or another answer; the rest are no more."""

    theirs: set[int]
    other: set[int]


class PairCount(NamedTuple):
    """How many of the drawn pairs are answered, and how many there are."""

    answered: int
    drawn: int


def hashes(cat: Catalogue, *, but_dropped_as: str = "") -> list[PhotoHashes]:
    """The hashes of every photo, in the order of sha256.

    but_dropped_as: leave out what is dropped in round `photos` for this reason.
    """
    people = verdicts.current("photos")
    reason = sa.func.coalesce(people.c.reason, "")
    statement = sa.select(photo.c.sha256, photo.c.phash, photo.c.mirror_phash)
    if but_dropped_as:
        statement = statement.outerjoin(people, people.c.photo == photo.c.sha256)
        statement = statement.where(reason != but_dropped_as)
    with cat.read() as connection:
        return [PhotoHashes(*row) for row in connection.execute(statement.order_by(photo.c.sha256))]


def urls(cat: Catalogue) -> list[PhotoUrl]:
    """Where each photo was found, in the order of fetching."""
    columns = sa.select(fetch.c.photo, fetch.c.url, fetch.c.final_url)
    with cat.read() as connection:
        rows = connection.execute(columns.where(fetch.c.photo.is_not(None)).order_by(fetch.c.id))
        return [PhotoUrl(*row) for row in rows]


def draw(cat: Catalogue, drawn: Iterable[tuple[str, str, float]]) -> None:
    """Make (one, other, weight) the pairs that count from now on; answers given before are kept.

    one, other: sha256, the smaller first.
    """
    blank = {"same": None, "reviewer": "", "at": "", "asked_by": "calibrate"}
    keys = ("one", "other", "weight")
    rows = [dict(zip(keys, pair, strict=True)) | blank for pair in drawn]
    same_pair = sa.and_(
        *(pair_verdict.c[name] == sa.bindparam(f"the_{name}") for name in ("one", "other"))
    )
    with cat.write() as connection:
        connection.execute(sa.update(pair_verdict).values(weight=0.0))
        insert_new(connection, pair_verdict, rows)
        weigh = sa.update(pair_verdict).where(same_pair).values(weight=sa.bindparam("the_weight"))
        if rows:
            connection.execute(weigh, [{f"the_{name}": row[name] for name in keys} for row in rows])


def drawn(cat: Catalogue) -> list[DrawnPair]:
    """All pairs that count, in the order of asking."""
    statement = sa.select(*(pair_verdict.c[name] for name in DrawnPair._fields))
    with cat.read() as connection:
        rows = connection.execute(statement.where(_DRAWN).order_by(pair_verdict.c.id))
        return [DrawnPair(*row) for row in rows]


def waiting(cat: Catalogue, limit: int) -> list[OpenPair]:
    """The first pairs that nobody has answered."""
    left, right = photo.alias(), photo.alias()
    pair = (pair_verdict.c.id, pair_verdict.c.one, pair_verdict.c.other)
    statement = (
        sa.select(*pair, left.c.format, right.c.format)
        .join(left, left.c.sha256 == pair_verdict.c.one)
        .join(right, right.c.sha256 == pair_verdict.c.other)
        .where(_ASKED, pair_verdict.c.same.is_(None))
        .order_by(pair_verdict.c.id)
        .limit(limit)
    )
    with cat.read() as connection:
        return [OpenPair(*row) for row in connection.execute(statement)]


def count(cat: Catalogue) -> PairCount:
    """How many of the pairs that count are answered, and how many there are."""
    counted = sa.select(sa.func.count(pair_verdict.c.same), sa.func.count()).where(_DRAWN)
    with cat.read() as connection:
        return PairCount(*connection.execute(counted).one())


def count_asked(cat: Catalogue) -> PairCount:
    """As `count`, with those that dedup asks about."""
    counted = sa.select(sa.func.count(pair_verdict.c.same), sa.func.count()).where(_ASKED)
    with cat.read() as connection:
        return PairCount(*connection.execute(counted).one())


def waiting_for_dedup(cat: Catalogue) -> int:
    """How many of the pairs that dedup asks about nobody has answered."""
    open_ = sa.select(sa.func.count()).where(_OF_DEDUP, pair_verdict.c.same.is_(None))
    with cat.read() as connection:
        return int(connection.execute(open_).scalar_one())


def ask(cat: Catalogue, pairs: Iterable[tuple[str, str]]) -> None:
    """Ask people about pairs of photos (sha256) that dedup does not decide alone; what was asked before stays."""
    blank: Row = {"weight": 0.0, "same": None, "reviewer": "", "at": "", "asked_by": "dedup"}
    rows = [blank | {"one": min(pair), "other": max(pair)} for pair in pairs]
    with cat.write() as connection:
        insert_new(connection, pair_verdict, rows)


def answered_to_dedup(cat: Catalogue) -> dict[tuple[str, str], bool]:
    """What people said of the pairs that dedup asked about."""
    columns = sa.select(pair_verdict.c.one, pair_verdict.c.other, pair_verdict.c.same)
    with cat.read() as connection:
        rows = connection.execute(columns.where(_OF_DEDUP, pair_verdict.c.same.is_not(None)))
        return {(one, other): bool(same) for one, other, same in rows}


def answered_otherwise(cat: Catalogue) -> set[str]:
    """Photos to look at again: called the same picture and both kept, or not, and one was dropped for the other."""
    answers = answered_to_dedup(cat)
    copies = duplicates.copies(cat) if answers else []
    dropped = {row.photo for row in copies}
    same = {pair for pair, is_same in answers.items() if is_same and not dropped & set(pair)}
    by_dedup = {tuple(sorted((row.photo, row.keeper))) for row in copies if row.reviewer == "dedup"}
    other = {pair for pair, is_same in answers.items() if not is_same} & by_dedup
    return {photo for pair in same | other for photo in pair}


_LAST_ANSWER = sa.select(sa.func.max(pair_verdict.c.at))


def answer(cat: Catalogue, same: Mapping[int, bool], reviewer: str) -> AnsweredPairs:
    """Write answers by pair id, all at once. Those that were answered before stay as they are."""
    open_ = (pair_verdict.c.id == sa.bindparam("pair")) & pair_verdict.c.same.is_(None)
    change = sa.update(pair_verdict).where(open_)
    change = change.values(same=sa.bindparam("is_same"), reviewer=reviewer, at=sa.bindparam("now"))
    columns = sa.select(pair_verdict.c.id, pair_verdict.c.same, pair_verdict.c.reviewer)
    with cat.write() as connection:
        now = verdicts.next_timestamp(connection, _LAST_ANSWER)
        for id_, is_same in same.items():
            connection.execute(change, {"pair": id_, "is_same": is_same, "now": now})
        rows = [
            row
            for part in in_parts(same)
            for row in connection.execute(columns.where(pair_verdict.c.id.in_(part)))
        ]
    theirs = {row.id for row in rows if (row.same, row.reviewer) == (same[row.id], reviewer)}
    return AnsweredPairs(theirs, {row.id for row in rows} - theirs)


def photos_of(cat: Catalogue, ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """The two photos (sha256, the smaller first) of each pair, by id; unknown ones are left out."""
    columns = sa.select(pair_verdict.c.id, pair_verdict.c.one, pair_verdict.c.other)
    parts = (columns.where(pair_verdict.c.id.in_(part)) for part in in_parts(ids))
    with cat.read() as connection:
        return {id_: (one, other) for part in parts for id_, one, other in connection.execute(part)}


def undo_last(cat: Catalogue, reviewer: str) -> dict[int, bool]:
    """Open again what a reviewer answered last, all that came at once; those answers by pair id."""
    own = (pair_verdict.c.reviewer == reviewer) & pair_verdict.c.same.is_not(None) & _ASKED
    newest = sa.select(sa.func.max(pair_verdict.c.at)).where(own).scalar_subquery()
    batch = sa.select(pair_verdict.c.id, pair_verdict.c.same).where(
        own, pair_verdict.c.at == newest
    )
    with cat.write() as connection:
        now = verdicts.next_timestamp(connection, _LAST_ANSWER)
        taken = {row.id: row.same for row in connection.execute(batch.order_by(pair_verdict.c.id))}
        blank = sa.update(pair_verdict).where(pair_verdict.c.id.in_(taken))
        connection.execute(blank.values(same=None, reviewer="", at=now))
    return taken
