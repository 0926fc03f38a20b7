"""Which photos may be copies of each other: those with hashes within a few bits, found by one exact search.

Each photo has several hashes, of the whole picture and of its parts (`view_hashes`). A whole picture is compared with
all, a part with whole pictures alone: parts of two pictures are near each other where the pictures are as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from btfer import hamming
from btfer.catalogue.comparisons import ViewHashes
from btfer.engine import SERIAL, Engine, map_unordered
from btfer.pipeline.grouping import Pair

IN_BLOCKS_FROM = 2_000_000  # hashes; fewer are compared in the seconds that workers take to start
MOST_NEW = 0.2  # share of new photos above which all are compared with all, which is quicker then
Ints = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class PhotoCandidates:
    """Photos that have others near them. rows: their places in the index, ascending; hashes: of each.

    keys: rows with an equal hash, as places in `rows`; pairs: of keys that are near.
    """

    rows: list[int]
    hashes: list[ViewHashes]
    keys: list[list[int]]
    pairs: list[Pair]

    def distance(self, i: int, j: int) -> int:
        """Bits between two photos, of the nearest hashes of which one shows the whole: straight or mirrored."""
        one, other = self.hashes[i], self.hashes[j]
        ways = (
            (one.hashes[: one.wholes], other.hashes),
            (one.hashes, other.hashes[: other.wholes]),
        )
        return min(_least_bits(*way) for way in ways)


class CandidateIndex:
    """The hashes of all photos, searched."""

    def __init__(self, photos: Sequence[ViewHashes]) -> None:
        self._photos = photos
        count = np.array([len(one.hashes) for one in photos], int)
        self._owner = np.repeat(np.arange(len(photos)), count)
        first = np.cumsum(count) - count
        wholes = np.array([one.wholes for one in photos], int)
        is_whole = np.arange(len(self._owner)) - first[self._owner] < wholes[self._owner]
        words = np.concatenate([one.hashes for one in photos]).view(np.uint64)
        self._keys = hamming.collapse(words[:, 0].copy(), words[:, 1].copy())
        sizes = np.diff(self._keys.start)
        self._key_of = np.empty(len(self._owner), int)
        self._key_of[self._keys.order] = np.repeat(np.arange(len(self._keys)), sizes)
        self._shows_whole = np.zeros(len(self._keys), bool)
        self._shows_whole[self._key_of[is_whole]] = True
        self._owner_of = self._owner[
            self._keys.order[self._keys.start[:-1]]
        ]  # the first of each key
        self._crowded = np.zeros(len(self._keys), bool)  # keys of several photos
        self._crowded[self._key_of[self._owner != self._owner_of[self._key_of]]] = True

    def around(self, new: Sequence[int], max_bits: int, engine: Engine = SERIAL) -> PhotoCandidates:
        """All that is near to new photos, over any number of steps, and not alone. engine: for many hashes."""
        touched = self._keys_of(np.asarray(new, int))
        if len(touched) > MOST_NEW * len(self._keys):
            over = (
                partial(map_unordered, engine=engine) if len(self._keys) > IN_BLOCKS_FROM else None
            )
            pairs = hamming.collect(hamming.near_pairs(self._keys, max_bits=max_bits, over=over))
            ij = np.stack([pairs.i, pairs.j], 1)
        else:
            touched, ij = self._spread(touched, max_bits)
        ij = self._between_photos(ij)
        crowded = touched[self._shows_whole[touched] & self._crowded[touched]]
        return self._candidates(np.union1d(crowded, ij.ravel()).astype(int), ij)

    def _spread(self, keys: Ints, max_bits: int) -> tuple[Ints, Ints]:
        """Keys near to these, keys near to all of their photos', and so on: all of them, and the pairs."""
        mirrors = self._keys.mirrors
        assert mirrors is not None  # collapse was given them
        known, edge = np.array(keys), np.array(keys)
        found = [np.empty((0, 2), int)]
        while len(edge):
            some = hamming.collapse(self._keys.hashes[edge], mirrors[edge])
            pairs = hamming.collect(hamming.near_between(some, self._keys, max_bits=max_bits))
            # `collapse` has put the keys into another order.
            ij = self._between_photos(np.stack([edge[some.order[pairs.i]], pairs.j.astype(int)], 1))
            found.append(np.sort(ij, axis=1))
            entries = np.isin(self._key_of, np.union1d(ij[:, 1], edge))
            edge = np.setdiff1d(self._keys_of(np.unique(self._owner[entries])), known)
            known = np.union1d(known, edge)
        return known, np.unique(np.concatenate(found), axis=0)

    def _keys_of(self, photos: Ints) -> Ints:
        chosen = np.zeros(len(self._photos), bool)
        chosen[photos] = True
        return np.unique(self._key_of[chosen[self._owner]])

    def _between_photos(self, ij: Ints) -> Ints:
        """The pairs of keys of which one shows a whole picture, and that are not of one photo alone."""
        whole = self._shows_whole[ij].any(axis=1) & (ij[:, 0] != ij[:, 1])
        owner = self._owner_of[ij]
        apart = self._crowded[ij].any(axis=1) | (owner[:, 0] != owner[:, 1])
        return np.asarray(ij[whole & apart])

    def _candidates(self, keys: Ints, pairs: Ints) -> PhotoCandidates:
        members = [np.unique(self._owner[self._keys.rows(int(key))]).tolist() for key in keys]
        rows = sorted({row for each in members for row in each})
        place = {row: n for n, row in enumerate(rows)}
        number = {int(key): n for n, key in enumerate(keys)}
        return PhotoCandidates(
            rows,
            [self._photos[row] for row in rows],
            [[place[row] for row in each] for each in members],
            [(number[int(i)], number[int(j)]) for i, j in pairs],
        )


def _least_bits(one: Ints, other: Ints) -> int:
    """uint8-like distance of the nearest of two sets of hashes, int64 [N, 2], mirrored both ways."""
    if not len(one) or not len(other):
        return 64
    a, b = one.view(np.uint64)[:, None], other.view(np.uint64)[None]
    ways = ((a[..., 0], b[..., 0]), (a[..., 0], b[..., 1]), (a[..., 1], b[..., 0]))
    return min(int(np.bitwise_count(x ^ y).min()) for x, y in ways)
