"""Training sets in parquet and in tars, with bytes changed: images with a class each, or one line."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from btfer.packed import packed_files, read_packed
from tests.conftest import as_bytes, draw_photo
from tests.fuzz import cases
from tests.fuzz.driver import fuzz

NAMES = ["angry", "happy"]


def a_parquet(images: Sequence[bytes]) -> bytes:
    """As Hugging Face writes it, with the names of its classes."""
    features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
    said = {"huggingface": json.dumps({"info": {"features": features}})}
    rows = [{"bytes": one, "path": f"{n}.jpg"} for n, one in enumerate(images)]
    table = pa.table({"image": rows, "label": [n % 2 for n in range(len(rows))]})
    written = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(said), written)
    return written.getvalue()


def a_tar(images: Sequence[bytes]) -> bytes:
    """As WebDataset writes it."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for n, image in enumerate(images):
            for ending, data in (("jpg", image), ("cls", b"%d" % (n % 2)), ("json", b"{}")):
                member = tarfile.TarInfo(f"s{n:04}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return written.getvalue()


@pytest.fixture(scope="module")
def packed() -> dict[str, bytes]:
    images = [as_bytes(draw_photo(n, (16, 16))) for n in range(3)]
    return {"train.parquet": a_parquet(images), "train.tar": a_tar(images)}


@fuzz(20, name=st.sampled_from(["train.parquet", "train.tar"]), changes=cases.mutations())
def test_a_packed_training_set(
    packed: dict[str, bytes], place: Path, name: str, changes: list[cases.Mutation]
) -> None:
    folder = place / "set"
    folder.mkdir(exist_ok=True)
    (folder / "classnames.txt").write_text("\n".join(NAMES))
    file = folder / name
    file.write_bytes(cases.mutated(packed[name], changes))
    try:
        for found in packed_files(folder):
            for image in read_packed(found):
                assert image.data
                assert image.label.strip()
                assert "\n" not in image.label + image.name + image.place
    finally:
        file.unlink()
