"""The same on Google Cloud Storage, as far as a server on loopback can stand for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.store import Bucket
from btfer.store import bucket as transport
from tests.store import google_server

FACE = "faces/ab/ab-1-00.png"
DATA = bytes(range(65, 91)) * 100


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[google_server.Google]:
    monkeypatch.setenv(
        "NO_GCE_CHECK", "true"
    )  # and so nobody's credentials are looked for elsewhere
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setattr(transport, "BACK_OFF_S", 0.01)
    transport._file_system.cache_clear()
    with google_server.running() as server:
        yield server
    transport._file_system.cache_clear()


@pytest.mark.slow
def test_objects_come_go_and_are_listed(google: google_server.Google) -> None:
    bucket = Bucket("gs://pail/lab", google.endpoint)
    bucket.put(FACE, DATA)
    assert google.objects == {f"lab/{FACE}": DATA}
    google.cut = 1
    assert bucket.get(FACE) == DATA
    assert {key: one.n_bytes for key, one in bucket.list("faces/ab/ab-1").items()} == {
        FACE: len(DATA)
    }
    assert not bucket.list("photos/")
    with pytest.raises(FileNotFoundError):
        bucket.get("faces/other.png")
    bucket.delete(FACE)
    bucket.delete(FACE)
    assert not google.objects
    nowhere = Bucket("gs://nowhere/lab", google.endpoint)
    for doing in (lambda: nowhere.put(FACE, DATA), lambda: nowhere.get(FACE)):
        with pytest.raises(UsageError, match="there is no bucket 'nowhere'"):
            doing()
