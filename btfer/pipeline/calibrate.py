"""Measure dedup's threshold on this data: pairs over the distances, judged by people, or labelled in a file.

The distance of two photos is the smallest of hash to hash and of each hash to the other's mirror hash.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from btfer.catalogue import Catalogue, pairs
from btfer.catalogue.rows import PhotoHashes
from btfer.errors import Incomplete, UsageError
from btfer.extras import installed
from btfer.files import write_atomic
from btfer.pipeline.calibrate_file import Labelled, read_pairs
from btfer.pipeline.calibrate_hashes import HashCurve, compare_hashes
from btfer.pipeline.calibrate_table import (
    MAX_BITS,
    AtDistance,
    Measured,
    OfKind,
    by_distance,
    by_kind,
    suggest,
)
from btfer.pipeline.likeness import are_copies
from btfer.settings import Settings
from btfer.store import store_of

MAX_PHOTOS = 3000  # pairs are drawn among these; 4.5 million pairs show every distance
BLOCK = 256
NOT_SHOWN = "do-not-use"  # what was withdrawn is shown to nobody

Words = np.ndarray[Any, np.dtype[np.uint64]]
Near = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Calibration:
    """What was measured. equal_bytes: pairs that are one photo, and so are no pair for dedup.

    drawn: whether the pairs were drawn here; then they stand for all near pairs of the catalogue.
    suggested: the distance to use, None where none will do. kinds: at the suggested distance.
    plot: the same as a picture; None without matplotlib. hashes: each hash alone; hash_plot: the same as a picture.
    """

    pairs: int
    same: int
    equal_bytes: int
    drawn: bool
    table: list[AtDistance]
    suggested: int | None
    kinds: list[OfKind]
    plot: Path | None
    hashes: list[HashCurve] = field(default_factory=list)
    hash_plot: Path | None = None


def from_people(
    cat: Catalogue, settings: Settings, *, per_distance: int = 10, redraw: bool = False
) -> Calibration:
    """Draw pairs where there are none yet; once people have answered all of them, the result.

    Raises Incomplete while pairs await an answer, or where no two photos are near each other.
    """
    if redraw or not pairs.count(cat)[1]:
        pairs.draw(cat, draw(cat, seed=settings.seed, per_distance=per_distance))
    answered, total = pairs.count(cat)
    if not total:
        raise Incomplete(
            f"no two photos are within {MAX_BITS} bits of each other: crawl or import more first"
        )
    if answered < total:
        raise Incomplete(
            f"{total - answered} pairs await same/different: open btfer app (page Pairs)"
        )
    keys = ("one", "other", "same", "weight")
    labelled = [Labelled(**{key: getattr(row, key) for key in keys}) for row in pairs.drawn(cat)]
    return _measured(cat, settings, labelled, drawn=True)


def from_file(cat: Catalogue, settings: Settings, file: Path) -> Calibration:
    """The result on the labelled pairs of a CSV. Raises UsageError with the line that cannot be right."""
    labelled = read_pairs(cat, file)
    return _measured(cat, settings, labelled, drawn=False)


def draw(cat: Catalogue, *, seed: int, per_distance: int) -> list[tuple[str, str, float]]:
    """Pairs (one, other, weight) of photos, up to `per_distance` for each distance from 0 to 20 bits.

    weight: how many pairs of that distance each drawn one stands for. The same photos and seed give
    the same pairs, in an order that tells nothing of the distance. A photo comes at most once for
    each distance, so that one large group of copies does not fill it.
    """
    if per_distance < 1:
        raise UsageError(f"{per_distance} pairs a distance: ask for 1 or more")
    rows = pairs.hashes(cat, but_dropped_as=NOT_SHOWN)
    keyed = sorted((_key(seed, row.sha256), row.sha256, row) for row in rows)[:MAX_PHOTOS]
    keys = np.array([key for key, _, _ in keyed], np.uint64)
    i, j, bits = near_pairs([row for _, _, row in keyed])
    order = _mixed(keys[i], keys[j])
    drawn: list[tuple[int, tuple[str, str, float]]] = []
    for distance in range(MAX_BITS + 1):
        at = np.flatnonzero(bits == distance)
        chosen = _apart(at[np.argsort(order[at])], i, j, per_distance)
        for pair in chosen:
            one, other = sorted((keyed[i[pair]][1], keyed[j[pair]][1]))
            drawn.append((int(order[pair]), (one, other, len(at) / len(chosen))))
    return [pair for _, pair in sorted(drawn)]


def near_pairs(rows: list[PhotoHashes]) -> Near:
    """Every pair of rows within 20 bits: first row, second row, distance; plain brute force in blocks."""
    hashes, mirrors = (unsigned(rows, name) for name in ("phash", "mirror_phash"))
    found: list[Near] = []
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        bits = distances(hashes[part, None], mirrors[part, None], hashes[None], mirrors[None])
        i, j = np.nonzero(bits <= MAX_BITS)
        later = i + start < j
        i, j = i[later], j[later]
        found.append((i + start, j, bits[i, j]))
    if not found:
        return (np.empty(0, int),) * 3
    first, second, all_bits = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, second, all_bits


def distances(hashes: Words, mirrors: Words, others: Words, other_mirrors: Words) -> Words:
    """Bits between photos, uint64 over all pairs that broadcasting makes; a mirrored copy is as near as a plain one."""
    turned = np.minimum(
        np.bitwise_count(hashes ^ other_mirrors), np.bitwise_count(mirrors ^ others)
    )
    nearest: Words = np.minimum(np.bitwise_count(hashes ^ others), turned)
    return nearest


def unsigned(rows: Iterable[PhotoHashes], name: str) -> Words:
    """One hash column of some rows; the database stores it signed."""
    return np.array([getattr(row, name) for row in rows], np.int64).view(np.uint64)


def _key(seed: int, sha256: str) -> int:
    digest = hashlib.blake2b(sha256.encode(), key=str(seed).encode(), digest_size=8)
    return int.from_bytes(digest.digest())


def _mixed(one: Words, other: Words) -> Words:
    """A number for each pair that looks random and does not depend on which photo comes first.

    The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    """
    mixed: Words = (one ^ other) + one * other
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _apart(
    candidates: np.ndarray[Any, Any], i: np.ndarray[Any, Any], j: np.ndarray[Any, Any], n: int
) -> list[int]:
    """The first n candidates of which no two share a photo."""
    used: set[int] = set()
    chosen: list[int] = []
    for pair in candidates:
        photos = {int(i[pair]), int(j[pair])}
        if not photos & used:
            used |= photos
            chosen.append(int(pair))
            if len(chosen) == n:
                break
    return chosen


def _measured(
    cat: Catalogue, settings: Settings, labelled: list[Labelled], *, drawn: bool
) -> Calibration:
    two = [one for one in labelled if one.one != one.other]
    measured = _measure(cat, settings, two)
    table = by_distance(measured)
    curves = compare_hashes(two, store_of(settings))
    suggested = suggest(table)
    at = settings.max_hamming_bits if suggested is None else suggested
    return Calibration(
        pairs=len(measured),
        same=sum(one.same for one in measured),
        equal_bytes=len(labelled) - len(two),
        drawn=drawn,
        table=table,
        suggested=suggested,
        kinds=by_kind(measured, at),
        plot=_plotted(settings.data_dir / "calibration.png", table, suggested),
        hashes=curves,
        hash_plot=_hashes_plotted(settings.data_dir / "calibration-hashes.png", curves),
    )


def _plotted(file: Path, table: list[AtDistance], suggested: int | None) -> Path | None:
    """The plot, written. The table holds the same numbers, so a missing matplotlib stops nothing."""
    if not installed("matplotlib"):
        return None
    from btfer.pipeline.calibrate_plot import plot

    write_atomic(file, plot(table, suggested))
    return file


def _hashes_plotted(file: Path, curves: list[HashCurve]) -> Path | None:
    if not curves or not installed("matplotlib"):
        return None
    from btfer.pipeline.calibrate_plot import plot_hashes

    write_atomic(file, plot_hashes(curves))
    return file


def _measure(cat: Catalogue, settings: Settings, labelled: list[Labelled]) -> list[Measured]:
    """Each pair with its distance, and what dedup's second look at the thumbnails says."""
    known = {row.sha256: row for row in pairs.hashes(cat)}
    sides = [[known[getattr(one, name)] for one in labelled] for name in ("one", "other")]
    columns = [unsigned(side, name) for side in sides for name in ("phash", "mirror_phash")]
    confirms = partial(are_copies, store=store_of(settings))
    return [
        Measured(
            same=one.same,
            distance=int(bits),
            confirmed=bits <= MAX_BITS and confirms((one.one, one.other)),
            weight=one.weight,
            kind=one.kind,
        )
        for one, bits in zip(labelled, distances(*columns), strict=True)
    ]
