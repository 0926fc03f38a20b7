"""The log of people's verdicts, as far as a reviewer may see it without being influenced by others; judging anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from btfer.catalogue import Catalogue, faces, photos, verdicts, votes
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.verdicts import StoredVerdict, Verdict
from btfer.catalogue.votes import ReviewSubject
from btfer.errors import UsageError
from btfer.review.judge import Committed, commit, undo
from btfer.review.queues import Item, QueueEntry, items
from btfer.review.rules import ROUNDS, Judged, check_judged, check_reviewer


@dataclass(frozen=True)
class LoggedVerdict:
    """A verdict with the picture that it is about. undone: by a later row."""

    row: StoredVerdict
    item: Item
    undone: bool


def visible_log(
    cat: Catalogue, reviewer: str, *, limit: int, before: int | None = None
) -> list[StoredVerdict]:
    """The newest verdicts in both rounds, newest first, undone ones too. before: only those with a smaller id.

    Where a round asks for several votes, those of others show once all votes on the picture are in.
    """
    rows = verdicts.log(cat, rounds=ROUNDS, limit=limit, before=before)
    for round_ in ROUNDS:
        if votes.needed(cat, round_) > 1:
            rows = _without_open(cat, round_, rows, reviewer)
    return rows


def with_pictures(cat: Catalogue, rows: Sequence[StoredVerdict]) -> list[LoggedVerdict]:
    """The rows with what is shown of their pictures; those that have gone from the catalogue are left out."""
    labels = photos.described(cat, {row.photo for row in rows})
    entries = {
        (row.photo, row.face): QueueEntry(
            ReviewSubject(row.photo, row.face), labels[row.photo].expression, ()
        )
        for row in rows
        if row.photo in labels
    }
    shown = {(one.photo, one.face): one for one in items(cat, list(entries.values()))}
    undone = verdicts.undone_among(cat, [row.id for row in rows])
    return [
        LoggedVerdict(row, shown[row.photo, row.face], row.id in undone)
        for row in rows
        if (row.photo, row.face) in shown
    ]


def judge_anew(cat: Catalogue, changes: Sequence[Judged], reviewer: str) -> Committed:
    """Take verdicts back (`id` is the verdict's) and judge their pictures otherwise, in this person's name.

    Raises UsageError, and writes nothing, for an id that is no verdict of people, or a judgement that is none.
    """
    ids = {int(one.id) for one in changes if one.id.isdigit()}
    rows = {row.id: row for row in verdicts.by_id(cat, ids) if row.round in ROUNDS}
    unknown = [one.id for one in changes if not one.id.isdigit() or int(one.id) not in rows]
    if unknown:
        raise UsageError(f"there is no verdict '{unknown[0][:40]}': load the page again")
    by_round: dict[str, list[Judged]] = {name: [] for name in ROUNDS}
    for one in changes:
        row = rows[int(one.id)]
        check_judged(row.round, one)
        _check_label(cat, row, one)
        by_round[row.round].append(replace(one, id=row.face or row.photo))
    undo(cat, rows, reviewer)
    done = [commit(cat, name, judged, reviewer) for name, judged in by_round.items() if judged]
    return Committed(sum(one.written for one in done), sum(one.skipped for one in done))


def decide(cat: Catalogue, round_: str, judged: Sequence[Judged], reviewer: str) -> int:
    """Write final verdicts, which hold over whatever was said before; how many. Raises UsageError, as `commit`."""
    for one in judged:
        check_judged(round_, one)
    known = photos.known(cat, [one.id for one in judged])
    by = check_reviewer(reviewer)
    new = [
        Verdict(
            round_,
            one.id,
            one.decision,
            by,
            reason=one.reason,
            expression=one.expression,
            final=True,
        )
        for one in judged
        if one.id in known
    ]
    return len(verdicts.add(cat, new))


def photo_items(cat: Catalogue, ids: Sequence[str]) -> list[Item]:
    """Photos by sha256, in this order, with all that is shown of them."""
    labels = photos.described(cat, ids)
    entries = [
        QueueEntry(ReviewSubject(id_), labels[id_].expression, ()) for id_ in ids if id_ in labels
    ]
    return items(cat, entries)


def _check_label(cat: Catalogue, row: StoredVerdict, one: Judged) -> None:
    if not row.face or one.decision != "keep" or row.face not in faces.by_id(cat, [row.face]):
        return
    known = photos.described(cat, [row.photo])
    if row.photo in known and known[row.photo].expression == UNLABELLED:
        raise UsageError(f"face {row.face[:16]} has no label: relabel it (1-7) or drop it")


def _without_open(
    cat: Catalogue, round_: str, rows: list[StoredVerdict], reviewer: str
) -> list[StoredVerdict]:
    named = {row.photo for row in rows if row.round == round_}
    closed = {
        ReviewSubject(row.photo, row.face)
        for row in (*verdicts.current_on(cat, round_, named), *votes.disputes(cat, round_))
    }
    return [
        row
        for row in rows
        if row.round != round_
        or row.reviewer == reviewer
        or ReviewSubject(row.photo, row.face) in closed
    ]
