"""What all tests share: drawn photos, catalogues on both databases, settings in a temporary folder."""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image, ImageDraw

from btfer.catalogue import Catalogue, open_catalogue
from btfer.catalogue.journal import Fetched, Query, Sighting, add_found, finish, url_id
from btfer.files import write_atomic
from btfer.images import read_photo
from btfer.paths import photo_path, thumbnail_path
from btfer.settings import Settings
from tests import own_postgres

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# No test fails because the machine is slow.
hypothesis.settings.register_profile(
    "any_speed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any_speed")


def draw_photo(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A picture of coloured shapes that no other seed resembles."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(int(c) for c in rng.integers(0, 256, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = (int(v) for v in rng.integers(0, 1000, 2) * size // 1000)
        w, h = (int(v) for v in rng.integers(100, 500, 2) * size // 1000)
        draw.ellipse((x, y, x + w, y + h), fill=tuple(int(c) for c in rng.integers(0, 256, 3)))
    return image


def as_bytes(image: Image.Image, format_: str = "JPEG", **options: object) -> bytes:
    """An encoded picture."""
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def take_in(
    cat: Catalogue, data_dir: Path, data: bytes, query: Query, url: str, **seen: str
) -> str:
    """Put a photo into the catalogue the way the crawl does; its sha256."""
    intake = read_photo(data)
    write_atomic(photo_path(data_dir, intake.sha256, intake.format), data)
    write_atomic(thumbnail_path(data_dir, intake.sha256), intake.thumbnail)
    add_found(cat, query, [Sighting(url, "folder", **seen)])
    finish(cat, [(url_id(url), Fetched("kept", photo=intake.sha256), intake)])
    return intake.sha256


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit's AppTest puts its script in the place of __main__, which spawned workers would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings(
        data_dir=tmp_path / "data", engine="serial", allow_private_hosts=True, host_delay_s=0
    )


@pytest.fixture
def cat(settings: Settings) -> Iterator[Catalogue]:
    catalogue = open_catalogue(settings.catalogue_url)
    yield catalogue
    catalogue.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own."""
    if own_postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
    with own_postgres.running() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalogue.db'}"
    url = request.getfixturevalue("postgres_url")
    name = f"t{abs(hash(str(tmp_path))):x}"
    _run_sql(url, f"CREATE DATABASE {name}")
    return str(url.replace("/postgres?", f"/{name}?"))


@pytest.fixture
def any_cat(empty_url: str) -> Iterator[Catalogue]:
    """The same test on both databases."""
    catalogue = open_catalogue(empty_url)
    yield catalogue
    catalogue.close()


def _run_sql(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
