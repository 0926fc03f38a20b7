"""A catalogue as it was when its verdicts ended at a number: rows are only added, so the later ones are passed over."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue
from btfer.catalogue.tables import verdict


class EarlierCatalogue(Catalogue):
    """Another catalogue, only to be read, without the verdicts after the one with the id `last`."""

    def __init__(self, cat: Catalogue, last: int) -> None:
        self._now, self._last = cat, last

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view, without the later verdicts."""
        with self._now.read() as connection:
            sa.event.listen(connection, "before_execute", self._without_later, retval=True)
            yield connection

    def _without_later(
        self, connection: sa.Connection, statement: Any, many: Any, one: Any, _options: Any
    ) -> tuple[Any, Any, Any]:
        """Whatever asks for the table of verdicts gets a query that is named as the table is."""
        return statement.add_cte(_verdicts_until(self._last, connection.dialect.name)), many, one


def _verdicts_until(last: int, dialect: str) -> sa.CTE:
    # In SQLite the name would mean the query itself. Written out, its rows would be all that there are.
    columns = [sa.column(one.name, one.type) for one in verdict.c]
    table = sa.table("verdict", *columns, schema="main" if dialect == "sqlite" else None)
    rows = sa.select(table).where(table.c.id <= last)
    return rows.cte("verdict").prefix_with("NOT MATERIALIZED")
