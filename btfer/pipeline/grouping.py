"""Groups of near-duplicates: who belongs together, and which of them stays. Pure rules; nothing is read or written.

The result depends on the photos alone, not on the order in which they came: only what a person has
judged goes before the rules.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from btfer.catalogue.store import Row
from btfer.licences import terms

DRIFT_BITS = 4
"""No member is further from its keeper than the threshold and this: chains of small steps lead astray."""

Pair = tuple[int, int]


@dataclass
class Grouping:
    """keeper_of: for each dropped row its keeper and their distance. split: photos that a chain led too far."""

    keeper_of: dict[int, tuple[int, int]] = field(default_factory=dict)
    split: int = 0


def rank(row: Row) -> tuple[bool, int, int, float, str, str]:
    """The order in which copies stay: the first of a group is its keeper.

    Judged by people already, licence that allows a release, most pixels, least compressed (bytes a
    pixel), earliest, and last the sha256, so that there is always one answer.
    """
    area = row["width"] * row["height"]
    return (
        not row["judged"],
        licence_rank(row["licences"]),
        -area,
        -round(row["n_bytes"] / area, 4),
        row["at"],
        row["sha256"],
    )


def licence_rank(licences: Iterable[tuple[str, str]]) -> int:
    """0 = a sighting states a licence that allows a crop, 1 = nothing is stated, 2 = it is forbidden."""
    read = [terms(*one) for one in licences]
    if any(one.derivatives for one in read):
        return 0
    return 2 if any(one.forbids_derivatives for one in read) else 1


def is_settled(row: Row) -> bool:
    """Whether a person said that this photo is no duplicate."""
    return row["decision"] == "keep" and row["by"] != "dedup"


def group(
    rows: Sequence[Row],
    pairs: Iterable[Pair],
    distance: Callable[[int, int], int],
    is_copy: Callable[[int, int], bool],
    max_bits: int,
) -> Grouping:
    """Join near photos to groups and choose the keeper of each.

    pairs: rows whose hashes are near. distance: of two rows, in bits. is_copy: the second opinion;
    a member is a copy of its keeper itself, whoever joined them, and no further than
    max_bits + DRIFT_BITS. What that leaves out of a group is grouped among itself.
    """
    found = Grouping()
    confirmed = [(i, j) for i, j in pairs if is_copy(i, j)]
    waiting = split_into_parts(confirmed)
    while waiting:
        part = waiting.pop()
        keeper = min({i for pair in part for i in pair}, key=lambda i: rank(rows[i]))
        left = set()
        for i in {i for pair in part for i in pair} - {keeper}:
            bits = distance(keeper, i)
            near = bits <= max_bits + DRIFT_BITS and not is_settled(rows[i])
            if near and is_copy(keeper, i):
                found.keeper_of[i] = (keeper, bits)
            else:
                left.add(i)
        found.split += sum(not is_settled(rows[i]) for i in left)
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
