"""What is compared: distinct keys of rows, their values, and the pairs found."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from btfer.errors import UsageError

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Ints = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Keys:
    """The distinct (hash, mirror) keys of N rows, and which rows have which key.

    hashes, mirrors: uint64 [K], in an order that only their values decide; mirrors may be None.
    order: int64 [N], all rows, sorted by key. start: int64 [K + 1], where the rows of each key begin in `order`.
    """

    hashes: Hashes
    mirrors: Hashes | None
    order: Ints
    start: Ints

    def __len__(self) -> int:
        return len(self.hashes)

    def rows(self, key: int) -> Ints:
        """The rows with this key, int64, ascending."""
        return np.sort(self.order[self.start[key] : self.start[key + 1]])

    def groups(self) -> Iterator[Ints]:
        """The rows of each key that has two or more, int64, ascending."""
        for key in np.flatnonzero(np.diff(self.start) > 1):
            yield self.rows(int(key))


class Pairs(NamedTuple):
    """Pairs of keys. i, j: int32 [P], rows of the two `Keys`. bits: uint8 [P], their Hamming distance, 0-64."""

    i: Ints
    j: Ints
    bits: Ints


def collapse(hashes: Hashes, mirrors: Hashes | None = None) -> Keys:
    """Rows with equal hash and equal mirror as one key.

    hashes, mirrors: uint64 [N], the pHash of each photo and of its mirror image; without mirrors,
    mirrored copies are not looked for. Raises UsageError for other types or unequal lengths.
    """
    sides = _checked(hashes, mirrors)
    # One mixed word for each row sorts twice as fast as two words; that two keys share one is rare.
    mixed = hashes if mirrors is None else hashes ^ (mirrors * np.uint64(0x9E3779B97F4A7C15))
    order = np.argsort(mixed)
    new = _changes(sides, order)
    if (new & ~_changes([mixed], order)).any():
        order = np.lexsort(sides)
        new = _changes(sides, order)
    distinct = [side.take(order[new]) for side in sides]
    start = np.append(np.flatnonzero(new), len(order))
    return Keys(distinct[0], None if mirrors is None else distinct[1], order, start)


def each_row(hashes: Hashes, mirrors: Hashes | None = None) -> Keys:
    """Every row as a key of its own: without the sort of `collapse`, for hashes that are mostly distinct.

    hashes, mirrors: uint64 [N], as for `collapse`. Raises UsageError as it does.
    """
    _checked(hashes, mirrors)
    return Keys(hashes, mirrors, np.arange(len(hashes)), np.arange(len(hashes) + 1))


def collect(blocks: Iterable[Pairs]) -> Pairs:
    """All blocks as one, sorted by i, then j."""
    none = Pairs(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8))
    i, j, bits = (np.concatenate(parts) for parts in zip(none, *blocks, strict=True))
    order = np.lexsort((j, i))
    return Pairs(i[order], j[order], bits[order])


def _checked(hashes: Hashes, mirrors: Hashes | None) -> list[Hashes]:
    sides = [hashes] if mirrors is None else [hashes, mirrors]
    for side in sides:
        if side.dtype != np.uint64 or side.shape != (len(hashes),):
            raise UsageError(
                f"hashes and mirrors must be uint64 [{len(hashes)}], got {side.dtype} {side.shape}"
            )
    return sides


def _changes(sides: Sequence[Hashes], order: Ints) -> Ints:
    """Where the next key begins."""
    new = np.zeros(len(order), bool)
    new[:1] = True
    for side in sides:
        ordered = side.take(order)
        new[1:] |= ordered[1:] != ordered[:-1]
    return new


# ---- values: the hashes of all keys, then their mirrors ----


def values_of(keys: Keys) -> Hashes:
    """The values that are compared: uint64 [K] or, with mirrors, [2 K]."""
    return keys.hashes if keys.mirrors is None else np.concatenate([keys.hashes, keys.mirrors])


def to_key_pairs_within(keys: Keys, p: Ints, q: Ints, max_bits: int) -> Iterator[Pairs]:
    """`to_key_pairs` within one set of keys; a key is no copy of its own mirror image.

    p, q: int [P], rows of `values_of(keys)`.
    """
    i, j = p % len(keys), q % len(keys)
    p, q = np.where(i < j, p, q), np.where(i < j, q, p)
    yield from to_key_pairs(keys, keys, p[i != j], q[i != j], max_bits)


def to_key_pairs(left: Keys, right: Keys, p: Ints, q: Ints, max_bits: int) -> Iterator[Pairs]:
    """Pairs of keys from pairs of values; a pair that is near in several ways comes once, with the first of them.

    p, q: int [P], rows of the left and the right `values_of`. Mirror to mirror is left out: it repeats hash to hash.
    """
    i, j = p % max(1, len(left)), q % max(1, len(right))
    found_as = 2 * (p >= len(left)) + (q >= len(right))
    ways = [(left.hashes, right.hashes)]
    if left.mirrors is not None and right.mirrors is not None:
        ways += [(left.hashes, right.mirrors), (left.mirrors, right.hashes)]
    distance = np.stack([np.bitwise_count(a[i] ^ b[j]) for a, b in ways])
    once = (distance <= max_bits).argmax(axis=0) == found_as
    if once.any():
        bits = distance.min(axis=0)[once]
        yield Pairs(i[once].astype(np.int32), j[once].astype(np.int32), bits)
