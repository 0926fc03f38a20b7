"""FER2013 as one CSV whose cells hold the pixels, with the votes of FER+ where they lie beside it.

Sources: Goodfellow et al. 2013, the CSV of Kaggle's challenge; Barsoum et al. 2016,
https://arxiv.org/abs/1608.01041, and fer2013new.csv of github.com/microsoft/FERPlus.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets.numbering import FER2013, label_of
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.bench.datasets.unpacking import unpack_once
from btfer.csv_reader import iterate_csv, read_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.files import sha256_file

CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
VOTES = "fer2013new.csv"
SIDE_PX = 48
USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
LAYOUT = (
    "expected FER2013 as NAME/fer2013.csv with the columns emotion, pixels, Usage (and FER+ as "
    "NAME/fer2013new.csv), or NAME/train/<class>/*.jpg with NAME/test/<class>/*.jpg"
)

Row = tuple[str, str, int | None]  # part, file, label; None = dropped by the votes


def find_csv(path: Path) -> Path | None:
    """The CSV at `path` or in a folder just below it. Raises UsageError where folders have one each."""
    for name in CSV_NAMES:
        found = [file for file in _below(path, name) if file.is_file()]
        if len(found) > 1:
            there = " and ".join(one.relative_to(path).as_posix() for one in found)
            raise UsageError(f"{path} has {there}: give the folder of the one that is meant")
        if found:
            return found[0]
    return None


def _below(path: Path, name: str) -> list[Path]:
    return [file for depth in ("", "*/") for file in sorted(path.glob(depth + name))]


def _votes_of(path: Path, table: Path) -> Path | None:
    """The votes of FER+ beside the CSV. Raises UsageError for votes in another folder, which nobody would read."""
    votes = table.parent / VOTES
    if votes.is_file():
        return votes
    if elsewhere := next(iter(_below(path, VOTES)), None):
        raise UsageError(
            f"{elsewhere} lies in another folder than {table}: put it beside it for the labels of FER+, or move it "
            "away for those of FER2013"
        )
    return None


def read_fer2013(path: Path, name: str, cache: Path) -> TrainingSource:
    """Every image of the CSV, unpacked once into a folder of `cache`.

    With FER+, the class is the one that more than half of the votes name, single votes left out; where
    there is none, or it is contempt, unknown or no face, the image is dropped (the rule "majority" of
    its makers' code). Raises UsageError for a row that is not an image.
    """
    table = find_csv(path)
    if table is None:
        raise UsageError(f"{path} has no fer2013.csv: {LAYOUT}")
    root = cache / f"fer2013-{sha256_file(table)[:16]}"
    unpack_once(table, root, partial(_unpack, table))
    votes = _votes_of(path, table)
    rows: list[Row] = [
        (USAGES[usage], _file(number), label) for number, _, usage, label, _ in _rows(table)
    ]
    how = f"FER2013 by {table.name}"
    if votes:
        rows, counts = _by_votes(rows, votes)
        how = f"{how}, labels by the votes of {VOTES}"
    source = parted("fer2013", how, name, root, [(p, f, n) for p, f, n in rows if n is not None])
    if not votes:
        return source
    given = np.array([counts[file] for file in source.images.files], np.int64)
    return replace(source, images=replace(source.images, votes=given))


def _rows(table: Path) -> Iterator[tuple[int, str, str, int, str]]:
    """Number of the row from 0, where it stands, usage, label, pixels."""
    number = -1
    try:
        _, rows = iterate_csv(table, required=("emotion", "pixels", "Usage"))
    except UsageError as error:
        raise UsageError(f"{error}: {LAYOUT}") from None
    for number, row in enumerate(rows):
        where = f"{table}, line {row.line}"
        if row["emotion"] not in FER2013 or row["Usage"] not in USAGES:
            raise UsageError(
                f"{where}: emotion '{row['emotion'][:20]}', Usage '{row['Usage'][:20]}'; "
                f"expected 0 to 6, and one of {', '.join(USAGES)}"
            )
        yield number, where, row["Usage"], label_of(FER2013[row["emotion"]]), row["pixels"]
    if number < 0:
        raise UsageError(f"{table} has a header and no rows: {LAYOUT}")


def _unpack(table: Path, folder: Path) -> None:
    """Each row as a PNG named as in FER+."""
    import cv2

    for number, where, _, _, text in _rows(table):
        _, png = cv2.imencode(".png", _pixels(text, where))
        (folder / _file(number)).write_bytes(png.tobytes())  # imwrite is silent on a full disk


def _pixels(text: str, where: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Numbers as an image, uint8 [48, 48]. Raises UsageError for another number of them, and for others than 0-255."""
    if not (text.isascii() and text.replace(" ", "").isdigit()):
        raise UsageError(f"{where}: its pixels are not whole numbers from 0 to 255")
    pixels = np.fromstring(text, np.int64, sep=" ")  # what is too large for it is the largest
    if pixels.size != SIDE_PX**2:
        raise UsageError(
            f"{where}: {pixels.size} pixels, not {SIDE_PX**2}: the file was cut off, fetch it again"
        )
    if pixels.max() > 255:
        raise UsageError(f"{where}: a pixel is {pixels.max()}, not from 0 to 255")
    return pixels.astype(np.uint8).reshape(SIDE_PX, SIDE_PX)


def _file(number: int) -> str:
    return f"fer{number:07d}.png"


def _by_votes(rows: list[Row], votes: Path) -> tuple[list[Row], dict[str, list[int]]]:
    """The rows with the labels of the votes, and the votes by file: each says by its name which image it is about."""
    counted = read_csv(votes, required=("Usage", "Image name"), may_be_empty=True)
    if len(counted) != len(rows):
        raise UsageError(
            f"{votes} has {len(counted)} rows and {CSV_NAMES[0]} {len(rows)}: each image has a row, "
            "fetch both again"
        )
    # A table that pandas saved again begins with a column of row numbers, which are no votes.
    classes = [name for name in counted.columns if name and not name.startswith("Unnamed:")]
    classes = [name for name in classes if name not in ("Usage", "Image name")]
    known = {file for _, file, _ in rows}
    labels: dict[str, int | None] = {}
    given: dict[str, list[int]] = {}
    for row in counted:
        where, file = f"{votes}, line {row.line}", row["Image name"]
        votes_of = {name: row[name] for name in classes}
        by_name = counts_of(votes_of, where)
        label = majority(by_name)
        if not file:  # its makers left the image out
            continue
        if file not in known or file in labels:
            what = "stands further up already" if file in labels else f"is no row of {CSV_NAMES[0]}"
            raise UsageError(f"{where}: {file} {what}")
        labels[file], given[file] = label, votes_by_label(by_name)
    return [(part, file, labels.get(file)) for part, file, _ in rows], given


def counts_of(votes: Mapping[str, str], where: str) -> dict[str, int]:
    """Votes by name of the class, single ones left out. Raises UsageError for what is no number of votes."""
    by_name = {name.lower(): _count(count, where) for name, count in votes.items()}
    return {name: count for name, count in by_name.items() if count > 1}


def votes_by_label(by_name: dict[str, int]) -> list[int]:
    """Votes in label order; those for contempt, unknown and no face are left out."""
    votes = [0] * len(EXPRESSIONS)
    for name, count in by_name.items():
        with suppress(UsageError):
            votes[EXPRESSIONS.index(parse_expression(name))] = count
    return votes


def majority(by_name: dict[str, int]) -> int | None:
    """The label with more than half of the votes; None for another outcome."""
    name, most = max(by_name.items(), key=lambda pair: pair[1], default=("unknown", 0))
    if most * 2 <= sum(by_name.values()):
        return None
    try:
        return EXPRESSIONS.index(parse_expression(name))
    except UsageError:  # contempt, unknown, NF
        return None


def _count(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise UsageError(f"{where}: '{text[:20]}' is not a number of votes")
    return int(text)
