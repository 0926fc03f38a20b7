"""Where a catalogue is: its database URL, read, and shown without its password."""

import re
from pathlib import Path

import sqlalchemy as sa

from btfer.errors import UsageError

POSTGRESQL = "postgresql+psycopg"
FORMS = "use sqlite:///FILE or postgresql://USER@HOST/NAME"
_SECRET_PARAMETERS = re.compile(r"(\w*(?:pass|secret|token|key)\w*=)[^&]*", re.IGNORECASE)


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
        raise UsageError(f"catalogue '{shown(url)}' is not a database URL: {FORMS}") from None
    if "@" in (parsed.host or ""):  # the end of a password would be shown as the name of a host
        raise UsageError(f"catalogue '{shown(url)}': write an @ in the password as %40")
    kind = parsed.drivername.partition("+")[0]
    if kind in ("postgres", "postgresql"):
        return parsed.set(drivername=POSTGRESQL)
    if kind == "sqlite":
        return parsed
    raise UsageError(f"catalogue '{shown(url)}': {FORMS}")


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite catalogue; None for another database, and for a URL that is none."""
    try:
        parsed = parse(url)
    except UsageError:
        return None  # opening it says what is wrong
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def shown(url: str) -> str:
    """A URL for messages and logs: `***` for what stands between the user's name and the host, and for passwords
    among the parameters. Works on text that is no URL, because mistyped ones are shown too.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url if "@" not in url else "***"
    rest = _SECRET_PARAMETERS.sub(r"\1***", rest)
    login, at, place = rest.rpartition("@")  # a password may have an @ in it
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}{':***' if colon else ''}{at}{place}"
