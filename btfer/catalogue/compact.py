"""Writing the database anew, so that what was deleted is in none of its pages, its log or its statistics.

SQLite writes the file anew with VACUUM and empties the write-ahead log; a process that reads holds up the second.
PostgreSQL writes each table and its statistics anew (VACUUM FULL, ANALYZE); an open transaction of somebody else
holds that up. Its own write-ahead log, its backups and replicas are the administrator's, and are named.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from btfer.catalogue.sqlite import BUSY_TIMEOUT_S
from btfer.catalogue.store import Catalogue
from btfer.catalogue.tables import metadata

READER = "another process reads the catalogue (the review app?): close it"
BEYOND_REACH = (
    "PostgreSQL's own write-ahead log, archives, replicas and backups are not reached: "
    "their administrator must let them expire"
)
_STATISTICS = (
    "PostgreSQL's table of statistics could not be written anew: "
    "let its administrator run VACUUM FULL pg_catalog.pg_statistic"
)
_PAUSE_S = 0.5
Say = Callable[[str], None]


@dataclass(frozen=True)
class Compacted:
    """busy: why it could not be done, '' = it was. notes: what is out of reach."""

    busy: str = ""
    notes: tuple[str, ...] = ()


def compact(cat: Catalogue, *, wait_s: float, say: Say) -> Compacted:
    """Write the database anew; waits up to `wait_s` for other processes, and says so."""
    with cat.alone() as connection:
        sqlite = connection.dialect.name == "sqlite"
        return (_compact_sqlite if sqlite else _compact_postgresql)(connection, wait_s, say)


def _compact_sqlite(connection: sa.Connection, wait_s: float, say: Say) -> Compacted:
    with _impatient_sqlite(connection):
        done = _until(lambda: _vacuum_sqlite(connection), wait_s, say)
        done = done and _until(lambda: _empty_log(connection), wait_s, say)
    return Compacted("" if done else READER)


@contextmanager
def _impatient_sqlite(connection: sa.Connection) -> Iterator[None]:
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(_PAUSE_S * 1000)}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")


def _vacuum_sqlite(connection: sa.Connection) -> bool:
    connection.exec_driver_sql("VACUUM")
    return True


def _empty_log(connection: sa.Connection) -> bool:
    """Whether all of the write-ahead log is in the database and its file is cut to nothing."""
    [(busy, *_)] = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
    return not busy


def _compact_postgresql(connection: sa.Connection, wait_s: float, say: Say) -> Compacted:
    notes = [BEYOND_REACH]
    connection.exec_driver_sql(f"SET lock_timeout = '{int(_PAUSE_S * 1000)}ms'")
    for table in metadata.sorted_tables:
        if not _until(partial(_renew_table, connection, table), wait_s, say):
            return Compacted(READER, tuple(notes))
    statistics = partial(_vacuum_table, connection, "pg_catalog.pg_statistic")
    if not _until(statistics, wait_s, say):
        notes.append(_STATISTICS)
    connection.exec_driver_sql("RESET lock_timeout")
    return Compacted(notes=tuple(notes))


def _renew_table(connection: sa.Connection, table: sa.Table) -> bool:
    if not _vacuum_table(connection, f'"{table.name}"'):
        return False
    _clear_statistics(connection, table)
    return True


def _vacuum_table(connection: sa.Connection, name: str) -> bool:
    """Whether a table was written anew without the rows that were deleted.

    Rows that an older transaction of somebody else may still see are carried along: VACUUM says how many.
    """
    details: list[str] = []

    def hear(notice: Any) -> None:  # which can be read only now
        details.append(notice.message_detail or "")

    driver: Any = connection.connection.driver_connection
    driver.add_notice_handler(hear)
    try:
        connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE, VERBOSE) {name}")
    finally:
        driver.remove_notice_handler(hear)
    kept = [found[0] for found in (re.match(r"\d+", one) for one in details) if found]
    return bool(kept) and set(kept) == {"0"}


def _clear_statistics(connection: sa.Connection, table: sa.Table) -> None:
    """ANALYZE leaves those of an empty table as they were; a column that is given its type again has none."""
    if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
        return
    for column in table.columns:
        kind = column.type.compile(connection.dialect)
        connection.exec_driver_sql(
            f'ALTER TABLE "{table.name}" ALTER COLUMN "{column.name}" TYPE {kind}'
        )


def _until(attempt: Callable[[], bool], wait_s: float, say: Say) -> bool:
    """Try again and again, for so long, while another process is in the way."""
    deadline = time.monotonic() + wait_s
    said = False
    while True:
        try:
            if attempt():
                return True
        except OperationalError as error:  # locked
            if not _is_locked(error):
                raise
        if time.monotonic() >= deadline:
            return False
        if not said:
            say(f"{READER}. Waiting up to {wait_s:.0f} s")
            said = True
        time.sleep(_PAUSE_S)


def _is_locked(error: OperationalError) -> bool:
    text = str(error.orig)
    return "locked" in text or getattr(error.orig, "sqlstate", "") == "55P03"
