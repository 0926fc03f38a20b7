"""A whole catalogue into another database, SQLite or PostgreSQL, verified row by row."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, open_catalogue
from btfer.catalogue.tables import metadata
from btfer.errors import CatalogueError, UsageError
from btfer.passwords import without_password
from btfer.progress import SILENT, Progress

# So that PostgreSQL sends a part at a time: by itself it sends a million rows at once.
_IN_PARTS = {"yield_per": 2_000}
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
    """Copy every row of the catalogue at one database URL to the other, and compare the two before it is kept.

    The target must hold nothing, or the same already: then nothing is done. It has all rows or none, whenever the
    copy is killed. What others write to the source meanwhile is not in the copy. Photos and faces are files, and
    stay where they are. Raises NoCatalogue where the source holds none, UsageError where the target holds
    something else, CatalogueError where the two differ afterwards.
    """
    with (
        closing(open_catalogue(source, must_exist=True)) as cat,
        closing(open_catalogue(target)) as copy,
    ):
        there = contents(copy)
        if there.total and there == contents(cat):
            return there
        if there.total:
            raise UsageError(
                f"{without_password(target)} holds another catalogue already ({there.total:,} rows): "
                "copy into an empty database"
            )
        with cat.read() as reading, copy.write() as writing:
            copied = copy_rows(reading, writing, metadata.sorted_tables, progress)
            if writing.dialect.name == "postgresql":
                _advance_sequences(writing)
        return copied


def contents(cat: Catalogue) -> Contents:
    """Counts and digest of a catalogue. Order does not count: databases sort text in different ways."""
    with cat.read() as connection:
        return _contents(connection, metadata.sorted_tables)


def copy_rows(
    reading: sa.Connection, writing: sa.Connection, tables: Sequence[sa.Table], progress: Progress
) -> Contents:
    """Copy the rows of tables, which both databases have, and compare what arrived; what was copied.

    Raises CatalogueError where it differs: the caller's transaction must not be kept then.
    """
    total = _count(reading, tables)
    copied = _Digest()
    for table in tables:
        found = reading.execute(sa.select(table), execution_options=_IN_PARTS)
        for part in found.mappings().partitions():
            rows = [dict(row) for row in part]
            writing.execute(sa.insert(table), rows)
            copied.add(table.name, (tuple(row.values()) for row in rows))
            progress.update("copy", copied.total, total)
    wanted = copied.contents(tables)
    if _contents(writing, tables) != wanted:
        raise CatalogueError(
            "the copy differs from what was copied, and was not kept: is the disk, or the database, damaged?"
        )
    return wanted


class _Digest:
    """Counts rows and adds up their digests."""

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._sum = 0

    @property
    def total(self) -> int:
        return self._rows.total()

    def add(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            self._rows[table] += 1
            self._sum += _row_digest(table, row)

    def contents(self, tables: Iterable[sa.Table]) -> Contents:
        rows = {table.name: self._rows[table.name] for table in tables}
        return Contents(rows, f"{self._sum % _MODULUS:064x}")


def _contents(connection: sa.Connection, tables: Sequence[sa.Table]) -> Contents:
    found = _Digest()
    for table in tables:
        for part in connection.execute(sa.select(table), execution_options=_IN_PARTS).partitions():
            found.add(table.name, map(tuple, part))
    return found.contents(tables)


def _count(connection: sa.Connection, tables: Iterable[sa.Table]) -> int:
    counted = (sa.select(sa.func.count()).select_from(table) for table in tables)
    return sum(connection.execute(one).scalar_one() for one in counted)


def _row_digest(table: str, row: tuple[Any, ...]) -> int:
    text = json.dumps([table, *row], sort_keys=True, default=_hex)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def _hex(value: Any) -> str:
    return bytes(value).hex()


def _advance_sequences(connection: sa.Connection) -> None:
    """PostgreSQL counts numbers by itself, and has not seen the ones that were copied."""
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            number = partial(sa.func.pg_get_serial_sequence, table.name, column.name)
            if isinstance(column.type, sa.Integer) and connection.scalar(sa.select(number())):
                last = sa.select(sa.func.max(column)).scalar_subquery()
                connection.execute(sa.select(sa.func.setval(number(), last)))
