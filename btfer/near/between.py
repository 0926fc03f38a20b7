"""All near pairs of a few new keys and many old ones, by a table of the new ones' neighbours."""

from collections.abc import Iterator, Sequence

import numpy as np

from btfer.errors import UsageError
from btfer.near.blocks import Hits, compare, pieces, ranges, starts
from btfer.near.chunks import Chunk, cut, flips, not_found_in
from btfer.near.keys import Hashes, Keys, Pairs, settle, values_of

FEW = 1 << 26  # comparisons: for fewer, the tables cost more than they save
NEW_AT_ONCE = 4096  # new hashes and mirrors whose neighbours' words are in one table
SPAN = 1 << 18  # old hashes looked up in it at a time


def near_between(new: Keys, old: Keys, *, max_bits: int = 8) -> Iterator[Pairs]:
    """All pairs of a new key i and an old key j within `max_bits` (0 to 16), each once, in blocks.

    Old keys are not compared with each other, nor new ones. Old ones are gone through once for each
    2,048 new ones. Raises UsageError where only one side has mirrors.
    """
    chunks = cut(max_bits)
    if (new.mirrors is None) != (old.mirrors is None):
        raise UsageError("near_between: one side has mirror hashes and the other has none")
    left, right = values_of(new), values_of(old)
    for begin in range(0, len(left), NEW_AT_ONCE):
        for p, q in _between(left[begin : begin + NEW_AT_ONCE], right, chunks, max_bits):
            yield from settle(new, old, begin + p, q, max_bits)


def _between(left: Hashes, right: Hashes, chunks: Sequence[Chunk], max_bits: int) -> Iterator[Hits]:
    """All pairs of a left and a right value within max_bits, each once."""
    if len(left) * len(right) <= FEW:
        yield from compare(left, right, max_bits)
        return
    reach = max_bits // len(chunks)
    for n, chunk in enumerate(chunks):
        for i, j in _looked_up(left, right, chunk, reach):
            differ = left[i] ^ right[j]
            near = np.flatnonzero(np.bitwise_count(differ) <= max_bits)
            near = near[not_found_in(chunks[:n], differ[near], reach)]
            yield i[near], j[near]


def _looked_up(left: Hashes, right: Hashes, chunk: Chunk, reach: int) -> Iterator[Hits]:
    """All pairs that differ in at most `reach` bits of this chunk."""
    around = flips(chunk.width, reach)
    near = (chunk.words(left)[:, None] ^ around).ravel()
    order = np.argsort(near)
    count = np.bincount(near, minlength=chunk.size).astype(np.int32)
    start, known = starts(count), count > 0
    for begin in range(0, len(right), SPAN):
        words = chunk.words(right[begin : begin + SPAN])
        hit = np.flatnonzero(known.take(words))
        words = words[hit]
        for part in pieces(count.take(words)):
            times = count.take(words[part])
            i = order[ranges(start.take(words[part]), times)] // len(around)
            yield i, np.repeat(begin + hit[part], times)
