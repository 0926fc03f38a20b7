"""Hidden gold pictures: a few per page whose right answer is known give each reviewer a quality beside the pace.

They look like the others, are no votes, and are asked of each person once. A picture that awaits a person's own
vote is never slipped in: it comes in its turn, and what they answer then counts as well.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from btfer.catalogue import Catalogue, faces, photos, verdicts
from btfer.catalogue import gold as rows
from btfer.catalogue.gold import GoldAnswer
from btfer.catalogue.review_pages import PageFacts
from btfer.catalogue.votes import ReviewSubject
from btfer.csv_reader import read_csv
from btfer.errors import UsageError
from btfer.review import judge, serving
from btfer.review.exchange import judged_as
from btfer.review.exchange_rows import shortened, text_of
from btfer.review.queues import Item, QueueEntry, items
from btfer.review.rules import Judged, as_note, check_judged

ONE_IN = 24  # pictures of a page
LEAST_SHOWN = 5

Gold = Mapping[str, Judged]
"""The right answer by photo (sha256) or face id; a drop without a reason is right with any."""


@dataclass(frozen=True)
class Quality:
    """How many hidden pictures a person answered, and how many of them correctly."""

    n_correct: int
    n: int

    def in_words(self) -> str:
        """For the line above the grid; '' while so few would give away which they were."""
        if self.n < LEAST_SHOWN:
            return ""
        return f"{100 * self.n_correct / self.n:.0f} % of {self.n} hidden pictures right"


def read_gold(file: Path) -> Gold:
    """The right answers of a CSV: `sha256` or `face`, and `label`: a class, keep, drop or drop:REASON.

    Raises UsageError with the file and the line for an unknown class or reason, and where a row names no picture.
    """
    found: dict[str, Judged] = {}
    for row in read_csv(file, required=("label",), known=("sha256", "face")):
        face, photo = text_of(row.values, "face"), text_of(row.values, "sha256").lower()
        try:
            one = _right(face or photo, text_of(row.values, "label"))
            if one.decision != "drop" or one.reason:
                check_judged("faces" if face else "photos", one)
        except UsageError as error:
            raise UsageError(f"{file}, line {row.line}: {error}") from None
        found[one.id] = one
    return found


def _right(id_: str, label: str) -> Judged:
    if not id_:
        raise UsageError("no picture: a column 'sha256' (of a photo) or 'face' names it")
    return Judged(id_, "drop") if label == "drop" else judged_as(id_, label)


def hidden_among(
    cat: Catalogue, round_: str, page: Sequence[Item], reviewer: str, gold: Gold
) -> tuple[list[Item], set[str]]:
    """A page with gold pictures in it, and their ids; the same ones at each drawing until it is sent."""
    if not page or not gold:
        return list(page), set()
    shown = {one.id for one in page}
    known = _known(cat, round_, [id_ for id_ in gold if id_ not in shown])
    with serving.current(cat) as index:
        index.know({one.photo for one in known.values()})
        own = index.asks(round_, reviewer)
        done = rows.asked(cat, round_, reviewer)
        open_ = [id_ for id_ in known if id_ not in done and id_ not in own]
        wanted = sorted(open_, key=lambda id_: _draw(reviewer, id_))[: max(1, len(page) // ONE_IN)]
        entries = [QueueEntry(known[id_], index.intended(known[id_].photo), ()) for id_ in wanted]
    mixed = list(page)
    for one in items(cat, entries):
        mixed.insert(_draw(one.id, reviewer) % (len(page) + 1), one)
    return mixed, set(wanted)


def commit(
    cat: Catalogue,
    round_: str,
    page: Sequence[Judged],
    reviewer: str,
    gold: Gold,
    *,
    hidden: Collection[str],
    sent: str,
    facts: PageFacts | None = None,
) -> judge.Committed:
    """`judge.commit` on a page with gold pictures in it, and what was answered on these: all of it, or nothing.

    hidden: the ids that are shown as gold only and get no vote. sent: names the page's sending. Raises UsageError.
    """
    answers = _answers(cat, round_, page, reviewer, gold, sent)
    voted = [one for one in page if one.id not in hidden]
    with cat.together() as at_once:
        done = judge.commit(at_once, round_, voted, reviewer, page=sent, facts=facts)
        rows.add(at_once, answers)
    return done


def _answers(
    cat: Catalogue, round_: str, page: Iterable[Judged], reviewer: str, gold: Gold, sent: str
) -> list[GoldAnswer]:
    given = [one for one in page if one.id in gold]
    for one in given:
        check_judged(round_, one)
    known = _known(cat, round_, [one.id for one in given])
    if not known:
        return []
    with serving.current(cat) as index:
        index.know({one.photo for one in known.values()})
        label = {id_: index.intended(subject.photo) for id_, subject in known.items()}
    return [
        GoldAnswer(
            shortened(f"gold|{sent}|{reviewer}|{one.id}"),
            reviewer,
            round_,
            known[one.id].photo,
            known[one.id].face,
            one.decision,
            one.reason,
            one.expression,
            _is_right(one, gold[one.id], label[one.id]),
            as_note(one.note),
            one.unsure,
        )
        for one in given
        if one.id in known
    ]


def undo_last(cat: Catalogue, reviewer: str, round_: str) -> list[Judged]:
    """Undo a person's last page, as `judge.undo_last`, and what they answered on its hidden pictures."""
    with cat.together() as at_once:
        page = verdicts.last_batch(at_once, round_, reviewer)
        back = judge.undo_last(at_once, reviewer, round_)
        given = rows.take_back(at_once, round_, reviewer, since=page[0].at) if page else []
    return back + [
        Judged(
            one.face or one.photo, one.decision, one.reason, one.expression, one.note, one.unsure
        )
        for one in given
    ]


COLUMNS = tuple(one.name for one in fields(GoldAnswer) if one.name != "uid")
"""Of the CSV file of answers, in order."""


def exported(cat: Catalogue) -> list[dict[str, str]]:
    """Every answer on a hidden picture as the cells of `COLUMNS`, oldest first; true is "yes", false is empty."""
    return [{name: _cell(getattr(one, name)) for name in COLUMNS} for one in rows.answers(cat)]


def _cell(value: str | bool) -> str:
    return value if isinstance(value, str) else "yes" * value


def quality(cat: Catalogue, reviewer: str) -> Quality:
    """How well a person judged hidden pictures so far, in both rounds."""
    return Quality(*rows.correct_of(cat, reviewer))


def _is_right(given: Judged, right: Judged, label: str) -> bool:
    """A keep says that the picture shows the label that it had."""
    if right.decision == "drop":
        return given.decision == "drop" and right.reason in ("", given.reason)
    if right.decision == "keep":
        return given.decision == "keep"
    said = given.expression or (label if given.decision == "keep" else "")
    return said == right.expression


def _known(cat: Catalogue, round_: str, ids: list[str]) -> dict[str, ReviewSubject]:
    if round_ == "photos":
        return {id_: ReviewSubject(id_) for id_ in photos.known(cat, ids)}
    return {id_: ReviewSubject(face.photo, id_) for id_, face in faces.by_id(cat, ids).items()}


def _draw(*words: str) -> int:
    return int.from_bytes(hashlib.sha256("|".join(words).encode()).digest()[:8], "big")
