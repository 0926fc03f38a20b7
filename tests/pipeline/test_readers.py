"""A release is read by the readers that people use: mlcroissant, Hugging Face's imagefolder, Keras."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import mlcroissant
import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from btfer.catalogue import Catalogue
from btfer.catalogue.tables import sighting
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.faces.modes import MODES
from btfer.images import encode_png
from btfer.pipeline import build, release, verify
from btfer.pipeline.formats import FORMATS, unpack
from btfer.pipeline.release_images import ReleaseImage
from btfer.pipeline.release_metadata import COLUMNS, FILE, ImageMetadata
from btfer.release_record import ReleaseRecord, ReleaseSettings
from btfer.settings import Settings
from tests.pipeline.test_release import full, sign

__all__ = ["full"]  # the fixture


@pytest.fixture
def made(full: Catalogue, settings: Settings) -> Path:
    return build.run(full, settings, build.Plan(per_class=2)).path


def test_mlcroissant_has_nothing_to_say_and_reads_image_and_label_of_every_face(
    made: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(made / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert (list(issues.errors), list(issues.warnings), caplog.text) == ([], [], "")
    found = list(dataset.records("faces"))
    assert len(found) == 14
    assert {one["faces/file_name"].decode(): one["faces/label"].decode() for one in found} == told(
        made
    )
    for one in found:
        with Image.open(made / one["faces/file_name"].decode()) as image:
            assert one["faces/image"].tobytes() == image.tobytes()
        assert one["faces/split"] == b"test"
    assert list(dataset.records("splits")) == [
        {"splits/name": "test", "splits/url": "cr:TestSplit"}
    ]
    said = json.loads((made / "croissant.json").read_text())
    assert "14 of 14 labels" in said["rai:dataAnnotationProtocol"]
    assert "secret" not in json.dumps(said)
    assert (
        said["license"]
        == [
            "http://rightsstatements.org/vocab/CNE/1.0/",
            "https://creativecommons.org/licenses/by/4.0/",
        ][: len(said["license"])]
    )
    assert {"url", "creator", "datePublished", "keywords", "version"} <= said.keys()


@pytest.mark.slow
def test_the_program_of_mlcroissant_finds_a_release_of_addresses_valid_too(
    full: Catalogue, settings: Settings
) -> None:
    program = Path(sys.executable).with_name("mlcroissant")
    for sources in ("only", "with"):
        folder = build.run(full, settings, build.Plan(per_class=2, sources=sources)).path
        command = [str(program), "validate", "--jsonld", str(folder / "croissant.json")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert not re.findall("warning|error", done.stdout + done.stderr, re.IGNORECASE), (
            done.stderr
        )


def test_keras_reads_the_class_folders(made: Path) -> None:
    keras = pytest.importorskip("keras")
    data = keras.utils.image_dataset_from_directory(
        made / "images/test", image_size=(48, 48), batch_size=14, verbose=False
    )
    assert data.class_names == list(EXPRESSIONS)
    images, labels = next(iter(data))
    assert images.shape == (14, 48, 48, 3)
    assert sorted(labels.numpy()) == sorted(list(range(7)) * 2)


def test_hugging_face_reads_the_split_test_with_numbers_as_labels_and_all_columns(
    made: Path, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(str(made), cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["test"]
    data = found["test"]
    assert data.features["label"].names == list(EXPRESSIONS)
    assert set(data.column_names) == {"image", FILE, *COLUMNS} - {"file_name"}
    assert told(made) == {
        name: EXPRESSIONS[label] for name, label in zip(data[FILE], data["label"], strict=True)
    }
    for one in data:
        with Image.open(made / one[FILE]) as image:
            assert one["image"].tobytes() == image.tobytes()
        assert len(one["photo_id"]) == 12


@pytest.mark.parametrize("loader", ["imagefolder", "parquet", "webdataset"])
def test_a_bare_loader_calls_the_split_test_too(packed: Path, tmp_path: Path, loader: str) -> None:
    """It reads no README: the split follows from the names of folders and files."""
    datasets = pytest.importorskip("datasets")
    folder = packed if loader == "imagefolder" else packed / loader
    found = datasets.load_dataset(loader, data_dir=str(folder), cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["test"]
    data = found["test"]
    labels = data["cls" if loader == "webdataset" else "label"]
    assert sorted(labels) == sorted(list(range(7)) * 2)
    if loader != "webdataset":
        assert data.features["label"].names == list(EXPRESSIONS)


def test_a_class_without_images_keeps_its_number(
    cat: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    without = [label for label in EXPRESSIONS if label != "fear"]
    images = [plain_image(tmp_path, f"{n:012x}", one, 1) for n, one in enumerate(without)]
    counts = dict.fromkeys(EXPRESSIONS, 1) | {"fear": 0}
    record = ReleaseRecord(
        ReleaseSettings(MODES["paper"], seed=1),
        per_class=1,
        counts=counts,
        available=counts,
        formats=tuple(FORMATS),
        date="2026-11-28",
    )
    made = release.write(cat, settings, images, record).path
    text = " ".join((made / "README.md").read_text().split())
    assert "sRGB, in 6 classes;" in text
    assert "No image shows fear. `imagefolder` and Keras number the folders that are there" in text
    assert "in 6 classes (" in (made / "croissant.json").read_text()
    assert [p for check in verify.verify(made) for p in check.problems] == []
    expected = {name: EXPRESSIONS.index(label) for name, label in told(made).items()}
    assert by_hugging_face(str(made), tmp_path) == expected
    assert by_hugging_face(str(made / "parquet"), tmp_path) == expected
    assert by_hugging_face(str(made / "webdataset"), tmp_path) == expected


def test_the_head_of_the_readme_is_what_hubs_read(made: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.DatasetCard.load(made / "README.md").data
    assert (card.license, card.license_name) == ("other", "per-image")
    assert (made / card.license_link).is_file()
    assert card.task_categories == ["image-classification"]
    [config] = card.configs
    image, label, *_ = config["features"]
    assert (image, label["name"]) == ({"name": "image", "dtype": "image"}, "label")
    assert list(label["dtype"]["class_label"]["names"].values()) == list(EXPRESSIONS)
    assert config["data_files"][0]["split"] == "test"


def test_one_licence_of_all_images_is_named_by_its_id(full: Catalogue, settings: Settings) -> None:
    with full.write() as connection:
        connection.execute(sa.update(sighting).values(licence="CC BY-SA 4.0"))
    made = build.run(full, settings, build.Plan(per_class=2)).path
    assert "\nlicense: cc-by-sa-4.0\n" in (made / "README.md").read_text()
    said = json.loads((made / "croissant.json").read_text())
    assert said["license"] == ["https://creativecommons.org/licenses/by-sa/4.0/"]


@pytest.fixture
def packed(full: Catalogue, settings: Settings) -> Path:
    plan = build.Plan(per_class=2, formats=list(FORMATS))
    return build.run(full, settings, plan).path


def told(folder: Path) -> dict[str, str]:
    rows = csv.DictReader((folder / "metadata.csv").read_text(encoding="utf-8").splitlines())
    return {row["file_name"]: row["label"] for row in rows}


@pytest.mark.slow
def test_every_form_has_the_same_images_labels_and_split(packed: Path, tmp_path: Path) -> None:
    check_all_forms(packed, tmp_path)


@pytest.mark.slow
def test_every_form_of_a_release_of_2100_images_has_the_same_ids_labels_and_split(
    cat: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    places = {f"{n:012x}": (label, n // 7 + 1) for n, label in enumerate(list(EXPRESSIONS) * 300)}
    images = [plain_image(tmp_path, id_, *where) for id_, where in places.items()]
    images.sort(key=lambda one: one.file)
    record = ReleaseRecord(
        ReleaseSettings(MODES["paper"], seed=1),
        per_class=300,
        counts=dict.fromkeys(EXPRESSIONS, 300),
        available=dict.fromkeys(EXPRESSIONS, 300),
        formats=tuple(FORMATS),
        date="2026-11-28",
    )
    made = release.write(cat, settings, images, record)
    assert made.images == 2100
    check_all_forms(made.path, tmp_path)


def plain_image(folder: Path, id_: str, label: str, number: int) -> ReleaseImage:
    """An image of one colour that no other has."""
    pixels = np.full((256, 256, 3), list(bytes.fromhex(f"{int(id_, 16):06x}")), np.uint8)
    path = folder / "crops" / f"{id_}.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_png(pixels))
    file = f"test/{label}/{label}-{number:03d}.png"
    stated = ImageMetadata(
        *(f"images/{file}", label, {label: 1}, "", "", "", "", "folder", "CC0 1.0", "CC0-1.0", ""),
        *(0.99, 60, 70, 2.5, 1.0, (), id_, True),
    )
    return ReleaseImage(file, path, id_, stated, None, None)


def check_all_forms(folder: Path, tmp_path: Path) -> None:
    """Each reader finds the same files with the same labels (as numbers), and the split test where it has splits."""
    expected = {name: EXPRESSIONS.index(label) for name, label in told(folder).items()}
    found = {
        "croissant": by_croissant(folder),
        "hugging face": by_hugging_face(str(folder), tmp_path),
        "parquet": by_hugging_face(str(folder / "parquet"), tmp_path),
        "webdataset": by_webdataset(folder),
        "webdataset by hugging face": by_hugging_face(str(folder / "webdataset"), tmp_path),
        "keras": by_keras(folder),
    }
    for name in FORMATS:
        found[name] = {file: EXPRESSIONS.index(label) for file, label, _ in unpack(folder, name)}
    for reader, labels in found.items():
        assert labels == expected, reader
    assert [p for check in verify.verify(folder) for p in check.problems] == []


def by_croissant(folder: Path) -> dict[str, int]:
    dataset = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    found = {}
    for one in dataset.records("faces"):
        assert (one["faces/split"], one["faces/image"].size) == (b"test", (256, 256))
        found[one["faces/file_name"].decode()] = EXPRESSIONS.index(one["faces/label"].decode())
    return found


def by_hugging_face(path: str, tmp_path: Path) -> dict[str, int]:
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(path, cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["test"]
    data = found["test"]
    if "json" in data.column_names:
        return {
            one["file_name"]: label for one, label in zip(data["json"], data["cls"], strict=True)
        }
    assert data.features["label"].names == list(EXPRESSIONS)
    names = data["file_name" if "file_name" in data.column_names else FILE]
    return dict(zip(names, data["label"], strict=True))


def by_webdataset(folder: Path) -> dict[str, int]:
    webdataset = pytest.importorskip("webdataset")
    tars = [str(path) for path in sorted((folder / "webdataset").glob("*.tar"))]
    samples = webdataset.WebDataset(tars, shardshuffle=False).decode("pil")
    return {one["json"]["file_name"]: one["cls"] for one in samples}


def by_keras(folder: Path) -> dict[str, int]:
    keras = pytest.importorskip("keras")
    data = keras.utils.image_dataset_from_directory(
        folder / "images/test", shuffle=False, batch_size=None, image_size=(8, 8), verbose=False
    )
    names = [str(Path(path).relative_to(folder)) for path in data.file_paths]
    labels = (int(label) for _, label in data.as_numpy_iterator())
    return dict(zip(names, labels, strict=True))


def test_a_packed_form_is_the_same_bytes_each_time_and_checked(
    full: Catalogue, settings: Settings
) -> None:
    plan = build.Plan(per_class=2, formats=["parquet", "folder", "webdataset"])
    first = build.run(full, settings, plan)
    first.path.rename(first.path.with_name("aside"))
    made = build.run(full, settings, plan)
    assert made.digest == first.digest
    [tar] = (made.path / "webdataset").glob("*.tar")
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
