"""A catalogue that has rows in every table, whatever tables there are and whichever migration it is at."""

from typing import Any

import sqlalchemy as sa

from btfer.catalogue.revisions import migrate
from btfer.catalogue.store import engine_at

AT = "2026-01-01T00:00:00+00:00"


def fill(url: str, *, revision: str, rows: int = 3) -> None:
    """Migrate an empty database to a revision and put rows into each of its tables."""
    engine = engine_at(url)
    migrate(engine, revision)
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.execution_options(btfer_write=True).begin() as connection:
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(sa.insert(table), [_row(table, n) for n in range(rows)])
    engine.dispose()


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    return {
        column.name: _value(column, number)
        for column in table.columns
        if not (column.primary_key and isinstance(column.type, sa.Integer))
    }


def _value(column: sa.Column[Any], number: int) -> Any:
    """Of a foreign key the same as of what it points to."""
    for key in column.foreign_keys:
        return f"{key.column.table.name} {key.column.name} {number} ñ'\n\t 😀"
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {"of": number, "list": [1.5, None, "ü"]}
    if isinstance(kind, sa.Boolean):
        return number % 2 == 1
    if isinstance(kind, sa.BigInteger):
        return (-1) ** number * (2**63 - 1 - number)
    if isinstance(kind, sa.Integer):
        return None if column.nullable and number == 0 else number
    if isinstance(kind, sa.Float):
        return (number + 1) / 3
    if isinstance(kind, sa.LargeBinary):
        return bytes(range(number, number + 8))
    return f"{column.table.name} {column.name} {number} ñ'\n\t 😀"
