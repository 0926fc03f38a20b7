"""Forgetting: no byte of the photo or its address is left, and one image of each release changes."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from btfer.catalogue import Catalogue, erasure, faces, photos, releases, withdrawals
from btfer.catalogue.tables import fetch, sighting
from btfer.errors import BtferError, UsageError
from btfer.faces.modes import crop_settings
from btfer.images import decode_rgb
from btfer.paths import face_path, photo_path, thumbnail_path
from btfer.pipeline import build, verify
from btfer.pipeline.diff import diff
from btfer.pipeline.forget import forget
from btfer.pipeline.formats import FORMATS
from btfer.pipeline.import_photos import import_folder
from btfer.release_record import ONLY, WITH
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo
from tests.pipeline.test_release import full

__all__ = ["full"]  # the fixture


def released(made: Path) -> dict[str, str]:
    rows = csv.DictReader((made / "metadata.csv").read_text(encoding="utf-8").splitlines())
    return {row["file_name"]: row["label"] for row in rows}


WINDOW = 16


def windows(data: bytes) -> set[bytes]:
    """Every 16 bytes in a row: whoever keeps 31 of them keeps one that begins at a multiple of 16."""
    return {data[at : at + WINDOW] for at in range(len(data) - WINDOW + 1)}


def holding_a_part(folder: Path, parts: set[bytes]) -> list[Path]:
    """Files in which any of these windows lies."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not parts.isdisjoint(steps(path.read_bytes()))
    ]


def steps(data: bytes) -> Iterator[bytes]:
    return (data[at : at + WINDOW] for at in range(0, len(data) - WINDOW + 1, WINDOW))


def names_of(cat: Catalogue, sha256: str) -> list[bytes]:
    """Addresses and names that must be found nowhere."""
    [trace] = erasure.traces(cat, [sha256])
    return [trace.url.encode(), sha256.encode(), sha256[:24].encode()]


def pictures_of(settings: Settings, cat: Catalogue, sha256: str, face: str) -> list[bytes]:
    """The photo, its thumbnail and its crop, as files and as pixels."""
    [row] = photos.find(cat, sha256)
    files = [
        photo_path(settings.data_dir, sha256, row.format).read_bytes(),
        thumbnail_path(settings.data_dir, sha256).read_bytes(),
        face_path(settings.data_dir, face).read_bytes(),
    ]
    return [*files, *(decode_rgb(one).tobytes() for one in files)]


def places(folder: Path, needle: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]


def photo_of(cat: Catalogue, face: str) -> str:
    return str(faces.by_id(cat, [face])[face].photo)


@pytest.mark.slow
def test_a_forgotten_face_changes_one_image_and_leaves_no_byte(
    full: Catalogue, settings: Settings
) -> None:
    """In no file of the data folder, the catalogue's free pages and log, caches and every format of release too."""
    packed = build.Plan(per_class=2, formats=list(FORMATS), sources=WITH)
    made = build.run(full, settings, packed)
    victim = releases.faces_in(full, made.path.name)[5]
    every = faces.accepted(full, crop_settings(settings).digest)
    others = [row for row in every if row.id != victim.face]
    sha256 = photo_of(full, victim.face)
    cached = settings.data_dir / "runs/_cache/faces.npy"
    cached.parent.mkdir(parents=True)
    np.save(cached, decode_rgb(face_path(settings.data_dir, victim.face).read_bytes()))
    names, pictures = names_of(full, sha256), pictures_of(settings, full, sha256, victim.face)
    common = set[bytes]()  # tables and headers that every JPEG and PNG has, and plain colours
    for number, other in enumerate(others):
        its = pictures_of(settings, full, other.photo, other.id)
        files_only = its[:3] if number else its
        common |= set[bytes]().union(*map(windows, files_only))
    parts = [windows(one) - common for one in pictures]
    for needle in names:
        assert places(settings.data_dir, needle)  # they can be found
    found = [{path.suffix for path in holding_a_part(settings.data_dir, part)} for part in parts]
    assert found[0] == found[1] == {".jpg"}
    assert found[2] == {".png", ".parquet", ".tar", ".tfrecord"}
    assert ".npy" in found[5]
    before, labels = (made.path / "images" / victim.file).read_bytes(), released(made.path)
    done = forget(full, settings, [victim.face])
    assert (done.photos, done.faces) == (1, 1)
    new = made.path.parent / str(done.releases[made.path.name])
    assert not made.path.exists()
    assert [problem for check in verify.verify(new) for problem in check.problems] == []
    assert released(new) == labels
    assert (new / "images" / victim.file).read_bytes() != before
    record = json.loads((new / "release.json").read_text())
    assert (record["version"], record["formats"]) == ("1.0.1", list(FORMATS))
    assert victim.file in record["changes"][0]
    for open_or_closed in range(2):
        for needle in names:
            assert places(settings.data_dir, needle) == []
        for part in parts:
            assert holding_a_part(settings.data_dir, part) == []
        if not open_or_closed:
            full.close()


def test_all_other_images_stay_as_they_are(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    made = build.run(full, settings, build.Plan(per_class=2))
    old = tmp_path / made.path.name
    shutil.copytree(made.path, old)
    done = forget(full, settings, ["sad-001.png"])
    new = made.path.parent / done.releases[made.path.name]
    found = diff(old, new)
    assert found.other_pixels == ["images/test/sad/sad-001.png"]
    rows = [(folder / "metadata.csv").read_text().splitlines() for folder in (old, new)]
    assert sum(one != other for one, other in zip(*rows, strict=True)) == 1
    lines = [(folder / "faces.jsonl").read_text().splitlines() for folder in (old, new)]
    assert sum(one != other for one, other in zip(*lines, strict=True)) == 1
    assert (found.only_first, found.only_second, found.other_label) == ([], [], [])
    assert "version: 1.0.0 -> 1.0.1" in found.settings
    assert diff(new, new).empty
    second = shutil.copytree(new, tmp_path / new.name)
    again = forget(full, settings, [f"{new.name}/sad-001.png"])
    third = new.parent / again.releases[new.name]
    assert diff(second, third).only_first == [
        "images/test/sad/sad-001.png"
    ]  # of three none is left
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
    outcome = import_folder(full, settings, folder)
    assert outcome.refused == {"withdrawn": 1}
    assert photos.find(full, sha256) == []


def test_forgetting_twice_is_no_error_and_a_wrong_name_is(
    full: Catalogue, settings: Settings
) -> None:
    assert forget(full, settings, ["https://secret.example/4.jpg"]).photos == 1
    assert forget(full, settings, ["https://secret.example/4.jpg"]).photos == 0
    with pytest.raises(UsageError, match="names no photo or face"):
        forget(full, settings, ["nobody.png"])


def test_a_folder_that_is_no_release_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(BtferError, match="is not a release"):
        diff(tmp_path, tmp_path)


def test_who_takes_a_place_is_of_a_site_that_has_room(full: Catalogue, settings: Settings) -> None:
    """All sad photos but one are from one site, which may give one face of a class."""
    digest = crop_settings(settings).digest
    rows = [row for row in faces.accepted_with_labels(full, digest) if row.expression == "sad"]
    pages = ["https://one.example/a", "https://one.example/b", "https://two.example/c"]
    with full.write() as connection:
        for row, page in zip(rows, pages, strict=True):
            of_photo = sa.select(fetch.c.id).where(fetch.c.photo == row.photo)
            moved = sa.update(sighting).where(sighting.c.fetch.in_(of_photo))
            connection.execute(moved.values(page_url=page))
    made = build.run(full, settings, build.Plan(per_class=2, max_per_site=1, allow_short=True))
    held = {row.face: row.file for row in releases.faces_in(full, made.path.name)}
    done = forget(full, settings, [held[rows[2].id].split("/")[-1]])
    new = made.path.parent / str(done.releases[made.path.name])
    assert [label for label in released(new).values() if label == "sad"] == ["sad"]


def test_a_release_that_only_names_addresses_gets_its_next_version_too(
    full: Catalogue, settings: Settings
) -> None:
    made = build.run(full, settings, build.Plan(per_class=2, sources=ONLY))
    victim = releases.faces_in(full, made.path.name)[3]
    done = forget(full, settings, [victim.face])
    new = made.path.parent / str(done.releases[made.path.name])
    assert [problem for check in verify.verify(new) for problem in check.problems] == []
    assert not (new / "images").exists()


def test_the_copy_that_an_upgrade_left_goes_too(cat: Catalogue, settings: Settings) -> None:
    folder = settings.data_dir.parent / "mine"
    folder.mkdir()
    (folder / "a.png").write_bytes(as_bytes(draw_photo(1), "PNG"))
    import_folder(cat, settings, folder, {})
    [sha256] = photos.labels(cat)
    copy = settings.data_dir / "catalogue.db.before-0001"
    shutil.copy(settings.data_dir / "catalogue.db", copy)
    assert cat.copies_of_older(settings.data_dir) == [copy]
    assert forget(cat, settings, [sha256]).left == ()
    assert not copy.exists()
