"""The Hamming distance of two photos' hashes, mirror images included."""

from typing import NamedTuple

_ALL_BITS = 2**64 - 1


class HashDistance(NamedTuple):
    """bits: 0-64. mirrored: one of the two is nearer to the other's mirror image than to the other."""

    bits: int
    mirrored: bool


def hamming_distance(one: tuple[int, int], other: tuple[int, int]) -> HashDistance:
    """The smallest distance of two photos: as they are, or with one of them mirrored, both ways.

    one, other: 64-bit pHash and mirror pHash, as signed or unsigned integers.
    """
    (a, a_mirror), (b, b_mirror) = one, other
    straight = _bits(a, b)
    turned = min(_bits(a, b_mirror), _bits(a_mirror, b))
    return HashDistance(min(straight, turned), turned < straight)


def _bits(a: int, b: int) -> int:
    return ((a ^ b) & _ALL_BITS).bit_count()
