"""Opening a catalogue and its transactions, the same on SQLite and PostgreSQL."""

import datetime
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from btfer.catalogue import sqlite
from btfer.catalogue.address import parse, sqlite_file
from btfer.catalogue.driver_errors import plain_errors
from btfer.catalogue.revisions import ONE_WRITER, VERSION, migrate, revision_of
from btfer.catalogue.tables import SCHEMA
from btfer.errors import BtferError, CatalogueError, MissingExtra, NoCatalogue, UsageError
from btfer.passwords import without_password

Row = dict[str, Any]
"""A row inside this package; what leaves it is one of the types of `catalogue.rows`."""

Kind = TypeVar("Kind")
Value = TypeVar("Value")
BACKUP = ".before-"  # and a revision: the copy of a catalogue before it was upgraded
COPY_OF_SERVER = "catalogue.postgresql"  # and so on: of one on PostgreSQL, in the data folder
MANY = 1_000  # rows: after so many new ones the database plans its queries anew
PARAMETERS_AT_ONCE = 500  # a statement takes a limited number
_AT_ONCE = 5_000  # rows of a long result
# PostgreSQL keeps a list in memory to look things up in it; one that is too long it goes through from the start each
# time. By itself it allows for 8 MB, which the verdicts of 200,000 photos fill.
_LONG_LISTS = (
    "SELECT set_config('work_mem', '256MB', false) "
    "WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('256MB')"
)
_HOLDERS = sa.text(
    "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
    "AND pid = ANY(:pids)"
)
# As a SQLite transaction is: by itself PostgreSQL shows each statement what was committed until then.
_SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Catalogue:
    """An open catalogue. Readers never wait; a writer holds the only write lock from its first line."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._file = self.files()[0].absolute() if self.files() else None
        self._opened = sqlite.identity(self._file) if self._file else None
        self._lock_pids: set[int] = set()  # of the server's processes that hold our stages' locks

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view, whatever others write meanwhile."""
        with plain_errors(), self._engine.connect() as connection:
            yield snapshot(connection)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: all of it happens, or nothing."""
        with plain_errors(), self._engine.connect() as connection:
            with connection.execution_options(btfer_write=True).begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(ONE_WRITER)
                self._refuse_changed(connection)
                self._refuse_unlocked(connection)
                yield connection

    @contextmanager
    def together(self) -> Iterator["Catalogue"]:
        """The catalogue in one transaction: all that is read and written through it is one step, or nothing."""
        with self.write() as connection:
            yield _Together(connection)

    @contextmanager
    def relying_on(self, pid: int) -> Iterator[None]:
        """Write only while this process of the server holds a lock: one that was started anew has given it away."""
        self._lock_pids.add(pid)
        try:
            yield
        finally:
            self._lock_pids.discard(pid)

    def _refuse_unlocked(self, connection: sa.Connection) -> None:
        pids = list(self._lock_pids)
        if pids and connection.execute(_HOLDERS, {"pids": pids}).scalar_one() < len(pids):
            raise CatalogueError(
                "the lock that keeps other machines out is lost (was the database server started anew?): nothing was "
                "written since, and what was done before is kept: run again"
            )

    def check(self) -> None:
        """Raises CatalogueError where the database is no more what was opened: `write` refuses it, too.

        A newer btfer may have upgraded it meanwhile, or its file may have been moved, replaced or deleted.
        """
        with self.read() as connection:
            self._refuse_changed(connection)

    def _refuse_changed(self, connection: sa.Connection) -> None:
        """A migration waits for the lock that a writer has, so that none runs between this and what is written."""
        if self._file and sqlite.identity(self._file) != self._opened:
            raise CatalogueError(
                f"the catalogue {self._file} was replaced or deleted while it was open: nothing was written; "
                "run again, or load the page again"
            )
        found = str(connection.execute(VERSION).scalar())
        if found != SCHEMA:
            raise CatalogueError(
                f"this catalogue was upgraded to version {found} while it was open, and this btfer reads {SCHEMA}: "
                "nothing was written; start the new btfer in place of this one"
            )

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """A connection outside any transaction, for what a database does only there."""
        with plain_errors(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT", btfer_alone=True)

    @property
    def on_server(self) -> bool:
        """Whether other machines may have it open, too."""
        return self._engine.dialect.name == "postgresql"

    def connection(self) -> sa.Connection:
        """A connection that whoever asked for it closes: for what is held longer than one reading or writing."""
        with plain_errors():
            return self._engine.connect()

    def damage(self) -> list[str]:
        """What is wrong with a SQLite file itself, a line each: [] where it is sound, and on PostgreSQL."""
        if not self.files():
            return []
        try:
            with self.read() as connection:
                found = list(connection.execute(sa.text("PRAGMA integrity_check")).scalars())
                astray = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
        except CatalogueError as error:
            return [str(error)]
        rows = [f"table {one[0]}: row {one[1]} points to no row of {one[2]}" for one in astray]
        return [*(one for one in found if one != "ok"), *rows]

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

    def copies_of_older(self, data_dir: Path) -> list[Path]:
        """What `btfer catalogue upgrade` has put beside a SQLite catalogue, or into the data folder of another one."""
        beside = self.files()[0] if self.files() else data_dir / COPY_OF_SERVER
        start = f"{beside.name}{BACKUP}"
        return sorted(one for one in beside.parent.iterdir() if one.name.startswith(start))

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


class _Together(Catalogue):
    """A catalogue inside an open transaction of another one."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection.engine)
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """The transaction, with what was written in it."""
        with plain_errors():
            yield self._connection

    write = read


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
    engine = engine_at(url)
    try:
        with plain_errors(), engine.connect() as connection:
            found = revision_of(connection)
        if not found:
            _refuse_emptied(url, must_exist)
        if engine.dialect.name == "sqlite" and not sqlite.is_read_only(engine.url):
            with plain_errors():
                sqlite.write_ahead(engine)
        if found != SCHEMA:
            _upgrade(engine, found)
    except BtferError:
        engine.dispose()
        raise
    return Catalogue(engine)


def snapshot(connection: sa.Connection) -> sa.Connection:
    """The connection, whose next transaction reads one view, whatever others write meanwhile."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(**_SNAPSHOT)
    return connection


def current_revision(url: str) -> str:
    """The migration that the database at a URL is at, '' for an empty one. Raises as `open_catalogue`."""
    engine = engine_at(url)
    try:
        with plain_errors(), engine.connect() as connection:
            return revision_of(connection)
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
        raise NoCatalogue(
            f"the database {file or without_password(url)} is empty: it holds no catalogue"
        )
    photos = file.parent / "photos" if file else None
    if photos and photos.is_dir() and any(photos.iterdir()):
        raise CatalogueError(
            f"the catalogue {file} is empty, but there are photos in {photos}: put back a copy of it, "
            "or delete the file and import the photos again"
        )


def engine_at(url: str) -> sa.Engine:
    """Connections to the database at a URL, whatever it holds. Raises UsageError, MissingExtra."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite.engine_of(parsed)
    try:
        # What it warns of beside the error says less than the error.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
        # Twenty reviewers of one app must not wait for each other's connection.
        engine = sa.create_engine(parsed, pool_pre_ping=True, max_overflow=30)
    except ModuleNotFoundError as error:
        raise MissingExtra("a PostgreSQL catalogue", "postgres") from error
    except sa.exc.ArgumentError as error:  # its parameters, such as a port that is no number
        raise UsageError(f"catalogue '{without_password(url)}': {error}") from None
    sa.event.listen(engine, "connect", _allow_for_long_lists)
    return engine


def _allow_for_long_lists(connection: Any, _record: Any) -> None:
    connection.execute(_LONG_LISTS)
    connection.commit()


def _upgrade(engine: sa.Engine, found: str) -> None:
    """Bring an empty or older database up to date; what may only be read, and is older, cannot be."""
    try:
        migrate(engine)
    except CatalogueError as error:
        if not found:
            raise
        raise CatalogueError(
            f"this catalogue has version {found}, this btfer reads {SCHEMA}, and it cannot be upgraded: {error}; "
            "whoever may write to it runs btfer catalogue upgrade"
        ) from error
