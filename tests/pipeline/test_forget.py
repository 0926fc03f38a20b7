"""Forgetting: no byte of the photo or its address is left, and one image of each release changes."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from btfer.catalogue import Catalogue, erasure, faces, photos, releases, withdrawals
from btfer.errors import BtferError, UsageError
from btfer.layout import face_path, photo_path, thumbnail_path
from btfer.pipeline import build, crawl, verify
from btfer.pipeline.diff import diff
from btfer.pipeline.forget import forget
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo
from tests.pipeline.test_release import full

__all__ = ["full"]  # the fixture


def released(made: Path) -> dict[str, str]:
    rows = csv.DictReader((made / "metadata.csv").open(encoding="utf-8"))
    return {row["file_name"]: row["label"] for row in rows}


def middle(data: bytes) -> bytes:
    """Bytes that no other picture has: a JPEG's begin with tables that all share."""
    return data[len(data) // 2 : len(data) // 2 + 48]


def needles(cat: Catalogue, settings: Settings, sha256: str) -> dict[str, bytes]:
    """What must be found nowhere: addresses, names, hashes and pixels."""
    [row] = photos.find(cat, sha256)
    [trace] = erasure.traces(cat, [sha256])
    photo = photo_path(settings.data_dir, sha256, row["format"]).read_bytes()
    thumbnail = thumbnail_path(settings.data_dir, sha256).read_bytes()
    return {
        "url": trace["url"].encode(),
        "sha256": sha256.encode(),
        "part of it": sha256[:24].encode(),
        "photo": middle(photo),
        "thumbnail": middle(thumbnail),
    }


def places(folder: Path, needle: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]


def test_a_forgotten_face_changes_one_image_and_leaves_no_trace(
    full: Catalogue, settings: Settings
) -> None:
    made = build.run(full, settings, build.Plan(per_class=2))
    victim = releases.faces_in(full, made.path.name)[5]
    sha256 = faces.by_id(full, [victim["face"]])[victim["face"]]["photo"]
    pixels = face_path(settings.data_dir, victim["face"]).read_bytes()
    searched = needles(full, settings, sha256) | {"crop": middle(pixels)}
    for name, needle in searched.items():
        assert places(settings.data_dir, needle), name  # they can be found
    before = (made.path / "images" / victim["file"]).read_bytes()
    labels = released(made.path)
    done = forget(full, settings, [victim["face"]])
    assert (done.photos, done.faces) == (1, 1)
    new = made.path.parent / done.releases[made.path.name]
    assert not made.path.exists()
    assert all(not check.problems for check in verify.verify(new))
    assert released(new) == labels
    assert (new / "images" / victim["file"]).read_bytes() != before
    record = json.loads((new / "release.json").read_text())
    assert record["version"] == 2
    assert victim["file"] in record["changes"][0]
    full.close()
    for name, needle in searched.items():
        assert places(settings.data_dir, needle) == [], name


def test_all_other_images_stay_as_they_are(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    made = build.run(full, settings, build.Plan(per_class=2))
    old = tmp_path / made.path.name
    shutil.copytree(made.path, old)
    done = forget(full, settings, ["sad-001.png"])
    new = made.path.parent / done.releases[made.path.name]
    found = diff(old, new)
    assert found.other_pixels == ["images/sad/sad-001.png"]
    assert (found.only_first, found.only_second, found.other_label) == ([], [], [])
    assert "version: 1 -> 2" in found.settings
    assert diff(new, new).empty
    second = shutil.copytree(new, tmp_path / new.name)
    again = forget(full, settings, ["sad-001.png"])
    third = new.parent / again.releases[new.name]
    assert diff(second, third).only_first == ["images/sad/sad-001.png"]  # of three none is left
    assert all(not check.problems for check in verify.verify(third))


def test_what_was_forgotten_is_refused_when_it_comes_again(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "same.jpg").write_bytes(as_bytes(draw_photo(4, (300, 200)), quality=95))
    url = "https://secret.example/4.jpg"
    [sha256] = photos.shown_at(full, [url])
    forget(full, settings, [url])
    assert photos.find(full, sha256) == []
    assert withdrawals.among(full, [url, sha256]) == {url, sha256}
    outcome = crawl.import_folder(full, settings, folder)
    assert outcome.refused == {"withdrawn": 1}
    assert photos.find(full, sha256) == []


def test_forgetting_twice_is_no_error_and_a_wrong_name_is(
    full: Catalogue, settings: Settings
) -> None:
    assert forget(full, settings, ["https://secret.example/4.jpg"]).photos == 1
    assert forget(full, settings, ["https://secret.example/4.jpg"]).photos == 0
    with pytest.raises(UsageError, match="names no picture"):
        forget(full, settings, ["nobody.png"])


def test_a_folder_that_is_no_release_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(BtferError, match="is no release"):
        diff(tmp_path, tmp_path)
