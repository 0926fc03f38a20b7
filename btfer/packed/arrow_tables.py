"""Parquet and Arrow as Hugging Face's datasets writes them: a column of images, and their classes as numbers or names.

What the numbers mean stands in the file's own schema, under the key `huggingface`; a file that pandas wrote again has
lost it. Source: https://huggingface.co/docs/datasets, features.Image and features.ClassLabel.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from btfer.cached import DAMAGED
from btfer.errors import UsageError
from btfer.packed.image import MOST_SHOWN, LabelReader, PackedImage, label_columns, one_line
from btfer.parsing import parse_json

IMAGE_COLUMNS = {"image", "img", "img_bytes", "image_bytes", "face", "jpg", "jpeg", "png", "webp"}
_AT_ONCE = 64  # rows that are unpacked at once
_WITH_INDEX = b"ARROW1"
ARROW = ".arrow"  # as `save_to_disk` and the cache of Hugging Face's datasets call it; another ending is parquet

Batches = Callable[[list[str]], Iterator[Any]]
"""Rows in batches of pyarrow's, by the columns that are asked for."""


@dataclass(frozen=True)
class _Columns:
    """image: the column of images. labels: those that say the class, with the names of its numbers where they are."""

    image: str
    labels: dict[str, tuple[str, ...]]


def read_table(file: Path) -> Iterator[PackedImage]:
    """The images of a parquet or Arrow file.

    Raises UsageError for a damaged one, and for one without a class for each image.
    """
    import pyarrow as pa

    try:
        with open_table(file) as (schema, batches):
            columns = _columns(file, schema)
            labels, row = LabelReader(), 0
            for batch in batches([columns.image, *columns.labels]):
                for cells in batch.to_pylist():
                    row += 1
                    yield _image(cells, columns, labels, file, row)
    except (pa.ArrowException, OSError, *DAMAGED) as error:
        kind = "Arrow" if file.suffix.lower() == ARROW else "parquet"
        reason = str(error).partition("\n")[0][:200]
        raise UsageError(f"{file} cannot be read as {kind}: {reason}: fetch it again") from None


def open_table(file: Path) -> AbstractContextManager[tuple[Any, Batches]]:
    """The schema of a parquet or Arrow file, and its rows by some of its columns, in batches of pyarrow's.

    Raises what pyarrow raises, ValueError and OSError for what is damaged, while it is opened or read.
    """
    return _open_arrow(file) if file.suffix.lower() == ARROW else _open_parquet(file)


@contextmanager
def _open_parquet(file: Path) -> Iterator[tuple[Any, Batches]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as table:
        yield (
            table.schema_arrow,
            lambda wanted: table.iter_batches(batch_size=_AT_ONCE, columns=wanted),
        )


@contextmanager
def _open_arrow(file: Path) -> Iterator[tuple[Any, Batches]]:
    """As a stream of batches, or, as other programs write it, with an index of them at its end."""
    import pyarrow as pa

    with pa.OSFile(str(file)) as source:
        has_index = source.read(len(_WITH_INDEX)) == _WITH_INDEX
        source.seek(0)
        with pa.ipc.open_file(source) if has_index else pa.ipc.open_stream(source) as table:
            whole = (
                map(table.get_batch, range(table.num_record_batches)) if has_index else iter(table)
            )
            yield table.schema, partial(_slices, whole)


def _slices(whole: Iterable[Any], wanted: list[str]) -> Iterator[Any]:
    for batch in whole:
        chosen = batch.select(wanted)
        chosen.validate(full=True)  # or Arrow looks for its cells wherever a damaged file says
        for first in range(0, chosen.num_rows, _AT_ONCE):
            yield chosen.slice(first, _AT_ONCE)


def _columns(file: Path, schema: Any) -> _Columns:
    features = _features(schema.metadata or {})
    fitting = [one.name for one in schema if _holds_images(one.type)]
    said = [one for one in fitting if features.get(one, {}).get("_type") == "Image"]
    usual = [one for one in fitting if one.lower() in IMAGE_COLUMNS]
    chosen = next((one[0] for one in (said, usual, fitting) if len(one) == 1), None)
    there = one_line(", ".join(schema.names))[:200]
    if chosen is None:
        what = (
            f"several columns of images ({', '.join(fitting)})"
            if fitting
            else "no column of images"
        )
        raise UsageError(
            f"{file} has {what}; one with their bytes is needed, and its columns are {there}"
        )
    called = label_columns(tuple(schema.names))
    labels = [one for one in called if _is_class(schema.field(one).type)]
    if not labels:
        what = (
            f"{called[0]} as {schema.field(called[0]).type}" if called else "no column of classes"
        )
        raise UsageError(
            f"{file} has {what}; one called label or emotion with whole numbers or names is needed, and its columns "
            f"are {there}"
        )
    return _Columns(chosen, {one: _names(file, one, features) for one in labels})


def _features(metadata: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """What Hugging Face's datasets says of each column; {} where another program wrote the file."""
    try:
        found = parse_json(metadata[b"huggingface"])["info"]["features"]
        return {str(name): one for name, one in found.items() if isinstance(one, dict)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _names(file: Path, column: str, features: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    names = features.get(column, {}).get("names") or ()
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise UsageError(f"{file}: the names of the classes in {column} are no list of words")
    return tuple(names)


def _holds_images(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(one.name == "bytes" and _is_bytes(one.type) for one in kind)
    return _is_bytes(kind)


def _is_bytes(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_class(kind: Any) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(check(kind) for check in (pa.types.is_integer, *texts))


def _image(
    cells: dict[str, Any], columns: _Columns, labels: LabelReader, file: Path, row: int
) -> PackedImage:
    where, place = f"{file}, row {row}", f"row {row}"
    said = {
        column: _text(cells[column], names, where, column)
        for column, names in columns.labels.items()
    }
    image = cells[columns.image]
    name = ""
    if isinstance(image, dict):
        name, image = one_line(str(image.get("path") or "")), image["bytes"]
    if not image:
        only = (
            f", only the path {name[:MOST_SHOWN]}: it was not uploaded with the set" if name else ""
        )
        raise UsageError(f"{where} has no image{only}")
    return PackedImage(place, labels.label(said, where), image, name)


def _text(value: Any, names: tuple[str, ...], where: str, column: str) -> str:
    """A class as text: the name of a number that has one. Raises UsageError for a number that has none."""
    if value is None:
        return ""
    if not names or isinstance(value, str):
        return str(value).strip()
    if not 0 <= value < len(names):
        raise UsageError(
            f"{where}: {column} is {value}, and its {len(names)} names are for 0 to {len(names) - 1}"
        )
    return names[int(value)]
