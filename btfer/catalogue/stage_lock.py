"""One run of a stage at a time: on one machine by a file, over all machines of a PostgreSQL catalogue by the server.

The server's lock belongs to a transaction that stays open and reads nothing meanwhile: it keeps no old rows alive, it
ends with its process, and a pool between the two, such as PgBouncer, cannot hand it to somebody else.
"""

import os
import platform
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from btfer import files
from btfer.catalogue.driver_errors import plain_errors
from btfer.catalogue.store import Catalogue
from btfer.errors import Busy

_LOCKS = 6278674  # among those of other programs in the same database
_LONGEST_NAME = 63  # bytes that PostgreSQL keeps of a connection's name
# A server may end what is idle for long, and keep for two hours the lock of a machine that lost its power.
_PATIENT = {
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
_SET = sa.text(
    "SELECT set_config(name, :value, true) FROM pg_settings WHERE name = :name"  # if it has it
)
# The last query of an open transaction keeps its view of the rows until another command comes: this one has none.
_LET_GO = sa.text("SET LOCAL lock_timeout = 0")
_SCHEMA = sa.text("SELECT current_schema()")
_PID = sa.text("SELECT pg_backend_pid()")
_TRY = sa.text("SELECT pg_try_advisory_xact_lock(:locks, :stage)")
_HOLDER = sa.text(
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND l.classid::bigint = :locks AND l.objid::bigint = :stage"
)


@contextmanager
def only_one(cat: Catalogue, data_dir: Path, stage: str, *, by: str = "") -> Iterator[None]:
    """Hold the lock of `stage` in the data folder and in the catalogue; both are freed when the process ends.

    by: the command that holds it where that is another one; who is kept out is told of it. Raises Busy when
    another process holds it, on this machine or on another one.
    """
    with files.only_one(data_dir, stage, by=by), _over_machines(cat, stage, by or stage):
        yield


@contextmanager
def _over_machines(cat: Catalogue, stage: str, command: str) -> Iterator[None]:
    if not cat.on_server:
        yield
        return
    connection = cat.connection()
    try:
        with plain_errors():
            pid = _take(connection, stage, command)
        with cat.relying_on(pid):
            yield
    finally:
        with suppress(
            DBAPIError
        ):  # of a server that has gone: what was to be written there has said so
            connection.rollback()
        connection.close()


def _take(connection: sa.Connection, stage: str, command: str) -> int:
    """Take the lock; the number of the server's process that holds it."""
    schema = connection.execute(_SCHEMA).scalar()
    number = zlib.crc32(f"{schema}/{stage}".encode()) >> 1  # the server takes 31 bits
    name = f"btfer {command} on {platform.node()}, process {os.getpid()}"
    for setting, value in (*_PATIENT.items(), ("application_name", name[:_LONGEST_NAME])):
        connection.execute(_SET, {"name": setting, "value": value})
    lock = {"locks": _LOCKS, "stage": number}
    if not connection.execute(_TRY, lock).scalar():
        holder = connection.execute(_HOLDER, lock).scalar() or f"another 'btfer {stage}'"
        raise Busy(f"{holder} is working on this catalogue: wait until it ends, or stop it")
    pid = int(connection.execute(_PID).scalar_one())
    connection.execute(_LET_GO)
    return pid
