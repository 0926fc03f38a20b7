import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from btfer.bench.runs.metrics import calibration_error, scores
from btfer.bench.train.protocol import (
    AUTHORS_CODE,
    PAPER,
    SHORT,
    STRICT,
    class_weights,
    protocol_named,
)
from btfer.errors import UsageError

RAF_DB = [606, 613, 248, 4169, 2242, 1722, 1133]


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("none", [1, 1, 1, 1, 1, 1, 1]),
        ("simple", [6.88, 6.80, 16.81, 1, 1.86, 2.42, 3.68]),
        ("conservative", [3, 3, 3, 1, 1.86, 2.42, 3]),
    ],
)
def test_class_weights_of_raf_db_are_those_of_the_paper(
    balance: str, expected: list[float]
) -> None:
    weights = class_weights(RAF_DB, balance)
    assert [round(weights[label], 2) for label in range(7)] == expected


def test_a_class_without_images_has_no_weight_but_may_be_unweighted() -> None:
    counts = [5, 5, 0, 5, 5, 5, 5]
    with pytest.raises(UsageError, match="no training image of fear"):
        class_weights(counts, "simple")
    assert class_weights(counts, "none")[2] == 1.0


def test_an_unknown_balance_or_protocol_lists_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match="unknown balance 'even'; choose one of none, simple, conservative"
    ):
        class_weights(RAF_DB, "even")
    with pytest.raises(
        UsageError, match="unknown protocol 'mine'; choose one of paper, authors_code, strict"
    ):
        protocol_named("mine")


def test_protocols_differ_where_the_authors_code_does() -> None:
    assert (PAPER.head_epochs, PAPER.evaluated, PAPER.skip_remainder) == (30, "best", False)
    assert (AUTHORS_CODE.head_epochs, AUTHORS_CODE.evaluated) == (20, "last")
    assert AUTHORS_CODE.skip_remainder
    assert PAPER.learning_rate == AUTHORS_CODE.learning_rate == 1e-4
    assert (PAPER.batch_size, AUTHORS_CODE.batch_size, AUTHORS_CODE.resize) == (64, 64, "nearest")
    assert (PAPER.rate("lenet5"), AUTHORS_CODE.rate("lenet5")) == (1e-4, 1e-3)
    assert ("vgg16" in AUTHORS_CODE.head_first, PAPER.head_first) == (True, ())


def test_the_paper_protocol_is_section_4_2() -> None:
    assert (PAPER.plateau_patience, PAPER.plateau_factor, PAPER.min_learning_rate) == (
        10,
        0.5,
        1e-10,
    )
    assert (PAPER.stop_patience, PAPER.rescale) == (20, 1 / 255)
    drawn = PAPER.augmentation
    assert (drawn.rotation_degrees, drawn.shift, drawn.zoom) == (20, 0.2, 0.2)
    assert drawn.horizontal_flip


def test_the_strict_protocol_scores_every_image_of_a_part_that_nothing_looked_at() -> None:
    assert (STRICT.untouched_test, STRICT.split, STRICT.skip_remainder) == (True, "strict", False)
    assert (STRICT.evaluated, STRICT.preprocessing, STRICT.deterministic) == ("best", "own", True)


def test_scores_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(7), [3, 9, 4, 30, 12, 7, 5])
    probabilities = rng.dirichlet(np.ones(7), len(labels))
    predicted = probabilities.argmax(axis=1)
    found = scores(labels, probabilities)
    for average in ("weighted", "macro"):
        known = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        assert list(found[average].values()) == pytest.approx(known[:3], abs=1e-6)
    assert found["macro"]["f1"] == pytest.approx(
        f1_score(labels, predicted, average="macro"), abs=1e-6
    )
    assert sum(map(sum, found["confusion"])) == len(labels)
    assert found["weighted"]["recall"] == pytest.approx(found["accuracy"])


def test_calibration_error_is_the_gap_of_confidence_and_accuracy() -> None:
    sure_and_half_right = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert calibration_error(np.array([0, 1]), sure_and_half_right) == pytest.approx(0.4)
    assert calibration_error(np.array([0, 0]), np.array([[1.0, 0.0]] * 2)) == 0


def test_the_short_protocol_is_the_papers_but_for_haste() -> None:
    hasty = {"name", "learning_rate", "augmentation", "head_epochs", "max_epochs", "deterministic"}
    paper, short = vars(PAPER), vars(SHORT)
    assert {name for name in paper if paper[name] != short[name]} == hasty
    assert SHORT.learning_rate == 10 * PAPER.learning_rate
    assert SHORT.deterministic
    assert protocol_named("short") is SHORT
