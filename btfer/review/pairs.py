"""Pairs of photos, same picture or not: what awaits a person, writing the answers, and undoing them.

Answers on drawn pairs measure how good dedup's threshold is (`btfer dedup calibrate`) and drop no photo. Dedup asks
about pairs of one scene itself, and its next run does what was answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from btfer.catalogue import Catalogue, pairs, photos
from btfer.review.judge import Committed
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


def answer(cat: Catalogue, same: Mapping[int, bool], reviewer: str) -> Committed:
    """Write a page of answers (same picture: True) by pair id, all at once.

    What somebody else has answered meanwhile stays as it is and is counted as skipped. Raises
    UsageError without a reviewer.
    """
    written = pairs.answer(cat, same, check_reviewer(reviewer))
    return Committed(written, len(same) - written)


def undo_last(cat: Catalogue, reviewer: str) -> dict[int, bool]:
    """Undo the page that a reviewer answered last, and return it; {} if there is none."""
    return pairs.undo_last(cat, check_reviewer(reviewer))


def _side(cat: Catalogue, photo: str, format_: str) -> PairSide:
    seen = photos.sightings(cat, photo)
    first = seen[0]._asdict() if seen else {}
    return PairSide(photo, format_, {name: str(first.get(name) or "") for name in _SHOWN})
