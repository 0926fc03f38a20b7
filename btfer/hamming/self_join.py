"""All near pairs among all keys, bucket by bucket."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from btfer.hamming.blocks import Hits, batched, compare, concatenated_ranges, run_starts
from btfer.hamming.chunks import HashChunk, cut_chunks, is_first_match, masks_within
from btfer.hamming.join_block import JoinBlock, cut_blocks, hits_of, join
from btfer.hamming.keys import Hashes, Ints, Keys, Pairs, to_key_pairs_within, values_of

FEW = 1 << 22  # comparisons: for fewer, buckets cost more than they save
COMMON = 64  # hashes with one word: more are compared outright, not again in each bucket around
PART_BITS = 4  # 16 blocks a chunk, each with a third of the hashes
Over = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def near_pairs(keys: Keys, *, max_bits: int = 8, over: Over | None = None) -> Iterator[Pairs]:
    """All pairs of keys within `max_bits` (0 to 20) bits, i < j, each once, in blocks of no special order.

    Memory is bounded by the block, time by the number of pairs: n hashes that are all near each other, as those
    of nearly blank pictures may be, are n * n / 2 pairs. over: calls a function on many blocks as `map` does, in any
    order, on workers; without it, this process does the work. Raises UsageError for other max_bits.
    """
    values, chunks = values_of(keys), cut_chunks(max_bits, filled_by=2 * len(keys))
    if len(values) ** 2 <= FEW:
        for p, q in compare(values, values, max_bits):
            yield from to_key_pairs_within(keys, p[p < q], q[p < q], max_bits)
        return
    reach = 2 if max_bits >= len(chunks) else 0
    wholes = []
    for n, chunk in enumerate(chunks):
        words = chunk.words(values)
        common = np.flatnonzero(np.bincount(words, minlength=chunk.size) > COMMON)
        for p, q in batched(_pairs_of_common_words(values, words, common, chunk, reach, max_bits)):
            first = is_first_match(chunks[:n], values[p] ^ values[q], reach)
            yield from to_key_pairs_within(keys, p[first], q[first], max_bits)
        empty = JoinBlock(
            *(values[:0], common[:0], chunk, tuple(chunks[:n]), reach, max_bits),
            first=0,
            end=chunk.size,
        )
        wholes.append((empty, common))
    for p, q in _joined(values, wholes, over):
        yield from to_key_pairs_within(keys, p, q, max_bits)


def _joined(
    values: Hashes, wholes: Sequence[tuple[JoinBlock, Ints]], over: Over | None
) -> Iterable[Hits]:
    """All pairs of places that share a bucket. wholes: all buckets of each chunk, without values, and its common words.

    One call for all chunks: workers take seconds to start.
    """
    parts = (
        cut_blocks(
            values, _of_other_words(values, common, empty.chunk), empty, PART_BITS if over else 0
        )
        for empty, common in wholes
    )
    found = (block for blocks in parts for block in blocks)
    return over(join, found) if over else chain.from_iterable(map(hits_of, found))


def _of_other_words(values: Hashes, common: Ints, chunk: HashChunk) -> Ints:
    """The places of values whose words are not common, int32."""
    other = np.ones(chunk.size, bool)
    other[common] = False
    return np.flatnonzero(other[chunk.words(values)]).astype(np.int32)


def _pairs_of_common_words(
    values: Hashes, words: Ints, common: Ints, chunk: HashChunk, reach: int, max_bits: int
) -> Iterator[Hits]:
    """Places of pairs of which at least one has a common word."""
    if not len(common):
        return
    order = np.argsort(words).astype(np.int32)
    values = values[order]
    start, around = (
        run_starts(np.bincount(words, minlength=chunk.size)),
        masks_within(chunk.width, reach),
    )
    for word in common:
        near = np.uint32(word) ^ around
        for p, q in _pairs_of_common_word(values, near, start, max_bits):
            yield order[p], order[q]


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
