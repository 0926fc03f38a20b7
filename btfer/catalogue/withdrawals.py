"""What must never be fetched or stored again: URLs and photos, kept as keyed hashes that tell nothing by themselves."""

import hmac
import secrets
from collections.abc import Iterable

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, in_parts, insert_new, now
from btfer.catalogue.tables import secret, withdrawal
from btfer.urls import identity, other_scheme

_KEY = "withdrawal"


def add(cat: Catalogue, things: Iterable[str], reason: str = "") -> int:
    """Withdraw URLs (of pictures, or of the pages that show them) and photos (by sha256); how many are new."""
    with cat.write() as connection:
        return add_within(connection, things, reason)


def add_within(connection: sa.Connection, things: Iterable[str], reason: str = "") -> int:
    """`add` inside the caller's transaction."""
    key = key_within(connection)
    marks = {_mark(key, identity(thing)) for thing in things}
    rows = [{"mark": mark, "reason": reason, "at": now()} for mark in sorted(marks)]
    return len(insert_new(connection, withdrawal, rows))


def among(cat: Catalogue, things: Iterable[str]) -> set[str]:
    """Those of the things that are withdrawn, in whatever spelling of their addresses."""
    return set(since(cat, things))


def since(cat: Catalogue, things: Iterable[str]) -> dict[str, str]:
    """When each of the things was withdrawn, in whatever spelling; those that were not are left out."""
    with cat.read() as connection:
        key = known_key(connection)
        if not key:
            return {}  # nothing has ever been withdrawn
        # An older list has the marks of the spellings that were given.
        spelt = {thing: _spellings(thing) for thing in things if thing}
        marks = {thing: {_mark(key, one) for one in all_} for thing, all_ in spelt.items()}
        found: dict[str, str] = {}
        for part in in_parts(set[str]().union(*marks.values())):
            rows = sa.select(withdrawal.c.mark, withdrawal.c.at).where(withdrawal.c.mark.in_(part))
            found |= {row.mark: row.at for row in connection.execute(rows)}
    times = {thing: [found[one] for one in own if one in found] for thing, own in marks.items()}
    return {thing: min(at) for thing, at in times.items() if at}


def join_spellings(cat: Catalogue, addresses: Iterable[str]) -> int:
    """Withdraw every spelling of those addresses that an older list has in one spelling only; how many it has."""
    others = {one for one in addresses if one != identity(one)}
    with cat.read() as connection:
        key = known_key(connection)
    listed = among(cat, others) if key and others else set()
    return add(cat, listed) if listed else 0


def count(cat: Catalogue) -> int:
    """How many things are withdrawn."""
    rows = cat.rows(sa.select(sa.func.count().label("n")).select_from(withdrawal))
    return int(rows[0]["n"])


def key_within(connection: sa.Connection) -> bytes:
    """The catalogue's own key, made at the first withdrawal, in the caller's write transaction."""
    insert_new(connection, secret, [{"name": _KEY, "value": secrets.token_hex(32)}])
    return known_key(connection)


def known_key(connection: sa.Connection) -> bytes:
    """The catalogue's own key, empty where nothing has ever been withdrawn."""
    found = connection.execute(sa.select(secret.c.value).where(secret.c.name == _KEY)).scalar()
    return bytes.fromhex(found or "")


def _spellings(thing: str) -> set[str]:
    """A thing as it may be listed; a site that moves from http to https shows the same picture."""
    one = identity(thing)
    return {thing, one, other_scheme(one)}


def _mark(key: bytes, thing: str) -> str:
    return hmac.digest(key, thing.encode(), "sha256").hex()
