"""Labelled images on disk, how their makers parted them, and stratified draws from them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import sha256_file

LEAST_DOUBTED = 100
"""Images of a release from which on answers may be told from its labels: of a few, any network may get all right."""

SAME_AS_LABELS = 0.99
"""Share of answers from which on they are the labels: nobody's network agrees so well with what people said."""

Indices = np.ndarray[Any, np.dtype[np.int64]]
NOBODY: Indices = np.empty(0, np.int64)


@dataclass(frozen=True)
class ImageSet:
    """Labelled images on disk.

    files: names relative to root. labels: int64 [N], places in EXPRESSIONS. strata: columns of N words
    each, empty where nothing is known. digest: over names, labels and bytes, so that a changed image
    is another set. votes: int64 [N, 7], how many people gave each image each label; None = nobody was asked.
    """

    name: str
    root: Path
    files: tuple[str, ...]
    labels: Indices
    strata: dict[str, tuple[str, ...]]
    digest: str
    votes: Indices | None = None

    def __len__(self) -> int:
        return len(self.files)

    @property
    def counts(self) -> list[int]:
        """Images per class, in label order. labels: int64 [N], 0 to 6."""
        return class_counts(self.labels)

    @property
    def soft(self) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        """Shares of the votes, float32 [N, 7]; one-hot where an image has none. None where no image has."""
        if self.votes is None:
            return None
        voted = self.votes.sum(axis=1, keepdims=True)
        one_hot = np.eye(len(EXPRESSIONS))[self.labels]
        return np.where(voted > 0, self.votes / np.maximum(voted, 1), one_hot).astype(np.float32)

    @property
    def votes_digest(self) -> str:
        """Names the votes; empty where there are none."""
        if self.votes is None:
            return ""
        return hashlib.sha256(np.asarray(self.votes, np.int64).tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class TrainingSource:
    """A training set as it lies on disk.

    kind: whose set it is (`rafdb`, `fer2013`, `affectnet`), or `folders` or `release`. how: what was
    read, in a few words. parts: the makers' own parts by name, of `train`, `validation` and `test`; a
    set that was never parted has `all` alone.
    """

    kind: str
    how: str
    images: ImageSet
    parts: dict[str, Indices]


@dataclass(frozen=True)
class Split:
    """A training set: what to learn from, what to steer by, what to test on, and how it came to be so.

    train, validation and test say which set the indices are of. No test = `test_indices` is empty.
    """

    name: str
    train: ImageSet
    validation: ImageSet
    train_indices: Indices
    validation_indices: Indices
    how: str
    test_indices: Indices = field(default_factory=lambda: NOBODY)
    kind: str = "folders"

    @property
    def test(self) -> ImageSet:
        """The set of the test images: the one that is learnt from, at other indices."""
        return self.train

    @property
    def digest(self) -> str:
        """Names the images of each part."""
        digest = hashlib.sha256(f"{self.train.digest} {self.validation.digest}".encode())
        for part in (self.train_indices, self.validation_indices, self.test_indices):
            digest.update(f"{len(part)} ".encode() + np.asarray(part, np.int64).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class HeldOut:
    """The images of a training set that nothing learns from: what networks of other sets are tested on.

    name: of the set. indices: int64 [N], of `images`.
    """

    name: str
    images: ImageSet
    indices: Indices

    @property
    def digest(self) -> str:
        """Names the images."""
        places = np.asarray(self.indices, np.int64).tobytes()
        return hashlib.sha256(self.images.digest.encode() + places).hexdigest()


def held_out_part(split: Split) -> HeldOut:
    """The test part of a set, or where it has none the validation part."""
    if len(split.test_indices):
        return HeldOut(split.name, split.test, split.test_indices)
    return HeldOut(split.name, split.validation, split.validation_indices)


def class_counts(labels: Indices) -> list[int]:
    """Images per class, in label order. labels: int64 [N], 0 to 6."""
    return [int(n) for n in np.bincount(labels, minlength=len(EXPRESSIONS))]


def image_set(
    name: str,
    root: Path,
    files: Sequence[str],
    labels: Sequence[int],
    strata: dict[str, tuple[str, ...]] | None = None,
) -> ImageSet:
    """A set of the files, whose bytes are read for its digest."""
    digest = hashlib.sha256()
    for file, label in zip(files, labels, strict=True):
        digest.update(f"{file}\0{label}\0{sha256_file(root / file)}\n".encode())
    labelled = np.array(labels, np.int64)
    return ImageSet(name, root, tuple(files), labelled, strata or {}, digest.hexdigest())


def parted(
    kind: str, how: str, name: str, root: Path, found: Iterable[tuple[str, str, int]]
) -> TrainingSource:
    """A source of (part, file, label), in the order of the files' names. Raises UsageError where there is none."""
    rows = sorted(found, key=lambda row: row[1])
    if not rows:
        raise UsageError(f"training set '{name}' ({how}) has no image of the seven classes")
    parts = np.array([row[0] for row in rows])
    images = image_set(name, root, [row[1] for row in rows], [row[2] for row in rows])
    places = {str(part): np.flatnonzero(parts == part) for part in dict.fromkeys(parts)}
    return TrainingSource(kind, how, images, places)


def stratified_split(labels: Indices, share: float, seed: int) -> tuple[Indices, Indices]:
    """Indices (rest, share of each class), each int64 [n], sorted; a class of two or more is in both.

    labels: int64 [N], 0 to 6. share: of each class, above 0 and below 1.
    A share that is no whole number is rounded up, as the authors of BTFER did with RAF-DB.
    """
    chosen = []
    for members in _shuffled_classes(labels, seed):
        n = min(max(1, int(np.ceil(round(share * len(members), 6)))), len(members) - 1)
        chosen.append(members[:n])
    second = np.sort(np.concatenate(chosen))
    return np.setdiff1d(np.arange(len(labels)), second), second


def stratified_folds(labels: Indices, folds: int, seed: int) -> list[Indices]:
    """Disjoint sorted index arrays, each int64 [n], that cover everything, each with its share of each class.

    labels: int64 [N], 0 to 6.
    Raises UsageError where a class has fewer images than there are folds.
    """
    fold_of = np.empty(len(labels), np.int64)
    for members in _shuffled_classes(labels, seed):
        if len(members) < folds:
            name = EXPRESSIONS[labels[members[0]]]
            raise UsageError(f"{name} has {len(members)} images: too few for {folds} folds")
        fold_of[members] = np.arange(len(members)) % folds
    return [np.flatnonzero(fold_of == number) for number in range(folds)]


def _shuffled_classes(labels: Indices, seed: int) -> list[Indices]:
    rng = np.random.default_rng(seed)
    return [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
