"""Exact search for near hashes: all pairs within a few bits, among a million, in plain numpy.

Rows with the same hash and the same mirror hash are one *key* (`collapse`), and keys are what is
compared. The distance of two keys is the smallest of hash to hash, hash to the other's mirror and
mirror to the other's hash: the mirror of a real pHash is not its own inverse bit for bit, so both
directions count, and the distance is symmetric.

How: 64 bits are cut into chunks, so many that two hashes within `max_bits` differ by at most 2 bits in
one of them (pigeonhole; three chunks up to 8 bits). Two chunks that differ by at most 2 bits have a
word in common when each stands with all words one bit away from it. So every hash goes into the
buckets of its own word and of its neighbours', and only hashes in one bucket are compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np

from btfer.errors import UsageError

MOST_BITS = 16
FEW = 1 << 22  # comparisons: for fewer, buckets cost more than they save
TILE = 1 << 16  # comparisons at once: what stays in the cache
CROWD = 64  # hashes with one word: more are compared outright, not through neighbours' buckets
NEW_AT_ONCE = 4096  # hashes and mirrors
ODD = 0x9E3779B97F4A7C15
ENTRIES = 1 << 20  # hashes in buckets at once
SPAN = 1 << 18  # old hashes looked up at once
MANY = 1 << 30
FILL = 0

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Ints = np.ndarray[Any, np.dtype[Any]]
Hits = tuple[Ints, Ints]

_NONE: Ints = np.empty(0, np.int64)


@dataclass(frozen=True)
class Keys:
    """The distinct (hash, mirror) keys of N rows, and which rows have which key.

    hashes, mirrors: uint64 [K], in an order that only their values decide; mirrors may be None.
    order: [N], all rows, sorted by key. start: [K + 1], where each key's rows begin in it.
    """

    hashes: Hashes
    mirrors: Hashes | None
    order: Ints
    start: Ints

    def __len__(self) -> int:
        return len(self.hashes)

    def rows(self, key: int) -> Ints:
        """The rows with this key, ascending."""
        return np.sort(self.order[self.start[key] : self.start[key + 1]])

    def groups(self) -> Iterator[Ints]:
        """The rows of each key that has two or more."""
        for key in np.flatnonzero(np.diff(self.start) > 1):
            yield self.rows(int(key))


class Pairs(NamedTuple):
    """Pairs of keys: i, j int32 [P]; bits uint8 [P], their distance."""

    i: Ints
    j: Ints
    bits: Ints


class _Chunk(NamedTuple):
    shift: int
    width: int

    def words(self, hashes: Hashes) -> Ints:
        return (hashes >> np.uint64(self.shift)).astype(np.uint32) & np.uint32(self.size - 1)

    @property
    def size(self) -> int:
        return 1 << self.width


def collapse(hashes: Hashes, mirrors: Hashes | None = None) -> Keys:
    """Rows with equal hash and equal mirror as one key.

    hashes, mirrors: uint64 [N], the pHash of each photo and of its mirror image; without mirrors,
    mirrored copies are not looked for. Raises UsageError for other types or unequal lengths.
    """
    sides = [hashes] if mirrors is None else [hashes, mirrors]
    for side in sides:
        if side.dtype != np.uint64 or side.shape != (len(hashes),):
            raise UsageError(
                f"hashes and mirrors must be uint64 of one length, got {side.dtype} {side.shape}"
            )
    # One mixed word for each row sorts twice as fast as two words; that two keys share one is rare.
    mixed = sides[0] if mirrors is None else sides[0] ^ (sides[1] * np.uint64(ODD))
    order = np.argsort(mixed)
    new = _changes(sides, order)
    if (new & ~_changes([mixed], order)).any():
        order = np.lexsort(sides)
        new = _changes(sides, order)
    start = np.append(np.flatnonzero(new), len(order))
    distinct = [side.take(order[new]) for side in sides]
    return Keys(distinct[0], None if mirrors is None else distinct[1], order, start)


def near_pairs(keys: Keys, *, max_bits: int = 8) -> Iterator[Pairs]:
    """All pairs of keys within `max_bits` (0 to 16), i < j, each once, in blocks of no special order.

    Memory is bounded by the block, time by the pairs that there are: n hashes that are all near each
    other, as those of pictures with next to nothing on them may be, are n * n / 2 pairs.
    """
    _check(max_bits)
    values = _values(keys)
    if len(values) ** 2 <= FEW:
        for p, q in _compare(values, values, max_bits):
            yield from _settle_among(keys, p[p < q], q[p < q], max_bits)
        return
    chunks = _chunks(max_bits, len(values))
    reach = 2 if max_bits >= len(chunks) else 0
    for n, chunk in enumerate(chunks):
        for p, q in _meetings(values, chunk, reach, max_bits):
            first = _differ_in(chunks[:n], values[p] ^ values[q], reach)
            yield from _settle_among(keys, p[first], q[first], max_bits)


def near_between(new: Keys, old: Keys, *, max_bits: int = 8) -> Iterator[Pairs]:
    """All pairs of a new key i and an old key j within `max_bits` (0 to 16), each once, in blocks.

    Old keys are not compared with each other, nor new ones. The time grows with len(old) for each
    2,048 new keys. Raises UsageError where only one side has mirrors.
    """
    _check(max_bits)
    if (new.mirrors is None) != (old.mirrors is None):
        raise UsageError("near_between: one side has mirror hashes and the other has none")
    left, right = _values(new), _values(old)
    for begin in range(0, len(left), NEW_AT_ONCE):
        for p, q in _between(left[begin : begin + NEW_AT_ONCE], right, max_bits):
            i, j = (begin + p) % len(new), q % len(old)
            kind = 2 * (begin + p >= len(new)) + (q >= len(old))
            yield from _settle(new, old, i, j, kind, max_bits)


def collect(blocks: Iterable[Pairs]) -> Pairs:
    """All blocks as one, sorted by i, then j."""
    none = Pairs(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8))
    i, j, bits = (np.concatenate(parts) for parts in zip(none, *blocks, strict=True))
    order = np.lexsort((j, i))
    return Pairs(i[order], j[order], bits[order])


def _changes(sides: Sequence[Hashes], order: Ints) -> Ints:
    """Where the next key begins."""
    new = np.zeros(len(order), bool)
    new[:1] = True
    for side in sides:
        ordered = side.take(order)
        new[1:] |= ordered[1:] != ordered[:-1]
    return new


def _check(max_bits: int) -> None:
    if not 0 <= max_bits <= MOST_BITS:
        raise UsageError(f"max_bits must be 0 to {MOST_BITS}, got {max_bits}")


def _chunks(max_bits: int, n: int) -> list[_Chunk]:
    """So many that max_bits leave at most 2 in one; of a chunk only as many bits as n hashes can fill."""
    edges = np.linspace(0, 64, max(3, max_bits // 3 + 1) + 1).astype(int).tolist()
    fill = max(8, n.bit_length() + FILL)
    return [_Chunk(a, min(b - a, fill)) for a, b in pairwise(edges)]


def _values(keys: Keys) -> Hashes:
    return keys.hashes if keys.mirrors is None else np.concatenate([keys.hashes, keys.mirrors])


def _sides(left: Keys, right: Keys) -> list[tuple[Hashes, Hashes]]:
    """Hash to hash, hash to mirror, mirror to hash: what a pair's distance is the smallest of."""
    if left.mirrors is None or right.mirrors is None:
        return [(left.hashes, right.hashes)]
    return [
        (left.hashes, right.hashes),
        (left.hashes, right.mirrors),
        (left.mirrors, right.hashes),
    ]


def _settle_among(keys: Keys, p: Ints, q: Ints, max_bits: int) -> Iterator[Pairs]:
    """Pairs of keys from pairs of values: those from len(keys) on are mirrors."""
    i, j = p % len(keys), q % len(keys)
    p, q = np.where(i < j, p, q), np.where(i < j, q, p)
    kind = 2 * (p >= len(keys)) + (q >= len(keys))
    others = i != j
    i, j = np.minimum(i, j)[others], np.maximum(i, j)[others]
    yield from _settle(keys, keys, i, j, kind[others], max_bits)


def _settle(
    left: Keys, right: Keys, i: Ints, j: Ints, kind: Ints, max_bits: int
) -> Iterator[Pairs]:
    """The distance of each pair; a pair near in several ways stays only with the first of them.

    kind: in which of `_sides` it was found; 3, mirror to mirror, is none."""
    distance = np.stack([np.bitwise_count(a[i] ^ b[j]) for a, b in _sides(left, right)])
    once = (distance <= max_bits).argmax(axis=0) == kind
    if once.any():
        bits = distance.min(axis=0)[once]
        yield Pairs(i[once].astype(np.int32), j[once].astype(np.int32), bits)


def _differ_in(earlier: Sequence[_Chunk], bits: Hashes, reach: int) -> Ints:
    """Whether no earlier chunk has found the pair already. bits: where its two hashes differ."""
    first = np.ones(len(bits), bool)
    for chunk in earlier:
        first &= np.bitwise_count(chunk.words(bits)) > reach
    return first


# ---- among all ----


def _meetings(values: Hashes, chunk: _Chunk, reach: int, max_bits: int) -> Iterator[Hits]:
    """Pairs of values within max_bits that differ in at most `reach` bits of this chunk, each once."""
    words = chunk.words(values)
    order = np.argsort(words).astype(np.int32)
    values, words = values[order], words[order]
    count = np.bincount(words, minlength=chunk.size).astype(np.int32)
    start = _starts(count)
    for crowd in np.flatnonzero(count > CROWD):
        for p, q in _of_a_crowd(values, crowd ^ _flips(chunk.width, reach), start, max_bits):
            yield order[p], order[q]
    count[count > CROWD] = 0
    flips = _flips(chunk.width, reach // 2)
    step = max(1, ENTRIES // len(flips) // max(1, len(values) // chunk.size))
    for begin in range(0, chunk.size, step):
        buckets = np.arange(begin, min(begin + step, chunk.size), dtype=np.uint32)
        near = buckets[:, None] ^ flips
        size = count.take(near)
        entries = _ranges(start.take(near).ravel(), size.ravel())
        a, b, bucket = _in_buckets(values, entries, size.sum(axis=1), max_bits)
        once = _is_its_bucket(buckets[bucket], words[a], words[b])
        yield order[a[once]], order[b[once]]


def _of_a_crowd(values: Hashes, near: Ints, start: Ints, max_bits: int) -> Iterator[Hits]:
    """The values of the word near[0] with each other and with those of the other words near it.

    values: sorted by word. Two crowds meet twice; here the one with the smaller word counts.
    """
    crowd = np.arange(start[near[0]], start[near[0] + 1])
    size = start[near + 1] - start[near]
    near = near[(size <= CROWD) | (near >= near[0])]
    others = _ranges(start[near], start[near + 1] - start[near])
    for p, q in _compare(values[crowd], values[others], max_bits):
        once = (q >= len(crowd)) | (p < q)  # the crowd itself comes first among the others
        yield crowd[p[once]], others[q[once]]


def _is_its_bucket(bucket: Ints, one: Ints, other: Ints) -> Ints:
    """Of the buckets in which two words meet, one counts.

    Equal words meet in their own and in all around it: their own. Words that differ in one or two
    bits meet in two, which differ in just these bits: the one without the lowest of them.
    """
    differ = one ^ other
    lowest = differ & (~differ + np.uint32(1))
    return np.where(differ == 0, bucket == one, bucket & lowest == 0)


def _in_buckets(
    values: Hashes, entries: Ints, size: Ints, max_bits: int
) -> tuple[Ints, Ints, Ints]:
    """Pairs of entries (places in values) of one bucket that are within max_bits, and the bucket's number.

    size: how many of the entries lie in each bucket. Buckets of one size are laid side by side as
    columns, so that every step is one long comparison.
    """
    start = _starts(size)
    by_size = np.argsort(size.astype(np.uint16), kind="stable").astype(np.int32)
    ends = np.cumsum(np.bincount(size))
    found = [(_NONE, _NONE, _NONE)]
    for n in range(2, len(ends)):
        same = by_size[ends[n - 1] : ends[n]]
        columns = max(1, TILE // n)
        for begin in range(0, len(same), columns):
            buckets = same[begin : begin + columns]
            at = entries.take(start[buckets] + np.arange(n)[:, None])
            for a, b in _in_columns(values.take(at), max_bits):
                where = buckets[a % len(buckets)]
                found.append((at.ravel()[a], at.ravel()[b], where))
    a, b, bucket = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return a, b, bucket


def _in_columns(values: Hashes, max_bits: int) -> Iterator[Hits]:
    """Flat places of pairs within max_bits in one column. values: [n, columns]."""
    n, columns = values.shape
    differ, bits = np.empty_like(values), np.empty(values.shape, np.uint8)
    for step in range(1, n):
        np.bitwise_xor(values[step:], values[:-step], out=differ[step:])
        np.bitwise_count(differ[step:], out=bits[step:])
        if bits[step:].min() <= max_bits:
            hits = np.flatnonzero(bits[step:] <= max_bits)
            yield hits, hits + step * columns


# ---- new beside old ----


def _between(left: Hashes, right: Hashes, max_bits: int) -> Iterator[Hits]:
    """All pairs of a left and a right value within max_bits, each once."""
    if len(left) * len(right) <= FEW:
        yield from _compare(left, right, max_bits)
        return
    chunks = _chunks(max_bits, MANY)
    reach = max_bits // len(chunks)
    for n, chunk in enumerate(chunks):
        for i, j in _looked_up(left, right, chunk, reach):
            bits = left[i] ^ right[j]
            once = np.bitwise_count(bits) <= max_bits
            once[once] = _differ_in(chunks[:n], bits[once], reach)
            yield i[once], j[once]


def _looked_up(left: Hashes, right: Hashes, chunk: _Chunk, reach: int) -> Iterator[Hits]:
    """All pairs that differ in at most `reach` bits of this chunk."""
    flips = _flips(chunk.width, reach)
    near = (chunk.words(left)[:, None] ^ flips).ravel()
    order = np.argsort(near)
    count = np.bincount(near, minlength=chunk.size).astype(np.int32)
    start, known = _starts(count), count > 0
    for begin in range(0, len(right), SPAN):
        words = chunk.words(right[begin : begin + SPAN])
        j = np.flatnonzero(known.take(words))
        times = count[words[j]]
        i = order[_ranges(start[words[j]], times)] // len(flips)
        yield i, np.repeat(j + begin, times)


# ---- both ----


def _compare(left: Hashes, right: Hashes, max_bits: int) -> Iterator[Hits]:
    """All pairs of a left and a right value within max_bits."""
    rows = max(1, TILE // max(1, len(right)))
    for begin in range(0, len(left), rows):
        i, j = np.nonzero(np.bitwise_count(left[begin : begin + rows, None] ^ right) <= max_bits)
        yield i + begin, j


def _flips(width: int, most: int) -> Ints:
    """All words of `width` bits with at most `most` bits set; the empty one first."""
    chosen = (bits for n in range(most + 1) for bits in combinations(range(width), n))
    return np.array([sum(1 << bit for bit in bits) for bits in chosen], np.uint32)


def _starts(count: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int32)


def _ranges(start: Ints, size: Ints) -> Ints:
    """start[0], start[0] + 1, ... size[0] of them, then the same from start[1], and so on."""
    ends = np.cumsum(size, dtype=np.int32)
    shift = np.repeat(start - (ends - size), size)
    return np.arange(len(shift), dtype=np.int32) + shift
