"""FER2013 as CSVs whose cells hold the pixels, with the votes of FER+ where they lie beside the one with all images.

Sources: Goodfellow et al. 2013, the CSV of Kaggle's challenge; Barsoum et al. 2016,
https://arxiv.org/abs/1608.01041, and fer2013new.csv of github.com/microsoft/FERPlus.
"""

import hashlib
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets.numbering import FER2013, as_text, label_of
from btfer.bench.datasets.parts import ALL, part_of
from btfer.bench.datasets.renumbered import alphabetical
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.bench.datasets.unpacking import unpack_once
from btfer.csv_reader import first_row_of, iterate_csv, read_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.files import sha256_file
from btfer.packed.pixel_tables import WHOLE, PixelTables

VOTES = "fer2013new.csv"
SIDE_PX = 48
USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
LAYOUT = (
    "expected FER2013 as NAME/fer2013.csv with the columns emotion, pixels, Usage (and FER+ as "
    "NAME/fer2013new.csv), as NAME/train.csv and NAME/test.csv with the columns emotion, pixels, or as "
    "NAME/train/<class>/*.jpg with NAME/test/<class>/*.jpg"
)

Row = tuple[str, str, int | None]  # part, file, label; None = dropped by the votes


def _votes_of(path: Path, tables: Collection[Path]) -> Path | None:
    """The votes of FER+ beside the CSV. Raises UsageError for votes in another folder, which nobody would read."""
    table = next(iter(tables))
    votes = table.parent / VOTES
    if votes.is_file():
        return votes
    if elsewhere := next((one for depth in ("", "*/") for one in path.glob(depth + VOTES)), None):
        raise UsageError(
            f"{elsewhere} lies in another folder than {table}: put it beside it for the labels of FER+, or move it "
            "away for those of FER2013"
        )
    return None


def read_fer2013(path: Path, tables: PixelTables, name: str, cache: Path) -> TrainingSource:
    """Every image of the CSVs, unpacked once into a folder of `cache`.

    path: where they were looked for. With FER+, the class is the one that more than half of the votes name, single
    votes left out; where there is none, or it is contempt, unknown or no face, the image is dropped (the rule
    "majority" of its makers' code). Raises UsageError for a row that is not an image, and where tables are not one set.
    """
    parts = _parts(path, tables.with_class)
    digests = [sha256_file(table) for table in parts]
    if len(digests) > 1:
        digests = [hashlib.sha256("".join(digests).encode()).hexdigest()]
    root = cache / f"fer2013-{digests[0][:16]}"
    unpack_once(path, root, partial(_unpack, parts))
    votes = _votes_of(path, parts)
    rows: list[Row] = [(part, _file(number), label) for number, _, part, label, _ in _rows(parts)]
    how = f"FER2013 by {' and '.join(table.name for table in parts)}"
    if tables.without_class:
        without = " and ".join(table.name for table in tables.without_class)
        how += f", without {without}, which has no classes"
    if votes:
        rows, counts = _by_votes(rows, votes)
        how = f"{how}, labels by the votes of {VOTES}"
    source = parted("fer2013", how, name, root, [(p, f, n) for p, f, n in rows if n is not None])
    if not votes:
        _check_order(path, [label for _, _, label in rows])
        return source
    given = np.array([counts[file] for file in source.images.files], np.int64)
    return replace(source, images=replace(source.images, votes=given))


def _check_order(path: Path, labels: Sequence[int | None]) -> None:
    """Refuse numbers that have as many images as FER2013's classes do in the order of the alphabet."""
    counts = {number: labels.count(label_of(name)) for number, name in FER2013.items()}
    if found := alphabetical(counts, "fer2013"):
        raise UsageError(
            f"{path}: the numbers in 'emotion' have as many images as FER2013 has by the alphabet, {as_text(found)}, "
            f"and its own are {as_text(FER2013)}: write these, or put the images into class folders"
        )


def _parts(path: Path, tables: Sequence[Path]) -> dict[Path, str]:
    """The part of each table; '' where its rows say it. Raises UsageError for tables that are not parts of one set.

    Numbers mean what they mean in FER2013 only where a table is called as those of FER2013 are.
    """
    parts = {}
    for table in tables:
        part = part_of(table.name)
        if table.name not in WHOLE and not part:
            raise UsageError(
                f"{table} has pixels, and is none of {', '.join(WHOLE)}, train.csv and test.csv: {LAYOUT}"
            )
        says = "usage" in {name.lower() for name in first_row_of(table)}
        parts[table] = "" if says else part or ALL
    if len(parts) > 1 and ("" in parts.values() or len(set(parts.values())) < len(parts)):
        there = " and ".join(table.relative_to(path).as_posix() for table in tables)
        raise UsageError(f"{path} has {there}: give the one that is meant")
    return parts


def _rows(parts: Mapping[Path, str]) -> Iterator[tuple[int, str, str, int, str]]:
    """Number of the row from 0, where it stands, part, label, pixels."""
    numbers = itertools.count()
    for table, part in parts.items():
        needed = ("emotion", "pixels") if part else ("emotion", "pixels", "Usage")
        try:
            _, rows = iterate_csv(table, required=needed)
        except UsageError as error:
            raise UsageError(f"{error}: {LAYOUT}") from None
        row = None
        for row in rows:
            where = f"{table}, line {row.line}"
            if row["emotion"] not in FER2013:
                raise UsageError(f"{where}: emotion '{row['emotion'][:20]}'; expected 0 to 6")
            label = label_of(FER2013[row["emotion"]])
            yield next(numbers), where, part or _by_usage(row["Usage"], where), label, row["pixels"]
        if row is None:
            raise UsageError(f"{table} has a header and no rows: {LAYOUT}")


def _by_usage(usage: str, where: str) -> str:
    if usage not in USAGES:
        raise UsageError(f"{where}: Usage '{usage[:20]}'; expected one of {', '.join(USAGES)}")
    return USAGES[usage]


def _unpack(parts: Mapping[Path, str], folder: Path) -> None:
    """Each row as a PNG named as in FER+."""
    import cv2

    for number, where, _, _, text in _rows(parts):
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
            f"{votes} has {len(counted)} rows and {WHOLE[0]} {len(rows)}: each image has a row, "
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
            what = "stands further up already" if file in labels else f"is no row of {WHOLE[0]}"
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
