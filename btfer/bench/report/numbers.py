"""Accuracies as the plots need them: one row for each cell, the same columns for ours and the published ones."""

from typing import Any

import pandas as pd

from btfer.bench.architectures import ARCHITECTURES, SIZES
from btfer.bench.published import TRAINING_SETS, model_name, published_tables
from btfer.bench.report.seed_groups import BTFER, VALIDATION, SeedGroup
from btfer.bench.train.protocol import BALANCES

OURS, PUBLISHED = "ours", "published"
COLUMNS = (
    "network",
    "architecture",
    "weights",
    "training_set",
    "resolution",
    "balance",
    "scored_on",
    "value",
    "low",
    "high",
    "parameters",
    "seconds_per_step",
)


def published_numbers() -> pd.DataFrame:
    """COLUMNS from Tables 2 and 3. Parameters are ours: some of the printed ones are one row off."""
    return pd.DataFrame([_published(one) for one in _rows(published_tables())])


def our_numbers(results: pd.DataFrame, cells: list[SeedGroup]) -> pd.DataFrame:
    """COLUMNS from the accuracy rows of comparable cells: trained networks, on a release or on validation.

    Of the protocol and the release with the most cells: a plot that mixed two would compare what cannot be compared.
    """
    seconds = {cell.run.id: cell.run.seconds_per_step for cell in cells}
    accuracy = results[(results["state"] == "done") & (results["score"] == "accuracy")]
    kept = accuracy[
        accuracy["scored_on"].isin([BTFER, VALIDATION])
        & accuracy["resolution"].isin(SIZES)
        & accuracy["balance"].isin(BALANCES)
    ]
    kept = kept[kept["protocol"] == main_protocol(results)]
    kept = kept[(kept["scored_on"] != BTFER) | (kept["pictures"] == main_release(kept))]
    rows = [_ours(one, seconds) for one in _rows(kept)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def main_protocol(results: pd.DataFrame) -> str:
    """The protocol that most of what was run was run by; empty where nothing was."""
    run = results[(results["state"] == "done") & results["balance"].isin(BALANCES)]
    most = run["protocol"].value_counts()
    return str(most.index[0]) if len(most) else ""


def main_release(results: pd.DataFrame) -> str:
    """The release with the most cross-domain scores; empty where there are none."""
    most = results[results["scored_on"] == BTFER]["pictures"].value_counts()
    return str(most.index[0]) if len(most) else ""


def set_name(training_set: str) -> str:
    """The printed name of a training set."""
    return TRAINING_SETS.get(training_set, training_set)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[Any] = frame.to_dict("records")
    return rows


def _published(one: dict[str, Any]) -> dict[str, Any]:
    totals = ARCHITECTURES[one["architecture"]].totals(one["weights"])
    known = {name: one[name] for name in COLUMNS if name in one}
    return known | {
        "network": model_name(one["architecture"], one["weights"]),
        "value": one["accuracy"],
        "low": None,
        "high": None,
        "parameters": totals.get(one["resolution"]),
        "seconds_per_step": None,
    }


def _ours(one: dict[str, Any], seconds: dict[str, float | None]) -> dict[str, Any]:
    known = {name: one[name] for name in COLUMNS if name in one}
    step = seconds.get(one["runs"].split()[0])
    return known | {
        "network": model_name(one["architecture"], one["weights"]),
        "value": one["ours"],
        "seconds_per_step": step,
    }
