"""Connections to a SQLite catalogue: one writer at a time, many readers, and files that may only be read."""

import os
import sqlite3
import urllib.parse
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from btfer.errors import CatalogueError, UsageError
from btfer.plain_files import refuse_odd

BUSY_TIMEOUT_S = 60  # how long a writer waits for another process's lock


def engine_of(url: sa.URL) -> sa.Engine:
    """Connections that hold the write lock from a transaction's first line. The file need not be there yet."""
    if url.database and url.database != ":memory:":
        _prepare(Path(url.database))
    engine = sa.create_engine(url, creator=partial(_connect, url))

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = (
            None  # the driver's own BEGIN comes too late and is not immediate
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        # A plain BEGIN that reads and then writes fails when another writer came in between.
        options = connection.get_execution_options()
        if options.get("btfer_alone"):
            return
        immediate = options.get("btfer_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _prepare(file: Path) -> None:
    """Make the folder of a catalogue. Raises UsageError where either is something else, CatalogueError as well."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{file.parent} is no folder: a catalogue cannot lie in it") from None
    except OSError as error:
        raise CatalogueError(f"cannot make the folder of {file}: {error}") from None
    try:
        refuse_odd(file)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"{file} cannot be the catalogue: {error.strerror}") from None


def _connect(url: sa.URL) -> sqlite3.Connection:
    name = url.database or ":memory:"
    if not is_read_only(url):
        return sqlite3.connect(name, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    # Without a log to read first, nothing need be locked: SQLite cannot lock in a folder that it may not write in.
    log = Path(f"{name}-wal")
    has_log = log.is_file() and log.stat().st_size > 0
    mode = "mode=ro" if has_log else "mode=ro&immutable=1"
    address = f"file:{urllib.parse.quote(str(Path(name).absolute()))}?{mode}"
    return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=False)


def is_read_only(url: sa.URL) -> bool:
    """Whether a SQLite catalogue is there and may not be written, because of its file, its folder or its disk."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return False
    file = Path(url.database)
    return file.is_file() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from another one that takes its place; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def write_ahead(engine: sa.Engine) -> None:
    """The file keeps the setting. It is not made before the file is known to be ours."""
    alone = engine.execution_options(btfer_alone=True)
    with alone.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
