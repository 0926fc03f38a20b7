"""Small sets as people share them, written by the libraries that they write them with."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import datasets
import pytest
import webdataset

from btfer.errors import UsageError
from tests.bench.conftest import draw_face

datasets.disable_progress_bars()
Row = tuple[Any, bytes]  # class, image


def picture(number: int, kind: str = "PNG") -> bytes:
    """An image that no other number has."""
    buffer = io.BytesIO()
    draw_face(number % 7, number, 20).save(buffer, kind)
    return buffer.getvalue()


def parquet(
    path: Path,
    rows: Sequence[Row],
    names: Sequence[str] = (),
    *,
    label: str = "label",
    image: str = "image",
    more: dict[str, list[Any]] | None = None,
) -> Path:
    """A file as Hugging Face's datasets writes it. names: of the numbers; none = the classes are as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {
        image: [
            {"bytes": data, "path": f"{path.stem}_{n}.png"} for n, (_, data) in enumerate(rows)
        ],
        label: [one for one, _ in rows],
    }
    found = datasets.Dataset.from_dict(columns | (more or {}))
    found = found.cast_column(image, datasets.Image(decode=False))
    if names:
        found = found.cast_column(label, datasets.ClassLabel(names=list(names)))
    found.cast_column(image, datasets.Image()).to_parquet(path)
    return path


def tar(path: Path, samples: Iterable[dict[str, Any]]) -> Path:
    """A shard as WebDataset writes it; a sample is the content of its files by their endings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with webdataset.TarWriter(str(path)) as writer:
        for number, sample in enumerate(samples):
            writer.write({"__key__": f"s{number:07d}", **sample})
    return path


def table(path: Path, rows: Iterable[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def assert_refused_in_one_line(read: Callable[[], object], words: str) -> None:
    """It raises UsageError with these words, in one line."""
    with pytest.raises(UsageError, match=words) as error:
        read()
    assert "\n" not in str(error.value)
