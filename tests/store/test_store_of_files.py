"""Files by their paths: fetched before they are read, sent before their row, gone from both places."""

import hashlib
import shutil
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pytest

from btfer.engine import Engine, map_unordered
from btfer.paths import face_path, photo_path, thumbnail_path
from btfer.settings import Settings, load_settings
from btfer.store import Store, StoreError, store_of
from btfer.store.mirror import SUMS, pull, push, send_release
from tests.bucket_server import Pail

DATA = b"the bytes of a photo"
SHA256 = hashlib.sha256(DATA).hexdigest()


def test_a_folder_on_disk_is_left_alone(settings: Settings) -> None:
    store = store_of(settings)
    assert store == Store(settings.data_dir)
    path = photo_path(store.folder, SHA256, "jpg")
    assert not store.fetch(path).exists()
    store.write(path, DATA)
    assert store.read(path) == DATA
    work = partial(pow, 2)
    assert store.at_worker(work, lambda item: path) is work
    assert store.beginning_with(path.with_suffix("")) == [path]
    store.remove([path, path])
    assert not path.exists()


def test_what_is_written_is_in_both_places_and_comes_back(kept: Settings, pail: Pail) -> None:
    store = store_of(kept)
    path = photo_path(store.folder, SHA256, "jpg")
    store.write(path, DATA)
    assert pail.read(f"lab/one/photos/{SHA256[:2]}/{SHA256}.jpg") == DATA == path.read_bytes()
    shutil.rmtree(store.folder)
    assert store.fetch(path).read_bytes() == DATA
    pail.log.clear()
    store.fetch(path)  # it is here
    assert not pail.log


def test_what_the_bucket_has_not_is_not_there(kept: Settings) -> None:
    store = store_of(kept)
    path = thumbnail_path(store.folder, SHA256)
    assert not store.fetch(path).exists()
    with pytest.raises(FileNotFoundError) as told:
        store.read(path)
    assert told.value.filename.startswith("s3://pail/lab/one/thumbnails/")


def test_read_is_not_content_with_the_cache(kept: Settings, pail: Pail) -> None:
    store = store_of(kept)
    path = photo_path(store.folder, SHA256, "jpg")
    store.write(path, DATA)
    pail.delete(f"lab/one/{store.key(path)}")
    assert store.fetch(path).read_bytes() == DATA
    with pytest.raises(FileNotFoundError):
        store.read(path)


def test_a_file_that_is_not_sent_is_an_error(kept: Settings, pail: Pail) -> None:
    pail.fault = lambda method, key: "403" if method == "PUT" else ""  # a bucket to read only
    store = store_of(kept)
    with pytest.raises(StoreError, match="no permission"):
        store.write(photo_path(store.folder, SHA256, "jpg"), DATA)
    with pytest.raises(StoreError, match="no permission"):
        store.write_all((face_path(store.folder, f"ab-{n}"), DATA) for n in range(9))


def test_other_folders_are_never_fetched(kept: Settings, pail: Pail, tmp_path: Path) -> None:
    store = store_of(kept)
    store.fetch(store.folder / "releases" / "one" / "metadata.csv")
    store.fetch(tmp_path / "photos" / "x.jpg")
    assert not pail.log


class Item(NamedTuple):
    path: Path


def size_of(item: Item) -> int:
    return item.path.stat().st_size


@pytest.mark.slow
def test_workers_fetch_by_themselves(kept: Settings, pail: Pail) -> None:
    store = store_of(kept)
    items = [Item(face_path(store.folder, f"a{n}-1-00")) for n in range(6)]
    store.write_all((one.path, b"x" * n) for n, one in enumerate(items, start=1))
    shutil.rmtree(store.folder)
    work = store.at_worker(size_of, attrgetter("path"))
    assert sorted(map_unordered(work, items, engine=Engine("processes", 2))) == [1, 2, 3, 4, 5, 6]


def test_deleting_is_deleting_in_both_places(kept: Settings, pail: Pail) -> None:
    store = store_of(kept)
    paths = [face_path(store.folder, f"ab{n}-1-00") for n in range(3)]
    store.write_all((one, DATA) for one in paths)
    paths[1].unlink()  # the cache may have lost it
    assert store.beginning_with(store.folder / "faces" / "ab" / "ab") == paths
    store.remove(paths)
    assert not pail.names()
    assert not any(one.exists() for one in paths)


def make_release(folder: Path, **files: str) -> Path:
    for name, text in {"metadata.csv": "a", "images/sad/sad-001.png": "b", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / SUMS).write_text("sums")
    return folder


def test_a_release_is_sent_with_its_list_of_files_last(
    kept: Settings, pail: Pail, tmp_path: Path
) -> None:
    send_release(store_of(kept), make_release(tmp_path / "part"), "one")
    puts = [key for method, key in pail.log if method == "PUT"]
    assert puts[-1] == f"lab/one/releases/one/{SUMS}"
    assert len(puts) == 3


def test_a_release_that_was_cut_off_is_none(kept: Settings, pail: Pail, tmp_path: Path) -> None:
    store, part = store_of(kept), make_release(tmp_path / "part")
    pail.fault = lambda method, key: "403" if key.endswith("metadata.csv") else ""
    with pytest.raises(StoreError):
        send_release(store, part, "one")
    pail.fault = lambda method, key: ""
    assert f"lab/one/releases/one/{SUMS}" not in pail.names()
    pull(store, "releases")
    assert not (store.folder / "releases").exists()
    send_release(store, part, "one")
    pull(store, "releases")
    assert (store.folder / "releases/one/images/sad/sad-001.png").read_text() == "b"


def test_what_a_killed_upload_has_left_goes_with_the_next_release_of_a_later_day(
    kept: Settings, pail: Pail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(kept)
    cut, whole = "lab/one/releases/cut/images/a.png", "lab/one/releases/old/README.md"
    for key in (cut, whole, f"lab/one/releases/old/{SUMS}", "lab/one/releases/cut2/README.md"):
        pail.write(key, DATA)
    for name in ("README.md", SUMS):
        (tmp_path / name).write_bytes(DATA)
    send_release(store, tmp_path, "new")
    assert cut in pail.names()  # another machine may be sending it
    monkeypatch.setattr("btfer.store.mirror.CUT_OFF_S", -1)
    send_release(store, tmp_path, "new")
    there = {one.split("/")[3] for one in pail.names()}
    assert there == {"old", "new"}
    assert whole in pail.names()


def test_another_machine_sees_what_one_has_changed(
    kept: Settings, pail: Pail, tmp_path: Path
) -> None:
    other = store_of(load_settings(**kept.model_dump() | {
        "data_dir": kept.bucket_url, "local_dir": str(tmp_path / "elsewhere")
    }))  # fmt: skip
    store = store_of(kept)
    home, theirs = (one.folder / "releases" for one in (store, other))
    make_release(home / "one")
    make_release(home / "two")
    known = pull(other, "releases")
    assert not known
    push(store, "releases", [])
    known = pull(store, "releases")
    pull(other, "releases")
    assert (theirs / "one" / "metadata.csv").read_text() == "a"
    pail.log.clear()
    pull(other, "releases")
    push(store, "releases", known)
    assert set(pail.count()) == {"LIST"}  # nothing has changed
    (home / "one" / "metadata.csv").write_text("longer")
    shutil.rmtree(home / "two")
    push(store, "releases", known)
    pull(other, "releases")
    assert (theirs / "one" / "metadata.csv").read_text() == "longer"
    assert not (theirs / "two").exists()
    assert not any("two" in key for key in pail.names())


def test_a_release_of_another_machine_is_not_deleted_by_a_push(
    kept: Settings, pail: Pail, tmp_path: Path
) -> None:
    store = store_of(kept)
    known = pull(store, "releases")
    send_release(store, make_release(tmp_path / "theirs"), "theirs")  # made meanwhile
    push(store, "releases", known)
    assert f"lab/one/releases/theirs/{SUMS}" in pail.names()
