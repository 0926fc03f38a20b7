"""A bucket of its own for each test, and the settings for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from btfer.settings import Settings
from btfer.store import bucket as transport
from tests import bucket_server


@pytest.fixture(scope="session")
def server() -> Iterator[bucket_server.Pail]:
    """One server for all tests: it takes a second to start."""
    with bucket_server.running() as pail:
        yield pail


@pytest.fixture
def pail(
    server: bucket_server.Pail, monkeypatch: pytest.MonkeyPatch
) -> Iterator[bucket_server.Pail]:
    for name, value in bucket_server.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(transport, "BACK_OFF_S", 0.01)
    transport._file_system.cache_clear()
    server.log.clear()
    server.fault = lambda method, key: ""
    yield server
    server.fault = lambda method, key: ""
    for key in server.names():
        server.delete(key)


@pytest.fixture
def kept(pail: bucket_server.Pail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with the bucket as data folder and the catalogue in a file."""
    monkeypatch.chdir(tmp_path)
    return Settings(
        data_dir=f"s3://{bucket_server.NAME}/lab/one",  # type: ignore[arg-type]
        endpoint_url=pail.endpoint,
        local_dir=str(tmp_path / "local"),
        catalogue=f"sqlite:///{tmp_path / 'catalogue.db'}",
        engine="serial",
    )
