"""results.csv: right to the last digit, by another way; and the numbers beside it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from btfer.bench.report.intervals import (
    UNCOUNTED,
    confusions,
    mean_interval,
    resampled_confusions,
    scores_of,
    wilson,
)
from btfer.bench.report.results import results_frame
from btfer.bench.report.seed_groups import comparable, read_groups
from btfer.bench.runs.store import RunStore
from tests.bench.drawn_runs import draw_run
from tests.bench.recompute_results import differences


def drawn_answers(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.sort(rng.integers(0, 7, n))
    guess = np.where(rng.random((2, n)) < 0.5, truth, rng.integers(0, 5, (2, n)))
    return truth, guess


@pytest.mark.slow
def test_every_number_of_results_csv_comes_out_again_by_scikit_learn_alone(tmp_path: Path) -> None:
    for seed in (0, 1):
        draw_run(tmp_path / "runs", seed=seed)
    draw_run(tmp_path / "runs", "lenet5", training="mine", balance="none", uncounted=24)
    table = tmp_path / "results.csv"
    results_frame(read_groups(RunStore(tmp_path / "runs").all())).to_csv(table, index=False)
    looked, wrong = differences(table, tmp_path / "runs", resamples=40)
    assert wrong == []
    assert looked == 2 * 6 * (6 + 3) + 2 * 4 + 2 * 6 * 6 + 2 * (
        7 + 4
    )  # `mine` has no published number
    rows = pd.read_csv(table)
    done = rows["state"] == "done"
    rows.loc[done & (rows["score"] == "f1"), "ours"] += 0.00001
    rows.loc[done & (rows["score"] == "recall"), "low"] -= 0.2
    rows.to_csv(table, index=False)
    _, wrong = differences(table, tmp_path / "runs", resamples=40)
    assert len(wrong) == 4 + 4


def test_scores_are_those_of_scikit_learn_also_for_a_class_that_nobody_predicts() -> None:
    truth, guess = drawn_answers(0)
    found = scores_of(confusions(truth, guess))
    for number, one in enumerate(guess):
        options = {"average": "weighted", "zero_division": 0}
        precision, recall, f1, _ = precision_recall_fscore_support(truth, one, **options)
        expected = {
            "accuracy": (truth == one).mean(),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "macro_f1": f1_score(truth, one, average="macro", zero_division=0),
        }
        assert {name: found[name][number] for name in expected} == pytest.approx(expected)


def test_drawing_answers_together_is_the_bootstrap_over_pictures() -> None:
    truth, guess = drawn_answers(1)
    rng = np.random.default_rng(5)
    slow = []
    for _ in range(600):
        members = [np.flatnonzero(truth == label) for label in range(7)]
        chosen = np.concatenate([rng.choice(one, len(one)) for one in members])
        slow.append(scores_of(confusions(truth[chosen], guess[:, chosen]))["f1"].mean())
    quick = scores_of(resampled_confusions(truth, guess))["f1"].mean(axis=1)
    assert quick.mean() == pytest.approx(np.mean(slow), abs=0.003)
    assert quick.std() == pytest.approx(np.std(slow), rel=0.12)


def test_a_class_keeps_its_size_in_every_resample_and_uncounted_pictures_stay_out() -> None:
    truth, guess = drawn_answers(2)
    drawn = resampled_confusions(truth, guess, 50)
    assert (drawn.sum(axis=-1) == np.bincount(truth, minlength=7)).all()
    guess[1, truth == 3] = UNCOUNTED
    assert resampled_confusions(truth, guess, 50)[:, 1, 3].sum() == 0


def test_wilson_is_scipys_interval() -> None:
    ours = wilson(7, 40)
    theirs = binomtest(7, 40).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert wilson(0, 5).low == 0


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    truth = np.zeros(1000, int)
    values = np.repeat([1.0, 0.0], 500)
    found = mean_interval(values, truth)
    assert found.value == 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / 1000**0.5, rel=0.06)


def test_seeds_are_one_cell_and_stand_beside_the_published_number(tmp_path: Path) -> None:
    for seed in (3, 4):
        draw_run(tmp_path, seed=seed, training="RAF-DB")
    results = results_frame(read_groups(RunStore(tmp_path).all()))
    [row] = results.query(
        "state == 'done' and score == 'accuracy' and scored_on == 'btfer'"
    ).to_dict("records")
    assert (row["model"], row["training_set"], row["seeds"]) == ("ResNet18", "rafdb", 2)
    assert row["low"] < row["ours"] < row["high"]
    assert row["seeds_min"] < row["ours"] < row["seeds_max"]
    assert row["published"] == 0.61
    assert row["difference"] == pytest.approx(row["ours"] - 0.61, abs=1e-6)
    assert row["marks"] == "notebook_differs row_by_position"


def test_runs_that_differ_in_more_than_the_seed_are_never_averaged(tmp_path: Path) -> None:
    draw_run(tmp_path, seed=0)
    draw_run(tmp_path, seed=1, epochs=2)
    draw_run(tmp_path, seed=2, data="other pictures")
    cells = [one for one in read_groups(RunStore(tmp_path).all()) if one.scored_on == "btfer"]
    assert [len(one.answers) for one in cells] == [1, 1, 1]
    [shown] = comparable(cells)
    assert shown.run.definition.epochs is None


def test_in_domain_scores_stand_beside_no_published_number(tmp_path: Path) -> None:
    folder = draw_run(tmp_path)
    (folder / "predictions_val.parquet").unlink()
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text.replace("cross_domain", "in_domain"))
    done = results_frame(read_groups(RunStore(tmp_path).all())).query("state == 'done'")
    assert set(done["scored_on"]) == {"in_domain"}
    assert done["published"].isna().all()


def test_a_trial_run_never_stands_for_the_full_one(tmp_path: Path) -> None:
    own = {"protocol": {"name": "paper", "split": "authors"}, "split": "folders; authors: 70/30"}
    for data in "ab":
        for trial in ({"limit": 10}, {"split": "folders; strict: x"}, {"mixed_precision": True}):
            runs = tmp_path / f"{data}{next(iter(trial))}"
            full = draw_run(runs, **own | {"data": data})
            draw_run(runs, **own | {"data": "b" if data == "a" else "a"} | trial)
            chosen = comparable(read_groups(RunStore(runs).all()))
            assert {one.run.folder for one in chosen} == {full}
