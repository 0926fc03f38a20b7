"""A release's images packed into few large files, for readers that want them so: parquet, webdataset, tfrecord.

The folder of PNGs is always there; each packed form holds the same bytes again, with the row of metadata, in parts
of at most 1,000 images. The same images give the same bytes. The parts are named after their split, as on Hugging
Face; there a split's folder goes before a split's file, so that `imagefolder` still finds the images.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.extras import require
from btfer.files import write_atomic
from btfer.parsing import parse_json
from btfer.pipeline.hub_card import packed_card
from btfer.pipeline.release_metadata import NUMBERS, SPLIT, ImageMetadata
from btfer.safe_paths import relative_name

FOLDER = "folder"
PART = 1_000
MOST_UNPACKED = 4 << 30  # bytes that a part may unpack to: 1,000 images have at most 200 MB
JsonRow = dict[str, Any]
"""The columns of metadata.csv by name, numbers as numbers."""
Packed = tuple[str, str, bytes]
"""What is read back of one image: file_name, label, and the bytes of its PNG."""


@dataclass(frozen=True)
class Format:
    """How a packed form is written and read: file ending, `write(path, rows, images)`, and `read(path)`.

    on_hub: whether Hugging Face's loaders read it; a README then tells them the split. What is read is the row of
    metadata and the PNG of each image.
    """

    ending: str
    write: Callable[[Path, Sequence[JsonRow], Sequence[bytes]], None]
    read: Callable[[Path], Iterator[tuple[JsonRow, bytes]]]
    on_hub: bool = False


def check_formats(names: Sequence[str]) -> tuple[str, ...]:
    """The packed forms among the names, in the order of `FORMATS`. Raises UsageError for an unknown one,
    MissingExtra where TFRecord is asked for and TensorFlow is not installed.
    """
    for name in names:
        if name not in (FOLDER, *FORMATS):
            choices = ", ".join((FOLDER, *FORMATS))
            raise UsageError(f"unknown format '{name}'; choose one of {choices}")
    if "tfrecord" in names:
        require("bench", "--format tfrecord", "tensorflow")
    return tuple(name for name in FORMATS if name in names)


def pack(folder: Path, names: Sequence[str], metadata: Sequence[ImageMetadata]) -> None:
    """Write packed forms of the images below `folder`, each in a folder of its name."""
    starts = range(0, len(metadata), PART)
    for name in names:
        form = FORMATS[name]
        for number, start in enumerate(starts):
            rows = [one.as_json() for one in metadata[start : start + PART]]
            images = [(folder / row["file_name"]).read_bytes() for row in rows]
            path = folder / name / f"{SPLIT}-{number:05d}-of-{len(starts):05d}.{form.ending}"
            path.parent.mkdir(exist_ok=True)
            form.write(path, rows, images)
        if form.on_hub:
            write_atomic(folder / name / "README.md", packed_card(name, form.ending).encode())


def unpack(folder: Path, name: str) -> Iterator[Packed]:
    """What a packed form of a release holds, in its order."""
    for row, image in unpack_rows(folder, name):
        yield row["file_name"], row["label"], image


def unpack_rows(folder: Path, name: str) -> Iterator[tuple[JsonRow, bytes]]:
    """The row of metadata and the PNG of each image that a packed form of a release holds, in its order."""
    form = FORMATS[name]
    for path in sorted((folder / name).glob(f"*.{form.ending}")):
        if path.is_symlink() or not path.is_file():
            raise UsageError(f"{path.name} is not a file")
        yield from form.read(path)


def _write_parquet(path: Path, rows: Sequence[JsonRow], images: Sequence[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [name for name in rows[0] if name != "label"]
    columns: dict[str, list[Any]] = {
        "image": [
            {"bytes": data, "path": row["file_name"]}
            for row, data in zip(rows, images, strict=True)
        ],
        "label": [EXPRESSIONS.index(row["label"]) for row in rows],
        **{name: [row[name] for row in rows] for name in names},
    }
    kinds = {"Float": ("float64", pa.float64()), "Integer": ("int64", pa.int64())}
    of = {name: kinds.get(NUMBERS.get(name, ""), ("string", pa.string())) for name in names}
    said = {name: {"dtype": kind, "_type": "Value"} for name, (kind, _) in of.items()}
    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(EXPRESSIONS), "_type": "ClassLabel"},
    } | said
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [
        ("image", picture),
        ("label", pa.int64()),
        *((n, kind) for n, (_, kind) in of.items()),
    ]
    known = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table(columns, schema=pa.schema(fields, metadata=known))
    pq.write_table(table, path, compression="none", row_group_size=100)


def _read_parquet(path: Path) -> Iterator[tuple[JsonRow, bytes]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MOST_UNPACKED:
            raise UsageError(f"{path.name} unpacks to more than {MOST_UNPACKED:,} bytes")
        for batch in file.iter_batches(batch_size=100):
            for row in batch.to_pylist():
                image = row.pop("image")["bytes"]
                yield row | {"label": _class_at(row["label"])}, image


def _class_at(place: int) -> str:
    if not 0 <= place < len(EXPRESSIONS):
        raise UsageError(f"{place} is not a class")
    return EXPRESSIONS[place]


def _write_tar(path: Path, rows: Sequence[JsonRow], images: Sequence[bytes]) -> None:
    """A sample is three files of one stem: .png, .cls (place of its class in alphabetic order), .json (its row)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for row, data in zip(rows, images, strict=True):
            stem = Path(row["file_name"]).stem
            _add(tar, f"{stem}.png", data)
            _add(tar, f"{stem}.cls", str(EXPRESSIONS.index(row["label"])).encode())
            _add(tar, f"{stem}.json", json.dumps(row, ensure_ascii=False).encode())
    write_atomic(path, buffer.getvalue())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # without time, owner and rights of this machine
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _read_tar(path: Path) -> Iterator[tuple[JsonRow, bytes]]:
    """Nothing is unpacked: the members are read one after the other, and their names only tell their kind."""
    parts: dict[str, bytes] = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            relative_name(member.name, where=path.name)
            file = tar.extractfile(member) if member.isreg() else None
            if file is None or member.size > MOST_UNPACKED // PART:
                raise UsageError(f"{path.name}: {member.name} is not a file, or too large")
            stem, _, ending = member.name.rpartition(".")
            parts[ending] = file.read()
            if ending == "json":
                row = parse_json(parts["json"])
                if stem != Path(row["file_name"]).stem or sorted(parts) != ["cls", "json", "png"]:
                    raise UsageError(f"{path.name}: {stem} is not the sample of its name")
                label = _class_at(int(parts["cls"]))
                both = label if label == row["label"] else f"{row['label']} and {label}"
                yield row | {"label": both}, parts["png"]
                parts = {}
    if parts:
        raise UsageError(f"{path.name} ends within a sample")


def _write_tfrecord(path: Path, rows: Sequence[JsonRow], images: Sequence[bytes]) -> None:
    """Examples with image/encoded, image/filename, image/class/label and /text, and the row's other columns."""
    from btfer.quiet import quiet_stderr

    with quiet_stderr():
        import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for row, data in zip(rows, images, strict=True):
            features = {
                name: _feature(tf, value)
                for name, value in row.items()
                if name not in ("file_name", "label")
            }
            features |= {
                "image/encoded": _feature(tf, data),
                "image/filename": _feature(tf, row["file_name"]),
                "image/class/text": _feature(tf, row["label"]),
                "image/class/label": _feature(tf, EXPRESSIONS.index(row["label"])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString(deterministic=True))  # a map has no order


def _feature(tf: Any, value: Any) -> Any:
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    data = value if isinstance(value, bytes) else str(value).encode()
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[data]))


def _read_tfrecord(path: Path) -> Iterator[tuple[JsonRow, bytes]]:
    from btfer.quiet import quiet_stderr

    require("bench", "reading TFRecord files", "tensorflow")
    with quiet_stderr():
        import tensorflow as tf

    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        values = {
            name: _value(feature)
            for name, feature in tf.train.Example.FromString(record).features.feature.items()
        }
        image = values.pop("image/encoded")
        text: JsonRow = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in values.items()
        }
        label, place = text.pop("image/class/text"), _class_at(text.pop("image/class/label"))
        label = label if label == place else f"{label} and {place}"
        yield {"file_name": text.pop("image/filename"), "label": label, **text}, image


def _value(feature: Any) -> Any:
    """The one value of a feature."""
    [value] = getattr(feature, feature.WhichOneof("kind")).value
    return value


FORMATS = {
    "tfrecord": Format("tfrecord", _write_tfrecord, _read_tfrecord),
    "webdataset": Format("tar", _write_tar, _read_tar, on_hub=True),
    "parquet": Format("parquet", _write_parquet, _read_parquet, on_hub=True),
}
