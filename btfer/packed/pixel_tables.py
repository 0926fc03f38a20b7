"""FER2013 as tables whose cells hold the pixels: which of a folder's CSVs these are.

All images are in `fer2013.csv` or `icml_face_data.csv`, whose column Usage says the part; or each part has a table of
its own, `train.csv` and `test.csv` of Kaggle's challenge, the second of which has no classes. Where one with all images
lies beside those of the parts, as in the challenge's archive, it is the one that counts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from btfer.csv_reader import first_row_of
from btfer.errors import UsageError

WHOLE = ("fer2013.csv", "icml_face_data.csv")


class PixelTables(NamedTuple):
    """The tables of a set. without_class: those of which nobody learns what their images show."""

    with_class: tuple[Path, ...] = ()
    without_class: tuple[Path, ...] = ()


def find_pixel_tables(path: Path) -> PixelTables:
    """The tables with pixels at `path`, in it or in a folder just below it; path: a folder or a CSV.

    Raises UsageError where folders have one with all images each.
    """
    if path.is_file():
        return _sorted_out([path] if path.suffix.lower() == ".csv" else [])
    for name in WHOLE:
        found = [file for file in _below(path, name) if file.is_file()]
        if len(found) > 1:
            there = " and ".join(one.relative_to(path).as_posix() for one in found)
            raise UsageError(f"{path} has {there}: give the folder of the one that is meant")
        if found:
            return PixelTables(tuple(found))
    return _sorted_out(_below(path, "*.csv"))


def _below(path: Path, name: str) -> list[Path]:
    return [file for depth in ("", "*/") for file in sorted(path.glob(depth + name))]


def _sorted_out(files: list[Path]) -> PixelTables:
    columns = {file: set(_columns(file)) for file in files if file.is_file()}
    with_pixels = {file: names for file, names in columns.items() if "pixels" in names}
    return PixelTables(
        tuple(file for file, names in with_pixels.items() if "emotion" in names),
        tuple(file for file, names in with_pixels.items() if "emotion" not in names),
    )


def _columns(file: Path) -> Iterator[str]:
    return (name.lower() for name in first_row_of(file))
