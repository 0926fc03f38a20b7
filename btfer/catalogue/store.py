"""Opening a catalogue and its transactions, the same on SQLite and PostgreSQL."""

import datetime
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from btfer.catalogue import sqlite
from btfer.catalogue.address import parse, shown, sqlite_file
from btfer.catalogue.tables import SCHEMA, metadata
from btfer.errors import BtferError, CatalogueError, MissingExtra, NoCatalogue

Row = dict[str, Any]
"""A row inside this package; what leaves it is one of the types of `catalogue.rows`."""

Kind = TypeVar("Kind")
Value = TypeVar("Value")
BACKUP = ".before-"  # and a revision: the copy of a file before it was upgraded
MANY = 1_000  # rows: after so many new ones the database plans its queries anew
PARAMETERS_AT_ONCE = 500  # a statement takes a limited number
_AT_ONCE = 5_000  # rows of a long result
# What BEGIN IMMEDIATE is for SQLite: two people who commit at the same instant come one after the other.
_ONE_WRITER = sa.text("SELECT pg_advisory_xact_lock(6278674)")
_ADVICE = {
    "full": "free some space and run again",
    "readonly": "this command writes, and the file, its folder or its disk may only be read",
    "malformed": "the file is damaged: put back a copy",
    "decode to UTF-8": "the file is damaged: put back a copy",
    "not a database": "set another one with --catalogue, or put back a copy",
}
_MIGRATIONS = Path(__file__).parent / "migrations"


class Catalogue:
    """An open catalogue. Readers never wait; a writer holds the only write lock from its first line."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view; nothing can be written through it by accident on SQLite."""
        with _plain_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: all of it happens, or nothing."""
        with _plain_errors(), self._engine.connect() as connection:
            with connection.execution_options(btfer_write=True).begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(_ONE_WRITER)
                yield connection

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """A connection outside any transaction, for what a database does only there."""
        with _plain_errors(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT", btfer_alone=True)

    def count_anew(self, added: int | None = None) -> None:
        """Let the database look how large its tables are, after much was added: it chooses its ways by that.

        PostgreSQL does so by itself, but up to a minute later, and queries take minutes until then. added: how
        many rows were; after few nothing is done.
        """
        if added is not None and added < MANY:
            return
        with self.alone() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(sa.text("PRAGMA analysis_limit=1000"))  # rows of each index
            connection.execute(sa.text("ANALYZE"))

    def rows(self, statement: sa.Executable) -> list[Row]:
        """All rows of a query, as dicts."""
        with self.read() as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]

    def read_as(self, kind: Callable[..., Kind], statement: sa.Executable) -> list[Kind]:
        """All rows of a query as `kind`, whose fields its columns are, in their order."""
        with self.read() as connection:
            return [
                kind(*row)
                for part in connection.execute(statement).partitions(5_000)
                for row in part
            ]

    def files(self) -> list[Path]:
        """The files that a SQLite catalogue may have: itself, its log, and the log's index; [] on PostgreSQL."""
        name = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or not name or name == ":memory:":
            return []
        return [Path(f"{name}{ending}") for ending in ("", "-wal", "-shm", "-journal")]

    def copies_of_older(self) -> list[Path]:
        """What `btfer catalogue upgrade` has put beside a SQLite catalogue, at any revision; [] on PostgreSQL."""
        beside = self.files()[0] if self.files() else None
        if not beside:
            return []
        return sorted(
            one for one in beside.parent.iterdir() if one.name.startswith(f"{beside.name}{BACKUP}")
        )

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def open_catalogue(url: str, *, must_exist: bool = False) -> Catalogue:
    """Open the catalogue at a database URL; an empty one is set up, an older one is upgraded.

    must_exist: where there is none, raise NoCatalogue and create nothing: for a command that only looks, a folder
    without a catalogue is a typing error. Raises UsageError for a URL that is none, MissingExtra without the
    PostgreSQL driver, and CatalogueError when the database cannot be reached, is none of ours (it is left as it
    is, to the byte), is newer than this btfer, or is an empty file beside photos. A file that may not be written
    is read as it is.
    """
    if must_exist:
        _refuse_nothing(url)
    engine = _engine(url)
    try:
        with _plain_errors(), engine.connect() as connection:
            found = _revision(connection)
        if not found:
            _refuse_emptied(url, must_exist)
        if engine.dialect.name == "sqlite" and not sqlite.is_read_only(engine.url):
            with _plain_errors():
                sqlite.write_ahead(engine)
        if found != SCHEMA:
            _upgrade(engine)
    except BtferError:
        engine.dispose()
        raise
    return Catalogue(engine)


def current_revision(url: str) -> str:
    """The migration that the database at a URL is at, '' for an empty one. Raises as `open_catalogue`."""
    engine = _engine(url)
    try:
        with _plain_errors(), engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def now(timespec: str = "seconds") -> str:
    """The time in UTC, as the catalogue writes it; in microseconds where what is newest matters within a second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec=timespec)


def in_parts(values: Iterable[Value], size: int = PARAMETERS_AT_ONCE) -> Iterator[list[Value]]:
    """The values in their order, in lists short enough for the parameters of one statement."""
    every = list(values)
    for start in range(0, len(every), size):
        yield every[start : start + size]


def plain_rows(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a long result as the driver gives them: of hundreds of thousands in two thirds of the time.

    Only for columns of texts and whole numbers: nothing is converted.
    """
    result = connection.execute(statement)
    error = connection.dialect.loaded_dbapi.Error
    try:
        while part := result.cursor.fetchmany(_AT_ONCE):
            yield from part
    except error as failed:
        raise DBAPIError(str(statement), None, failed) from failed
    finally:
        result.close()


def insert_new(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> list[Any]:
    """Insert the rows that are not there yet; the primary keys of the new ones, as tuples."""
    if not rows:
        return []
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(table).on_conflict_do_nothing().returning(*table.primary_key)
    return list(connection.execute(added, rows))


def _refuse_nothing(url: str) -> None:
    file = sqlite_file(url)
    if file and not file.is_file():
        raise NoCatalogue(
            f"there is no catalogue at {file}: check --data-dir or --catalogue "
            "(btfer crawl and btfer import begin a new one)"
        )


def _refuse_emptied(url: str, must_exist: bool) -> None:
    """A catalogue that a full disk or a slip has emptied is not a new one: its photos would be nobody's."""
    file = sqlite_file(url)
    if must_exist:
        raise NoCatalogue(f"the database {file or shown(url)} is empty: it holds no catalogue")
    photos = file.parent / "photos" if file else None
    if photos and photos.is_dir() and any(photos.iterdir()):
        raise CatalogueError(
            f"the catalogue {file} is empty, but there are photos in {photos}: put back a copy of it, "
            "or delete the file and import the photos again"
        )


def _engine(url: str) -> sa.Engine:
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite.engine_of(parsed)
    try:
        # Twenty reviewers of one app must not wait for each other's connection.
        return sa.create_engine(parsed, pool_pre_ping=True, max_overflow=30)
    except ModuleNotFoundError as error:
        raise MissingExtra("a PostgreSQL catalogue", "postgres") from error


def _revision(connection: sa.Connection) -> str:
    """The catalogue's migration, '' for an empty database."""
    names = sa.inspect(connection).get_table_names()
    if not names:
        return ""
    if "alembic_version" not in names or not set(metadata.tables) & set(names):
        raise CatalogueError(
            f"this database is not a btfer catalogue (it has tables {', '.join(names[:5])}): "
            "set another one with --catalogue or BTFER_CATALOGUE"
        )
    found = str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar())
    if not re.fullmatch(r"\d{4}", found):
        raise CatalogueError(
            f"this catalogue is damaged: its version reads '{found[:40]}', not four digits; put back a copy"
        )
    if found > SCHEMA:
        raise CatalogueError(
            f"this catalogue has version {found}, this btfer reads up to {SCHEMA}: "
            "upgrade btfer (pip install -U btfer), or use another catalogue"
        )
    return found


def _upgrade(engine: sa.Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    write = engine.execution_options(btfer_write=True)
    with _plain_errors(), write.connect() as connection, connection.begin():
        if _revision(connection) == SCHEMA:
            return  # another process was quicker
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what a driver says into one line that a user can act on."""
    try:
        yield
    except BtferError:
        raise
    except DBAPIError as error:
        text = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        advice = next((say for word, say in _ADVICE.items() if word in text), "check --catalogue")
        raise CatalogueError(f"the catalogue failed: {text} ({advice})") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:  # bytes on the disk have changed
        raise CatalogueError(f"the catalogue failed: {error} ({_ADVICE['malformed']})") from error
