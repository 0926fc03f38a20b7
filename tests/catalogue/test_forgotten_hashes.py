"""Sealed hashes: what is near is known again, what is not is let through, and the rows tell nothing."""

import random

import pytest
import sqlalchemy as sa

from btfer.catalogue import Catalogue
from btfer.catalogue.forgotten_hashes import MAX_BITS, ForgottenHashes, add_within
from btfer.catalogue.tables import forgotten_hash


def signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


def flipped(bits: int, n: int, rng: random.Random) -> int:
    for place in rng.sample(range(64), n):
        bits ^= 1 << place
    return bits


def forget(cat: Catalogue, *pairs: tuple[int, int]) -> None:
    with cat.write() as connection:
        add_within(connection, pairs)


def test_nothing_is_refused_where_nothing_was_forgotten(any_cat: Catalogue) -> None:
    assert ForgottenHashes(any_cat).among({"a": (0, 0)}) == set()


def test_every_hash_within_eight_bits_is_known_again_and_none_beyond(cat: Catalogue) -> None:
    rng = random.Random(0)
    bits, mirror = rng.getrandbits(64), rng.getrandbits(64)
    forget(cat, (signed(bits), signed(mirror)))
    asked = {
        f"{n}-{number}": (signed(flipped(one, n, rng)), signed(rng.getrandbits(64)))
        for n in range(14)
        for number, one in enumerate([bits, mirror] * 5)
    }
    near = {name for name in asked if int(name.split("-")[0]) <= MAX_BITS}
    assert ForgottenHashes(cat).among(asked) == near


def test_the_mirror_image_of_a_new_photo_is_looked_up_too(any_cat: Catalogue) -> None:
    forget(any_cat, (7, -9))
    assert ForgottenHashes(any_cat).among(
        {"a": (0x5555 << 40, 7), "b": (0x5555 << 40, 0x5555_5555)}
    ) == {"a"}


def test_what_is_forgotten_later_is_refused_without_a_restart(cat: Catalogue) -> None:
    hashes = ForgottenHashes(cat)
    assert hashes.among({"a": (5, 5)}) == set()
    forget(cat, (5, 5))
    assert hashes.among({"a": (5, 5)}) == {"a"}


def test_the_same_photo_is_sealed_once_and_its_bits_are_in_no_row(cat: Catalogue) -> None:
    pair = (0x0123456789ABCDEF, 0x7EDCBA9876543210)
    forget(cat, pair)
    forget(cat, pair)
    rows = cat.rows(sa.select(forgotten_hash))
    assert len(rows) == 6
    for bits in pair:
        assert not any(f"{bits:016x}" in str(row) for row in rows)
    other = {row["sealed"] for row in rows}
    assert len(other) == 6, "the same bits are sealed in another way in every row"


@pytest.mark.parametrize("bits", [0, (1 << 64) - 1])
def test_hashes_of_one_bit_pattern_throughout_are_known_too(cat: Catalogue, bits: int) -> None:
    forget(cat, (signed(bits), signed(bits)))
    assert ForgottenHashes(cat).among({"a": (signed(bits ^ 0xFF), 0x5555)}) == {"a"}
