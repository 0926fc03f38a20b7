"""Every number of results.csv once more, from the files of predictions, with scikit-learn alone.

Knows nothing of btfer: python tests/bench/recompute_results.py RESULTS.csv RUNS_FOLDER
Intervals are drawn again picture by picture, so they agree up to the chance of two bootstraps.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

FILES = {
    "validation": "predictions_val.parquet",
    "test": "predictions_test.parquet",
    "btfer": "predictions_btfer.parquet",
    "in_domain": "predictions_btfer.parquet",
}
NAMES = ("accuracy", "precision", "recall", "f1", "macro_f1", "macro_recall")
CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
CODES = {name: number for number, name in enumerate(CLASSES)}
EXACT = 1e-6
BETWEEN_BOOTSTRAPS = 0.3  # of an interval's width


def scores(truth, guess):
    """The six scores by scikit-learn."""
    options = {"average": "weighted", "zero_division": 0}
    precision, recall, f1, _ = precision_recall_fscore_support(truth, guess, **options)
    present = sorted(set(truth))
    options = {"labels": present, "average": "macro", "zero_division": 0}
    macro = [one(truth, guess, **options) for one in (f1_score, recall_score)]
    found = (accuracy_score(truth, guess), precision, recall, f1, *macro)
    return dict(zip(NAMES, found, strict=True))


def calibration_error(table, bins=15):
    """Mean gap of confidence and accuracy, bin by bin."""
    shares = table[[f"p_{name}" for name in CLASSES]].to_numpy()
    confidence, right = shares.max(axis=1), (table["label"] == table["predicted"]).to_numpy()
    slot = np.minimum(np.floor(confidence * bins), bins - 1)
    gaps = [abs((confidence - right)[slot == one].sum()) for one in range(bins)]
    return sum(gaps) / len(table)


def quick_scores(truth, guess, weight):
    """The same of weighted pictures in one call; truth and guess are numbers, which is faster."""
    by_class = precision_recall_fscore_support(truth, guess, sample_weight=weight, zero_division=0)
    precision, recall, f1 = (np.average(one, weights=by_class[3]) for one in by_class[:3])
    present = by_class[3] > 0
    macro = by_class[2][present].mean(), by_class[1][present].mean()
    return recall, precision, recall, f1, *macro


def bootstrap(tables, resamples, rng):
    """Ends of 95 % intervals of the mean over tables; the same pictures are drawn for each of them."""
    coded = [
        one.sort_values("file").replace({"label": CODES, "predicted": CODES}) for one in tables
    ]
    columns = [[one[name].to_numpy() for name in ("label", "predicted", "counts")] for one in coded]
    truth = columns[0][0].astype(int)
    members = [np.flatnonzero(truth == one) for one in np.unique(truth)]
    drawn = []
    for _ in range(resamples):
        chosen = np.concatenate([rng.choice(one, len(one)) for one in members])
        times = np.bincount(chosen, minlength=len(truth))
        found = [
            quick_scores(label[counts].astype(int), guess[counts].astype(int), times[counts])
            for label, guess, counts in columns
        ]
        drawn.append(np.mean(found, axis=0))
    return dict(zip(NAMES, np.percentile(drawn, (2.5, 97.5), axis=0).T, strict=True))


def differences(results_csv, runs_dir, resamples=200):
    """(numbers looked at, what differs in words)."""
    results = pd.read_csv(results_csv, keep_default_na=True)
    looked, wrong = 0, []
    done = results[results["state"] == "done"]
    for (runs, part), rows in done.groupby(["runs", "scored_on"]):
        folders = [Path(runs_dir) / one for one in runs.split()]
        tables = [pd.read_parquet(folder / FILES[part]) for folder in folders]
        counted = [one[one["counts"]] for one in tables]
        by_run = pd.DataFrame([scores(one["label"], one["predicted"]) for one in counted])
        by_run["ece"] = [calibration_error(one) for one in counted]
        ends = bootstrap(tables, resamples, np.random.default_rng(1))
        record = json.loads((folders[0] / "run.json").read_text())
        for row in rows.itertuples():
            found = by_run[row.score]
            several = len(found) > 1
            expected = {
                "ours": (row.ours, found.mean(), EXACT),
                "images": (row.images, len(counted[0]), 0),
                "seeds": (row.seeds, len(found), 0),
                "parameters": (float(row.parameters), record["parameters"], 0),
            }
            if several:
                expected |= {
                    "seeds_sd": (row.seeds_sd, found.std(ddof=1), EXACT),
                    "seeds_min": (row.seeds_min, found.min(), EXACT),
                    "seeds_max": (row.seeds_max, found.max(), EXACT),
                }
            if not np.isnan(row.published):
                expected["difference"] = (row.difference, found.mean() - row.published, EXACT)
            if row.score == "ece":
                looked, wrong = looked + len(expected), wrong + told(runs, row, expected)
                continue
            near = BETWEEN_BOOTSTRAPS * (row.high - row.low) + 1e-9
            expected["low"] = (row.low, ends[row.score][0], near)
            expected["high"] = (row.high, ends[row.score][1], near)
            looked += len(expected)
            wrong += told(runs, row, expected)
    return looked, wrong


def told(runs, row, expected):
    """What differs, in words."""
    return [
        f"{runs} {row.scored_on} {row.score} {name}: {ours} in the table, {again} again"
        for name, (ours, again, tolerance) in expected.items()
        if not abs(ours - again) <= tolerance
    ]


if __name__ == "__main__":
    looked, wrong = differences(sys.argv[1], sys.argv[2])
    print("\n".join(wrong))
    print(f"{looked} numbers looked at, {len(wrong)} differ")
    sys.exit(bool(wrong))
