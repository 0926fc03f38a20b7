"""Runs as a table, best first: for the terminal and for Markdown; and the plots that each run left."""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.bench.runs.record import RunRecord

if TYPE_CHECKING:
    from rich.table import Table

# What fits a terminal of 100 columns, under short names.
SHORT = {
    "architecture": "network",
    "resolution": "px",
    "balance": "balance",
    "train_set": "trained on",
    "val_accuracy": "val",
    "val_macro_f1": "mF1",
    "cross_accuracy": "cross",
    "coverage": "cov.",
    "cross_macro_f1": "mF1",
    "leaks": "leaks",
    "epochs": "ep.",
}
PLOTS = {
    "curves": "Learning curves: accuracy and loss over epochs",
    "confusion": "Confusion matrix: true classes by predicted ones",
}


@dataclass(frozen=True)
class ResultRow:
    """One run; None where a number is not there. The fields are the keys of `--json`.

    val_: scores on the set that was trained on; of a k-fold run on the release, in-domain. cross_:
    on a release, by a network that was trained elsewhere. Precision, recall and F1 are weighted by
    images per class, as in the paper. coverage: share of the release's images with an answer; those without count
    as wrong, but for accuracy_answered. leaks: faces of the release that the training set holds too. other_sets: the
    accuracy on the held-out part of other training sets, by name (`btfer bench --cross`).
    """

    architecture: str
    parameters: int | None
    resolution: int
    balance: str
    weights: str
    train_set: str
    protocol: str
    seed: int
    val_accuracy: float | None
    val_precision: float | None
    val_recall: float | None
    val_f1: float | None
    val_macro_f1: float | None
    release: str | None
    cross_accuracy: float | None
    cross_precision: float | None
    cross_recall: float | None
    cross_f1: float | None
    cross_macro_f1: float | None
    coverage: float | None
    accuracy_answered: float | None
    leaks: int | None
    other_sets: Mapping[str, float]
    epochs: int | None
    seconds_per_step: float | None
    state: str
    error: str | None
    id: str


def results_table(runs: Iterable[RunRecord]) -> list[ResultRow]:
    """One row for each run, best cross-domain accuracy first, then best on the set trained on."""

    def rank(row: ResultRow) -> tuple[float, float, str]:
        return (-_or_last(row.cross_accuracy), -_or_last(row.val_accuracy), row.id)

    return sorted(map(_row, runs), key=rank)


def print_table(rows: list[ResultRow]) -> None:
    """Print the columns that fit 100 characters; below them what was scored on other sets, and what failed."""
    from rich.console import Console

    shown = dict(SHORT)
    if all(row.coverage in (1, None) for row in rows):
        del shown["coverage"]
    console = Console()
    console = console if console.is_terminal else Console(width=100)
    console.print(_table(rows, shown, lambda row: short_row(row, shown)))
    if others := sorted({name for row in rows for name in row.other_sets}):
        console.print("\nAccuracy on the held-out part of other training sets:", markup=False)
        named = {name: SHORT[name] for name in ("architecture", "resolution", "train_set")}
        crossed = [row for row in rows if row.other_sets]
        console.print(
            _table(
                crossed,
                named | {name: name for name in others},
                lambda row: [
                    *short_row(row, named),
                    *(_text(row.other_sets.get(name)) for name in others),
                ],
            )
        )
    for row in rows:
        if row.error:
            what = f"failed: {row.architecture} {row.resolution} {row.balance}"
            console.print(f"{what}: {row.error}", markup=False)


def _table(
    rows: list[ResultRow],
    titles: Mapping[str, str],
    texts: Callable[[ResultRow], list[str]],
) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, title in titles.items():
        values = [row.other_sets.get(name, getattr(row, name, None)) for row in rows]
        numeric = any(isinstance(value, int | float) for value in values)
        table.add_column(escape(title), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*map(escape, texts(row)))
    return table


def runs_markdown(rows: list[ResultRow]) -> str:
    """The short table as Markdown."""
    lines = [list(SHORT.values()), ["---"] * len(SHORT)]
    lines += [[text.replace("|", "\\|") for text in short_row(row)] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def short_row(row: ResultRow, columns: Iterable[str] = tuple(SHORT)) -> list[str]:
    """The texts of the short table. Weights stand beside the network, where it has any."""
    start = "" if row.weights == "none" else f" {row.weights}"
    named = vars(row) | {"architecture": row.architecture + start}
    return [_text(named[name]) for name in columns]


def run_plots(folder: Path) -> list[tuple[str, str]]:
    """(what it shows, data URI) of each plot that a run has."""
    return [
        (what, f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}")
        for name, what in PLOTS.items()
        if (path := folder / f"{name}.png").is_file()
    ]


def _row(run: RunRecord) -> ResultRow:
    definition = run.definition
    return ResultRow(
        architecture=definition.architecture,
        parameters=run.parameters,
        resolution=definition.resolution,
        balance=definition.balance,
        weights=definition.weights,
        train_set=run.training,
        protocol=definition.protocol_name,
        seed=definition.seed,
        **_scores("val", run.own_scores),
        release=run.release_name or None,
        **_scores("cross", run.cross_scores),
        coverage=run.coverage,
        accuracy_answered=run.accuracy_answered,
        leaks=(run.leaks or {}).get("faces"),
        other_sets={
            name: one["scores"]["accuracy"] for name, one in sorted((run.other_sets or {}).items())
        },
        epochs=run.epochs,
        seconds_per_step=run.seconds_per_step,
        state=run.state,
        error=run.error,
        id=run.id,
    )


def _scores(prefix: str, scores: Mapping[str, Any]) -> dict[str, Any]:
    weighted = scores.get("weighted") or {}
    return {
        f"{prefix}_accuracy": scores.get("accuracy"),
        **{f"{prefix}_{name}": weighted.get(name) for name in ("precision", "recall", "f1")},
        f"{prefix}_macro_f1": (scores.get("macro") or {}).get("f1"),
    }


def _or_last(value: float | None) -> float:
    return -1.0 if value is None else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
