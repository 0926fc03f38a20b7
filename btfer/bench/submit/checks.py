"""A bundle beside the release that it names: the images must be the same ones, and every number is computed anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets import LEAST_DOUBTED, SAME_AS_LABELS, ImageSet
from btfer.bench.submit.bundle import Bundle, Card, predictions_csv
from btfer.bench.submit.scores import SCORES, all_scores, answer_codes
from btfer.errors import UsageError

Array = np.ndarray[Any, Any]

SAME = 1.5e-6
"""Claimed and computed numbers are rounded to six places."""


@dataclass(frozen=True)
class FalseClaim:
    """A number that a bundle claims and its predictions do not give; None = nothing is claimed, or there is none."""

    score: str
    claimed: float | None
    computed: float | None

    def __str__(self) -> str:
        return f"claims {self.score} {_said(self.claimed)}, and its predictions give {_said(self.computed)}"


@dataclass(frozen=True, eq=False)
class Checked:
    """A bundle whose predictions were scored on the release here.

    probabilities: float [N, classes], in the order of `images`, NaN = no answer. scores: all of SCORES. differences:
    what the bundle claims otherwise.
    """

    bundle: Bundle
    images: ImageSet
    probabilities: Array = field(repr=False)
    scores: dict[str, float | None]
    differences: tuple[FalseClaim, ...]

    @property
    def card(self) -> Card:
        """Of the bundle."""
        return self.bundle.card

    @cached_property
    def codes(self) -> Array:
        """What it answered for each image, int8 [N], as `answer_codes` gives it."""
        return answer_codes(self.probabilities)

    @cached_property
    def right(self) -> Array:
        """bool [N]: which images it got right."""
        return np.asarray(self.codes == self.images.labels)

    @cached_property
    def answers_sha256(self) -> str:
        """Of the predictions in the order of `images`: two bundles with the same one are one network's work."""
        return sha256(predictions_csv(self.images.files, self.probabilities)).hexdigest()


def check_bundle(bundle: Bundle, images: ImageSet) -> Checked:
    """The bundle scored on `images`. Raises UsageError where it is of another release, not of all of this one, or where

    its answers are the release's own labels.
    """
    named, where = bundle.card.release, bundle.path
    if named["digest"] != images.digest:
        raise UsageError(
            f"{where} was scored on the release {named['name']} ({named['digest'][:12]}), and {images.name} is "
            f"{images.digest[:12]}: the images, the labels or the names of the two differ"
        )
    _check_files(bundle, images)
    place = {file: number for number, file in enumerate(bundle.files)}
    probabilities = bundle.probabilities[[place[file] for file in images.files]]
    _check_are_answers(where, images, probabilities)
    scores = all_scores(images.labels, probabilities)
    return Checked(bundle, images, probabilities, scores, _differences(bundle.card.claimed, scores))


def release_of(bundle: Bundle, releases: Sequence[ImageSet]) -> ImageSet:
    """The release that a bundle was scored on. Raises UsageError where it is none of these."""
    digest = bundle.card.release["digest"]
    for one in releases:
        if one.digest == digest:
            return one
    known = ", ".join(f"{one.name} ({one.digest[:12]})" for one in releases) or "none"
    raise UsageError(
        f"{bundle.path} was scored on the release {bundle.card.release['name']} ({digest[:12]}), which is not here; "
        f"here: {known}"
    )


def _check_files(bundle: Bundle, images: ImageSet) -> None:
    theirs, ours = set(bundle.files), set(images.files)
    if strange := sorted(theirs - ours):
        raise UsageError(
            f"{bundle.path} has {len(strange)} images that are not in {images.name}: {strange[0][:80]!r}"
        )
    if missing := [file for file in images.files if file not in theirs]:
        raise UsageError(
            f"{bundle.path} has {len(theirs)} of the {len(ours)} images of {images.name}; {missing[0]} is missing"
        )


def _check_are_answers(where: Path, images: ImageSet, probabilities: Array) -> None:
    agree = float((answer_codes(probabilities) == images.labels).mean())
    if len(images.files) >= LEAST_DOUBTED and agree >= SAME_AS_LABELS:
        raise UsageError(
            f"{where} says of {agree:.1%} of the {len(images.files):,} images what {images.name} says itself: these "
            "are its labels, or a network that has learnt them, and no result"
        )


def _differences(claimed: Any, computed: dict[str, float | None]) -> tuple[FalseClaim, ...]:
    found = []
    for name in SCORES:
        theirs, ours = claimed.get(name), computed[name]
        if theirs is None and ours is None:
            continue
        if theirs is None or ours is None or abs(theirs - ours) > SAME:
            found.append(FalseClaim(name, theirs, ours))
    return tuple(found)


def _said(value: float | None) -> str:
    return "none" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")
