"""A release is read by the readers that people use: mlcroissant, Hugging Face's imagefolder, Keras."""

import csv
import json
from pathlib import Path

import mlcroissant
import pytest

from btfer.catalogue import Catalogue
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import build, verify
from btfer.pipeline.formats import FORMATS, unpack
from btfer.settings import Settings
from tests.pipeline.test_release import full, sign

__all__ = ["full"]  # the fixture


@pytest.fixture
def made(full: Catalogue, settings: Settings) -> Path:
    return build.run(full, settings, build.Plan(per_class=2)).path


def test_mlcroissant_finds_no_error_and_reads_every_face(made: Path) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(made / "croissant.json"))
    assert list(dataset.metadata.ctx.issues.errors) == []
    labels = {
        record["faces/file_name"].decode(): record["faces/label"].decode()
        for record in dataset.records("faces")
    }
    shown = {
        record["pictures/path"].decode(): record["pictures/content"].size
        for record in dataset.records("pictures")
    }
    assert shown == dict.fromkeys(labels, (256, 256))
    assert len(labels) == 14
    assert all(name.startswith(f"images/{label}/") for name, label in labels.items())
    said = json.loads((made / "croissant.json").read_text())
    assert "14 of 14 labels" in said["rai:dataAnnotationProtocol"]
    assert "secret" not in json.dumps(said)


def test_keras_reads_the_class_folders(made: Path) -> None:
    keras = pytest.importorskip("keras")
    data = keras.utils.image_dataset_from_directory(
        made / "images", image_size=(48, 48), batch_size=14, verbose=False
    )
    assert data.class_names == list(EXPRESSIONS)
    images, labels = next(iter(data))
    assert images.shape == (14, 48, 48, 3)
    assert sorted(labels.numpy()) == sorted(list(range(7)) * 2)


# `datasets` leaves metadata.csv open.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_hugging_face_reads_it_with_its_labels(made: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    data = datasets.load_dataset(
        "imagefolder", data_dir=str(made), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(data) == 14
    assert sorted(data["label"]) == sorted(list(EXPRESSIONS) * 2)


@pytest.fixture
def packed(full: Catalogue, settings: Settings) -> Path:
    plan = build.Plan(per_class=2, formats=list(FORMATS))
    return build.run(full, settings, plan).path


def told(folder: Path) -> dict[str, str]:
    rows = csv.DictReader((folder / "metadata.csv").read_text(encoding="utf-8").splitlines())
    return {row["file_name"]: row["label"] for row in rows}


@pytest.mark.slow
def test_packed_forms_are_read_by_their_own_readers_and_by_hugging_face(
    packed: Path, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    webdataset = pytest.importorskip("webdataset")
    cache = str(tmp_path / "cache")
    whole = datasets.load_dataset(
        "imagefolder", data_dir=str(packed), split="train", cache_dir=cache
    )
    by_card = datasets.load_dataset(str(packed), split="test", cache_dir=cache)
    assert sorted(whole["label"]) == sorted(by_card["label"]) == sorted(told(packed).values())
    parquet = datasets.load_dataset(
        "parquet", data_dir=str(packed / "parquet"), split="train", cache_dir=cache
    )
    assert parquet.features["label"].names == list(EXPRESSIONS)
    assert parquet[0]["image"].size == (256, 256)
    tars = [str(path) for path in sorted((packed / "webdataset").iterdir())]
    samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("pil"))
    assert {one["json"]["file_name"]: EXPRESSIONS[one["cls"]] for one in samples} == told(packed)
    for name in FORMATS:
        read = {file: label for file, label, _ in unpack(packed, name)}
        assert read == told(packed)
    assert [p for check in verify.verify(packed) for p in check.problems] == []


def test_a_packed_form_is_the_same_bytes_each_time_and_checked(
    full: Catalogue, settings: Settings
) -> None:
    plan = build.Plan(per_class=2, formats=["parquet", "folder", "webdataset"])
    first = build.run(full, settings, plan)
    first.path.rename(first.path.with_name("aside"))
    made = build.run(full, settings, plan)
    assert made.digest == first.digest
    [tar] = (made.path / "webdataset").iterdir()
    data = tar.read_bytes()
    at = data.index(b"IDAT") + 100
    tar.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    signed = sign(made.path)
    wrong = {check.name for check in verify.verify(signed) if check.problems}
    assert wrong == {"packed forms hold the same images"}
    with pytest.raises(
        UsageError, match="unknown format 'zip'; choose one of folder, tfrecord, webdataset"
    ):
        build.run(full, settings, build.Plan(formats=["zip"]))
