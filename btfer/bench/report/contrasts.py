"""The paper's research questions as contrasts: what is changed, what is held, and where it is looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pandas as pd

from btfer.bench.published import TRAINING_SETS
from btfer.bench.report.seed_groups import BTFER, TEST, VALIDATION

QUESTIONS = {
    "RQ1": "Does a higher resolution help?",
    "RQ2": "Do pretrained weights help?",
    "RQ3": "Does the conservative class weighting help?",
}
PARTS = {BTFER: "on BTFER", TEST: "on test images", VALIDATION: "on validation images"}
SIZES = (48, 224)
FIXED = ("architecture", "weights", "training_set", "resolution", "balance", "scored_on")
STARTS = {"none": "random weights", "imagenet": "ImageNet weights", "vggface": "VGGFace weights"}


@dataclass(frozen=True)
class Contrast:
    """One change, over all pairs that differ in nothing else. where: columns and the value they must have.

    without: a training set that is left out.
    """

    question: str
    change: str
    place: str
    factor: str
    base: Any
    others: tuple[Any, ...]
    where: dict[str, Any] = field(default_factory=dict)
    without: str = ""

    @property
    def name(self) -> str:
        """Change and place."""
        return f"{self.change}, {self.place}"


def contrasts(values: pd.DataFrame, confounded: str = "") -> list[Contrast]:
    """Every contrast that the values may answer; the first of a question is its headline.

    values: columns FIXED, `pretrained` and `same_weights`. confounded: a training set whose images are others at
    another resolution; the headline of that question is given without it too.
    """
    parts = [part for part in PARTS if part in set(values["scored_on"])]
    sets = sorted(values["training_set"].unique())
    return [*_resolution(parts, sets, confounded), *_weights(parts), *_balance(parts, sets)]


def _resolution(parts: list[str], sets: list[str], confounded: str) -> Iterator[Contrast]:
    def contrast(place: str, **where: Any) -> Contrast:
        return Contrast("RQ1", "224 px instead of 48 px", place, "resolution", 48, (224,), where)

    for part in parts:
        yield contrast(PARTS[part], scored_on=part)
        if confounded:
            place = f"{PARTS[part]}, without {_set(confounded)}"
            yield replace(contrast(place, scored_on=part), without=confounded)
    for part, one in product(parts, sets):
        yield contrast(f"{PARTS[part]}, trained on {_set(one)}", scored_on=part, training_set=one)


def _weights(parts: list[str]) -> Iterator[Contrast]:
    def contrast(change: str, place: str, base: str, others: Any, **where: Any) -> Contrast:
        return Contrast("RQ2", change, place, "weights", base, others, where)

    any_start = ("imagenet", "vggface")
    for part in parts:
        change = "pretrained weights instead of random ones"
        yield contrast(change, PARTS[part], "none", any_start, scored_on=part)
    starts = (("none", "imagenet"), ("none", "vggface"), any_start)
    for part, size, (base, other) in product(parts, SIZES, starts):
        change = f"{STARTS[other]} instead of {STARTS[base]}"
        place = f"{PARTS[part]}, {size} px"
        yield contrast(change, place, base, (other,), scored_on=part, resolution=size)


def _balance(parts: list[str], sets: list[str]) -> Iterator[Contrast]:
    def contrast(place: str, **where: Any) -> Contrast:
        change = "conservative instead of simple weighting"
        return Contrast("RQ3", change, place, "balance", "simple", ("conservative",), where)

    for part in parts:
        yield contrast(PARTS[part], scored_on=part, same_weights=False)
    for part, one in product(parts, sets):
        yield contrast(f"{PARTS[part]}, trained on {_set(one)}", scored_on=part, training_set=one)
    for part, size, pretrained in product(parts, SIZES, (False, True)):
        place = f"{PARTS[part]}, {size} px, {'pretrained' if pretrained else 'from scratch'}"
        where = {"scored_on": part, "resolution": size, "pretrained": pretrained}
        yield contrast(place, **where, same_weights=False)


def matched(
    values: Sequence[Any], contrast: Contrast, also: tuple[str, ...] = ()
) -> list[tuple[Any, Any]]:
    """Pairs of rows (base, other), named tuples, that agree in all of FIXED but the factor, and in `also`."""
    by = [name for name in (*FIXED, *also) if name != contrast.factor]
    groups: dict[tuple[Any, ...], dict[Any, Any]] = {}
    for row in values:
        if contrast.without and row.training_set == contrast.without:
            continue
        if all(getattr(row, name) == value for name, value in contrast.where.items()):
            place = tuple(getattr(row, name) for name in by)
            groups.setdefault(place, {})[getattr(row, contrast.factor)] = row
    return [
        (levels[contrast.base], levels[other])
        for levels in groups.values()
        for other in contrast.others
        if contrast.base in levels and other in levels
    ]


def _set(name: str) -> str:
    return TRAINING_SETS.get(name, name)
