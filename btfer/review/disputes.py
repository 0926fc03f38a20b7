"""Pictures that people judged differently: who said what, for the person who has the last word."""

from collections import defaultdict
from dataclasses import dataclass, replace

from btfer.catalogue import Catalogue, photos, verdicts, votes
from btfer.catalogue.verdicts import StoredVerdict
from btfer.catalogue.votes import ReviewSubject
from btfer.errors import UsageError
from btfer.review.queues import Item, QueueEntry, items
from btfer.review.rules import ROUNDS, check_round

MOST_REVIEWERS = 9


@dataclass(frozen=True)
class Vote:
    """One person's verdict on a picture, in words: `keep`, `drop: text`, `sad, unsure`; and their note."""

    reviewer: str
    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Dispute:
    """A picture with all its votes, oldest first."""

    item: Item
    votes: tuple[Vote, ...]


def disputes(cat: Catalogue, round_: str, *, settled_by: str = "") -> list[Dispute]:
    """What awaits the last word in a round, in the order of the first votes. Raises UsageError.

    settled_by: only what this person may settle, having not voted on it.
    """
    check_round(round_)
    by_subject: dict[ReviewSubject, list[Vote]] = defaultdict(list)
    for row in votes.disputes(cat, round_):
        by_subject[ReviewSubject(row.photo, row.face)].append(
            Vote(row.reviewer, in_words(row), row.note)
        )
    for subject in [one for one, cast in by_subject.items() if _voted(cast, settled_by)]:
        del by_subject[subject]
    labels = photos.described(cat, {one.photo for one in by_subject})
    entries = [
        QueueEntry(one, labels[one.photo].expression, ("disputed",))
        for one in by_subject
        if one.photo in labels
    ]
    return [
        Dispute(item, tuple(by_subject[ReviewSubject(item.photo, item.face)]))
        for item in items(cat, entries)
    ]


def _voted(cast: list[Vote], reviewer: str) -> bool:
    return bool(reviewer) and any(one.reviewer == reviewer for one in cast)


def as_item(one: Dispute) -> Item:
    """The picture with the votes as its badges, which say where there is a note."""
    votes_ = tuple(
        f"{vote.reviewer}: {vote.verdict}{' (with a note)' * bool(vote.note)}" for vote in one.votes
    )
    return replace(one.item, badges=votes_)


def notes_of(one: Dispute) -> list[str]:
    """What each person wrote, whole."""
    return [f"{vote.reviewer}: {vote.note}" for vote in one.votes if vote.note]


def votes_before(cat: Catalogue, item: Item) -> list[str]:
    """What people said of a face's photo in the round before, in words: that is decided, so it influences nobody."""
    if not item.face:
        return []
    rows = verdicts.votes(cat, "photos", [item.photo])
    return [_with_note(row) for row in rows]


def _with_note(row: StoredVerdict) -> str:
    note = f" \N{EM DASH} {row.note}" if row.note else ""
    return f"photo, {row.reviewer}: {in_words(row)}{note}"


def plan(cat: Catalogue, reviewers_per_image: int, round_: str = "") -> None:
    """Set how many people are to judge each picture of a round ('' = of both), from now on.

    Raises UsageError for a number outside 1 to 9.
    """
    if not 1 <= reviewers_per_image <= MOST_REVIEWERS:
        raise UsageError(
            f"{reviewers_per_image} reviewers per image: choose a number from 1 to {MOST_REVIEWERS}"
        )
    for one in [round_] if round_ else ROUNDS:
        check_round(one)
        votes.plan(cat, one, reviewers_per_image)


def in_words(row: StoredVerdict) -> str:
    """A verdict in words: `keep`, `drop: text`, `sad, unsure`."""
    words = {"drop": f"drop: {row.reason}", "relabel": row.expression}
    return words.get(row.decision, row.decision) + ", unsure" * row.unsure
