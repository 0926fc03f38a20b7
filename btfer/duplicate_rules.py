"""Which of several copies of one picture is kept: the rules in their order, and which of them decided."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from btfer.licences import terms

Facts = Mapping[str, Any]
"""Of one photo: judged (by people), licences (name and address of each), width, height, n_bytes, at, sha256."""


def licence_rank(licences: Iterable[tuple[str, str]]) -> int:
    """0 = a sighting states a licence that allows a crop, 1 = nothing is stated, 2 = it is forbidden."""
    read = [terms(*one) for one in licences]
    if any(one.derivatives for one in read):
        return 0
    return 2 if any(one.forbids_derivatives for one in read) else 1


def bytes_a_pixel(facts: Facts) -> float:
    """Bytes of the file per pixel: the more, the less a photo is compressed."""
    return round(float(facts["n_bytes"] / (facts["width"] * facts["height"])), 4)


RULES: dict[str, Callable[[Facts], Any]] = {
    "judged": lambda one: not one["judged"],
    "licence": lambda one: licence_rank(one["licences"]),
    "resolution": lambda one: -one["width"] * one["height"],
    "compression": lambda one: -bytes_a_pixel(one),
    "earlier": lambda one: one["at"],
    "sha256": lambda one: one["sha256"],  # so that there is always one answer
}
"""The first in which two copies differ decides; the smaller value stays. Judged by people already, a licence
that allows a release, most pixels, least compressed (bytes a pixel), earliest. Not the largest face: copies of one
picture differ in it as in their pixels, and they are found later: the keeper would depend on the moment."""


def rank(facts: Facts) -> tuple[Any, ...]:
    """The order in which copies stay: the first of a group is its keeper."""
    return tuple(rule(facts) for rule in RULES.values())


def decided_by(keeper: Facts, copy: Facts) -> tuple[str, bool]:
    """The first rule in which two photos differ, and whether it speaks for the keeper."""
    for name, rule in RULES.items():
        if rule(keeper) != rule(copy):
            return name, bool(rule(keeper) < rule(copy))
    raise ValueError(f"the two photos are one and the same: {keeper['sha256']}")


def root(photo: str, keeper_of: Mapping[str, str]) -> str:
    """The photo that is kept for this one in the end: until dedup runs again, a keeper may hang on another."""
    seen = {photo}
    while keeper_of.get(photo, photo) not in seen:
        photo = keeper_of[photo]
        seen.add(photo)
    return photo
