"""Where a catalogue is: reading its database URL."""

from pathlib import Path
from urllib.parse import unquote

import sqlalchemy as sa

from btfer.errors import UsageError
from btfer.passwords import without_password

POSTGRESQL = "postgresql+psycopg"
FORMS = "use sqlite:///FILE or postgresql://USER@HOST/NAME"


def parse(url: str) -> sa.URL:
    """A database URL of one of the two kinds that a catalogue can be in.

    All that follows sqlite:/// is the file, so that a folder's name may have a '?' in it; postgres:// is the
    common short spelling of postgresql://. Raises UsageError, whose message never has the password in it.
    """
    scheme, separator, file = url.partition(":///")
    if separator and scheme == "sqlite":
        return sa.URL.create(scheme, database=file)
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # a port that is no number, an open bracket
        raise UsageError(
            f"catalogue '{without_password(url)}' is not a database URL: {FORMS}"
        ) from None
    if "@" in (parsed.host or ""):  # the end of a password would be shown as the name of a host
        raise UsageError(f"catalogue '{without_password(url)}': write an @ in the password as %40")
    if "\0" in unquote(url):  # libpq would read all up to there, and connect to something else
        raise UsageError(f"catalogue '{without_password(url)}': a %00 cannot be in a database URL")
    kind = parsed.drivername.partition("+")[0]
    if kind in ("postgres", "postgresql"):
        # libpq's spelling of a socket's folder is that of a host: postgresql://%2Frun%2Fpostgresql/faces
        host = parsed.host or ""
        host = unquote(host) if host.lower().startswith("%2f") else host
        return parsed.set(drivername=POSTGRESQL, host=host or None)
    if kind == "sqlite" and not parsed.host:  # two slashes make a folder of it a host
        return parsed
    raise UsageError(f"catalogue '{without_password(url)}': {FORMS}")


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite catalogue; None for another database, and for a URL that is none."""
    try:
        parsed = parse(url)
    except UsageError:
        return None  # opening it says what is wrong
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
