"""A whole catalogue into another database, SQLite or PostgreSQL, verified row by row."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from btfer.catalogue.address import shown
from btfer.catalogue.store import Catalogue, open_catalogue
from btfer.catalogue.tables import metadata
from btfer.errors import CatalogueError, UsageError
from btfer.progress import SILENT, Progress

ROWS_AT_ONCE = 2_000
_MODULUS = 1 << 256


@dataclass(frozen=True)
class Contents:
    """What a catalogue holds: rows by table, and a digest over all of them, the same in every database."""

    rows: dict[str, int]
    digest: str

    @property
    def total(self) -> int:
        """Rows of all tables."""
        return sum(self.rows.values())


def copy_catalogue(source: str, target: str, progress: Progress = SILENT) -> Contents:
    """Copy every row of the catalogue at one database URL to the other, and compare the two afterwards.

    The target must hold nothing, or the same already: then nothing is done. It has all rows or none, whenever the
    copy is killed. Photos and faces are files, and stay where they are. Raises NoCatalogue where the source holds
    none, UsageError where the target holds something else, CatalogueError where the two differ afterwards.
    """
    cat, copy = open_catalogue(source, must_exist=True), open_catalogue(target)
    try:
        wanted, there = contents(cat), contents(copy)
        if there == wanted:
            return wanted
        if there.total:
            raise UsageError(
                f"{shown(target)} holds another catalogue already ({there.total:,} rows): copy into an empty database"
            )
        _copy_rows(cat, copy, progress, wanted.total)
        there = contents(copy)
        if there != wanted:
            raise CatalogueError(
                f"the copy differs from {shown(source)}, which changed meanwhile: empty {shown(target)}, "
                "stop what writes (the review app, a crawl), and copy again"
            )
        return there
    finally:
        cat.close()
        copy.close()


def contents(cat: Catalogue) -> Contents:
    """Counts and digest of a catalogue. Order does not count: databases sort text in different ways."""
    rows, total = {}, 0
    with cat.read() as connection:
        for table in metadata.sorted_tables:
            rows[table.name] = 0
            for row in connection.execute(sa.select(table)).yield_per(ROWS_AT_ONCE):
                rows[table.name] += 1
                total += _row_digest(table.name, tuple(row))
    return Contents(rows, f"{total % _MODULUS:064x}")


def _row_digest(table: str, row: tuple[Any, ...]) -> int:
    text = json.dumps([table, *row], sort_keys=True, default=_hex)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def _hex(value: Any) -> str:
    return bytes(value).hex()


def _copy_rows(cat: Catalogue, copy: Catalogue, progress: Progress, total: int) -> None:
    done = 0
    with cat.read() as reading, copy.write() as writing:
        for table in metadata.sorted_tables:
            found = reading.execute(sa.select(table)).yield_per(ROWS_AT_ONCE)
            for part in found.mappings().partitions(ROWS_AT_ONCE):
                writing.execute(sa.insert(table), [dict(row) for row in part])
                done += len(part)
                progress.update("copy", done, total)
        if writing.dialect.name == "postgresql":
            _advance_sequences(writing)


def _advance_sequences(connection: sa.Connection) -> None:
    """PostgreSQL counts numbers by itself, and has not seen the ones that were copied."""
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            number = partial(sa.func.pg_get_serial_sequence, table.name, column.name)
            if isinstance(column.type, sa.Integer) and connection.scalar(sa.select(number())):
                last = sa.select(sa.func.max(column)).scalar_subquery()
                connection.execute(sa.select(sa.func.setval(number(), last)))
