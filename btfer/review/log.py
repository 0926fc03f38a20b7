"""The log of people's verdicts, as far as a reviewer may see it without being influenced by others; judging anew."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from btfer.catalogue import Catalogue, faces, photos, verdicts, votes
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.verdicts import StoredVerdict, Verdict
from btfer.catalogue.votes import ReviewSubject
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.review.index import shared
from btfer.review.judge import Committed, commit, undo
from btfer.review.queues import Item, QueueEntry, items
from btfer.review.rules import ROUNDS, Judged, as_note, check_judged, check_reviewer

_AT_ONCE = 600  # rows of the log that are read and looked through


@dataclass(frozen=True)
class LoggedVerdict:
    """A verdict with the picture that it is about. undone: by a later row."""

    row: StoredVerdict
    item: Item
    undone: bool


@dataclass(frozen=True)
class LogFilter:
    """Which verdicts of the log are shown; '' = any.

    by: whose. verdict: keep, undo, a drop reason, a class, or one of `verdicts.BESIDE`. day: in UTC. label: the
    picture's now. find: as of `Filter`.
    """

    round: str = ""
    by: str = ""
    verdict: str = ""
    label: str = ""
    day: str = ""
    find: str = ""


WHOLE_LOG = LogFilter()


def visible_log(
    cat: Catalogue,
    reviewer: str,
    *,
    limit: int,
    before: int | None = None,
    chosen: LogFilter = WHOLE_LOG,
) -> list[StoredVerdict]:
    """The newest verdicts in both rounds, newest first, undone ones too. before: only those with a smaller id.

    Where a picture asks for several votes, those of others show once all votes on it are in.
    """
    found: list[StoredVerdict] = []
    while len(found) < limit:
        rows = verdicts.log(
            cat,
            rounds=[chosen.round] if chosen.round in ROUNDS else ROUNDS,
            limit=_AT_ONCE,
            before=before,
            reviewer=chosen.by,
            says=chosen.verdict,
            day=chosen.day,
        )
        shown = _chosen(cat, rows, chosen)
        for round_ in ROUNDS:
            shown = _without_open(cat, round_, shown, reviewer)
        found += shown
        if len(rows) < _AT_ONCE:
            break
        before = rows[-1].id
    return found[:limit]


def log_choices(cat: Catalogue, reviewer: str, chosen: LogFilter) -> dict[str, dict[str, int]]:
    """How many verdicts each choice would leave, the others as they are.

    Where pictures ask for several votes, what others say is not counted by verdict: it might be told from the number.
    """
    blind = any(votes.needed(cat, name) > 1 for name in ROUNDS)
    asked = {name: getattr(chosen, name) for name in ("round", "by", "verdict", "day", "label")}
    counts: dict[str, Counter[str]] = {name: Counter() for name in asked}
    for (round_, by, said, day, label), n in _given(cat, chosen.find).items():
        says = said if not blind or by == reviewer else ""
        values = {"round": round_, "by": by, "verdict": says, "day": day, "label": label}
        differ = [name for name, value in asked.items() if value and value != values[name]]
        for name in counts:
            if not set(differ) - {name}:
                counts[name][values[name]] += n
    days = sorted(counts["day"].items(), reverse=True)
    found = {name: dict(values.most_common()) for name, values in counts.items()}
    words = (*verdicts.BESIDE, *(name for name in found["verdict"] if name))
    return found | {
        "day": dict(days),
        "verdict": {name: found["verdict"].get(name, 0) for name in words},
        "label": {name: found["label"].get(name, 0) for name in (*EXPRESSIONS, UNLABELLED)},
    }


def _given(cat: Catalogue, find: str) -> Counter[tuple[str, str, str, str, str]]:
    """How many verdicts there are of each round, person, wording, day and class. find: on photos that it names."""
    rows = verdicts.given(cat, ROUNDS)
    if find:
        named = photos.findable(cat, find)
        rows = [row for row in rows if row.photo in named]
    index = shared(cat)
    with index.lock:
        index.refresh()
        label = {photo: index.label(photo) for photo in {row.photo for row in rows}}
    found: Counter[tuple[str, str, str, str, str]] = Counter()
    for row in rows:
        found[row.round, row.reviewer, row.says, row.day, label[row.photo]] += row.n
    return found


def _chosen(cat: Catalogue, rows: list[StoredVerdict], chosen: LogFilter) -> list[StoredVerdict]:
    """Those on pictures of a class, or that a text names."""
    if chosen.find:
        named = photos.findable(cat, chosen.find)
        rows = [row for row in rows if row.photo in named]
    if chosen.label:
        index = shared(cat)
        with index.lock:
            index.refresh()
            rows = [row for row in rows if index.label(row.photo) == chosen.label]
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
    """Take verdicts back (`id` is the verdict's) and judge their pictures otherwise, in this person's name: at once.

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
    with cat.together() as at_once:
        undo(at_once, rows, reviewer)
        done = [commit(at_once, name, one, reviewer) for name, one in by_round.items() if one]
    left = sum((Counter(one.left) for one in done), Counter[str]())
    return Committed(sum(one.written for one in done), sum(one.skipped for one in done), left)


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
            note=as_note(one.note),
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
    """Without the votes of others on what this person may still judge: of a round of one vote, where it is unsure."""
    several = votes.needed(cat, round_) > 1
    named = {row.photo for row in rows if row.round == round_ and (several or row.unsure)}
    if not named:
        return rows
    closed = {
        ReviewSubject(row.photo, row.face)
        for row in (*verdicts.current_on(cat, round_, named), *votes.disputes(cat, round_))
    }
    return [
        row
        for row in rows
        if row.round != round_
        or row.photo not in named
        or row.reviewer == reviewer
        or ReviewSubject(row.photo, row.face) in closed
    ]
