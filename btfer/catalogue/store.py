"""Opening a catalogue and its transactions, the same on SQLite and PostgreSQL."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from btfer.catalogue.tables import SCHEMA, metadata
from btfer.errors import BtferError, CatalogueError, MissingExtra, NoCatalogue, UsageError

Row = dict[str, Any]
"""A row inside this package; what leaves it is one of the types of `catalogue.rows`."""

Kind = TypeVar("Kind")
Value = TypeVar("Value")
BUSY_TIMEOUT_S = 60  # how long SQLite waits for another process's lock
PARAMETERS_AT_ONCE = 500  # a statement takes a limited number
# What BEGIN IMMEDIATE is for SQLite: two people who commit at the same instant come one after the other.
_ONE_WRITER = sa.text("SELECT pg_advisory_xact_lock(6278674)")
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

    def count_anew(self) -> None:
        """Let the database look how large its tables are, after much was added: it chooses its ways by that.

        PostgreSQL does so by itself, but up to a minute later, and queries take minutes until then.
        """
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

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def open_catalogue(url: str, *, must_exist: bool = False) -> Catalogue:
    """Open the catalogue at a database URL; an empty one is set up, an older one is upgraded.

    must_exist: where there is none, raise NoCatalogue and create nothing: for a command that only looks, a folder
    without a catalogue is a typing error. Raises UsageError for a URL that is none, MissingExtra without the
    PostgreSQL driver, and CatalogueError when the database cannot be reached, is none of ours, or is newer than
    this btfer.
    """
    if must_exist:
        _refuse_nothing(url)
    engine = _engine(url)
    with _plain_errors(), engine.connect() as connection:
        found = _revision(connection)
    if must_exist and not found:
        engine.dispose()
        raise NoCatalogue(f"the database {sqlite_file(url) or url} is empty: it holds no catalogue")
    if found != SCHEMA:
        _upgrade(engine)
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


def insert_new(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> list[Any]:
    """Insert the rows that are not there yet; the primary keys of the new ones, as tuples."""
    if not rows:
        return []
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(table).on_conflict_do_nothing().returning(*table.primary_key)
    return list(connection.execute(added, rows))


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite catalogue; None for another database, and for a URL that is none."""
    try:
        parsed = _parsed(url)
    except sa.exc.ArgumentError:
        return None  # opening it says what is wrong
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _parsed(url: str) -> sa.URL:
    """A database URL; all that follows sqlite:/// is the file, so that a folder's name may have a '?' in it."""
    scheme, separator, file = url.partition(":///")
    if separator and scheme == "sqlite":
        return sa.URL.create(scheme, database=file)
    return sa.make_url(url)


def _refuse_nothing(url: str) -> None:
    file = sqlite_file(url)
    if file and not file.is_file():
        raise NoCatalogue(
            f"there is no catalogue at {file}: check --data-dir or --catalogue "
            "(btfer crawl and btfer import begin a new one)"
        )


def _engine(url: str) -> sa.Engine:
    try:
        parsed = _parsed(url)
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            # Twenty reviewers of one app must not wait for each other's connection.
            return sa.create_engine(parsed, pool_pre_ping=True, max_overflow=30)
        if parsed.get_backend_name() != "sqlite":
            raise UsageError(f"catalogue '{url}': use sqlite:///FILE or postgresql://HOST/NAME")
        return _sqlite(parsed)
    except ModuleNotFoundError as error:
        raise MissingExtra("a PostgreSQL catalogue", "postgres") from error
    except (SQLAlchemyError, NoSuchModuleError) as error:
        raise UsageError(f"catalogue '{url}' is not a database URL: {error}") from None


def _sqlite(url: sa.URL) -> sa.Engine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogueError(f"cannot make the folder of {url.database}: {error}") from None
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = (
            None  # the driver's own BEGIN comes too late and is not immediate
        )
        connection.execute("PRAGMA journal_mode=WAL")
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
        advice = "free some space and run again" if "full" in text else "check --catalogue"
        raise CatalogueError(f"the catalogue failed: {text} ({advice})") from error
