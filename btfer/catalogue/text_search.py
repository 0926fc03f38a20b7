"""Looking for words in every text of the catalogue: to prove that something is in it no more."""

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, in_parts
from btfer.catalogue.tables import metadata

Place = tuple[str, str]
"""A column of the catalogue and its whole text, in which a needle stands."""


def holding(cat: Catalogue, needles: Collection[str]) -> dict[str, list[Place]]:
    """Where each of the needles stands, as a part of a text or all of it; those that stand nowhere are left out."""
    found: dict[str, list[Place]] = {}
    with cat.read() as connection:
        for name, text in _texts(connection, needles):
            for needle in needles:
                if needle in text:
                    found.setdefault(needle, []).append((name, text))
    return found


def _texts(connection: sa.Connection, needles: Collection[str]) -> Iterator[Place]:
    """Every text that holds at least one of the needles, with its column."""
    postgresql = connection.dialect.name == "postgresql"
    place = sa.func.strpos if postgresql else sa.func.instr
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, sa.String | sa.JSON):
                text = sa.cast(column, sa.Text)
                name = f"{table.name}.{column.name}"
                for part in in_parts(needles, 50):
                    holds = sa.or_(*(place(text, needle) > 0 for needle in part))
                    for (value,) in connection.execute(sa.select(text).where(holds)):
                        yield name, str(value)
    if postgresql:
        yield from _statistics(connection)


def _statistics(connection: sa.Connection) -> Iterator[Place]:
    """What PostgreSQL remembers of columns: values that are frequent, and the bounds of ranges."""
    asked = sa.text(
        "SELECT tablename, attname, coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, '') "
        "FROM pg_stats WHERE schemaname = current_schema()"
    )
    for table, column, text in connection.execute(asked):
        yield f"statistics of {table}.{column}", str(text)
