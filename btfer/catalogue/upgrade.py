"""Bringing a catalogue that is there already up to date, and saying from which revision to which."""

from btfer.catalogue.store import current_revision, open_catalogue, sqlite_file


def upgrade_catalogue(url: str) -> tuple[str, str]:
    """The revisions before and after. Raises NoCatalogue, and creates nothing, where there is no catalogue.

    Raises as `open_catalogue` otherwise.
    """
    file = sqlite_file(url)
    before = current_revision(url) if file is None or file.is_file() else ""
    open_catalogue(url, must_exist=True).close()
    return before, current_revision(url)
