"""Near-duplicates: copies of one picture form a group, and the best of it stays.

Equal bytes are one photo already (its name is its sha256). Here come the resized, recompressed,
mirrored and slightly cropped copies. A pHash within a Hamming distance makes two photos candidates
(`btfer.hamming`), their faces and thumbnails decide (`likeness`), and fixed rules say who stays (`grouping`).
Source: BTFER section 2, stage 2, where people did it by eye.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from btfer import hamming
from btfer.catalogue import Catalogue, duplicates, photos, verdicts
from btfer.catalogue.rows import DuplicateCandidate, IndexedHashes
from btfer.catalogue.verdicts import Verdict
from btfer.duplicate_rules import rank
from btfer.engine import map_unordered
from btfer.files import only_one
from btfer.images.border import is_bordered
from btfer.paths import thumbnail_path
from btfer.pipeline.grouping import Grouping, Pair, group
from btfer.pipeline.likeness import compare_pair, copies_in, is_blank
from btfer.progress import SILENT, Progress
from btfer.settings import Settings

WORKERS_FROM_PAIRS = 500  # for fewer, starting worker processes costs more than comparing
MOST_NEW = 0.2  # share of new photos above which all are compared with all, which is quicker then
Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class DedupOutcome:
    """Photos looked at for the first time, dropped in all, groups of two or more, split from a chain."""

    new: int
    dropped: int
    groups: int
    split: int = 0


def run(cat: Catalogue, settings: Settings, progress: Progress = SILENT) -> DedupOutcome:
    """Judge every photo that dedup has not seen, against all; old verdicts change only where they must.

    Old photos are compared with each other again only where a new one has come near to them. What a
    person said holds: a keeper that they chose stays, and what they called no copy is kept.
    """
    with only_one(settings.data_dir, "dedup"):
        index = photos.hash_index(cat)
        again = duplicates.copies_of_dropped(cat)
        new = [i for i, row in enumerate(index) if not row.decision or row.sha256 in again]
        found = Grouping()
        if new:
            near_by = _Index(index).around(new, settings.max_hamming_bits)
            rows = _with_borders(
                photos.for_dedup(cat, [index[i].sha256 for i in near_by.rows]), settings.data_dir
            )
            found = _groups(near_by, rows, settings, progress)
            alone = {index[i].sha256 for i in new} - {row.sha256 for row in rows}
            kept = (Verdict("dedup", sha256, "keep", "dedup") for sha256 in sorted(alone))
            verdicts.add_all(cat, [*kept, *_changes(rows, found)])
        copies = photos.duplicates(cat)
    progress.update("dedup", len(index), len(index))
    groups = len({copy.keeper for copy in copies})
    return DedupOutcome(len(new) - len(again), len(copies), groups, found.split)


def _with_borders(rows: Iterable[DuplicateCandidate], data_dir: Path) -> list[DuplicateCandidate]:
    """The rows with what only the pictures say."""
    return [
        row._replace(bordered=is_bordered(thumbnail_path(data_dir, row.sha256))) for row in rows
    ]


@dataclass(frozen=True)
class _NearBy:
    """Photos that have others near them. rows: their places in the index, ascending.

    keys: rows of equal hash, as places in `rows`; pairs: of keys that are near.
    """

    rows: list[int]
    hashes: Hashes
    mirrors: Hashes
    keys: list[list[int]]
    pairs: list[Pair]

    def distance(self, i: int, j: int) -> int:
        """Bits between two photos: straight, or one of them mirrored."""
        one, other = ((int(self.hashes[n]), int(self.mirrors[n])) for n in (i, j))
        return hamming.hamming_distance(one, other).bits


class _Index:
    """The hashes of all photos, searched."""

    def __init__(self, index: Sequence[IndexedHashes]) -> None:
        self._hashes = _unsigned(one.phash for one in index)
        self._mirrors = _unsigned(one.mirror_phash for one in index)
        self._keys = hamming.collapse(self._hashes, self._mirrors)

    def around(self, new: Sequence[int], max_bits: int) -> _NearBy:
        """All that is near to new photos, over any number of steps, and not alone."""
        chosen = np.isin(self._keys.order, new)
        key_of = np.repeat(np.arange(len(self._keys)), np.diff(self._keys.start))
        touched = np.unique(key_of[chosen])
        if len(touched) > MOST_NEW * len(self._keys):
            pairs = hamming.collect(hamming.near_pairs(self._keys, max_bits=max_bits))
            ij = np.stack([pairs.i, pairs.j], 1)
        else:
            touched, ij = self._spread(touched, max_bits)
        crowded = touched[np.diff(self._keys.start)[touched] > 1]
        return self._near_by(np.union1d(crowded, ij.ravel()).astype(int), ij)

    def _spread(self, keys: Any, max_bits: int) -> tuple[Any, Any]:
        """Keys near to these, keys near to those, and so on: all of them, and the pairs."""
        mirrors = self._keys.mirrors
        assert mirrors is not None  # collapse was given them
        known, edge = np.array(keys), np.array(keys)
        found = [np.empty((0, 2), int)]
        while len(edge):
            some = hamming.collapse(self._keys.hashes[edge], mirrors[edge])
            pairs = hamming.collect(hamming.near_between(some, self._keys, max_bits=max_bits))
            one, other = edge[pairs.i], pairs.j.astype(int)
            apart = one != other
            found.append(np.sort(np.stack([one[apart], other[apart]], 1), axis=1))
            edge = np.setdiff1d(other, known)
            known = np.union1d(known, edge)
        return known, np.unique(np.concatenate(found), axis=0)

    def _near_by(self, keys: Any, pairs: Any) -> _NearBy:
        rows = sorted(int(row) for key in keys for row in self._keys.rows(int(key)))
        place = {row: n for n, row in enumerate(rows)}
        number = {int(key): n for n, key in enumerate(keys)}
        return _NearBy(
            rows,
            self._hashes[rows],
            self._mirrors[rows],
            [[place[int(row)] for row in self._keys.rows(int(key))] for key in keys],
            [(number[int(i)], number[int(j)]) for i, j in pairs],
        )


def _unsigned(signed: Iterable[int]) -> Hashes:
    """uint64 [N]: the hashes as they are, which the database stores signed."""
    return np.fromiter(signed, np.int64).view(np.uint64)


def _groups(
    near_by: _NearBy, rows: Sequence[DuplicateCandidate], settings: Settings, progress: Progress
) -> Grouping:
    """Ask the second opinion of every pair of candidates, then choose. rows: in the order of near_by.rows."""
    opinions = _SecondOpinions(rows, settings, progress)
    ranked = [sorted(opinions.visible(key), key=lambda i: rank(rows[i])) for key in near_by.keys]
    opinions.ask((best, i) for best, *others in filter(None, ranked) for i in others)
    heads = [opinions.heads(key) for key in ranked]
    stars = [(head, i) for key in heads for head, copies in key.items() for i in copies]
    between = [(i, j) for one, other in near_by.pairs for i in heads[one] for j in heads[other]]
    opinions.ask(between)
    return group(
        rows, [*stars, *between], near_by.distance, opinions.is_copy, settings.max_hamming_bits
    )


class _SecondOpinions:
    """The second opinion of pairs of photos, each asked once."""

    def __init__(
        self, rows: Sequence[DuplicateCandidate], settings: Settings, progress: Progress
    ) -> None:
        self._rows = rows
        self._settings = settings
        self._progress = progress
        self._are_copies = copies_in(settings.data_dir)
        self._known: dict[Pair, bool] = {}

    def is_copy(self, i: int, j: int) -> bool:
        """Whether two photos show the same picture."""
        pair = min(i, j), max(i, j)
        if pair not in self._known:
            self._known[pair] = self._are_copies(self._names(pair))
        return self._known[pair]

    def ask(self, pairs: Iterable[Pair]) -> None:
        """Ask many at once, in worker processes."""
        new = sorted({(min(pair), max(pair)) for pair in pairs} - set(self._known))
        engine = self._settings.engine if len(new) > WORKERS_FROM_PAIRS else "serial"
        named = {self._names(pair): pair for pair in new}
        answers = map_unordered(
            partial(compare_pair, data_dir=self._settings.data_dir),
            named,
            engine=engine,
            workers=self._settings.workers,
        )
        for number, (names, answer) in enumerate(answers, start=1):
            self._known[named[names]] = answer
            self._progress.update("pairs", number, len(new))

    def visible(self, members: Iterable[int]) -> list[int]:
        """Those that are not blank, which are nobody's copies: there may be thousands of one hash."""
        data_dir = self._settings.data_dir
        return [i for i in members if not is_blank(self._rows[i].sha256, data_dir=data_dir)]

    def heads(self, members: Sequence[int]) -> dict[int, list[int]]:
        """Photos of equal hash, best first, by the one that they are copies of."""
        found: dict[int, list[int]] = {}
        for i in members:
            head = next((one for one in found if self.is_copy(one, i)), None)
            if head is None:
                found[i] = []
            else:
                found[head].append(i)
        return found

    def _names(self, pair: Pair) -> tuple[str, str]:
        return self._rows[pair[0]].sha256, self._rows[pair[1]].sha256


def _changes(rows: Sequence[DuplicateCandidate], found: Grouping) -> Iterator[Verdict]:
    """One verdict for each photo whose decision, keeper or distance is new or differs from the standing one."""
    for i, row in enumerate(rows):
        if row.decision and row.by != "dedup":
            continue  # a person's
        if i not in found.keeper_of:
            if row.decision != "keep":
                yield Verdict("dedup", row.sha256, "keep", "dedup")
            continue
        keeper, bits = found.keeper_of[i]
        sha256 = rows[keeper].sha256
        if (row.decision, row.keeper) != ("drop", sha256):
            yield Verdict(
                "dedup",
                row.sha256,
                "drop",
                "dedup",
                reason="duplicate",
                keeper=sha256,
                distance=bits,
            )
