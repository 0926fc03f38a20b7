"""The tables of bench: the plan, the runs, the networks, and what a call scored."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.cli import output
from btfer.errors import BtferError

if TYPE_CHECKING:
    from btfer.bench import NetworkRow, PlannedCell
    from btfer.bench.runs.record import RunRecord

RUN_COLUMNS = {
    "id": "id",
    "state": "state",
    "architecture": "network",
    "weights": "weights",
    "resolution": "px",
    "balance": "balance",
    "training": "trained on",
    "protocol": "protocol",
    "seed": "seed",
    "epochs": "epochs",
    "validation": "val",
    "test": "test",
    "cross_domain": "BTFER",
    "coverage": "cov.",
    "leaks": "leaks",
    "release": "release",
}


def print_plan(rows: "list[PlannedCell]", as_json: bool) -> None:
    """The cells of a grid, and the time that those which are not done will take."""
    from btfer.bench.experiments.clock import in_words

    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
        return
    shown = [
        [
            *(getattr(row, name) for name in ("architecture", "weights", "resolution", "balance")),
            *(row.training, row.seed, f"{row.parameters:,}", row.state),
            in_words(row.seconds) if row.seconds is not None else "-",
        ]
        for row in rows
    ]
    titles = ["network", "weights", "px", "balance", "trained on", "seed", "parameters", "state"]
    output.table([*titles, "about"], shown)
    left = sum(row.seconds or 0 for row in rows if row.state != "done")
    print(f"{len(rows)} cell{'' if len(rows) == 1 else 's'}; about {in_words(left)} left")


def list_runs(runs_dir: Path, as_json: bool) -> None:
    """Every run, the best on the release first; the scores are accuracies."""
    from btfer.bench.runs.listing import run_rows
    from btfer.bench.runs.store import RunStore

    rows = run_rows(RunStore(runs_dir, output.ConsoleProgress()))
    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
        return
    shown = [[_shown(getattr(row, name)) for name in RUN_COLUMNS] for row in rows]
    output.table(list(RUN_COLUMNS.values()), shown)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def print_results(results: "list[RunRecord]", as_json: bool) -> None:
    """What a call scored. Raises BtferError where every run failed."""
    from btfer.bench.report import print_table, results_table

    rows = results_table(results)
    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2, default=str))
    else:
        print_table(rows)
    if results and all(one.state == "failed" for one in results):
        raise BtferError("every run failed; btfer bench runs --json has the errors")


def list_networks(as_json: bool) -> None:
    """Every network: family, parameters and pretrained weights."""
    from btfer import bench as runner

    rows = runner.list_architectures()
    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
    else:
        output.table(["name", "family", "48", "224", "weights"], list(map(_listed, rows)))


def _listed(row: "NetworkRow") -> list[str]:
    """A line of the list: parameters under the side in pixels that they are for, then the weights."""
    from btfer.bench.architectures import architecture

    counts = [_counted(row.parameters.get(side)) for side in ("48", "224")]
    variants = architecture(row.name).variants
    weights = [
        one + "".join(_variant(*one_side) for one_side in variants.get(one, {}).items())
        for one in row.weights
    ]
    return [row.name, row.family, *counts, ", ".join(weights)]


def _counted(parameters: int | None) -> str:
    return f"{parameters:,}" if parameters else "-"


def _variant(side: int, parameters: int) -> str:
    return f" (at {side}: {parameters:,})"
