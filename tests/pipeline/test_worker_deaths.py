"""A photo that kills its worker, in each command that decodes photos: it is recorded, and the others come in."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from btfer.bench.datasets import ImageSet, pixels
from btfer.catalogue import Catalogue
from btfer.catalogue.rows import Photo
from btfer.engine import Engine
from btfer.errors import UsageError
from btfer.faces.modes import CropSettings
from btfer.images import Intake, describe_photo
from btfer.leaks import training
from btfer.paths import photo_path
from btfer.pipeline import crawl, crop, import_photos, rebuild, verify_catalogue, view_hashes
from btfer.pipeline.crop_photo import PhotoFaces, PhotoFile, find_and_cut
from btfer.pipeline.verify_catalogue import check_photo
from btfer.settings import Settings
from btfer.sources import folder
from btfer.sources.web import Web
from btfer.store import Store
from tests.conftest import as_bytes, draw_photo
from tests.loopback import FAST, HAPPY, PLAN, Site, jpeg
from tests.pipeline.crop_photos import keep, photo_of, reasons

DEADLY = b"deadly"

pytestmark = pytest.mark.slow  # workers start four times and more


def or_die(data: bytes) -> None:
    """A decoder that this picture kills."""
    if data.endswith(DEADLY):
        os.kill(os.getpid(), signal.SIGKILL)


def look_or_die(photo: PhotoFile, settings: CropSettings) -> PhotoFaces:
    or_die(photo.path.read_bytes())
    return PhotoFaces(photo.sha256)


def read_or_die(path: Path):  # type: ignore[no-untyped-def]
    or_die(path.read_bytes())
    return folder.read_file(path)


def describe_or_die(data: bytes) -> Intake | str:
    or_die(data)
    return describe_photo(data)


def check_or_die(photo: Photo, *, store: Store) -> list[tuple[str, str]]:
    or_die(photo_path(store.folder, photo.sha256, photo.format).read_bytes())
    return check_photo(photo, store=store)


def training_or_die(picture, root: Path):  # type: ignore[no-untyped-def]
    or_die((root / picture.file).read_bytes())
    return training._read(picture, root)


def decode_or_die(chunk: pixels.Chunk) -> pixels.Decoded:
    for name in chunk.files:
        or_die((chunk.root / name).read_bytes())
    return pixels.decode_chunk(chunk)


def hashes_or_die(photos, *, kind: str, data_dir: Path):  # type: ignore[no-untyped-def]
    if "deadly" in photos:
        os.kill(os.getpid(), signal.SIGKILL)
    return {name: name for name in photos}


@pytest.fixture
def two(settings: Settings) -> Settings:
    return settings.model_copy(update={"engine": "processes", "workers": 2})


def pictures(into: Path, number: int = 5) -> list[str]:
    """PNG files, of which the third is deadly; their names."""
    into.mkdir()
    for n in range(number):
        data = as_bytes(draw_photo(n), "PNG")
        (into / f"{n}.png").write_bytes(data + DEADLY * (n == 2))
    return sorted(one.name for one in into.iterdir())


@pytest.mark.reliability("a picture that kills its worker")
def test_crop_drops_it_with_a_reason(
    cat: Catalogue, settings: Settings, two: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [as_bytes(photo_of(0, n), "PNG") for n in range(5)]
    files[3] += DEADLY
    ids = [keep(cat, two, data) for data in files]
    monkeypatch.setattr(crop, "find_and_cut", look_or_die)
    outcome = crop.run(cat, two, unreviewed="keep")
    assert outcome.reasons == {"no face": 4, "crashed the decoder": 1}
    assert reasons(cat, ids[3]) == [("drop", "crashed the decoder")]
    monkeypatch.setattr(crop, "find_and_cut", find_and_cut)
    again = crop.run(cat, settings, unreviewed="keep", retry=True)
    assert again.reasons == {"no face": 1}


@pytest.mark.reliability("a picture that kills its worker")
def test_import_refuses_it(
    cat: Catalogue, two: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(tmp_path / "faces ? 1")
    monkeypatch.setattr(import_photos.on_disk, "read_file", read_or_die)
    outcome = import_photos.import_folder(cat, two, tmp_path / "faces ? 1")
    assert (outcome.new_photos, outcome.refused) == (4, {"crashed the decoder": 1})
    assert outcome.lost == ["2.png: crashed the decoder"]
    again = import_photos.import_folder(cat, two, tmp_path / "faces ? 1")
    assert (again.known, again.refused) == (5, {})  # no worker dies of it once more


@pytest.mark.reliability("a picture that kills its worker")
def test_crawl_refuses_it(
    cat: Catalogue, two: Settings, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(httpserver)
    for n in range(5):
        answer = Response(jpeg(n) + DEADLY * (n == 2), mimetype="image/jpeg")
        site.answer(HAPPY, f"/p/{n}", lambda request, answer=answer: answer)
    monkeypatch.setattr("btfer.sources.download.describe_photo", describe_or_die)
    outcome = crawl.run(cat, two, [site.source], PLAN, web=Web(FAST), threads=2)
    assert (outcome.kept, outcome.refused) == (4, {"crashed the decoder": 1})


def test_verify_names_it(cat: Catalogue, two: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [keep(cat, two, as_bytes(draw_photo(n), "PNG") + DEADLY * (n == 2)) for n in range(4)]
    monkeypatch.setattr(verify_catalogue, "check_photo", check_or_die)
    monkeypatch.setattr(verify_catalogue, "FEW", 0)
    found = {one.name: one.problems for one in verify_catalogue.verify_catalogue(cat, two)}
    (problem,) = found.pop("every photo has the bytes of its name")
    assert ids[2] in problem
    assert "crashed the decoder" in problem
    assert not any(found.values())


def test_a_training_set_says_that_it_is_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(tmp_path / "set")
    monkeypatch.setattr(training, "_read", training_or_die)
    engine = Engine("processes", 2)
    found, _ = training.read_training(tmp_path / "set", "set", tmp_path / "cache", engine=engine)
    assert found.unread == ("2.png (crashed the decoder)",)
    assert found.files == ("0.png", "1.png", "3.png", "4.png")


def test_the_benchmark_names_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = pictures(tmp_path / "set")
    images = ImageSet(
        "set", tmp_path / "set", tuple(names), np.zeros(len(names), int), {}, "digest"
    )
    monkeypatch.setattr(pixels, "decode_chunk", decode_or_die)
    monkeypatch.setattr(pixels, "WORTH_PROCESSES", 0)
    with pytest.raises(UsageError, match=r"1 images .* 2\.png \(crashed the decoder\)"):
        pixels.load_pixels(images, 48, tmp_path / "cache")


def test_of_the_thumbnails_that_are_read_together_only_it_has_no_hashes(
    two: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(view_hashes, "hashes_of", hashes_or_die)
    monkeypatch.setattr(view_hashes, "IN_PROCESSES_FROM", 0)
    found = view_hashes._computed(["a", "deadly", "b", "c"], two, view_hashes.SILENT)
    assert {name for part in found for name in part} == {"a", "b", "c"}
    assert "the thumbnail of photo deadly crashed the decoder" in caplog.text


def test_rebuild_leaves_it_out() -> None:
    origin = object()
    assert rebuild.crashed((origin, Path("x"))) == (origin, b"", "crashed the decoder")  # type: ignore[arg-type]
