"""All near pairs among all keys, bucket by bucket."""

from collections.abc import Iterator

import numpy as np

from btfer.hamming import blocks
from btfer.hamming.blocks import Hits, batched, compare, concatenated_ranges, run_starts
from btfer.hamming.chunks import HashChunk, cut_chunks, is_first_match, masks_within
from btfer.hamming.keys import Hashes, Ints, Keys, Pairs, to_key_pairs_within, values_of

FEW = 1 << 22  # comparisons: for fewer, buckets cost more than they save
COMMON = 64  # hashes with one word: more are compared outright, not again in each bucket around


def near_pairs(keys: Keys, *, max_bits: int = 8) -> Iterator[Pairs]:
    """All pairs of keys within `max_bits` (0 to 20) bits, i < j, each once, in blocks of no special order.

    Memory is bounded by the block, time by the number of pairs: n hashes that are all near each other, as those
    of nearly blank pictures may be, are n * n / 2 pairs. Raises UsageError for other max_bits.
    """
    values, chunks = values_of(keys), cut_chunks(max_bits, filled_by=2 * len(keys))
    if len(values) ** 2 <= FEW:
        for p, q in compare(values, values, max_bits):
            yield from to_key_pairs_within(keys, p[p < q], q[p < q], max_bits)
        return
    reach = 2 if max_bits >= len(chunks) else 0
    for n, chunk in enumerate(chunks):
        for p, q in batched(_pairs_by_chunk(values, chunk, reach, max_bits)):
            first = is_first_match(chunks[:n], values[p] ^ values[q], reach)
            yield from to_key_pairs_within(keys, p[first], q[first], max_bits)


def _pairs_by_chunk(values: Hashes, chunk: HashChunk, reach: int, max_bits: int) -> Iterator[Hits]:
    """Pairs of values within max_bits that differ in at most `reach` bits of this chunk, each once."""
    words = chunk.words(values)
    order = np.argsort(words).astype(np.int32)
    values, words = values[order], words[order]
    count = np.bincount(words, minlength=chunk.size).astype(np.int32)
    start, around = run_starts(count), masks_within(chunk.width, reach)
    for word in np.flatnonzero(count > COMMON):
        for p, q in _pairs_of_common_word(values, np.uint32(word) ^ around, start, max_bits):
            yield order[p], order[q]
    count[count > COMMON] = 0
    for a, b in _in_buckets(
        values, words, start, count, masks_within(chunk.width, reach // 2), max_bits
    ):
        yield order[a], order[b]


def _pairs_of_common_word(values: Hashes, near: Ints, start: Ints, max_bits: int) -> Iterator[Hits]:
    """Hits of the values of the word near[0] with each other and with those of the words near it.

    values: sorted by word. Two common words come twice; the pair is reported with the smaller one.
    """
    size = start[near + 1] - start[near]
    seen = (size > COMMON) & (near < near[0])
    others = concatenated_ranges(start[near[~seen]], size[~seen])
    common = others[: size[0]]
    for p, q in compare(values[common], values[others], max_bits):
        once = (q >= len(common)) | (p < q)  # the first of the others are the common word's own
        yield common[p[once]], others[q[once]]


def _in_buckets(
    values: Hashes, words: Ints, start: Ints, count: Ints, masks: Ints, max_bits: int
) -> Iterator[Hits]:
    """Hits of values that share a bucket: see `kernels.pairs_in_buckets`."""
    from btfer.hamming.kernels import pairs_in_buckets  # numba takes half a second to import

    hits = np.empty((2, max(blocks.AT_ONCE, COMMON * len(masks) + 1)), np.int32)
    bucket = row = 0
    while bucket < len(count):
        bucket, row, found = pairs_in_buckets(
            values, words, start, count, masks, max_bits, bucket, row, hits
        )
        yield hits[0, :found].copy(), hits[1, :found].copy()
