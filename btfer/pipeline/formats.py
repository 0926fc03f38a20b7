"""A release's images packed into few large files, for readers that want them so: parquet, webdataset, tfrecord.

The folder of PNGs is always there; each packed form holds the same bytes again, with the row of metadata, in parts
of at most 1,000 images. The same images give the same bytes. No file is named after a split (`test-...`): Hugging
Face's imagefolder would take it for the whole release.
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
from btfer.pipeline.hub_card import packed_card
from btfer.pipeline.release_metadata import NUMBERS, ImageMetadata

FOLDER = "folder"
PART = 1_000
JsonRow = dict[str, Any]
"""The columns of metadata.csv by name, numbers as numbers."""
Packed = tuple[str, str, bytes]
"""What is read back of one image: file_name, label, and the bytes of its PNG."""


@dataclass(frozen=True)
class Format:
    """How a packed form is written and read: file ending, `write(path, rows, images)`, and `read(path)`.

    on_hub: whether Hugging Face's loaders read it; a README then tells them the split.
    """

    ending: str
    write: Callable[[Path, Sequence[JsonRow], Sequence[bytes]], None]
    read: Callable[[Path], Iterator[Packed]]
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
            path = folder / name / f"faces-{number:05d}-of-{len(starts):05d}.{form.ending}"
            path.parent.mkdir(exist_ok=True)
            form.write(path, rows, images)
        if form.on_hub:
            write_atomic(folder / name / "README.md", packed_card(name, form.ending).encode())


def unpack(folder: Path, name: str) -> Iterator[Packed]:
    """What a packed form of a release holds, in its order."""
    form = FORMATS[name]
    for path in sorted((folder / name).glob(f"*.{form.ending}")):
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


def _read_parquet(path: Path) -> Iterator[Packed]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=100, columns=["file_name", "label", "image"]):
            for row in batch.to_pylist():
                yield row["file_name"], EXPRESSIONS[row["label"]], row["image"]["bytes"]


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


def _read_tar(path: Path) -> Iterator[Packed]:
    image = b""
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member)
            content = file.read() if file else b""
            if member.name.endswith(".png"):
                image = content
            elif member.name.endswith(".json"):
                row = json.loads(content)
                yield row["file_name"], row["label"], image


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


def _read_tfrecord(path: Path) -> Iterator[Packed]:
    from btfer.quiet import quiet_stderr

    require("bench", "reading TFRecord files", "tensorflow")
    with quiet_stderr():
        import tensorflow as tf

    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        name, label, image = (
            features[key].bytes_list.value[0]
            for key in ("image/filename", "image/class/text", "image/encoded")
        )
        yield name.decode(), label.decode(), image


FORMATS = {
    "tfrecord": Format("tfrecord", _write_tfrecord, _read_tfrecord),
    "webdataset": Format("tar", _write_tar, _read_tar, on_hub=True),
    "parquet": Format("parquet", _write_parquet, _read_parquet, on_hub=True),
}
