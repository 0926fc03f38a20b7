"""Bringing a catalogue that is there already up to date, with a copy of the old one beside it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue.address import sqlite_file
from btfer.catalogue.store import BACKUP, current_revision, open_catalogue
from btfer.catalogue.tables import SCHEMA


@dataclass(frozen=True)
class Upgraded:
    """The revisions before and after; backup: the copy of the old one, None where it was up to date or PostgreSQL."""

    before: str
    after: str
    backup: Path | None


def upgrade_catalogue(url: str) -> Upgraded:
    """Upgrade, after a SQLite file was copied to `<file>.before-<revision>`.

    Raises NoCatalogue, and creates nothing, where there is no catalogue; as `open_catalogue` otherwise. A database
    on PostgreSQL is upgraded in one transaction and not copied: that is pg_dump's work.
    """
    file = sqlite_file(url)
    before = current_revision(url) if file is None or file.is_file() else ""
    backup = back_up(file, before) if file and before and before != SCHEMA else None
    open_catalogue(url, must_exist=True).close()
    return Upgraded(before, current_revision(url), backup)


def back_up(file: Path, revision: str) -> Path:
    """A copy of a SQLite catalogue beside it, with what its log holds; whole or not there."""
    target = backup_of(file, revision)
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    return part.replace(target)


def backup_of(file: Path, revision: str) -> Path:
    """Where the copy of a catalogue at a revision lies."""
    return file.with_name(f"{file.name}{BACKUP}{revision}")
