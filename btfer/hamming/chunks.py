"""Cutting hashes into chunks: two that are near differ by at most 2 bits in one of them."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from btfer.errors import UsageError
from btfer.hamming.keys import Hashes, Ints

MOST_BITS = 20


class Chunk(NamedTuple):
    """`width` bits of a hash from bit `shift` on; its value is called a word."""

    shift: int
    width: int

    @property
    def size(self) -> int:
        """How many words there are."""
        return 1 << self.width

    def words(self, hashes: Hashes) -> Ints:
        """uint32, the word of each hash."""
        return (hashes >> np.uint64(self.shift)).astype(np.uint32) & np.uint32(self.size - 1)


def cut(max_bits: int, filled_by: int = 1 << 64) -> list[Chunk]:
    """So many chunks that max_bits leave at most 2 bits for one of them.

    Of each only as many bits as the hashes can fill with words. Raises UsageError for other max_bits.
    """
    if not 0 <= max_bits <= MOST_BITS:
        raise UsageError(f"max_bits must be 0 to {MOST_BITS}, got {max_bits}")
    edges = np.linspace(0, 64, max(3, max_bits // 3 + 1) + 1).astype(int).tolist()
    fill = max(8, filled_by.bit_length())
    return [Chunk(a, min(b - a, fill)) for a, b in pairwise(edges)]


def not_found_in(earlier: Sequence[Chunk], differ: Hashes, reach: int) -> Ints:
    """Whether no earlier chunk has found the pair. differ: the bits in which its two hashes differ."""
    first = np.ones(len(differ), bool)
    for chunk in earlier:
        first &= np.bitwise_count(chunk.words(differ)) > reach
    return first


def flips(width: int, most: int) -> Ints:
    """All words of `width` bits with at most `most` bits set; the empty one first."""
    chosen = (bits for n in range(most + 1) for bits in combinations(range(width), n))
    return np.array([sum(1 << bit for bit in bits) for bits in chosen], np.uint32)
