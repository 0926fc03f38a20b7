"""Which migration a database is at, and the way from one to the next."""

import re
from pathlib import Path

import sqlalchemy as sa

from btfer.catalogue.driver_errors import plain_errors
from btfer.catalogue.tables import SCHEMA, metadata
from btfer.errors import CatalogueError

# What BEGIN IMMEDIATE is for SQLite: two people who commit at the same instant come one after the other.
ONE_WRITER = sa.text("SELECT pg_advisory_xact_lock(6278674)")
VERSION = sa.text("SELECT version_num FROM alembic_version")
_MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(connection: sa.Connection) -> str:
    """The catalogue's migration, '' for an empty database."""
    names = sa.inspect(connection).get_table_names()
    if not names:
        return ""
    if "alembic_version" not in names or not set(metadata.tables) & set(names):
        raise CatalogueError(
            f"this database is not a btfer catalogue (it has tables {', '.join(names[:5])}): "
            "set another one with --catalogue or BTFER_CATALOGUE"
        )
    found = str(connection.execute(VERSION).scalar())
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


def migrate(engine: sa.Engine, revision: str = SCHEMA) -> None:
    """Run the migrations up to a revision, in one transaction; nothing is done where another process was quicker."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    write = engine.execution_options(btfer_write=True)
    with plain_errors(), write.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(ONE_WRITER)
        if revision_of(connection) == revision:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
