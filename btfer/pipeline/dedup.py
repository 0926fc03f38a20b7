"""Near-duplicates: copies of one picture form a group, and the best of it stays.

Equal bytes are one photo already (its name is its sha256). Here come the resized, recompressed,
mirrored and slightly cropped copies. A pHash within a Hamming distance makes two photos candidates;
their thumbnails, laid over each other, decide: the same studio with another face or another
expression has a near pHash as well. Source: BTFER section 2, stage 2, where people did it by eye.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from btfer.catalogue import Catalogue, photos, verdicts
from btfer.catalogue.store import Row
from btfer.catalogue.verdicts import Verdict
from btfer.engine import map_unordered
from btfer.errors import BtferError, ImageError
from btfer.files import only_one
from btfer.images import decode_rgb
from btfer.layout import thumbnail_path
from btfer.settings import Settings

BLOCK = 2048
SMALL = 20_000  # below this, starting worker processes costs more than the comparison

SIDE_PX = 64  # thumbnails are compared at this size
SMALLEST_CROP_PX = 51  # a copy that lost up to a fifth of each side is still found
SAME_PICTURE = 0.98

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Grey = np.ndarray[Any, np.dtype[np.float32]]
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


def likeness(one: Grey, other: Grey, *, enough: float = SAME_PICTURE) -> float:
    """How well one picture lies on the other, mirrored or slightly cropped: best correlation, -1 to 1.

    one, other: float32 [64, 64] grey. The search stops at the first fit of `enough`.
    """
    import cv2

    best = -1.0
    for size in range(SIDE_PX, SMALLEST_CROP_PX - 1, -1):
        for turned in (other, np.ascontiguousarray(other[:, ::-1])):
            for whole, part in ((one, turned), (turned, one)):
                small = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)
                best = max(best, float(cv2.matchTemplate(whole, small, cv2.TM_CCOEFF_NORMED).max()))
                if best >= enough:
                    return best
    return best


def choose_keepers(
    rows: list[Row],
    pairs: list[Pair],
    is_copy: Callable[[Row, Row], bool] = lambda one, other: True,
) -> dict[int, tuple[int, int]]:
    """For each dropped row: (row of its keeper, distance). Each copy was compared with its keeper itself.

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
            if other in keepers or _settled(rows[other]):
                continue
            nearer = other not in keeper_of or distance < keeper_of[other][1]
            if nearer and is_copy(rows[best], rows[other]):
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
        copies = photos.duplicates(cat)
    if on_progress:
        on_progress("dedup", len(rows), len(rows))
    return DedupOutcome(new, len(copies), len({copy["keeper"] for copy in copies}))


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
    is_copy = partial(_is_copy, data_dir=settings.data_dir)
    return choose_keepers(rows, list(pairs), is_copy)


def _is_copy(one: Row, other: Row, *, data_dir: Path) -> bool:
    a, b = (_grey(thumbnail_path(data_dir, row["sha256"])) for row in (one, other))
    return likeness(a, b) >= SAME_PICTURE


@lru_cache(maxsize=4096)
def _grey(thumbnail: Path) -> Grey:
    import cv2

    try:
        pixels = decode_rgb(thumbnail.read_bytes())
    except (OSError, ImageError) as error:
        raise BtferError(f"the thumbnail {thumbnail} cannot be read: {error}") from None
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


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
