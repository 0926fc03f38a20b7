"""Scores of a bundle, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from btfer.bench.runs.metrics import calibration_error
from btfer.bench.submit.scores import OTHER, SILENT, all_scores, answer_codes, reliability


def answers(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.integers(0, 6, n), rng.dirichlet([0.4] * 7, n)  # the last class does not occur


def test_scores_are_those_of_scikit_learn() -> None:
    truth, said = answers()
    found = all_scores(truth, said)
    guess = said.argmax(axis=1)
    options = {"labels": range(6), "average": "macro", "zero_division": 0}
    assert found == {
        "accuracy": pytest.approx(accuracy_score(truth, guess), abs=1e-6),
        "macro_recall": pytest.approx(recall_score(truth, guess, **options), abs=1e-6),
        "macro_f1": pytest.approx(f1_score(truth, guess, **options), abs=1e-6),
        "coverage": 1.0,
        "accuracy_answered": pytest.approx(accuracy_score(truth, guess), abs=1e-6),
        "ece": pytest.approx(calibration_error(truth, said), abs=1e-6),
    }


def test_silence_and_classes_that_are_not_ours_are_wrong_answers() -> None:
    truth, said = answers()
    said[:100] = np.nan
    said[100:150] = 0
    codes = answer_codes(said)
    assert (codes[:100] == SILENT).all()
    assert (codes[100:150] == OTHER).all()
    found, right = all_scores(truth, said), int((codes[150:] == truth[150:]).sum())
    assert found["coverage"] == 0.75
    assert found["accuracy"] == pytest.approx(right / 400, abs=1e-6)
    assert found["accuracy_answered"] == pytest.approx(right / 300, abs=1e-6)
    assert reliability(truth, said)[:, 0].sum() == 250


def test_labels_alone_have_no_calibration() -> None:
    truth, said = answers()
    assert all_scores(truth, np.eye(7)[said.argmax(axis=1)])["ece"] is None
