"""All near pairs in some of a chunk's buckets: what one worker does, wherever it is; it holds no more than it needs."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from btfer.hamming import blocks
from btfer.hamming.blocks import Hits, run_starts
from btfer.hamming.chunks import HashChunk, is_first_match, masks_within
from btfer.hamming.keys import Hashes, Ints


class JoinBlock(NamedTuple):
    """The buckets from `first` up to `end` of a chunk, and every value that is in one of them.

    values: uint64 [N]. places: int32 [N], of each among all values. earlier: the chunks before this one, in which a
    pair is found as well. reach: bits of the chunk in which a pair may differ.
    """

    values: Hashes
    places: Ints
    chunk: HashChunk
    earlier: tuple[HashChunk, ...]
    reach: int
    max_bits: int
    first: int
    end: int


def cut_blocks(
    values: Hashes, places: Ints, whole: JoinBlock, part_bits: int
) -> Iterator[JoinBlock]:
    """The buckets of a chunk in 2 ** part_bits blocks. whole: without values.

    values: uint64 [n]. places: int32 [m], of the values that count.
    """
    if not part_bits:
        yield whole._replace(values=values[places], places=places)
        return
    part_bits = min(part_bits, whole.chunk.width)
    below = whole.chunk.width - part_bits
    group = (whole.chunk.words(values[places]) >> np.uint32(below)).astype(np.uint16)
    order = np.argsort(group, kind="stable").astype(np.int32)
    start = run_starts(np.bincount(group, minlength=1 << part_bits))
    for part in range(1 << part_bits):
        # A bucket holds words that differ from its own in half the reach: so they are in groups that do.
        near = sorted(int(part ^ flip) for flip in masks_within(part_bits, whole.reach // 2))
        mine = places[np.concatenate([order[start[one] : start[one + 1]] for one in near])]
        yield whole._replace(
            values=values[mine], places=mine, first=part << below, end=(part + 1) << below
        )


def join(block: JoinBlock) -> Hits:
    """All pairs of places, int32 [P] each, for workers; each pair once, in one block of one chunk only."""
    none = np.empty(0, np.int32)
    hits = [(none, none), *hits_of(block)]
    p, q = (np.concatenate(side) for side in zip(*hits, strict=True))
    return p, q


def hits_of(block: JoinBlock) -> Iterator[Hits]:
    """As `join`, in pieces that bound the memory."""
    words = block.chunk.words(block.values)
    order = np.argsort(words).astype(np.int32)
    values, places = block.values[order], block.places[order]
    for a, b in _in_buckets(values, words[order], block):
        first = is_first_match(block.earlier, values[a] ^ values[b], block.reach)
        yield places[a[first]], places[b[first]]


def _in_buckets(values: Hashes, words: Ints, block: JoinBlock) -> Iterator[Hits]:
    """Hits of values that share a bucket: see `kernels.pairs_in_buckets`. values: sorted by word."""
    from btfer.hamming.kernels import pairs_in_buckets  # numba takes half a second to import

    count = np.bincount(words, minlength=block.chunk.size).astype(np.int32)
    masks = masks_within(block.chunk.width, block.reach // 2)
    most = int(count.max(initial=0)) * len(masks) + 1
    hits = np.empty((2, max(blocks.AT_ONCE, most)), np.int32)
    start = run_starts(count)
    bucket, row = block.first, 0
    while bucket < block.end:
        bucket, row, found = pairs_in_buckets(
            *(values, words, start, count, masks, block.max_bits),
            *(bucket, block.end, row, hits),
        )
        yield hits[0, :found].copy(), hits[1, :found].copy()
