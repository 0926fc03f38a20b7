"""All near pairs among all keys, bucket by bucket."""

from collections.abc import Iterator

import numpy as np

from btfer.near import blocks
from btfer.near.blocks import Hits, batched, compare, pieces, ranges, starts
from btfer.near.chunks import Chunk, cut, flips, not_found_in
from btfer.near.keys import Hashes, Ints, Keys, Pairs, settle_among, values_of

FEW = 1 << 22  # comparisons: for fewer, buckets cost more than they save
CROWD = 64  # hashes with one word: more are compared outright, not again in each bucket around


def near_pairs(keys: Keys, *, max_bits: int = 8) -> Iterator[Pairs]:
    """All pairs of keys within `max_bits` (0 to 16), i < j, each once, in blocks of no special order.

    Memory is bounded by the block. Time is bounded by the pairs that there are: n hashes all near each
    other, as those of pictures with next to nothing on them may be, are n * n / 2 pairs.
    """
    values, chunks = values_of(keys), cut(max_bits, filled_by=2 * len(keys))
    if len(values) ** 2 <= FEW:
        for p, q in compare(values, values, max_bits):
            yield from settle_among(keys, p[p < q], q[p < q], max_bits)
        return
    reach = 2 if max_bits >= len(chunks) else 0
    for n, chunk in enumerate(chunks):
        for p, q in batched(_meetings(values, chunk, reach, max_bits)):
            first = not_found_in(chunks[:n], values[p] ^ values[q], reach)
            yield from settle_among(keys, p[first], q[first], max_bits)


def _meetings(values: Hashes, chunk: Chunk, reach: int, max_bits: int) -> Iterator[Hits]:
    """Pairs of values within max_bits that differ in at most `reach` bits of this chunk, each once."""
    words = chunk.words(values)
    order = np.argsort(words).astype(np.int32)
    values, words = values[order], words[order]
    count = np.bincount(words, minlength=chunk.size).astype(np.int32)
    start, around = starts(count), flips(chunk.width, reach)
    for word in np.flatnonzero(count > CROWD):
        for p, q in _of_a_crowd(values, np.uint32(word) ^ around, start, max_bits):
            yield order[p], order[q]
    count[count > CROWD] = 0
    beside = flips(chunk.width, reach // 2)
    step = blocks.AT_ONCE // len(beside)
    for begin in range(0, chunk.size, step):
        buckets = np.arange(begin, min(begin + step, chunk.size), dtype=np.uint32)
        near = buckets[:, None] ^ beside
        first, size = start.take(near), count.take(near)
        for part in pieces(size.sum(axis=1)):
            entries = ranges(first[part].ravel(), size[part].ravel())
            held = size[part].sum(axis=1)
            for a, b, bucket in batched(_in_buckets(values, entries, held, max_bits)):
                once = _is_its_bucket(buckets[part][bucket], words[a], words[b])
                yield order[a[once]], order[b[once]]


def _of_a_crowd(values: Hashes, near: Ints, start: Ints, max_bits: int) -> Iterator[Hits]:
    """Hits of the values of the word near[0] with each other and with those of the words near it.

    values: sorted by word. Two crowds meet twice; the smaller word's time counts.
    """
    size = start[near + 1] - start[near]
    seen = (size > CROWD) & (near < near[0])
    others = ranges(start[near[~seen]], size[~seen])
    crowd = others[: size[0]]
    for p, q in compare(values[crowd], values[others], max_bits):
        once = (q >= len(crowd)) | (p < q)  # the first of the others are the crowd itself
        yield crowd[p[once]], others[q[once]]


def _is_its_bucket(bucket: Ints, one: Ints, other: Ints) -> Ints:
    """Whether, of all the buckets in which two words meet, it is this one that counts.

    Equal words meet in their own bucket and in all around it: their own counts. Words that differ in
    one or two bits meet in two buckets, which differ in just these bits: the one without the lowest.
    """
    differ = one ^ other
    lowest = differ & (~differ + np.uint32(1))
    return np.where(differ == 0, bucket == one, bucket & lowest == 0)


def _in_buckets(values: Hashes, entries: Ints, size: Ints, max_bits: int) -> Iterator[Hits]:
    """Pairs of entries (places in values) of one bucket within max_bits, and the bucket's number.

    size: how many of the entries lie in each bucket. Buckets of one size are laid side by side as
    columns, so that every step is one long comparison.
    """
    start = starts(size)
    by_size = np.argsort(size.astype(np.uint16), kind="stable")
    ends = np.cumsum(np.bincount(size))
    for n in range(2, len(ends)):
        same = by_size[ends[n - 1] : ends[n]]
        columns = max(1, blocks.TILE // n)
        for begin in range(0, len(same), columns):
            buckets = same[begin : begin + columns]
            at = entries.take(start[buckets] + np.arange(n)[:, None])
            for a, b in _in_columns(values.take(at), max_bits):
                yield at.ravel()[a], at.ravel()[b], buckets[a % len(buckets)]


def _in_columns(values: Hashes, max_bits: int) -> Iterator[Hits]:
    """Flat places of two values of one column within max_bits. values: [n, columns]."""
    n, columns = values.shape
    differ, bits = np.empty_like(values), np.empty(values.shape, np.uint8)
    for step in range(1, n):
        np.bitwise_xor(values[step:], values[:-step], out=differ[step:])
        np.bitwise_count(differ[step:], out=bits[step:])
        if bits[step:].min() <= max_bits:
            hits = np.flatnonzero(bits[step:] <= max_bits)
            yield hits, hits + step * columns
