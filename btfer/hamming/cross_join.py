"""All near pairs of a few new keys and many old ones, by a table of the new ones' neighbours."""

from collections.abc import Iterator, Sequence

import numpy as np

from btfer.errors import UsageError
from btfer.hamming import blocks
from btfer.hamming.blocks import Hits, compare
from btfer.hamming.chunks import HashChunk, cut_chunks, is_first_match, masks_within
from btfer.hamming.keys import Hashes, Keys, Pairs, to_key_pairs, values_of

FEW = 1 << 26  # comparisons: for fewer, the tables cost more than they save
NEW_AT_ONCE = 4096  # new hashes and mirrors whose neighbours' words are in one table


def near_between(new: Keys, old: Keys, *, max_bits: int = 8) -> Iterator[Pairs]:
    """All pairs of a new key i and an old key j within `max_bits` (0 to 20) bits, each once, in blocks.

    Keys hold uint64 hashes [n]. Old keys are not compared with each other, nor new ones. The old keys are read once for
    every 2,048 new ones. Raises UsageError where only one side has mirrors.
    """
    chunks = cut_chunks(max_bits)
    if (new.mirrors is None) != (old.mirrors is None):
        raise UsageError(
            "new and old keys must both have mirror hashes, or neither: only one side has them"
        )
    left, right = values_of(new), values_of(old)
    for begin in range(0, len(left), NEW_AT_ONCE):
        for p, q in _between(left[begin : begin + NEW_AT_ONCE], right, chunks, max_bits):
            yield from to_key_pairs(new, old, begin + p, q, max_bits)


def _between(
    left: Hashes, right: Hashes, chunks: Sequence[HashChunk], max_bits: int
) -> Iterator[Hits]:
    """All pairs of a left and a right value within max_bits, each once."""
    if len(left) * len(right) <= FEW:
        yield from compare(left, right, max_bits)
        return
    reach = max_bits // len(chunks)
    for n, chunk in enumerate(chunks):
        for i, j in _looked_up(left, right, chunk, reach, max_bits):
            first = is_first_match(chunks[:n], left[i] ^ right[j], reach)
            yield i[first], j[first]


def _looked_up(
    left: Hashes, right: Hashes, chunk: HashChunk, reach: int, max_bits: int
) -> Iterator[Hits]:
    """All pairs within max_bits that differ in at most `reach` bits of this chunk."""
    from btfer.hamming.kernels import (
        neighbour_table,
        pairs_by_table,
    )  # numba takes half a second to import

    table = neighbour_table(chunk.words(left), masks_within(chunk.width, reach), chunk.size)
    hits = np.empty((2, max(blocks.AT_ONCE, NEW_AT_ONCE)), np.int32)
    place = 0
    while place < len(right):
        place, found = pairs_by_table(left, right, chunk.shift, *table, max_bits, place, hits)
        yield hits[0, :found].copy(), hits[1, :found].copy()
