"""How good a threshold is: precision and recall of dedup by Hamming distance, with intervals, and the best distance."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

MAX_BITS = 20
LEAST_PRECISION = 0.99
GAIN = 0.005
LEAST_RECALL = 0.97
RULE = (
    f"the least distance that finds all but {GAIN:.1%} of what the largest distance with a "
    f"confirmed precision of {LEAST_PRECISION:.0%} finds"
)
_Z = 1.959964  # of 95 %


@dataclass(frozen=True)
class Measured:
    """A labelled pair: what it is (`same`), its distance in bits, and whether the thumbnails confirm it.

    weight: how many pairs of the catalogue it stands for.
    """

    same: bool
    distance: int
    confirmed: bool
    weight: float = 1.0
    kind: str = ""


@dataclass(frozen=True)
class Share:
    """A share with its 95 % Wilson interval; `point` is None where there was nothing to count."""

    point: float | None
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Score:
    """Precision: of the pairs called the same, those that are. Recall: of the same, those called so."""

    precision: Share
    recall: Share


@dataclass(frozen=True)
class AtDistance:
    """What a threshold of `max_bits` does: by the hash alone, and confirmed by the thumbnails."""

    max_bits: int
    pairs: int
    by_hash: Score
    confirmed: Score


@dataclass(frozen=True)
class OfKind:
    """The pairs of one kind at one threshold: which share is called the same picture."""

    kind: str
    same: bool
    pairs: int
    by_hash: Share
    confirmed: Share

    @property
    def weak(self) -> bool:
        """Whether too few copies of this kind are found."""
        return self.same and (self.confirmed.point or 0.0) < LEAST_RECALL


def wilson(point: float, n: float) -> Share:
    """A share of n with Wilson's score interval at 95 %.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    spread = _Z * (point * (1 - point) / n + _Z**2 / (4 * n**2)) ** 0.5
    low, high = ((point + _Z**2 / (2 * n) + sign * spread) / (1 + _Z**2 / n) for sign in (-1, 1))
    return Share(point, max(0.0, low), min(1.0, high))


def share(pairs: Iterable[Measured], hit: Callable[[Measured], bool]) -> Share:
    """The weighted share of the pairs that are a hit.

    n is Kish's effective number of pairs, (sum of w)^2 / sum of w^2: a few pairs that stand for very
    many say less than their count.
    """
    counted = list(pairs)
    if not counted:
        return Share(None)
    total = sum(one.weight for one in counted)
    point = sum(one.weight for one in counted if hit(one)) / total
    return wilson(min(1.0, point), total**2 / sum(one.weight**2 for one in counted))


def by_distance(pairs: list[Measured]) -> list[AtDistance]:
    """One row for each threshold from 0 to 20 bits."""
    rows = []
    for bits in range(MAX_BITS + 1):
        n = sum(one.distance <= bits for one in pairs)
        alone, both = (_score(pairs, partial(call, bits)) for call in CALLS)
        rows.append(AtDistance(bits, n, alone, both))
    return rows


def suggest(rows: list[AtDistance]) -> int | None:
    """The distance to use by `RULE`; None where no distance is precise enough, or no pair is the same."""
    fit = [row for row in rows if _precise(row) and row.confirmed.recall.point is not None]
    if not fit:
        return None
    most = fit[-1].confirmed.recall.point or 0.0
    enough = (row.max_bits for row in fit if most - (row.confirmed.recall.point or 0.0) < GAIN)
    return next(enough) if most else None


def by_kind(pairs: list[Measured], max_bits: int) -> list[OfKind]:
    """One row for each kind of pair: copies first, each in the order of its name; [] without kinds."""
    groups: dict[tuple[bool, str], list[Measured]] = {}
    for one in pairs:
        groups.setdefault((not one.same, one.kind), []).append(one)
    if not any(kind for _, kind in groups):
        return []
    rows = []
    for (differ, kind), of in sorted(groups.items()):
        alone, both = (share(of, partial(call, max_bits)) for call in CALLS)
        rows.append(OfKind(kind, not differ, len(of), alone, both))
    return rows


def _near(max_bits: int, one: Measured) -> bool:
    return one.distance <= max_bits


def _near_and_confirmed(max_bits: int, one: Measured) -> bool:
    return one.distance <= max_bits and one.confirmed


CALLS = (_near, _near_and_confirmed)


def _score(pairs: list[Measured], called: Callable[[Measured], bool]) -> Score:
    precision = share((one for one in pairs if called(one)), lambda one: one.same)
    return Score(precision, share((one for one in pairs if one.same), called))


def _precise(row: AtDistance) -> bool:
    point = row.confirmed.precision.point
    return point is None or point >= LEAST_PRECISION
