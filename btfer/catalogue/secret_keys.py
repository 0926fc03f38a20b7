"""The catalogue's own keys: whoever has no access to the catalogue cannot make or check what is keyed with them."""

import secrets

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, insert_new
from btfer.catalogue.tables import secret

RELEASES = "releases"
"""Of what a release shows in place of a photo or of an image: pseudonyms and tokens."""


def secret_key(cat: Catalogue, purpose: str) -> bytes:
    """The key for one purpose, 32 bytes, made when it is first asked for and the same from then on."""
    known = sa.select(secret.c.value).where(secret.c.name == purpose)
    found = [row["value"] for row in cat.rows(known)]
    if not found:
        with cat.write() as connection:
            insert_new(connection, secret, [{"name": purpose, "value": secrets.token_hex(32)}])
            found = list(connection.execute(known).scalars())
    return bytes.fromhex(found[0])
