"""A release is read by the readers that people use: mlcroissant, Hugging Face's imagefolder, Keras."""

import json
from pathlib import Path

import mlcroissant
import pytest

from btfer.catalogue import Catalogue
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import build
from btfer.settings import Settings
from tests.pipeline.test_release import full

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


def test_hugging_face_reads_it_with_its_labels(made: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    data = datasets.load_dataset(
        "imagefolder", data_dir=str(made), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(data) == 14
    assert sorted(data["label"]) == sorted(list(EXPRESSIONS) * 2)
