"""Commands that use a release, on a bucket: the release is fetched whole, and what they make stays on this machine."""

import json
import shutil
from pathlib import Path

import pytest

from btfer.catalogue import Catalogue
from btfer.pipeline import build
from btfer.pipeline.forget import forget
from btfer.settings import Settings
from tests.bench.conftest import draw_folder, put_tiny
from tests.bucket_server import Pail
from tests.leaks.test_check import PHOTOS, plant
from tests.pipeline.test_release import full
from tests.test_cli import run

__all__ = ["full"]  # the fixture

KEPT = ("photos", "thumbnails", "faces", "releases")


@pytest.fixture
def lab(
    full: Catalogue, settings: Settings, kept: Settings, pail: Pail, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A release in the bucket, with its photos, and a catalogue; the folder that this machine has for it, empty."""
    build.run(full, settings, build.Plan(per_class=3))
    for folder in KEPT:
        for path in filter(Path.is_file, (settings.data_dir / folder).rglob("*")):
            pail.write(f"lab/one/{path.relative_to(settings.data_dir)}", path.read_bytes())
    for name, value in {
        "DATA_DIR": kept.bucket_url,
        "CATALOGUE": f"sqlite:///{settings.data_dir / 'catalogue.db'}",
        "ENDPOINT_URL": pail.endpoint,
        "LOCAL_DIR": kept.local_dir,
    }.items():
        monkeypatch.setenv(f"BTFER_{name}", value)
    pail.log.clear()
    assert not kept.data_dir.exists()
    return kept.data_dir


def image_in(pail: Pail) -> str:
    return min(key for key in pail.names() if "/images/" in key and key.endswith(".png"))


def fetched(pail: Pail, folder: str) -> list[str]:
    return [key for method, key in pail.log if method == "GET" and f"/{folder}/" in key]


@pytest.mark.slow
def test_leaks_fetches_the_release_and_its_photos_once(
    lab: Path, pail: Pail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(lab / "training" / "mine", [2, 9])
    assert run(monkeypatch, "leaks") == 1
    [pairs] = lab.glob("leaks/*/leaks.csv")
    assert len(pairs.read_text().splitlines()) == 3
    assert len(fetched(pail, "photos")) == PHOTOS
    assert not any("leaks" in key for key in pail.names())
    pail.log.clear()
    assert run(monkeypatch, "leaks") == 1
    assert set(pail.count()) == {"LIST"}


def test_a_download_that_was_cut_off_is_gone_on_with(
    lab: Path, pail: Pail, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pail.fault = lambda method, key: "503" if len(fetched(pail, "releases")) > 9 else ""
    assert run(monkeypatch, "bench", "plan") == 1
    assert "s3://pail/lab/one cannot be reached (SlowDown" in capsys.readouterr().err
    assert not list(lab.rglob("SHA256SUMS"))
    half = len([one for one in lab.rglob("*") if one.is_file()])
    assert 0 < half < PHOTOS
    pail.fault = lambda method, key: ""
    pail.log.clear()
    assert run(monkeypatch, "verify") == 0
    there = [key for key in pail.names() if "/releases/" in key]
    assert len(fetched(pail, "releases")) == len(there) - half


def test_a_release_whose_bytes_are_not_its_own_is_not_used(
    lab: Path, pail: Pail, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(lab / "training" / "mine", [2])
    key, whole = image_in(pail), pail.read(image_in(pail))
    pail.write(key, whole[:-1] + bytes([whole[-1] ^ 1]))  # of the same length
    for command in (["leaks"], ["bench", "plan"]):
        assert run(monkeypatch, *command) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert "is damaged (images/" in said
        assert "see btfer verify" in said
    assert run(monkeypatch, "verify") == 1  # which says all that is wrong
    assert "FAILED" in capsys.readouterr().out
    pail.write(key, whole)
    shutil.rmtree(lab / "releases")
    assert run(monkeypatch, "verify") == 0


def test_without_a_catalogue_the_one_release_is_used(
    lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BTFER_CATALOGUE", "")
    assert run(monkeypatch, "verify") == 0
    assert run(monkeypatch, "leaderboard", str(lab)) == 3
    [release] = lab.glob("releases/*")
    assert f"can be ranked on {release.name}" in capsys.readouterr().err


@pytest.mark.slow
def test_a_network_is_trained_scored_exported_submitted_and_forgets(
    lab: Path,
    full: Catalogue,
    kept: Settings,
    settings: Settings,
    pail: Pail,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_tiny(monkeypatch)
    draw_folder(lab / "training" / "mine", 4)

    def typed(*words: str) -> str:
        """The standard output of a command, on a machine that has fetched nothing yet."""
        for folder in KEPT:
            shutil.rmtree(lab / folder, ignore_errors=True)
        capsys.readouterr()
        code = run(monkeypatch, *words)
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    grid = ("--model", "sequential_4conv", "--resolution", "48", "--epochs", "1")
    typed("bench", *grid)
    [folder] = [one.parent for one in lab.glob("runs/*/run.json")]
    assert folder.name in typed("bench", "runs")
    [release] = {one.split("/")[3] for one in pail.names() if "/releases/" in one}
    page = json.loads(typed("report", "--json"))["page"]
    assert Path(page).is_relative_to(lab / "reports")
    typed("export", folder.name, "--format", "onnx")
    assert list((folder / "export").rglob("model.*"))
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pail.read(min(key for key in pail.names() if "/photos/" in key)))
    typed("predict", folder.name, str(photo))
    bundle = Path(json.loads(typed("bench", "submit", folder.name, "--json"))["file"])
    assert bundle.parent == lab / "bundles"
    assert "1 ranked" in typed("leaderboard", str(bundle.parent), "--out", str(tmp_path / "site"))
    typed("report", "--with", str(bundle))
    [table] = folder.glob("predictions_btfer*.parquet")
    image = image_in(pail).partition(f"{release}/")[2]
    assert image.encode() in table.read_bytes()
    there = kept.model_copy(update={"catalogue": settings.catalogue_url})
    found = forget(full, there, [f"{release}/{image}"])
    assert not found.left
    assert image.encode() not in table.read_bytes()
    assert not list(lab.glob("reports/*"))
    assert not any(key.startswith(("lab/one/runs", "lab/one/reports")) for key in pail.names())
