"""FER+ as its makers' script unpacks it: a folder of PNGs for each part, with a list of votes that has no header.

Source: Barsoum et al. 2016; src/generate_training_data.py and data/FER2013Train/label.csv of
github.com/microsoft/FERPlus.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from btfer.bench.datasets.fer2013 import counts_of, majority, votes_by_label
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.csv_reader import iterate_csv
from btfer.errors import UsageError
from btfer.safe_paths import relative_name

PARTS = {"FER2013Train": "train", "FER2013Valid": "validation", "FER2013Test": "test"}
LIST = "label.csv"
COLUMNS = (
    *("image", "box"),
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
    *("unknown", "NF"),
)
LAYOUT = (
    "expected FER+ as NAME/FER2013Train, FER2013Valid and FER2013Test, each with label.csv and the PNGs that it "
    "names, as its makers' generate_training_data.py writes them"
)


def find_parts(path: Path) -> list[Path]:
    """The folders of parts that have a list, at `path` or in a folder just below it."""
    patterns = [f"{depth}{name}" for depth in ("", "*/") for name in PARTS]
    return sorted(
        folder for pattern in patterns for folder in path.glob(pattern) if (folder / LIST).is_file()
    )


def read_ferplus(path: Path, name: str) -> TrainingSource:
    """Every image with a majority among its votes, by the rule of `read_fer2013`.

    Raises UsageError that shows the layout, where a part or an image is missing.
    """
    folders = find_parts(path)
    if {one.name for one in folders} != set(PARTS) or len(folders) > len(PARTS):
        there = ", ".join(str(one.relative_to(path)) for one in folders)
        raise UsageError(f"{path} has {LIST} in {there}: {LAYOUT}")
    votes: dict[str, list[int]] = {}
    found = [row for folder in folders for row in _rows(path, folder, votes)]
    source = parted("fer2013", f"FER+ by {LIST} of its parts", name, path, found)
    given = np.array([votes[file] for file in source.images.files], np.int64)
    return replace(source, images=replace(source.images, votes=given))


def _rows(root: Path, folder: Path, votes: dict[str, list[int]]) -> list[tuple[str, str, int]]:
    """(part, file, label) of each image with a label; its votes are put into `votes`."""
    table, found, missing, seen = folder / LIST, [], list[str](), set[str]()
    _, rows = iterate_csv(table, required=COLUMNS, header=COLUMNS)
    for row in rows:
        where = f"{table}, line {row.line}"
        image = str(relative_name(row["image"], where=where))
        if image in seen:
            raise UsageError(f"{where}: {image} stands further up already")
        seen.add(image)
        counts = counts_of({one: row[one] for one in COLUMNS[2:]}, where)
        label = majority(counts)
        if not (folder / image).is_file():
            missing.append(image)
        elif label is not None:
            file = (folder / image).relative_to(root).as_posix()
            votes[file] = votes_by_label(counts)
            found.append((PARTS[folder.name], file, label))
    if not seen:
        raise UsageError(f"{table} is empty: {LAYOUT}")
    if missing:
        raise UsageError(
            f"{folder} lacks {len(missing)} of the {len(seen)} images of {LIST}, such as {missing[0]}: {LAYOUT}"
        )
    return found
