"""Agreement statistics against published examples and scikit-learn, and what must hold for any votes."""

import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from sklearn.metrics import cohen_kappa_score

from btfer.review import agreement
from btfer.review.agreement import (
    cohen_kappa,
    count_votes,
    fleiss_kappa,
    krippendorff_alpha,
    pair_counts,
    percent_agreement,
)

# Fleiss (1971), Table 1: 30 patients, 6 psychiatrists each, 5 diagnoses.
DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006
10050 11040 03300 10050 02031 00501 30012 51000 02040 10203
00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
# The worked example of Wikipedia's article "Fleiss' kappa": 10 subjects, 14 raters, 5 categories.
FOURTEEN_RATERS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
# Krippendorff (2011), section C: four observers, twelve units, values 1 to 5, some missing.
OBSERVERS = "123321412... 1233224125.3 .3332342251. 12332441251."


def matrix(text: str) -> np.ndarray:
    """Rows of digits as counts."""
    return np.array([[int(digit) for digit in row] for row in text.split()])


def reliability_data() -> np.ndarray:
    """OBSERVERS as ratings [units, observers], values from 0, -1 where there is none."""
    lines = OBSERVERS.split()
    return np.array([[-1 if c == "." else int(c) - 1 for c in line] for line in lines]).T


def votes_of(*texts: str) -> np.ndarray:
    """Ratings [items, people] from one word for each person, a letter for each item."""
    return np.array([[ord(letter) - ord("a") for letter in text] for text in texts]).T


def test_fleiss_kappa_of_the_diagnoses_in_his_paper() -> None:
    counts = matrix(DIAGNOSES)
    found = fleiss_kappa(counts)
    assert found.value == pytest.approx(0.430, abs=5e-4)
    assert (found.n_items, found.of) == (30, "items with exactly 6 votes")


@pytest.mark.parametrize(
    ("category", "kappa"),
    [(0, 0.245), (1, 0.245), (2, 0.520), (3, 0.471), (4, 0.566)],
    ids=["depression", "personality disorder", "schizophrenia", "neurosis", "other"],
)
def test_one_category_against_the_rest_is_his_kappa_of_that_category(
    category: int, kappa: float
) -> None:
    counts = matrix(DIAGNOSES)[:, category]
    found = fleiss_kappa(np.column_stack([counts, 6 - counts]))
    assert found.value == pytest.approx(kappa, abs=6e-4)


def test_fleiss_kappa_of_fourteen_raters() -> None:
    found = fleiss_kappa(np.array(FOURTEEN_RATERS))
    assert found.value == pytest.approx(0.210, abs=5e-4)


def test_alpha_of_four_observers_with_missing_values() -> None:
    found = krippendorff_alpha(count_votes(reliability_data(), 5))
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert found.n_items == 11  # one unit has a single value


def test_alpha_of_two_observers_and_five_categories() -> None:
    """Krippendorff (2011), section B."""
    ratings = votes_of("aabbdcccedda", "babbbccceddd")
    found = krippendorff_alpha(count_votes(ratings, 5))
    assert found.value == pytest.approx(0.692, abs=5e-4)


def test_alpha_of_two_observers_and_two_categories() -> None:
    """Krippendorff (2011), section A."""
    ratings = votes_of("abaaaaaaba", "bbbaabaaaa")
    found = krippendorff_alpha(count_votes(ratings, 2))
    assert found.value == pytest.approx(0.095, abs=5e-4)


def test_cohens_kappa_of_the_example_in_his_paper() -> None:
    """Cohen (1960), Table 1: 200 patients, two judges, three kinds."""
    joint = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    first, second = np.repeat(np.indices((3, 3)).reshape(2, 9), joint.ravel(), axis=1)
    found = cohen_kappa(first, second, 3)
    assert found.value == pytest.approx(0.492, abs=5e-4)
    assert found.n_items == 200


def test_percent_agreement_is_of_pairs_and_each_item_weighs_the_same() -> None:
    counts = np.array([[2, 0], [1, 1], [2, 1], [1, 0]])  # all, none, one of three pairs, one vote
    found = percent_agreement(counts)
    assert found.value == pytest.approx((1 + 0 + 1 / 3) / 3)
    assert found.n_items == 3


def test_fleiss_takes_the_items_with_the_commonest_number_of_votes() -> None:
    counts = np.array([[3, 0], [0, 3], [2, 1], [1, 1], [1, 0], [1, 0], [1, 0], [1, 0]])
    found = fleiss_kappa(counts)
    assert (found.n_items, found.of) == (3, "items with exactly 3 votes")
    assert found.value == fleiss_kappa(counts[:3]).value


def test_pairs_are_counted_once_and_shown_on_both_sides() -> None:
    counts = np.array([[2, 0, 0], [1, 1, 0], [0, 1, 2]])
    expected = [[1, 1, 0], [1, 0, 2], [0, 2, 1]]
    assert pair_counts(counts).tolist() == expected
    assert np.triu(expected).sum() == 1 + 1 + 3


RATINGS = st_numpy.arrays(
    np.int64, st.tuples(st.integers(1, 25), st.integers(2, 4)), elements=st.integers(-1, 3)
)


@given(ratings=RATINGS)
@settings(max_examples=80)
def test_cohens_kappa_is_that_of_scikit_learn(ratings: np.ndarray) -> None:
    one, other = ratings[:, 0], ratings[:, 1]
    found = cohen_kappa(one, other, 4)
    both = (one >= 0) & (other >= 0)
    assert found.n_items == both.sum()
    if found.value is not None:
        assert found.value == pytest.approx(cohen_kappa_score(one[both], other[both]))


@given(ratings=RATINGS, seed=st.integers(0, 99))
@settings(max_examples=40)
def test_the_order_of_items_and_of_people_changes_nothing(ratings: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    other = ratings[rng.permutation(len(ratings))][:, rng.permutation(ratings.shape[1])]
    for statistic in (percent_agreement, fleiss_kappa, krippendorff_alpha):
        assert statistic(count_votes(ratings, 4)) == statistic(count_votes(other, 4))
    assert (pair_counts(count_votes(ratings, 4)) == pair_counts(count_votes(other, 4))).all()


@given(ratings=RATINGS)
@settings(max_examples=80)
def test_a_number_is_in_its_range_or_missing_for_a_reason_and_never_a_warning(
    ratings: np.ndarray,
) -> None:
    counts = count_votes(ratings, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [one(counts) for one in (percent_agreement, fleiss_kappa, krippendorff_alpha)]
        found.append(cohen_kappa(ratings[:, 0], ratings[:, 1], 4))
    for one in found:
        numbers = [n for n in (one.value, one.low, one.high) if n is not None]
        assert all(-1 - 1e-9 <= n <= 1 + 1e-9 for n in numbers)
        assert len(numbers) == 3 or one.why
        if one.low is not None and one.high is not None:
            assert one.low < one.high


def test_people_who_always_agree_have_one_and_no_interval_to_show() -> None:
    ratings = np.repeat(np.arange(60)[:, None] % 4, 3, axis=1)
    counts = count_votes(ratings, 4)
    for one in (
        percent_agreement(counts),
        fleiss_kappa(counts),
        krippendorff_alpha(counts),
        cohen_kappa(ratings[:, 0], ratings[:, 1], 4),
    ):
        assert one.value == pytest.approx(1)
        assert (one.low, one.high, one.why) == (None, None, agreement.NO_SPREAD)


def test_people_who_guess_have_about_zero_and_zero_lies_in_the_interval() -> None:
    ratings = np.random.default_rng(7).integers(0, 4, (2_000, 3))
    for one in (
        fleiss_kappa(count_votes(ratings, 4)),
        krippendorff_alpha(count_votes(ratings, 4)),
        cohen_kappa(ratings[:, 0], ratings[:, 1], 4),
    ):
        assert one.low < 0 < one.high
        assert one.high - one.low < 0.1


@pytest.mark.parametrize(
    ("ratings", "why"),
    [
        (np.zeros((0, 2), np.int64), agreement.NO_ITEMS),
        (np.array([[0, -1], [-1, 1]]), agreement.NO_ITEMS),
        (np.zeros((40, 2), np.int64), agreement.ONE_CATEGORY),
    ],
    ids=["no items", "nothing judged twice", "one category"],
)
def test_what_is_undefined_is_none_with_a_reason(ratings: np.ndarray, why: str) -> None:
    for one in (
        fleiss_kappa(count_votes(ratings, 2)),
        krippendorff_alpha(count_votes(ratings, 2)),
        cohen_kappa(ratings[:, 0], ratings[:, 1], 2),
    ):
        assert (one.value, one.low, one.high, one.why) == (None, None, None, why)


def test_few_items_have_a_value_without_an_interval() -> None:
    found = krippendorff_alpha(np.array([[2, 0], [0, 2], [1, 1]]))
    assert found.value is not None
    assert (found.low, found.why) == (None, agreement.FEW_ITEMS)


def test_a_kappa_that_is_undefined_in_many_resamples_has_no_interval() -> None:
    counts = np.array([[2, 0]] * 30 + [[1, 1]])  # without the last item there is one category
    found = krippendorff_alpha(counts)
    assert found.value is not None
    assert (found.low, found.why) == (None, agreement.TOO_OFTEN_UNDEFINED)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """200 samples of 150 items, from a world in which Krippendorff's alpha is known."""
    rng = np.random.default_rng(3)
    truth = krippendorff_alpha(count_votes(_noisy(rng, 300_000), 4)).value
    samples = [krippendorff_alpha(count_votes(_noisy(rng, 150), 4)) for _ in range(200)]
    inside = np.mean([one.low < truth < one.high for one in samples])
    assert 0.90 <= inside <= 0.99


def _noisy(rng: np.random.Generator, n: int) -> np.ndarray:
    truth = rng.integers(0, 4, (n, 1))
    return np.where(rng.random((n, 2)) < 0.7, truth, rng.integers(0, 4, (n, 2)))


def test_the_same_seed_gives_the_same_interval_and_another_one_nearly() -> None:
    counts = count_votes(_noisy(np.random.default_rng(1), 500), 4)
    first, again, other = (krippendorff_alpha(counts, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first.low == pytest.approx(other.low, abs=0.02)


def test_ten_thousand_items_of_many_patterns_are_resampled_in_seconds() -> None:
    ratings = np.random.default_rng(0).integers(0, 9, (10_000, 9))  # no two items alike, nearly
    begin = time.process_time()
    krippendorff_alpha(count_votes(ratings, 9))
    assert time.process_time() - begin < 6  # 2 s on a quiet machine; test machines are busy
