import random
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btfer.catalogue.rows import DuplicateCandidate
from btfer.duplicate_rules import licence_rank, rank
from btfer.pipeline.grouping import DRIFT_BITS, Grouping, group


def row(
    name: str, side: int = 100, *, judged: bool = False, by: str = "", **more: Any
) -> DuplicateCandidate:
    decision = "keep" if by else ""
    one = DuplicateCandidate(name, side, side, side * side, "2026", judged, decision, by, keeper="")
    return one._replace(**more)


def grouped(
    rows: list[DuplicateCandidate], places: list[int], max_bits: int = 8, **more: object
) -> Grouping:
    """Photos on a line: their distance is how far apart they stand; near ones are pairs."""
    n = range(len(rows))
    near = [(i, j) for i in n for j in n if i < j and abs(places[i] - places[j]) <= max_bits]
    options = {"is_copy": lambda i, j: True} | more
    return group(rows, near, lambda i, j: abs(places[i] - places[j]), max_bits=max_bits, **options)  # type: ignore[arg-type]


def names(rows: list[DuplicateCandidate], found: Grouping) -> dict[str, str]:
    return {rows[i].sha256: rows[k].sha256 for i, (k, _) in found.keeper_of.items()}


def test_the_largest_is_kept_whatever_the_order() -> None:
    rows = [row("a", 100), row("b", 300), row("c", 200)]
    for order in permutations(range(3)):
        shuffled = [rows[i] for i in order]
        assert names(shuffled, grouped(shuffled, [0, 1, 2])) == {"a": "b", "c": "b"}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (row("z", 50, judged=True), row("a", 300)),
        (row("z", 50, licences=[("CC BY 4.0", "")]), row("a", 300)),
        (row("z", 50), row("a", 300, licences=[("CC BY-ND 4.0", "")])),
        (row("z", 301), row("a", 300)),
        (row("z", n_bytes=9_000), row("a", n_bytes=5_000)),
        (row("z", at="2025"), row("a")),
        (row("a"), row("z")),
    ],
    ids=["judged", "licence", "forbidden", "pixels", "compression", "earlier", "name"],
)
def test_the_rule_of_who_stays(better: DuplicateCandidate, worse: DuplicateCandidate) -> None:
    assert rank(better) < rank(worse)
    assert names([worse, better], grouped([worse, better], [0, 1])) == {worse.sha256: better.sha256}


def test_the_strictest_of_several_licences_counts() -> None:
    assert licence_rank([("", ""), ("CC0", ""), ("CC BY-ND", "")]) == 2
    assert licence_rank([("", ""), ("CC0", ""), ("CC BY 4.0", "")]) == 0
    assert licence_rank([("", "")]) == licence_rank([]) == licence_rank([("some words", "")]) == 1
    assert licence_rank([("CC BY", ""), ("some words", "")]) == 1
    assert licence_rank([("CC BY-ND", ""), ("", "")]) == 2


def test_a_chain_joins_what_is_a_little_further_and_is_split_beyond() -> None:
    rows = [row("a", 300), row("b", 200), row("c", 100), row("d", 90)]
    found = grouped(rows, [0, 7, 8 + DRIFT_BITS, 20])
    assert names(rows, found) == {"b": "a", "c": "a"}  # c only through b, and within the cap
    assert found.split == 1  # d, beyond it
    assert found.keeper_of[2] == (0, 12)
    two = [row("a", 300), row("b", 200), row("c", 100), row("d", 90)]
    found = grouped(two, [0, 8, 16, 24])
    assert names(two, found) == {"b": "a", "d": "c"}  # what is left is a group of its own
    assert found.split == 2


def test_a_near_hash_alone_drops_nothing() -> None:
    rows = [row("a", 300), row("b", 200)]
    assert grouped(rows, [0, 0], is_copy=lambda i, j: False).keeper_of == {}


def test_a_member_is_a_copy_of_its_keeper_itself() -> None:
    rows = [row("a", 300), row("b", 200), row("c", 100)]
    found = grouped(rows, [0, 2, 4], is_copy=lambda i, j: {i, j} != {0, 2})
    assert names(rows, found) == {"b": "a"}


def test_a_person_goes_before_the_rules() -> None:
    rows = [row("a", 300), row("b", 200, by="ann"), row("c", 100)]
    assert names(rows, grouped(rows, [0, 1, 2])) == {"c": "a"}


def dropped_for(row: DuplicateCandidate, keeper: str) -> DuplicateCandidate:
    """The photo as a person left it who chose another one to stay."""
    return row._replace(decision="drop", by="ann", keeper=keeper)


def test_a_keeper_that_a_person_chose_goes_before_all_others() -> None:
    old = dropped_for(row("old", 400, judged=True), "chosen")
    chosen, new = row("chosen", 100, by="ann"), row("new", 300, judged=True)
    for rows in permutations([old, chosen, new]):
        found = grouped(list(rows), [0, 0, 0])
        assert names(list(rows), found) == {"new": "chosen"}  # what ann dropped stays as it is


def test_what_a_person_dropped_keeps_nothing() -> None:
    rows = [dropped_for(row("old", 400), "elsewhere"), row("new", 200), row("newer", 100)]
    found = grouped(rows, [0, 4, 12])
    assert names(rows, found) == {"newer": "new"}
    assert grouped(rows[:1], [0]).keeper_of == {}
    far = grouped(rows, [0, 8, 16])  # both near to the old one only, and it joins no two
    assert (names(rows, far), far.split) == ({"newer": "new"}, 0)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=14), st.randoms())
def test_the_order_of_arrival_does_not_matter(places: list[int], rng: random.Random) -> None:
    rows = [row(f"{n:02d}", 10 + n % 4) for n in range(len(places))]
    order = list(range(len(rows)))
    rng.shuffle(order)
    shuffled = [rows[i] for i in order]
    one = names(rows, grouped(rows, places))
    assert names(shuffled, grouped(shuffled, [places[i] for i in order])) == one
    for dropped, keeper in one.items():
        assert abs(places[int(dropped)] - places[int(keeper)]) <= 8 + DRIFT_BITS
        assert keeper not in one  # who keeps is kept
