"""The inner loops, as machine code. Each fills the array it is given and returns where to go on once that is full."""

from typing import Any

import numpy as np

from btfer.hamming.keys import Hashes, Ints
from btfer.jit import compiled

SPAN = 4096  # values that are looked up together


@compiled
def popcount(word: Any) -> Any:
    """The number of bits set in a uint64, 0-64. Compilers recognise these lines and make one instruction of them.

    Source: Warren, "Hacker's Delight", section 5-1.
    """
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled
def is_first_shared_bucket(bucket: int, one: Any, other: Any) -> Any:
    """Whether, of all the buckets that two words share, this is the one in which their pair is reported.

    Equal words share their own bucket and all around it: their own is the one. Words that differ in one or two
    bits share two buckets, which differ in just these bits: the one without the lowest of them.
    """
    xor = one ^ other
    if xor == 0:
        return bucket == one
    return bucket & (xor & -xor) == 0


@compiled
def pairs_in_buckets(
    values: Hashes,
    words: Ints,
    start: Ints,
    count: Ints,
    masks: Ints,
    max_bits: int,
    bucket: int,
    end: int,
    row: int,
    hits: Ints,
) -> tuple[int, int, int]:
    """Pairs of values (places a > b) within max_bits whose words share a bucket, from a bucket and row on, up to `end`.

    values: uint64 [N], words: uint32 [N], sorted by word; those of word w are the count[w] from start[w] on, both
    int32 [number of words]. masks: uint32, bits in which the words of a bucket differ. A bucket holds the values
    of its own word and of those that differ from it by one of `masks`. hits: int32 [2, M], M more than any
    bucket holds. Returns the bucket and row to go on with (the bucket is `end` at the end), and how many hits.
    """
    places = np.empty(hits.shape[1], np.int32)
    held = np.empty(hits.shape[1], np.uint64)
    most, found = np.uint64(max_bits), 0
    while bucket < end:
        n = 0
        for flip in masks:
            word = bucket ^ np.int64(flip)
            for place in range(start[word], start[word] + count[word]):
                places[n] = place
                held[n] = values[place]
                n += 1
        while row < n:
            if found + row > hits.shape[1]:
                return bucket, row, found
            for other in range(row):
                if popcount(held[row] ^ held[other]) <= most:
                    a, b = places[row], places[other]
                    if is_first_shared_bucket(bucket, np.int64(words[a]), np.int64(words[b])):
                        hits[0, found], hits[1, found] = a, b
                        found += 1
            row += 1
        bucket, row = bucket + 1, 0
    return bucket, 0, found


@compiled
def neighbour_table(words: Ints, around: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """The neighbours of each of `size` words: the rows of `words` that differ from it by one of `around`.

    words, around: uint32 [N], [M]. Returns start, int32 [size + 1], and rows, int32 [N * M]: the neighbours of
    word w are rows[start[w] : start[w + 1]]; and whether there is any, one bit a word, uint8 [size / 8].
    """
    start, any_ = np.zeros(size + 2, np.int32), np.zeros((size + 7) // 8, np.uint8)
    for word in words:
        for flip in around:
            near = np.int64(word ^ flip)
            start[near + 2] += 1
            any_[near >> 3] |= np.uint8(1 << (near & 7))
    for word in range(2, size + 2):
        start[word] += start[word - 1]
    rows = np.empty(len(words) * len(around), np.int32)
    for place in range(len(words)):
        for flip in around:
            near = np.int64(words[place] ^ flip) + 1
            rows[start[near]] = place
            start[near] += 1
    return start[:-1], rows, any_


@compiled
def pairs_by_table(
    left: Hashes,
    right: Hashes,
    shift: int,
    start: Ints,
    rows: Ints,
    any_: Ints,
    max_bits: int,
    place: int,
    hits: Ints,
) -> tuple[int, int]:
    """Pairs of a left and a right value, uint64, within max_bits, whose words are neighbours.

    start, rows, any_: `neighbour_table` of the left values. shift: the bit at which a word begins. hits: int32 [2,
    M], M at least len(left). Returns the place in `right` to go on with, and how many hits.
    """
    most, by, mask, found = np.uint64(max_bits), np.uint64(shift), np.uint64(len(start) - 2), 0
    met, near = np.empty(SPAN, np.int32), np.empty(SPAN, np.int64)
    while place < len(right):
        # First all that have a neighbour, then their neighbours: so that many reads of memory overlap.
        n = 0
        for at in range(place, min(place + SPAN, len(right))):
            word = np.int64((right[at] >> by) & mask)
            met[n], near[n] = at, word
            n += any_[word >> 3] >> (word & 7) & 1
        for k in range(n):
            first, last = start[near[k]], start[near[k] + 1]
            if found + last - first > hits.shape[1]:
                return met[k], found
            for m in range(first, last):
                if popcount(left[rows[m]] ^ right[met[k]]) <= most:
                    hits[0, found], hits[1, found] = rows[m], met[k]
                    found += 1
        place += SPAN
    return place, found
