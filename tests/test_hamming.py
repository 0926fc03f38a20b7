"""Exact against brute force on small inputs, sent through the buckets; bounded on large skewed ones."""

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from btfer import hamming
from btfer.errors import UsageError
from btfer.hamming import blocks, cross_join, self_join
from btfer.hamming.chunks import HashChunk
from btfer.hamming.keys import Hashes, Keys, Pairs
from btfer.hamming.self_join import Over

WORD = 2**64 - 1
MB = 1e6
Triples = dict[tuple[int, int], int]

some = examples(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=[64, 1], ids=["no crowd", "all crowds"])
def through_buckets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small inputs take the way of large ones, in blocks small enough to have borders."""
    monkeypatch.setattr(self_join, "FEW", 0)
    monkeypatch.setattr(cross_join, "FEW", 0)
    monkeypatch.setattr(blocks, "TILE", 16)
    monkeypatch.setattr(blocks, "AT_ONCE", 2048)
    monkeypatch.setattr(self_join, "COMMON", request.param)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Hashes, Hashes]:
    """Hashes and mirrors: random and blank ones, planted copies, mirrored copies and repeats."""
    random = st.tuples(st.integers(0, WORD), st.integers(0, WORD))
    found = draw(st.lists(random, max_size=12)) + [(0, 0)] * draw(st.integers(0, 3))
    kinds = st.sampled_from(["copy", "mirrored", "both mirrored"])
    plan = st.tuples(st.integers(0, 99), kinds, st.lists(st.integers(0, 63), max_size=14))
    for source, kind, bits in draw(st.lists(plan, max_size=12)) if found else []:
        one, mirror = found[source % len(found)]
        turned = one ^ sum(1 << bit for bit in set(bits))
        pair = {"copy": (turned, mirror), "mirrored": (mirror, turned)}
        found.append(pair.get(kind, (mirror, one)))
    hashes, mirrors = (np.array([pair[side] for pair in found], np.uint64) for side in (0, 1))
    return hashes, mirrors


def distance(left: Keys, i: int, right: Keys, j: int) -> int:
    """By the definition, on Python's integers."""
    ways = [(left.hashes[i], right.hashes[j])]
    if left.mirrors is not None and right.mirrors is not None:
        ways += [(left.hashes[i], right.mirrors[j]), (left.mirrors[i], right.hashes[j])]
    return min((int(a) ^ int(b)).bit_count() for a, b in ways)


def among_all(keys: Keys, max_bits: int) -> Triples:
    both = ((i, j) for i in range(len(keys)) for j in range(i + 1, len(keys)))
    every = {(i, j): distance(keys, i, keys, j) for i, j in both}
    return {pair: bits for pair, bits in every.items() if bits <= max_bits}


def beside(new: Keys, old: Keys, max_bits: int) -> Triples:
    both = ((i, j) for i in range(len(new)) for j in range(len(old)))
    every = {(i, j): distance(new, i, old, j) for i, j in both}
    return {pair: bits for pair, bits in every.items() if bits <= max_bits}


def triples(pairs: Pairs) -> Triples:
    listed = list(zip(*(side.tolist() for side in pairs), strict=True))
    found = {(i, j): bits for i, j, bits in listed}
    assert len(found) == len(listed), "a pair came twice"
    return found


@some
@given(rows(), st.integers(0, 20), st.booleans(), st.sampled_from([None, map]))
def test_near_pairs_are_exact(
    through_buckets: None,
    drawn: tuple[Hashes, Hashes],
    max_bits: int,
    mirrored: bool,
    over: Over | None,
) -> None:
    keys = hamming.collapse(drawn[0], drawn[1] if mirrored else None)
    found = hamming.collect(hamming.near_pairs(keys, max_bits=max_bits, over=over))
    assert triples(found) == among_all(keys, max_bits)


@examples(some, max_examples=25)
@given(rows(), rows(), st.integers(0, 20), st.booleans())
def test_near_between_is_exact(
    through_buckets: None,
    drawn: tuple[Hashes, Hashes],
    others: tuple[Hashes, Hashes],
    max_bits: int,
    mirrored: bool,
) -> None:
    new = hamming.collapse(drawn[0], drawn[1] if mirrored else None)
    known = [np.concatenate(sides) for sides in zip(others, drawn, strict=True)]
    old = hamming.collapse(known[0] ^ np.uint64(5), known[1] if mirrored else None)
    found = hamming.collect(hamming.near_between(new, old, max_bits=max_bits))
    assert triples(found) == beside(new, old, max_bits)


@given(rows(), st.integers(0, 12))
def test_few_hashes_are_compared_outright_and_exactly(
    drawn: tuple[Hashes, Hashes], max_bits: int
) -> None:
    keys = hamming.collapse(*drawn)
    found = hamming.collect(hamming.near_pairs(keys, max_bits=max_bits))
    assert triples(found) == among_all(keys, max_bits)


@given(rows(), st.randoms(use_true_random=False))
def test_order_of_arrival_changes_nothing(drawn: tuple[Hashes, Hashes], random: object) -> None:
    order = list(range(len(drawn[0])))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight, shuffled = (
        hamming.collapse(*drawn),
        hamming.collapse(*(side[order] for side in drawn)),
    )
    pairs = [hamming.collect(hamming.near_pairs(keys)) for keys in (straight, shuffled)]
    assert triples(pairs[0]) == triples(pairs[1])
    for key in range(len(straight)):
        came_as = {order[row] for row in shuffled.rows(key)}
        assert came_as == set(straight.rows(key).tolist())


def test_equal_rows_are_one_key_and_make_no_pairs() -> None:
    hashes = np.full(10_000, 7, np.uint64)
    hashes[4_000:4_003] = 6
    keys = hamming.collapse(hashes, hashes)
    assert keys.hashes.tolist() == [6, 7] or keys.hashes.tolist() == [7, 6]
    assert sorted(len(rows) for rows in keys.groups()) == [3, 9_997]
    assert triples(hamming.collect(hamming.near_pairs(keys))) == {(0, 1): 1}


def test_keys_with_one_hash_and_two_mirrors_stay_apart() -> None:
    hashes, mirrors = np.array([1, 1, 1], np.uint64), np.array([1, 2, 1], np.uint64)
    keys = hamming.collapse(hashes, mirrors)
    assert [rows.tolist() for rows in keys.groups()] == [[0, 2]]
    assert hamming.collect(hamming.near_pairs(keys)).bits.tolist() == [0]


def test_keys_whose_mixed_words_collide_stay_apart() -> None:
    mix = 0x9E3779B97F4A7C15  # what collapse multiplies mirrors with
    hashes = np.array([mix, 0, mix, 0], np.uint64)
    mirrors = np.array([0, 1, 0, 1], np.uint64)
    keys = hamming.collapse(hashes, mirrors)
    assert sorted(rows.tolist() for rows in keys.groups()) == [[0, 2], [1, 3]]


def test_the_distance_counts_both_ways_round() -> None:
    keys = hamming.collapse(
        np.array([0, 0xFFFF], np.uint64), np.array([0xFFFF0000, 0xFF], np.uint64)
    )
    assert hamming.collect(hamming.near_pairs(keys, max_bits=8)).bits.tolist() == [8]
    assert len(hamming.collect(hamming.near_pairs(keys, max_bits=7)).i) == 0


def test_nothing_and_one_have_no_pairs() -> None:
    nothing, one = (
        hamming.collapse(np.zeros(n, np.uint64), np.zeros(n, np.uint64)) for n in (0, 1)
    )
    for keys in (nothing, one):
        assert len(hamming.collect(hamming.near_pairs(keys)).i) == 0
        assert len(hamming.collect(hamming.near_between(nothing, keys)).i) == 0
        assert len(hamming.collect(hamming.near_between(keys, nothing)).i) == 0
    assert triples(hamming.collect(hamming.near_between(one, one))) == {(0, 0): 0}


def test_each_row_is_a_key_of_its_own_where_asked() -> None:
    hashes = np.array([3, 3, 2], np.uint64)
    found = hamming.near_between(hamming.collapse(hashes[:1]), hamming.each_row(hashes))
    assert triples(hamming.collect(found)) == {(0, 0): 0, (0, 1): 0, (0, 2): 1}


def test_what_cannot_be_searched_is_refused() -> None:
    hashes = np.zeros(2, np.uint64)
    with pytest.raises(UsageError, match=r"uint64 \[2\], got int64"):
        hamming.collapse(hashes.astype(np.int64))
    with pytest.raises(UsageError, match=r"got uint64 \(1,\)"):
        hamming.collapse(hashes, hashes[:1])
    with pytest.raises(UsageError, match="max_bits must be 0 to 20, got 21"):
        list(hamming.near_pairs(hamming.collapse(hashes), max_bits=21))
    with pytest.raises(UsageError, match="must both have mirror hashes, or neither"):
        list(hamming.near_between(hamming.collapse(hashes), hamming.collapse(hashes, hashes)))


def test_a_word_is_cut_from_the_bits_of_its_chunk() -> None:
    hashes = np.array([0b1011_0110], np.uint64)
    assert HashChunk(shift=2, width=4).words(hashes).tolist() == [0b1101]


def nearly_blank(n: int, rng: np.random.Generator) -> Hashes:
    """At most two of all bits set, or up to three of the sixteen that a plain gradient moves."""
    anywhere = rng.integers(0, 64, (n // 2, 2))
    gradient = rng.integers(0, 16, (n - n // 2, 3)) * 4
    bits = (np.uint64(1) << one.astype(np.uint64) for one in (anywhere, gradient))
    return np.concatenate([np.bitwise_or.reduce(one, axis=1) for one in bits])


def test_a_fifth_nearly_blank_costs_neither_memory_nor_time() -> None:
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, WORD, 200_000, dtype=np.uint64)
    hashes[:40_000] = nearly_blank(40_000, rng)
    keys = hamming.collapse(hashes)
    tracemalloc.start()
    began = time.process_time()
    pairs = sum(len(block.i) for block in hamming.near_pairs(keys))
    seconds = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    blank = np.unique(hashes[:40_000])
    near_blank = np.bitwise_count(blank[:, None] ^ blank) <= 8
    assert pairs >= (near_blank.sum() - len(blank)) // 2 > 2_000_000
    assert peak < 300 * MB, f"{peak / MB:.0f} MB"
    assert seconds < 30, f"{seconds:.1f} s"  # far above what it takes, far below pairs at random


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0b1111, 0b110000), (0b1110, 0), (1, False)),
        ((0b1111, 0b110000), (0b110000, 0), (0, True)),
        ((0b1111, 0b110000), (0, 0b1111), (0, True)),
        ((-1, 0), (2**64 - 1, 0), (0, False)),  # as the catalogue holds it, and as numpy does
        ((-1, 5), (0, 5), (2, True)),
    ],
)
def test_photos_are_apart_straight_or_mirrored(
    one: tuple[int, int], other: tuple[int, int], expected: tuple[int, bool]
) -> None:
    assert hamming.hamming_distance(one, other) == hamming.hamming_distance(other, one) == expected
