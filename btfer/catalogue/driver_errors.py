"""What a database's driver says, as one line that a user can act on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from btfer.errors import BtferError, CatalogueError

_ADVICE = {
    "full": "free some space and run again",
    # SQLite says so where it has no room for the index of its log, too.
    "disk I/O error": "the disk is full or damaged, or memory has run out: free some space and run again",
    "No space left": "free some space and run again",
    "readonly": "this command writes, and the file, its folder or its disk may only be read",
    "malformed": "the file is damaged: put back a copy",
    "decode to UTF-8": "the file is damaged: put back a copy",
    "no such table": "the file is damaged: put back a copy",
    "no such column": "the file is damaged: put back a copy",
    "has no column": "the file is damaged: put back a copy",
    "locked": "another program has been writing to it for long: run again when that has ended",
    "not a database": "set another one with --catalogue, or put back a copy",
    "permission denied": "this command writes, and this user of the database may only read",
    "must be owner": "only the owner of the tables may do this",
    "read-only transaction": "this command writes, and this user or this server may only read",
}
_OUT_OF_REACH = (
    "server closed",
    "terminating connection",
    "connection is lost",
    "connection is closed",
    "Connection refused",
    "No such file or directory",  # of its socket
    "is starting up",
    "is shutting down",
    "in recovery mode",
)
_ADVICE |= dict.fromkeys(
    _OUT_OF_REACH,
    "what was done is kept: run again when the server is back, or check --catalogue",
)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what a driver says into one line that a user can act on."""
    try:
        yield
    except BtferError:
        raise
    except DBAPIError as error:
        text = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        advice = next((say for word, say in _ADVICE.items() if word in text), "check --catalogue")
        raise CatalogueError(f"the catalogue failed: {text} ({advice})") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:  # bytes on the disk have changed
        raise CatalogueError(f"the catalogue failed: {error} ({_ADVICE['malformed']})") from error
