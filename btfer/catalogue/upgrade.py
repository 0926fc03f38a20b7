"""Bringing a catalogue that is there already up to date, and saying from which revision to which."""

from pathlib import Path

import sqlalchemy as sa

from btfer.catalogue.store import current_revision, open_catalogue
from btfer.errors import CatalogueError


def upgrade_catalogue(url: str) -> tuple[str, str]:
    """The revisions before and after. Raises CatalogueError, and creates nothing, where there is none.

    Raises as `open_catalogue` otherwise.
    """
    file = _sqlite_file(url)
    if file and not file.is_file():
        raise CatalogueError(f"there is no catalogue at {file}: check --data-dir or --catalogue")
    before = current_revision(url)
    if not before:
        raise CatalogueError(f"the database {file or url} is empty: it holds no catalogue")
    open_catalogue(url).close()
    return before, current_revision(url)


def _sqlite_file(url: str) -> Path | None:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        return None  # opening it says what is wrong
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
