from collections.abc import Callable

import pytest
import sqlalchemy as sa

from btfer.catalogue import Catalogue
from btfer.catalogue.journal import Query
from btfer.catalogue.tables import photo
from btfer.paths import photo_path, thumbnail_path
from btfer.pipeline.verify_catalogue import CHECKS, SOUND, verify_catalogue
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in


@pytest.fixture
def taken(cat: Catalogue, settings: Settings) -> list[str]:
    return [
        take_in(cat, settings.data_dir, as_bytes(draw_photo(n)), Query("x", "happy"), f"u{n}")
        for n in range(3)
    ]


def failed(cat: Catalogue, settings: Settings) -> dict[str, list[str]]:
    return {one.name: one.problems for one in verify_catalogue(cat, settings) if one.problems}


def test_a_whole_catalogue_passes(cat: Catalogue, settings: Settings, taken: list[str]) -> None:
    assert [one.name for one in verify_catalogue(cat, settings)] == list(CHECKS)
    assert failed(cat, settings) == {}


@pytest.mark.parametrize("column", ["phash", "mirror_phash", "width"])
def test_a_row_that_somebody_edited_is_found(
    cat: Catalogue, settings: Settings, taken: list[str], column: str
) -> None:
    with cat.write() as connection:
        connection.execute(
            sa.update(photo).where(photo.c.sha256 == taken[1]).values({column: photo.c[column] + 1})
        )
    [(name, [problem])] = failed(cat, settings).items()
    assert name == "every row fits its photo"
    assert problem.startswith(f"{taken[1]}: {column} is ")


SPOILERS: list[tuple[str, Callable[[Settings, str], None]]] = [
    (CHECKS[1], lambda s, one: photo_path(s.data_dir, one, "jpg").unlink()),
    (CHECKS[2], lambda s, one: photo_path(s.data_dir, one, "jpg").write_bytes(b"x")),
    (
        CHECKS[2],
        lambda s, one: photo_path(s.data_dir, one, "jpg").write_bytes(
            photo_path(s.data_dir, one, "jpg").read_bytes() + b"x"
        ),
    ),
    (CHECKS[4], lambda s, one: thumbnail_path(s.data_dir, one).write_bytes(b"x")),
    (CHECKS[4], lambda s, one: thumbnail_path(s.data_dir, one).unlink()),
]


@pytest.mark.parametrize(("name", "spoil"), SPOILERS)
@pytest.mark.reliability("deleted, cut off or swapped photo")
def test_a_lost_or_changed_file_is_found(
    cat: Catalogue,
    settings: Settings,
    taken: list[str],
    name: str,
    spoil: Callable[[Settings, str], None],
) -> None:
    spoil(settings, taken[2])
    found = failed(cat, settings)
    assert name in found
    assert len(found[name]) == 1


def test_a_damaged_database_is_named_and_nothing_else_is_said(
    cat: Catalogue, settings: Settings, taken: list[str]
) -> None:
    with cat.write() as connection:
        connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(sa.text("PRAGMA writable_schema = ON"))
        connection.execute(
            sa.text("UPDATE sqlite_schema SET rootpage = rootpage + 1 WHERE name = 'verdict_uid'")
        )
    cat.close()
    [check] = verify_catalogue(cat, settings)
    assert check.name == SOUND
    assert check.problems
