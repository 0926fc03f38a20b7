"""Near-duplicates: photos whose pHash lies within a Hamming distance form a group, and one of it stays.

Equal bytes are one photo already (its name is its sha256). Here come the resized, recompressed and
mirrored copies. Source: BTFER section 2, stage 2, where people did it by eye.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from btfer.catalogue import Catalogue, photos, verdicts
from btfer.catalogue.store import Row
from btfer.catalogue.verdicts import Verdict
from btfer.engine import map_unordered
from btfer.files import only_one
from btfer.settings import Settings

BLOCK = 2048
SMALL = 20_000  # below this, starting worker processes costs more than the comparison

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Pair = tuple[int, int, int]


@dataclass(frozen=True)
class DedupOutcome:
    """Photos looked at for the first time, photos dropped in all, groups of two or more."""

    new: int
    dropped: int
    groups: int


def near_pairs(
    hashes: Hashes, mirrors: Hashes, *, max_bits: int = 8, engine: str = "serial", workers: int = 0
) -> Iterator[Pair]:
    """All pairs (i, j, distance), i < j, whose hashes differ in at most `max_bits` bits.

    hashes, mirrors: uint64 [N], the pHash of each photo and of its mirror image. The distance is
    the smaller of hash to hash and hash to mirrored hash. Exact: every pair is compared.
    """
    compare = partial(_near_in_block, hashes=hashes, mirrors=mirrors, max_bits=max_bits)
    starts = range(0, len(hashes), BLOCK)
    for found in map_unordered(compare, starts, engine=engine, workers=workers):
        yield from found


def _near_in_block(start: int, *, hashes: Hashes, mirrors: Hashes, max_bits: int) -> list[Pair]:
    block = hashes[start : start + BLOCK, None]
    straight = np.bitwise_count(block ^ hashes[None, start:])
    distance = np.minimum(straight, np.bitwise_count(block ^ mirrors[None, start:]))
    found = np.nonzero(distance <= max_bits)
    bits = distance[found]
    return [
        (start + int(i), start + int(j), int(d))
        for i, j, d in zip(*found, bits, strict=True)
        if i < j
    ]


def choose_keepers(rows: list[Row], pairs: list[Pair]) -> dict[int, tuple[int, int]]:
    """For each dropped row: (row of its keeper, distance). A keeper is near to each of its copies.

    The best photo of all goes first and takes everything near it, then the next best that is left:
    so no chain of small steps can join two photos that are far apart. Best = judged by people
    already, then most pixels, then most bytes, then the smallest sha256.
    """
    near: dict[int, list[tuple[int, int]]] = {}
    for i, j, distance in pairs:
        near.setdefault(i, []).append((j, distance))
        near.setdefault(j, []).append((i, distance))
    keeper_of: dict[int, tuple[int, int]] = {}
    keepers: set[int] = set()
    for best in sorted(near, key=lambda i: _rank(rows[i])):
        if best in keeper_of:
            continue
        keepers.add(best)
        for other, distance in near[best]:
            nearer = other not in keeper_of or distance < keeper_of[other][1]
            if other not in keepers and not _settled(rows[other]) and nearer:
                keeper_of[other] = (best, distance)
    return keeper_of


def _rank(row: Row) -> tuple[bool, int, int, str]:
    return not row["judged"], -row["width"] * row["height"], -row["n_bytes"], row["sha256"]


def _settled(row: Row) -> bool:
    """Whether a person said that this photo is no duplicate."""
    return row["decision"] == "keep" and row["by"] != "dedup"


def run(
    cat: Catalogue, settings: Settings, on_progress: Callable[[str, int, int], None] | None = None
) -> DedupOutcome:
    """Judge every photo that dedup has not seen, against all; old verdicts change only where they must."""
    with only_one(settings.data_dir, "dedup"):
        rows = photos.hashes(cat)
        new = sum(not row["decision"] for row in rows)
        if new:
            verdicts.add(cat, _changes(rows, _groups(rows, settings)))
        dropped = [row for row in photos.hashes(cat) if row["decision"] == "drop"]
    if on_progress:
        on_progress("dedup", len(rows), len(rows))
    return DedupOutcome(new, len(dropped), _count_groups(cat))


def _groups(rows: list[Row], settings: Settings) -> dict[int, tuple[int, int]]:
    def unsigned(name: str) -> Hashes:
        return np.array([row[name] for row in rows], np.int64).view(np.uint64)

    pairs = near_pairs(
        unsigned("phash"),
        unsigned("mirror_phash"),
        max_bits=settings.max_hamming_bits,
        engine=settings.engine if len(rows) > SMALL else "serial",
        workers=settings.workers,
    )
    return choose_keepers(rows, list(pairs))


def _changes(rows: list[Row], keeper_of: dict[int, tuple[int, int]]) -> Iterator[Verdict]:
    """One verdict for each photo whose decision is new or differs from the standing one."""
    for i, row in enumerate(rows):
        decision = "drop" if i in keeper_of else "keep"
        if row["decision"] == decision or (row["decision"] and row["by"] != "dedup"):
            continue
        if decision == "keep":
            yield Verdict("dedup", row["sha256"], "keep", "dedup")
        else:
            keeper, bits = keeper_of[i]
            yield Verdict(
                "dedup",
                row["sha256"],
                "drop",
                "dedup",
                reason="duplicate",
                keeper=rows[keeper]["sha256"],
                distance=bits,
            )


def _count_groups(cat: Catalogue) -> int:
    return len({row["keeper"] for row in photos.duplicates(cat)})
