"""Sampling: the same number of faces for every class, spread evenly over the people inside a class.

Who is in depends on a keyed hash of (seed, face id) alone: any machine draws the same faces, and
withdrawing one face changes one place. Source: BTFER section 2, stage 4 (300 per class, at random);
the strata are ours, from the intent of the queries (ethnicity x gender x age).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from btfer.catalogue.store import Row
from btfer.errors import Incomplete
from btfer.expressions import EXPRESSIONS

STRATA = ("ethnicity", "gender", "age")


@dataclass(frozen=True)
class Sample:
    """The chosen faces in rank order, and per class how many there were to choose from."""

    chosen: dict[str, list[Row]]
    available: dict[str, int]


def rank(seed: int, face_id: str) -> str:
    """A face's place in the queue: BLAKE2b of its id, keyed with the seed; smaller comes first."""
    key = str(seed).encode()[:64]
    return hashlib.blake2b(face_id.encode(), key=key, digest_size=16).hexdigest()


def stratum(row: Row) -> tuple[str, ...]:
    """The group that a face's query asked for; '' where it did not ask."""
    return tuple(row[name] or "" for name in STRATA)


def one_per_photo(rows: Iterable[Row], seed: int) -> list[Row]:
    """For each photo its face of lowest rank, in rank order: a photo never gives two faces."""
    best: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: rank(seed, row["id"])):
        best.setdefault(row["photo"], row)
    return list(best.values())


def even_shares(sizes: dict[tuple[str, ...], int], total: int) -> dict[tuple[str, ...], int]:
    """How many each stratum gives: small ones all they have, the others the same, within one.

    Water-filling: no other split of `total` has a smaller difference between the largest and the
    smallest share. Raises Incomplete when all strata together hold fewer than `total`.
    """
    if sum(sizes.values()) < total:
        raise Incomplete(f"{sum(sizes.values())} faces, {total} asked")
    shares = dict.fromkeys(sizes, 0)
    left = total
    open_ = sorted(sizes)
    while left:
        level, extra = divmod(left, len(open_))
        for name in open_ if level else open_[:extra]:
            give = min(max(level, 1), sizes[name] - shares[name])
            shares[name] += give
            left -= give
        open_ = [name for name in open_ if shares[name] < sizes[name]]
    return shares


def draw(rows: Iterable[Row], *, per_class: int, seed: int, allow_short: bool = False) -> Sample:
    """Choose `per_class` faces of every class. rows: kept faces with id, photo, expression and strata.

    Raises Incomplete with a table of have and need when a class has too few, unless `allow_short`.
    """
    pools: dict[str, list[Row]] = {label: [] for label in EXPRESSIONS}
    for row in one_per_photo((row for row in rows if row["expression"] in pools), seed):
        pools[row["expression"]].append(row)
    available = {label: len(pool) for label, pool in pools.items()}
    short = {label: n for label, n in available.items() if n < per_class}
    if short and not allow_short:
        raise Incomplete(_shortfall(available, per_class))
    chosen = {
        label: _draw_class(pool, min(per_class, len(pool)), seed) for label, pool in pools.items()
    }
    return Sample(chosen, available)


def _draw_class(pool: list[Row], total: int, seed: int) -> list[Row]:
    """The first of each stratum by rank; `pool` is in rank order already."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in pool:
        groups.setdefault(stratum(row), []).append(row)
    shares = even_shares({name: len(group) for name, group in groups.items()}, total)
    picked = [row for name, group in groups.items() for row in group[: shares[name]]]
    return sorted(picked, key=lambda row: rank(seed, row["id"]))


def _shortfall(available: dict[str, int], per_class: int) -> str:
    lines = [f"too few faces for {per_class} per class; nothing was written"]
    for label, have in available.items():
        need = "" if have >= per_class else f"   {per_class - have} missing"
        lines.append(f"  {label:9} {have:6}{need}")
    most = min(available.values())
    advice = f"pass --per-class {most}, or " if most else ""
    lines.append(f"crawl and review more, {advice}pass --allow-short to take what is there")
    return "\n".join(lines)
