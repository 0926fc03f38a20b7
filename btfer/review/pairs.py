"""Pairs of photos, same picture or not: what awaits a person, writing the answers, and undoing them.

Answers on drawn pairs measure how good dedup's threshold is (`btfer dedup calibrate`) and drop no photo. Dedup asks
about pairs of one scene itself, and about copies found under different classes; its next run does what was answered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from btfer.catalogue import Catalogue, pairs, photos
from btfer.review.judge import Committed
from btfer.review.left import FORGOTTEN, GONE, JUDGED
from btfer.review.rules import check_reviewer

PAGE = 8
_SHOWN = ("phrase", "source", "page_url", "url", "title", "licence", "author")


@dataclass(frozen=True)
class PairSide:
    """One photo of a pair, and where it was found first."""

    photo: str
    format: str
    about: dict[str, str]


@dataclass(frozen=True)
class PhotoPair:
    """Two photos that await an answer; `id` names the pair."""

    id: int
    sides: tuple[PairSide, PairSide]

    @property
    def name(self) -> str:
        """What names it for good: a database may give the id of a pair that was forgotten to another one."""
        return _name(self.id, self.sides[0].photo, self.sides[1].photo)


def waiting(cat: Catalogue, limit: int = PAGE) -> list[PhotoPair]:
    """The next pairs that nobody has answered, in the order of drawing."""
    rows = pairs.waiting(cat, limit)
    return [
        PhotoPair(
            row.id,
            (_side(cat, row.one, row.one_format), _side(cat, row.other, row.other_format)),
        )
        for row in rows
    ]


def count(cat: Catalogue) -> pairs.PairCount:
    """How many pairs are answered, and how many people are asked about."""
    return pairs.count_asked(cat)


def waiting_for_dedup(cat: Catalogue) -> int:
    """How many pairs await an answer that dedup will follow."""
    return pairs.waiting_for_dedup(cat)


def next_command(cat: Catalogue) -> str:
    """What makes use of the answers."""
    return "btfer dedup calibrate" if pairs.count(cat).drawn else "btfer dedup"


def answer(cat: Catalogue, same: Mapping[int, bool], reviewer: str) -> Committed:
    """Write a page of answers (same picture: True) by pair id, all at once.

    What somebody else has answered meanwhile stays as it is and is counted as skipped; what this person has answered
    so already was sent twice. Raises UsageError without a reviewer.
    """
    done = pairs.answer(cat, same, check_reviewer(reviewer))
    left = {JUDGED: len(done.other), GONE: len(same) - len(done.theirs) - len(done.other)}
    return Committed(len(done.theirs), len(same) - len(done.theirs), left)


def answer_named(cat: Catalogue, same: Mapping[str, bool], reviewer: str) -> Committed:
    """`answer`, by the names of the pairs; those that are no more are counted as skipped."""
    by = check_reviewer(reviewer)
    ids = {name: number for name in same if (number := _number(name)) is not None}
    with cat.together() as at_once:
        known = names(at_once, ids.values())
        done = answer(
            at_once, {ids[one]: same[one] for one in ids if known.get(ids[one]) == one}, by
        )
    gone = len(same) - done.written - done.skipped
    left = {JUDGED: done.skipped, FORGOTTEN: gone}
    return Committed(done.written, done.skipped + gone, left)


def names(cat: Catalogue, ids: Iterable[int]) -> dict[int, str]:
    """The names of pairs, by id; unknown ones are left out."""
    return {id_: _name(id_, *both) for id_, both in pairs.photos_of(cat, ids).items()}


def _number(name: str) -> int | None:
    digits = name.split("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _name(id_: int, one: str, other: str) -> str:
    return f"{id_}-{one[:16]}-{other[:16]}"


def undo_last(cat: Catalogue, reviewer: str) -> dict[int, bool]:
    """Undo the page that a reviewer answered last, and return it; {} if there is none."""
    return pairs.undo_last(cat, check_reviewer(reviewer))


def _side(cat: Catalogue, photo: str, format_: str) -> PairSide:
    seen = photos.sightings(cat, photo)
    first = seen[0]._asdict() if seen else {}
    return PairSide(photo, format_, {name: str(first.get(name) or "") for name in _SHOWN})
