"""Bringing a catalogue that is there already up to date, with a copy of the old one first."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import sqlalchemy as sa

from btfer.catalogue.address import sqlite_file
from btfer.catalogue.copy import copy_rows
from btfer.catalogue.driver_errors import plain_errors
from btfer.catalogue.revisions import migrate
from btfer.catalogue.store import (
    BACKUP,
    COPY_OF_SERVER,
    current_revision,
    engine_at,
    open_catalogue,
    snapshot,
)
from btfer.catalogue.tables import SCHEMA
from btfer.errors import CatalogueError
from btfer.progress import SILENT, Progress


@dataclass(frozen=True)
class Upgraded:
    """The revisions before and after; backup: the copy of the old one, None where it was up to date."""

    before: str
    after: str
    backup: Path | None


def upgrade_catalogue(url: str, data_dir: Path, progress: Progress = SILENT) -> Upgraded:
    """Upgrade, after the old catalogue was copied: a SQLite file that an earlier btfer can open.

    That of a SQLite catalogue lies beside it as `<file>.before-<revision>`, that of one on PostgreSQL in the data
    folder, with every row compared. Raises NoCatalogue, and creates nothing, where there is no catalogue; as
    `open_catalogue` otherwise. One that is of a newer btfer is neither copied nor changed.
    """
    file = sqlite_file(url)
    before = current_revision(url) if file is None or file.is_file() else ""
    backup = None
    if before and before != SCHEMA:
        name = file or data_dir / COPY_OF_SERVER
        backup = name.with_name(f"{name.name}{BACKUP}{before}")
        with _whole(backup) as part:
            if file:
                _copy_file(file, part)
            else:
                _copy_server(url, before, part, progress)
    open_catalogue(url, must_exist=True).close()
    return Upgraded(before, current_revision(url), backup)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A name to write under; the file has its own at the end, whole, or is not there."""
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Left by a run that was killed; a journal would be played back into the new file.
        for left in target.parent.glob(f"{escape(part.name)}*"):
            left.unlink()
        yield part
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise CatalogueError(
            f"the catalogue was not upgraded, since it cannot be copied to {target} first: {error}"
        ) from error


def _copy_file(file: Path, part: Path) -> None:
    """With what its log holds."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)


def _copy_server(url: str, revision: str, part: Path, progress: Progress) -> None:
    """Into tables that the migrations up to that revision make: the columns of now are not all there."""
    server, file = engine_at(url), engine_at(f"sqlite:///{part}")
    try:
        migrate(file, revision)
        old = sa.MetaData()
        old.reflect(file)
        tables = [one for one in old.sorted_tables if one.name != "alembic_version"]
        with (
            plain_errors(),
            server.connect() as reading,
            file.connect() as writing,
            writing.begin(),
        ):
            copy_rows(snapshot(reading), writing, tables, progress)
    finally:
        server.dispose()
        file.dispose()
