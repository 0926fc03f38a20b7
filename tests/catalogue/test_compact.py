"""Compacting: what was deleted is in no page, log or statistic, and an open reader is waited for and named."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from btfer.catalogue import Catalogue, compact, erasure, open_catalogue, text_search
from btfer.catalogue.tables import fetch
from tests.catalogue.test_store import add_photo

URL = "https://example.org/somebody-to-forget.jpg"


def sure(text: str) -> None:
    """Nothing is in the way."""
    raise AssertionError(text)


def raw_files(cat: Catalogue, needle: str) -> list[str]:
    return [one.name for one in cat.files() if one.exists() and needle.encode() in one.read_bytes()]


def test_no_byte_of_a_deleted_row_is_left_in_the_database_files(tmp_path: Path) -> None:
    cat = open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}")
    sha256 = add_photo(cat, "a", url=URL)
    add_photo(cat, "b")
    assert raw_files(cat, URL)
    erasure.erase(cat, [sha256])
    assert compact.compact(cat, wait_s=0, say=sure) == compact.Compacted()
    assert raw_files(cat, URL) == raw_files(cat, sha256) == []
    assert cat.rows(sa.select(fetch.c.url)) == [{"url": "https://example.org/b.jpg"}]
    cat.close()


def test_a_reader_that_stays_is_waited_for_and_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.db'}"
    cat, app = open_catalogue(url), open_catalogue(url)
    sha256 = add_photo(cat, "a", url=URL)
    said: list[str] = []
    with app.read() as reader:
        reader.execute(sa.select(fetch)).all()
        erasure.erase(cat, [sha256])
        done = compact.compact(cat, wait_s=1, say=said.append)
        assert done.busy == compact.READER
        assert len(said) == 1
        assert "Waiting up to 1 s" in said[0]
        assert raw_files(cat, URL)
    assert compact.compact(cat, wait_s=1, say=sure).busy == ""
    assert raw_files(cat, URL) == []
    app.close()
    cat.close()


@pytest.mark.postgres
def test_postgresql_keeps_neither_dead_rows_nor_statistics(
    postgres_url: str,
) -> None:
    from tests.conftest import _run_sql

    _run_sql(postgres_url, "CREATE DATABASE compacting")
    url = postgres_url.replace("/postgres?", "/compacting?")
    cat, other = open_catalogue(url), open_catalogue(url)
    sha256, second = add_photo(cat, "a", url=URL), add_photo(cat, "b")
    assert compact.compact(cat, wait_s=0, say=sure).busy == ""  # now it has statistics
    assert any(place.startswith("statistics") for place, _ in text_search.holding(cat, [URL])[URL])
    said: list[str] = []
    with other.read() as reader:
        reader.execute(sa.select(fetch)).all()
        erasure.erase(cat, [sha256, second])
        assert compact.compact(cat, wait_s=0, say=said.append).busy == compact.READER
    found = compact.compact(cat, wait_s=5, say=said.append)
    assert found.busy == ""
    assert compact.BEYOND_REACH in found.notes
    assert text_search.holding(cat, [URL, sha256]) == {}, (
        "the tables are empty, and so are their statistics"
    )
    for needle in (URL, sha256):
        assert files_with(cat, needle) == []
    other.close()
    cat.close()


def files_with(cat: Catalogue, needle: str) -> list[str]:
    """Files of the database, but for the log, in which the bytes stand; after a checkpoint."""
    with cat.alone() as connection:
        connection.exec_driver_sql("CHECKPOINT")
        folder = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
        name = connection.exec_driver_sql(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).scalar()
    files = [one for one in (folder / "base" / str(name)).iterdir() if one.is_file()]
    return [one.name for one in files if needle.encode() in one.read_bytes()]
