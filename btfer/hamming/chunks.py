"""Cutting hashes into chunks: two that are near differ by at most 2 bits in one of them."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from btfer.errors import UsageError
from btfer.hamming.keys import Hashes, Ints

MAX_BITS = 20


class HashChunk(NamedTuple):
    """`width` bits of a hash from bit `shift` on; its value is called a word."""

    shift: int
    width: int

    @property
    def size(self) -> int:
        """How many words there are."""
        return 1 << self.width

    def words(self, hashes: Hashes) -> Ints:
        """The word of each hash: uint64 [N] to uint32 [N]."""
        return (hashes >> np.uint64(self.shift)).astype(np.uint32) & np.uint32(self.size - 1)


def cut_chunks(max_bits: int, filled_by: int = 1 << 64) -> list[HashChunk]:
    """Enough chunks that of max_bits differing bits at most 2 fall into one of them (pigeonhole principle).

    filled_by: the number of hashes; a chunk is no wider than they can fill with words. Raises UsageError where
    max_bits is not 0 to 20.
    """
    if not 0 <= max_bits <= MAX_BITS:
        raise UsageError(f"max_bits must be 0 to {MAX_BITS}, got {max_bits}")
    edges = np.linspace(0, 64, max(3, max_bits // 3 + 1) + 1).astype(int).tolist()
    fill = max(8, filled_by.bit_length())
    return [HashChunk(a, min(b - a, fill)) for a, b in pairwise(edges)]


def is_first_match(earlier: Sequence[HashChunk], xor: Hashes, reach: int) -> Ints:
    """Whether no earlier chunk has found a pair already, bool [P].

    xor: uint64 [P], the bits in which its two hashes differ. reach: bits within which a chunk finds a pair.
    """
    first = np.ones(len(xor), bool)
    for chunk in earlier:
        first &= np.bitwise_count(chunk.words(xor)) > reach
    return first


def masks_within(width: int, most: int) -> Ints:
    """All words of `width` bits with at most `most` bits set, uint32; the empty one first."""
    chosen = (bits for n in range(most + 1) for bits in combinations(range(width), n))
    return np.array([sum(1 << bit for bit in bits) for bits in chosen], np.uint32)
