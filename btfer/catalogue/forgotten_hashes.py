"""Copies of a forgotten photo are known again, also re-encoded, resized or mirrored, by its sealed perceptual hash.

Of the 64-bit pHash of a forgotten photo and of its mirror image, three rows are kept, one for each third of its
bits (a chunk; its value is called a word). Two hashes that differ in at most 8 bits differ in at most 2 bits of
one chunk, so a new photo is looked up under every word within 2 bits of its own: about 250 for each chunk.

    tag     HMAC-SHA256(key, "tag", chunk, word), 64 bits of it
    sealed  a random nonce, and the hash XOR HMAC-SHA256(key, "seal", chunk, word, nonce)

What this can reveal. Without the catalogue's key (table `secret`): how many photos were forgotten, nothing else.
With the key: whether a given picture, or one that looks like it, was forgotten; and by trying the 2^22 words of a
chunk, the 64 bits themselves. No picture and no face can be made of 64 bits, but somebody who holds the key and a
collection of pictures can tell which of them were forgotten. Keep the catalogue as private as its photos.
A picture without detail (one colour, one gradient) has a hash that others share, which are refused with it.
"""

import hmac
import secrets
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from btfer.catalogue import withdrawals
from btfer.catalogue.store import Catalogue, Row, insert_new
from btfer.catalogue.tables import forgotten_hash
from btfer.hamming.chunks import cut_chunks, masks_within

MAX_BITS = 8
_CHUNKS = cut_chunks(MAX_BITS)
_REACH = 2
_MASKS = [[int(word) for word in masks_within(chunk.width, _REACH)] for chunk in _CHUNKS]
_MASK = (1 << 64) - 1

HashPair = tuple[int, int]
"""The pHash of a photo and of its mirror image, int64 as the catalogue has them."""


def add_within(connection: sa.Connection, pairs: Iterable[HashPair]) -> None:
    """Seal the hashes of photos that are being forgotten, in the caller's transaction."""
    key = withdrawals.key_within(connection)
    sealed = _Sealed.read(connection, key)
    new = {one & _MASK for pair in pairs for one in pair}
    rows = [row for one in sorted(new) if one not in sealed.near(one) for row in _seal(key, one)]
    insert_new(connection, forgotten_hash, rows)


class ForgottenHashes:
    """Asks whether photos look like forgotten ones; reads the catalogue again when something was forgotten since."""

    def __init__(self, cat: Catalogue) -> None:
        self._cat = cat
        self._sealed = _Sealed(b"", {})

    def among(self, pairs: Mapping[str, HashPair]) -> set[str]:
        """Those of the photos (by sha256) that are within 8 bits of a forgotten one, or of its mirror image."""
        with self._cat.read() as connection:
            counted = sa.select(sa.func.count()).select_from(forgotten_hash)
            if connection.execute(counted).scalar() != len(self._sealed):
                key = withdrawals.known_key(connection)
                self._sealed = _Sealed.read(connection, key)
        if not len(self._sealed):
            return set()
        return {
            sha256
            for sha256, pair in pairs.items()
            if any(self._sealed.near(one & _MASK) for one in pair)
        }


class _Sealed:
    """The rows, by tag: nonce and sealed bits."""

    def __init__(self, key: bytes, rows: dict[str, list[tuple[bytes, int]]]) -> None:
        self._key = key
        self._rows = rows

    def __len__(self) -> int:
        return sum(len(its) for its in self._rows.values())

    @classmethod
    def read(cls, connection: sa.Connection, key: bytes) -> "_Sealed":
        rows: dict[str, list[tuple[bytes, int]]] = {}
        for tag, sealed in connection.execute(sa.select(forgotten_hash)):
            data = bytes.fromhex(sealed)
            rows.setdefault(tag, []).append((data[:8], int.from_bytes(data[8:], "big")))
        return cls(key, rows)

    def near(self, bits: int) -> set[int]:
        """The forgotten hashes within MAX_BITS of one."""
        found = set()
        for number, (chunk, masks) in enumerate(zip(_CHUNKS, _MASKS, strict=True)):
            own = bits >> chunk.shift & (chunk.size - 1)
            for mask in masks:
                word = own ^ mask
                for nonce, sealed in self._rows.get(_tag(self._key, number, word), ()):
                    opened = sealed ^ _pad(self._key, number, word, nonce)
                    if (opened ^ bits).bit_count() <= MAX_BITS:
                        found.add(opened)
        return found


def _seal(key: bytes, bits: int) -> list[Row]:
    rows = []
    for number, chunk in enumerate(_CHUNKS):
        word = bits >> chunk.shift & (chunk.size - 1)
        nonce = secrets.token_bytes(8)
        sealed = nonce + (bits ^ _pad(key, number, word, nonce)).to_bytes(8, "big")
        rows.append({"tag": _tag(key, number, word), "sealed": sealed.hex()})
    return rows


def _tag(key: bytes, chunk: int, word: int) -> str:
    return _digest(key, b"tag", chunk, word).hex()


def _pad(key: bytes, chunk: int, word: int, nonce: bytes) -> int:
    return int.from_bytes(_digest(key, b"seal", chunk, word, nonce), "big")


def _digest(key: bytes, what: bytes, chunk: int, word: int, nonce: bytes = b"") -> bytes:
    message = b"forgotten\0" + what + bytes([chunk]) + word.to_bytes(4, "big") + nonce
    return hmac.digest(key, message, "sha256")[:8]
