"""Groups of near-duplicates: who belongs together, and which of them stays. Pure rules; nothing is read or written.

The result depends on the photos alone, not on the order in which they came: only what a person has
judged goes before the rules.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from btfer.catalogue.rows import DuplicateCandidate
from btfer.duplicate_rules import rank

DRIFT_BITS = 4
"""No member is further from its keeper than the threshold and this: chains of small steps lead astray."""

Pair = tuple[int, int]


@dataclass
class Grouping:
    """keeper_of: for each dropped row its keeper and their distance. split: photos that a chain led too far."""

    keeper_of: dict[int, tuple[int, int]] = field(default_factory=dict)
    split: int = 0


def is_settled(photo: DuplicateCandidate) -> bool:
    """Whether a person said that this photo is no duplicate."""
    return photo.decision == "keep" and photo.by != "dedup"


def is_pinned(photo: DuplicateCandidate) -> bool:
    """Whether a person said of which photo this one is a copy."""
    return photo.decision == "drop" and photo.by != "dedup"


def group(
    photos: Sequence[DuplicateCandidate],
    pairs: Iterable[Pair],
    distance: Callable[[int, int], int],
    is_copy: Callable[[int, int], bool],
    max_bits: int,
) -> Grouping:
    """Join near photos to groups and choose the keeper of each.

    pairs: places in `photos` whose hashes are near. distance: of two of them, in bits. is_copy: the second opinion;
    a member is a copy of its keeper itself, whoever joined them, and no further than
    max_bits + DRIFT_BITS. What that leaves out of a group is grouped among itself. A keeper that a
    person chose stays, and what they dropped for it neither keeps nor changes its keeper.
    """
    found = Grouping()
    pinned = {i for i, photo in enumerate(photos) if is_pinned(photo)}
    chosen = {photos[i].keeper for i in pinned}
    confirmed = [(i, j) for i, j in pairs if is_copy(i, j)]
    waiting = split_into_parts(confirmed)
    while waiting:
        part = waiting.pop()
        free = {i for pair in part for i in pair} - pinned
        if not free:
            continue
        keeper = min(free, key=lambda i: (photos[i].sha256 not in chosen, rank(photos[i])))
        left = {i for pair in part for i in pair} & pinned
        for i in free - {keeper}:
            bits = distance(keeper, i)
            near = bits <= max_bits + DRIFT_BITS and not is_settled(photos[i])
            if near and is_copy(keeper, i):
                found.keeper_of[i] = (keeper, bits)
            else:
                left.add(i)
        found.split += sum(not is_settled(photos[i]) for i in left - pinned)
        waiting += split_into_parts([(i, j) for i, j in part if i in left and j in left])
    return found


def split_into_parts(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The connected parts of a graph, each as its pairs, by union-find."""
    root: dict[int, int] = {}

    def find(i: int) -> int:
        while root.setdefault(i, i) != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for i, j in pairs:
        root[find(i)] = find(j)
    parts: dict[int, list[Pair]] = {}
    for i, j in pairs:
        parts.setdefault(find(i), []).append((i, j))
    return list(parts.values())
