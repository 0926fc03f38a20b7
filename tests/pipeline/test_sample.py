from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btfer.errors import Incomplete
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import sample

SIZES = st.dictionaries(
    st.tuples(st.sampled_from("abcd")), st.integers(1, 5), min_size=1, max_size=4
)


def face(number: int, expression: str = "happy", gender: str = "", photo: str = "") -> dict:
    strata = {"ethnicity": "", "gender": gender, "age": ""}
    id_ = f"face{number:04d}"
    return {"id": id_, "photo": photo or id_, "expression": expression} | strata


def population(per_class: int) -> list[dict]:
    return [
        face(1000 * c + n, label, "female" if n % 5 else "male")
        for c, label in enumerate(EXPRESSIONS)
        for n in range(per_class)
    ]


@given(SIZES, st.integers(0, 12))
def test_shares_are_exact_and_as_even_as_any_split_can_be(sizes: dict, total: int) -> None:
    if sum(sizes.values()) < total:
        with pytest.raises(Incomplete):
            sample.even_shares(sizes, total)
        return
    shares = sample.even_shares(sizes, total)
    assert sum(shares.values()) == total
    assert all(0 <= shares[name] <= sizes[name] for name in sizes)
    splits = product(*(range(size + 1) for size in sizes.values()))
    best = min((max(s) - min(s) for s in splits if sum(s) == total), default=0)
    assert max(shares.values()) - min(shares.values()) == best


def test_every_class_gives_the_same_number_and_strata_share_evenly() -> None:
    drawn = sample.draw(population(50), per_class=16, seed=1)
    for label in EXPRESSIONS:
        genders = [row["gender"] for row in drawn.chosen[label]]
        assert (len(genders), genders.count("male")) == (16, 8)


def test_the_order_of_the_catalogue_does_not_matter() -> None:
    rows = population(20)
    assert sample.draw(rows, per_class=7, seed=1) == sample.draw(rows[::-1], per_class=7, seed=1)


def test_the_seed_does() -> None:
    rows = population(40)
    assert sample.draw(rows, per_class=7, seed=1) != sample.draw(rows, per_class=7, seed=2)


@given(st.integers(0, 13))
def test_withdrawing_one_face_changes_one_place(victim: int) -> None:
    rows = population(40)
    before = sample.draw(rows, per_class=14, seed=3).chosen
    gone = before["sad"][victim]["id"]
    after = sample.draw([r for r in rows if r["id"] != gone], per_class=14, seed=3).chosen
    for label in EXPRESSIONS:
        old = {row["id"] for row in before[label]}
        new = {row["id"] for row in after[label]}
        assert len(old - new) == len(new - old) == (1 if label == "sad" else 0)


def test_a_photo_gives_one_face_at_most() -> None:
    rows = population(5) + [face(9000 + n, "happy", photo="group") for n in range(4)]
    drawn = sample.draw(rows, per_class=5, seed=1)
    assert drawn.available["happy"] == 6


def test_too_few_is_a_table_and_short_is_allowed_only_when_asked() -> None:
    rows = [row for row in population(9) if row["expression"] != "fear"] + [face(7777, "fear")]
    with pytest.raises(Incomplete, match=r"fear +1 +8 missing") as error:
        sample.draw(rows, per_class=9, seed=1)
    assert error.value.exit_code == 3
    assert "--per-class 1" in str(error.value)
    drawn = sample.draw(rows, per_class=9, seed=1, allow_short=True)
    assert {label: len(rows) for label, rows in drawn.chosen.items()}["fear"] == 1


def test_faces_without_a_class_are_never_drawn() -> None:
    rows = population(3) + [face(8000 + n, "unlabelled") for n in range(9)]
    assert set(sample.draw(rows, per_class=3, seed=1).chosen) == set(EXPRESSIONS)
