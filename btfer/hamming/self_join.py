"""All near pairs among all keys, bucket by bucket."""

from collections.abc import Iterator

import numpy as np

from btfer.hamming import blocks
from btfer.hamming.blocks import Hits, batched, compare, ranges, starts
from btfer.hamming.chunks import Chunk, cut, flips, not_found_in
from btfer.hamming.keys import Hashes, Ints, Keys, Pairs, settle_among, values_of

FEW = 1 << 22  # comparisons: for fewer, buckets cost more than they save
CROWD = 64  # hashes with one word: more are compared outright, not again in each bucket around


def near_pairs(keys: Keys, *, max_bits: int = 8) -> Iterator[Pairs]:
    """All pairs of keys within `max_bits` (0 to 20), i < j, each once, in blocks of no special order.

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
    for a, b in _in_buckets(values, words, start, count, flips(chunk.width, reach // 2), max_bits):
        yield order[a], order[b]


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


def _in_buckets(
    values: Hashes, words: Ints, start: Ints, count: Ints, beside: Ints, max_bits: int
) -> Iterator[Hits]:
    """Hits of values that meet in a bucket: see `loops.meet`."""
    from btfer.hamming.kernels import meet  # numba takes half a second to import

    hits = np.empty((2, max(blocks.AT_ONCE, CROWD * len(beside) + 1)), np.int32)
    bucket = row = 0
    while bucket < len(count):
        bucket, row, found = meet(values, words, start, count, beside, max_bits, bucket, row, hits)
        yield hits[0, :found].copy(), hits[1, :found].copy()
