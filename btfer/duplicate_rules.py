"""Which of several copies of one picture is kept: the rules in their order, and which of them decided."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from btfer.licences import may_be_released, parse_licence, redistributable, strictest


class Facts(Protocol):
    """What the rules ask of a photo.

    judged: by people. licences: name and address of each that a sighting states. n_bytes: of the file.
    at: when it came, ISO 8601 in UTC. bordered: whether it has a strip or a frame around it (`images.border`).
    marked: whether it has see-through letters over what a copy shows plainly (`faces.under_mark`).
    """

    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def judged(self) -> bool: ...  # noqa: D102
    @property
    def licences(self) -> Sequence[tuple[str, str]]: ...  # noqa: D102
    @property
    def width_px(self) -> int: ...  # noqa: D102
    @property
    def height_px(self) -> int: ...  # noqa: D102
    @property
    def n_bytes(self) -> int: ...  # noqa: D102
    @property
    def at(self) -> str: ...  # noqa: D102
    @property
    def bordered(self) -> bool: ...  # noqa: D102
    @property
    def marked(self) -> bool: ...  # noqa: D102


class PhotoFacts(NamedTuple):
    """The facts alone."""

    sha256: str
    judged: bool
    licences: Sequence[tuple[str, str]]
    width_px: int
    height_px: int
    n_bytes: int
    at: str
    bordered: bool = False
    marked: bool = False


def licence_rank(licences: Iterable[tuple[str, str]]) -> int:
    """By the strictest statement of all sightings: 0 = a crop may be shared, 1 = that is not said, 2 = it may not."""
    held = strictest(parse_licence(*one) for one in licences)
    if redistributable(held):
        return 0
    return 1 if may_be_released(held) else 2


def bytes_a_pixel(facts: Facts) -> float:
    """Bytes of the file per pixel: the more, the less a photo is compressed."""
    return round(facts.n_bytes / (facts.width_px * facts.height_px), 4)


RULES: dict[str, Callable[[Facts], Any]] = {
    "judged": lambda one: not one.judged,
    "licence": lambda one: licence_rank(one.licences),
    "border": lambda one: one.bordered,
    "letters": lambda one: one.marked,
    "resolution": lambda one: -one.width_px * one.height_px,
    "compression": lambda one: -bytes_a_pixel(one),
    "earlier": lambda one: one.at,
    "sha256": lambda one: one.sha256,  # so that there is always one answer
}
"""The first in which two copies differ decides; the smaller value stays. Judged by people already, a licence
that allows a release, no agency's strip and no frame (which may be all that makes it larger), no letters over it, most
pixels, least compressed (bytes a pixel), earliest. Not the largest face: copies of one picture differ in it as in
their pixels, and they are found later: the keeper would depend on the moment."""


def rank(facts: Facts) -> tuple[Any, ...]:
    """The order in which copies stay: the first of a group is its keeper."""
    return tuple(rule(facts) for rule in RULES.values())


def decided_by(keeper: Facts, copy: Facts) -> tuple[str, bool]:
    """The first rule in which two photos differ, and whether it speaks for the keeper."""
    for name, rule in RULES.items():
        if rule(keeper) != rule(copy):
            return name, bool(rule(keeper) < rule(copy))
    raise ValueError(f"the two photos are one and the same: {keeper.sha256}")


def root(photo: str, keeper_of: Mapping[str, str]) -> str:
    """The photo that is kept for this one in the end: until dedup runs again, a keeper may hang on another."""
    seen = {photo}
    while keeper_of.get(photo, photo) not in seen:
        photo = keeper_of[photo]
        seen.add(photo)
    return photo
