"""Long arrays in pieces, so that memory is bounded."""

from collections.abc import Iterable, Iterator

import numpy as np

from btfer.hamming.keys import Hashes, Ints

TILE = 1 << 16  # hashes beside each other in one comparison: what stays in the cache
AT_ONCE = 1 << 20  # hits held at a time: this bounds the memory

Hits = tuple[Ints, ...]


def compare(left: Hashes, right: Hashes, max_bits: int) -> Iterator[Hits]:
    """All pairs (i, j) of left and right values within max_bits. left, right: uint64 [L], [R]."""
    rows = max(1, TILE // max(1, len(right)))
    for begin in range(0, len(left), rows):
        bits = np.bitwise_count(left[begin : begin + rows, None] ^ right)
        if bits.min(initial=255) <= max_bits:
            i, j = np.nonzero(bits <= max_bits)
            yield i + begin, j


def batched(hits: Iterable[Hits]) -> Iterator[Hits]:
    """The same hits, int [N], in blocks of about a million."""
    held: list[Hits] = []
    n = 0
    for block in hits:
        held.append(block)
        n += len(block[0])
        if n >= AT_ONCE:
            yield tuple(np.concatenate(parts) for parts in zip(*held, strict=True))
            held, n = [], 0
    if held:
        yield tuple(np.concatenate(parts) for parts in zip(*held, strict=True))


def run_starts(count: Ints) -> Ints:
    """Where each of consecutive runs begins, and the end of the last: int32 [N + 1] from lengths [N]."""
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int32)


def concatenated_ranges(start: Ints, size: Ints) -> Ints:
    """int32: start[0], start[0] + 1, ... (size[0] numbers), then size[1] numbers from start[1], and so on."""
    ends = np.cumsum(size, dtype=np.int32)
    shift = np.repeat(start - (ends - size), size)
    return np.arange(len(shift), dtype=np.int32) + shift
