"""Runs as a table, best first: for the terminal and for Markdown; and the pictures that each run left."""

import base64
import json
from pathlib import Path
from typing import Any

from btfer.errors import UsageError

Row = dict[str, Any]

# What fits a terminal of 100 columns, under short names.
SHORT = {
    "architecture": "network",
    "resolution": "px",
    "balance": "balance",
    "train_set": "trained on",
    "val_accuracy": "val",
    "val_macro_f1": "mF1",
    "cross_accuracy": "cross",
    "cross_macro_f1": "mF1",
    "leaks": "leaks",
    "epochs": "ep.",
}
PICTURES = {
    "curves": "Learning curves: accuracy and loss over epochs",
    "confusion": "Confusion matrix: true classes by predicted ones",
}


def results_table(runs: list[dict[str, Any]]) -> list[Row]:
    """One row for each run, best cross-domain accuracy first; None where a number is not there.

    P, R and F1 are weighted by images per class, as in the paper. In-domain scores of a k-fold run
    stand in the val columns, since they are of the set that was trained on; never in the cross ones.
    """
    rows = [_row(one) for one in runs]
    return sorted(rows, key=lambda row: (-_number(row, "cross"), -_number(row, "val"), row["id"]))


def print_table(rows: list[Row]) -> None:
    """Print the columns that fit 100 characters, and the errors of failed runs below."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, title in SHORT.items():
        numeric = any(isinstance(row[name], int | float) for row in rows)
        table.add_column(title, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*short_row(row))
    console = Console()
    console = console if console.is_terminal else Console(width=100)
    console.print(table)
    for row in rows:
        if row["error"]:
            what = f"failed: {row['architecture']} {row['resolution']} {row['balance']}"
            console.print(f"{what}: {row['error']}", markup=False)


def read_runs(runs_dir: Path) -> list[dict[str, Any]]:
    """The record of every run, with its folder; a cross-validation is one. [] where there is none.

    Raises UsageError for a record that cannot be read.
    """
    return [_read(file) for file in sorted(runs_dir.glob("*/run.json"))]


def runs_markdown(rows: list[Row]) -> str:
    """The short table as Markdown."""
    lines = [list(SHORT.values()), ["---"] * len(SHORT)]
    lines += [[text.replace("|", "\\|") for text in short_row(row)] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def run_pictures(folder: Path) -> list[tuple[str, str]]:
    """(what it shows, data URI) of each picture that a run has."""
    return [
        (what, f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}")
        for name, what in PICTURES.items()
        if (path := folder / f"{name}.png").is_file()
    ]


def _read(file: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return record | {"folder": file.parent, "metrics": record["metrics"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{file} is no record of a run ({error}): delete its folder and run btfer bench again"
        ) from error


def _row(run: dict[str, Any]) -> Row:
    definition, metrics = run["definition"], run["metrics"]
    own = metrics.get("in_domain") or metrics.get("validation") or {}
    return {
        "architecture": definition["architecture"],
        "parameters": run.get("parameters"),
        "resolution": definition["resolution"],
        "balance": definition["balance"],
        "weights": definition["weights"],
        "train_set": run["training"],
        "protocol": definition["protocol"]["name"],
        "seed": definition["seed"],
        **_scores("val", own),
        "release": (run["release"] or {}).get("name"),
        **_scores("cross", metrics.get("cross_domain") or {}),
        "leaks": (run.get("leaks") or {}).get("faces"),
        "epochs": run.get("epochs"),
        "seconds_per_step": run.get("seconds_per_step"),
        "state": run["state"],
        "error": run.get("error"),
        "id": run["id"],
    }


def _scores(prefix: str, metrics: dict[str, Any]) -> Row:
    weighted = metrics.get("weighted") or {}
    return {
        f"{prefix}_accuracy": metrics.get("accuracy"),
        **{f"{prefix}_{name}": weighted.get(name) for name in ("precision", "recall", "f1")},
        f"{prefix}_macro_f1": (metrics.get("macro") or {}).get("f1"),
    }


def _number(row: Row, prefix: str) -> float:
    value = row[f"{prefix}_accuracy"]
    return -1.0 if value is None else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def short_row(row: Row) -> list[str]:
    """The cells of the short table. Weights stand beside the network, where it has any."""
    start = "" if row["weights"] == "none" else f" {row['weights']}"
    named = row | {"architecture": row["architecture"] + start}
    return [_text(named[name]) for name in SHORT]
