"""Sampling: the same number of faces for every class, spread evenly over the people inside a class.

Who is in depends on a keyed hash of (seed, face id) alone: any machine draws the same faces, and
withdrawing one face changes one place (two where it makes room for another of its site; a few where
photos with faces of several classes are shared out, since a class is short). Source: BTFER section 2,
stage 4 (300 per class, at random: strategy `random`); the strata are ours, from the intent of the
queries (ethnicity x gender x age).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from btfer.catalogue.rows import KeptFace
from btfer.errors import Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.licences import author_key
from btfer.pipeline.shared_photos import share_out

MAX_PER_SITE = 10
_FORMS = {"www", "m", "mobile"}
Stratum = tuple[str, str, str]
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Sample:
    """The chosen faces in rank order, and per class how many there were to choose from.

    same_person: faces left out because enough others show the same person (`person_cap`), by class.
    """

    chosen: dict[str, list[KeptFace]]
    available: dict[str, int]
    same_person: Counter[str] = field(default_factory=Counter)


def rank(seed: int, face_id: str) -> str:
    """A face's place in the queue: BLAKE2b of its id, keyed with the seed; smaller comes first."""
    key = str(seed).encode()[:64]
    return hashlib.blake2b(face_id.encode(), key=key, digest_size=16).hexdigest()


class Intended(Protocol):
    """What has the intent of a query: '' where it asked for nothing."""

    @property
    def ethnicity(self) -> str: ...  # noqa: D102
    @property
    def gender(self) -> str: ...  # noqa: D102
    @property
    def age(self) -> str: ...  # noqa: D102


def stratum(one: Intended) -> Stratum:
    """The group that a query asked for; '' where it did not ask."""
    return one.ethnicity, one.gender, one.age


def site_of(face: KeptFace) -> str:
    """Where a face comes from: its author, on whatever sites, else the site of its page; '' = not known.

    A site that names its authors (Wikimedia Commons, Flickr) is as many sites as it has authors.
    """
    author = author_key(face.author)
    if author:
        return f"author {author}"
    found = _HOST.match(face.page_url)  # urlsplit takes a second for 200,000
    return _site(found[1]) if found else ""


@lru_cache(maxsize=65_536)
def _site(host: str) -> str:
    """A host without what is only a form of it: `www.`, `m.`, `mobile.`, and a dot at its end."""
    labels = host.lower().rstrip(".").split(".")
    kept = [name for name in labels[:-2] if name not in _FORMS]
    return ".".join(kept + labels[-2:])


def one_per_photo(faces: Iterable[KeptFace], seed: int) -> list[KeptFace]:
    """For each photo its face of lowest rank, in rank order: a photo never gives two faces."""
    best: dict[str, KeptFace] = {}
    for face in sorted(faces, key=lambda face: rank(seed, face.id)):
        best.setdefault(face.photo, face)
    return list(best.values())


def few_per_site(ranked: Iterable[KeptFace], most: int) -> list[KeptFace]:
    """The first `most` faces of each class from each site (0 = all); those of no known site all stay."""
    if not most:
        return list(ranked)
    seen: dict[tuple[str, str], int] = {}
    kept = []
    for face in ranked:
        key = face.expression, site_of(face)
        seen[key] = n = seen.get(key, 0) + 1
        if n <= most or not key[1]:
            kept.append(face)
    return kept


def even_shares(sizes: dict[Stratum, int], total: int) -> dict[Stratum, int]:
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


def proportional_shares(sizes: dict[Stratum, int], total: int) -> dict[Stratum, int]:
    """Shares in proportion to what each stratum has, by largest remainder (ties: the larger, then by name).

    Raises Incomplete when all strata together hold fewer than `total`.
    """
    have = sum(sizes.values())
    if have < total:
        raise Incomplete(f"{have} faces, {total} asked")
    if not total:
        return dict.fromkeys(sizes, 0)
    shares = {name: size * total // have for name, size in sizes.items()}
    order = sorted(sizes, key=lambda name: (-(sizes[name] * total % have), -sizes[name], name))
    for name in order[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


STRATEGIES: dict[str, Callable[[dict[Stratum, int], int], dict[Stratum, int]] | None] = {
    "equal": even_shares,
    "proportional": proportional_shares,
    "random": None,
}


def draw(
    faces: Iterable[KeptFace],
    *,
    per_class: int,
    seed: int,
    allow_short: bool = False,
    strategy: str = "equal",
    max_per_site: int = MAX_PER_SITE,
    withheld: Sequence[str] = (),
) -> Sample:
    """Choose `per_class` faces of every class, at most `max_per_site` of a class from one site or author.

    Raises UsageError for an unknown strategy, and Incomplete with a table of have and need when a class
    has too few, unless `allow_short`. withheld: lines about what was not to be drawn from, for that table.
    """
    if strategy not in STRATEGIES:
        raise UsageError(f"unknown strategy '{strategy}'; choose one of {', '.join(STRATEGIES)}")
    pools: dict[str, list[KeptFace]] = {label: [] for label in EXPRESSIONS}
    of_classes = (face for face in faces if face.expression in pools)
    ranked = best_per_photo(of_classes, seed, per_class=per_class, max_per_site=max_per_site)
    for face in few_per_site(ranked, max_per_site):
        pools[face.expression].append(face)
    available = {label: len(pool) for label, pool in pools.items()}
    short = {label: n for label, n in available.items() if n < per_class}
    if short and not allow_short:
        raise Incomplete(_shortfall(pools, per_class, withheld))
    chosen = {
        label: _draw_class(pool, min(per_class, len(pool)), seed, strategy)
        for label, pool in pools.items()
    }
    return Sample(chosen, available)


def best_per_photo(
    faces: Iterable[KeptFace], seed: int, *, per_class: int, max_per_site: int
) -> list[KeptFace]:
    """For each photo one face, in rank order: its first, or the first of a class that would have too few."""
    first: dict[str, KeptFace] = {}
    of_classes: dict[str, dict[str, KeptFace]] = {}
    ranked = sorted(faces, key=lambda face: rank(seed, face.id))
    for face in ranked:
        before = first.setdefault(face.photo, face)
        if face.expression != before.expression:
            of_class = of_classes.setdefault(face.photo, {before.expression: before})
            of_class.setdefault(face.expression, face)
    if not of_classes:
        return list(first.values())
    fixed: dict[str, Counter[str]] = {label: Counter() for label in EXPRESSIONS}
    for photo, face in first.items():
        if photo not in of_classes:
            fixed[face.expression][site_of(face)] += 1
    order = (photo for photo in first if photo in of_classes)
    shared = {photo: of_classes[photo] for photo in order}
    sites = {photo: site_of(first[photo]) for photo in shared}
    chosen = share_out(shared, sites, fixed, per_class=per_class, max_per_site=max_per_site)
    every = first | chosen
    return [face for face in ranked if every[face.photo] is face]


def _draw_class(pool: list[KeptFace], total: int, seed: int, strategy: str) -> list[KeptFace]:
    """The first of each stratum by rank; `pool` is in rank order already."""
    share = STRATEGIES[strategy]
    if share is None:
        return pool[:total]
    groups = _groups(pool)
    shares = share({name: len(group) for name, group in groups.items()}, total)
    picked = [face for name, group in groups.items() for face in group[: shares[name]]]
    return sorted(picked, key=lambda face: rank(seed, face.id))


def _groups(pool: Iterable[KeptFace]) -> dict[Stratum, list[KeptFace]]:
    groups: dict[Stratum, list[KeptFace]] = {}
    for face in pool:
        groups.setdefault(stratum(face), []).append(face)
    return groups


def _shortfall(pools: dict[str, list[KeptFace]], per_class: int, withheld: Sequence[str]) -> str:
    lines = [f"too few faces for {per_class} per class; nothing was written"]
    for label, pool in pools.items():
        short = len(pool) < per_class
        need = f"   {per_class - len(pool)} missing{_fewest(pool)}" if short else ""
        lines.append(f"  {label:9} {len(pool):6}{need}")
    most = min(len(pool) for pool in pools.values())
    advice = f"pass --per-class {most}, or " if most else ""
    lines.append(f"crawl and review more, {advice}pass --allow-short to take what is there")
    return "\n".join([*lines, *withheld])


def _fewest(pool: list[KeptFace]) -> str:
    """The groups with the fewest faces, by what the queries asked for."""
    sizes = sorted(
        (len(group), " ".join(filter(None, name))) for name, group in _groups(pool).items()
    )
    fewest = [f"{name} {n}" for n, name in sizes if name][:3]
    return f"; fewest: {', '.join(fewest)}" if fewest else ""
