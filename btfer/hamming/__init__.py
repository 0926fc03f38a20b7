"""Exact search for near hashes: all pairs within a few bits, among a million, in plain numpy.

Rows with the same hash and the same mirror hash are one *key* (`collapse`), and keys are compared.
The distance of two keys is the smallest of hash to hash, hash to the other's mirror and mirror to the
other's hash: the mirror hash of a real pHash's mirror is not the hash again bit for bit, so both ways
count, and the distance is symmetric.

How: 64 bits are cut into enough chunks that two hashes within `max_bits` differ by at most 2 bits in one
of them (pigeonhole principle; three chunks up to 8 bits). Words of a chunk that differ by at most 2 bits have
a neighbour in common, one bit or none from each. So every hash goes into the bucket of its own word and
those of all words one bit away, and only hashes in one bucket are compared.
"""

from btfer.hamming.cross_join import near_between
from btfer.hamming.distance import HashDistance, hamming_distance
from btfer.hamming.keys import Keys, Pairs, collapse, collect, each_row
from btfer.hamming.self_join import near_pairs

__all__ = [
    "HashDistance",
    "Keys",
    "Pairs",
    "collapse",
    "collect",
    "each_row",
    "hamming_distance",
    "near_between",
    "near_pairs",
]
