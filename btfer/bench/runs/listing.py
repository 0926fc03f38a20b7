"""The runs that lie in a folder, finished or not, as rows to list and compare. Loads no Keras."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.cached import DAMAGED
from btfer.errors import Incomplete
from btfer.parsing import parse_json


@dataclass(frozen=True)
class RunRow:
    """One run, finished or not: what defines it, its state, its scores. The fields are the keys of `--json`.

    release: that it was scored on; a run on several has a row for each. coverage: share of the release's images
    that another system had an answer for; 1 where that is not known.
    epochs: finished so far. validation, test, cross_domain: accuracies; that of an in-domain run is
    under validation, since it is of the set that was trained on. macro_f1: on the release, else there.
    """

    id: str
    state: str
    error: str | None
    architecture: str
    weights: str
    resolution: int
    balance: str
    seed: int
    training: str
    protocol: str
    epochs: int | None
    validation: float | None
    test: float | None
    cross_domain: float | None
    macro_f1: float | None
    release: str | None
    coverage: float | None
    accuracy_answered: float | None
    leaks: int | None


def run_rows(store: RunStore) -> list[RunRow]:
    """A row for each run and release, the best first. Raises Incomplete where there is no run."""
    rows = [_row(one) for run in store.all() for one in run.scorings]
    if not rows:
        raise Incomplete(f"no run in {store.runs_dir} yet: run btfer bench")
    return sorted(rows, key=lambda row: (-(row.cross_domain or -1), -(row.validation or -1)))


def _row(run: RunRecord) -> RunRow:
    definition = run.definition
    return RunRow(
        id=run.id,
        state=run.state,
        error=run.error,
        architecture=definition.architecture,
        weights=definition.weights,
        resolution=definition.resolution,
        balance=definition.balance,
        seed=definition.seed,
        training=run.training,
        protocol=definition.protocol_name,
        epochs=run.epochs or _epochs_so_far(run.folder),
        validation=run.own_scores.get("accuracy"),
        test=run.metrics.get("test", {}).get("accuracy"),
        cross_domain=run.cross_scores.get("accuracy"),
        macro_f1=((run.cross_scores or run.own_scores).get("macro") or {}).get("f1"),
        release=run.release_name or None,
        coverage=run.coverage,
        accuracy_answered=run.accuracy_answered,
        leaks=(run.leaks or {}).get("faces"),
    )


def _epochs_so_far(folder: Path) -> int | None:
    """Finished epochs of a run that is not at its end, as its checkpoint has them."""
    import numpy as np

    state = folder / "training.npz"
    if not state.is_file():
        return None
    with suppress(OSError, *DAMAGED), np.load(state) as file:
        return len(parse_json(str(file["progress"]))["history"])
    return None
