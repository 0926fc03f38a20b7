"""Training sets and releases as lists of labelled files. Nothing is decoded here.

Accepted layouts:
    NAME/train/<class>/*.jpg and NAME/test/<class>/*.jpg   (test, val, valid or validation)
    NAME/<class>/*.jpg                                     (split 70/30, stratified, by a seed)
    RELEASE/images/<class>/*.png and RELEASE/metadata.csv
"""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.files import sha256_file

VALIDATION_NAMES = ("test", "val", "valid", "validation")
VALIDATION_SHARE = 0.3  # the authors split RAF-DB like this
STRATA = ("ethnicity", "gender", "age")
# The last four are pictures that btfer does not read: listed so that they get reported.
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}
LAYOUT = (
    "expected NAME/train/<class>/*.jpg with NAME/test/<class>/*.jpg, or NAME/<class>/*.jpg, "
    f"with a folder for each of {', '.join(EXPRESSIONS)}"
)

Indices = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class ImageSet:
    """Labelled images on disk.

    files: names relative to root. labels: int64 [N], places in EXPRESSIONS. strata: columns of N words
    each, empty where nothing is known. digest: over names and bytes, so that a changed picture is
    another set.
    """

    name: str
    root: Path
    files: tuple[str, ...]
    labels: Indices
    strata: dict[str, tuple[str, ...]]
    digest: str

    def __len__(self) -> int:
        return len(self.files)

    @property
    def counts(self) -> list[int]:
        """Images per class, in label order."""
        return [int(n) for n in np.bincount(self.labels, minlength=len(EXPRESSIONS))]


@dataclass(frozen=True)
class Split:
    """A training set: what to learn from and what to validate on, and how it came to be so."""

    name: str
    train: ImageSet
    validation: ImageSet
    train_indices: Indices
    validation_indices: Indices
    how: str

    @property
    def digest(self) -> str:
        """Names the pictures of both parts."""
        return hashlib.sha256(f"{self.train.digest} {self.validation.digest}".encode()).hexdigest()


def load_folder(path: Path, name: str = "") -> ImageSet:
    """Class folders as a set; `Anger` and `angry` are the same class.

    Raises UsageError that shows the expected layout, where there is no folder, no class or no image.
    """
    if not path.is_dir():
        raise UsageError(f"{path} is no folder: {LAYOUT}")
    found = []
    for folder in _folders(path):
        try:
            label = EXPRESSIONS.index(parse_expression(folder.name))
        except UsageError as error:
            raise UsageError(f"folder {folder}: {error}; {LAYOUT}") from None
        found += [(f"{folder.name}/{file.name}", label) for file in _images(folder)]
    if not found:
        raise UsageError(f"{path} holds no image in class folders: {LAYOUT}")
    files, labels = zip(*sorted(found), strict=True)
    return _image_set(name or path.name, path, files, labels, {})


def load_training(path: Path, name: str = "", seed: int = 0) -> Split:
    """A training set of one of the two layouts. Raises UsageError as `load_folder`."""
    name = name or path.name
    if not path.is_dir():
        raise UsageError(f"training set '{name}': {path} is no folder: {LAYOUT}")
    by_name = {folder.name.lower(): folder for folder in _folders(path)}
    if "train" not in by_name:
        whole = load_folder(path, name)
        train, validation = stratified_split(whole.labels, VALIDATION_SHARE, seed)
        return Split(name, whole, whole, train, validation, f"70/30, seed {seed}")
    parts = [by_name[known] for known in VALIDATION_NAMES if known in by_name]
    if len(parts) != 1:
        raise UsageError(
            f"{path} has train/ and {len(parts)} folders named {', '.join(VALIDATION_NAMES)}: "
            f"exactly one is needed; {LAYOUT}"
        )
    learn, check = load_folder(by_name["train"], name), load_folder(parts[0], name)
    return Split(name, learn, check, np.arange(len(learn)), np.arange(len(check)), "folders")


def find_training(folder: Path) -> dict[str, Path]:
    """Every sub-folder of `folder` by name: {} where there is none."""
    return {one.name: one for one in _folders(folder)} if folder.is_dir() else {}


def load_release(path: Path) -> ImageSet:
    """A release, or any folder with images/ and a metadata.csv that has file_name and label.

    Raises UsageError where a part of it is missing.
    """
    table = path / "metadata.csv"
    if not table.is_file():
        raise UsageError(f"{path} is no release: expected images/<class>/*.png and metadata.csv")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file_name", "label"} <= rows[0].keys():
        raise UsageError(f"{table}: expected rows with the columns file_name and label")
    missing = [row["file_name"] for row in rows if not (path / row["file_name"]).is_file()]
    if missing:
        raise UsageError(f"{path} lacks {len(missing)} images of its metadata.csv: {missing[0]}")
    rows.sort(key=lambda row: row["file_name"])
    strata = {name: tuple(row[name] for row in rows) for name in STRATA if name in rows[0]}
    labels = [EXPRESSIONS.index(parse_expression(row["label"])) for row in rows]
    return _image_set(path.name, path, [row["file_name"] for row in rows], labels, strata)


def stratified_split(labels: Indices, share: float, seed: int) -> tuple[Indices, Indices]:
    """Indices (rest, share of each class), sorted; a class of two or more is in both."""
    chosen = []
    for members in _shuffled_classes(labels, seed):
        n = min(max(1, round(share * len(members))), len(members) - 1)
        chosen.append(members[:n])
    second = np.sort(np.concatenate(chosen))
    return np.setdiff1d(np.arange(len(labels)), second), second


def stratified_folds(labels: Indices, folds: int, seed: int) -> list[Indices]:
    """Disjoint sorted index arrays that cover everything, each with its share of each class.

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


def _image_set(
    name: str,
    root: Path,
    files: Sequence[str],
    labels: Sequence[int],
    strata: dict[str, tuple[str, ...]],
) -> ImageSet:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0{sha256_file(root / file)}\n".encode())
    labelled = np.array(labels, np.int64)
    return ImageSet(name, root, tuple(files), labelled, strata, digest.hexdigest())


def _folders(path: Path) -> list[Path]:
    return sorted(one for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if one.is_file() and one.suffix.lower() in SUFFIXES]
