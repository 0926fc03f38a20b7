"""The runs that lie in a folder, finished or not, as rows to list and compare. Loads no Keras."""

import json
from pathlib import Path
from typing import Any

from btfer.errors import Incomplete


def run_rows(runs_dir: Path) -> list[dict[str, Any]]:
    """A row for each run: what defines it, its state, its accuracies; the best on a release first.

    An in-domain run's accuracy stands under validation, since it is of the set that was trained on.
    Raises Incomplete where there is no run.
    """
    files = sorted(runs_dir.glob("*/run.json"))
    if not files:
        raise Incomplete(f"no run in {runs_dir} yet: run btfer bench")
    rows = [_row(json.loads(file.read_text(encoding="utf-8")), file.parent) for file in files]
    return sorted(rows, key=lambda row: (-(row["cross_domain"] or -1), -(row["validation"] or -1)))


def _row(record: dict[str, Any], folder: Path) -> dict[str, Any]:
    definition, metrics = record.get("definition", {}), record.get("metrics", {})
    own = metrics.get("validation") or metrics.get("in_domain") or {}
    names = ("architecture", "weights", "resolution", "balance", "seed")
    return {
        "id": record.get("id", folder.name),
        "state": record.get("state"),
        "error": record.get("error"),
        **{name: definition.get(name) for name in names},
        "training": record.get("training"),
        "protocol": (definition.get("protocol") or {}).get("name"),
        "epochs": record.get("epochs") or _epochs_so_far(folder),
        "validation": own.get("accuracy"),
        "test": (metrics.get("test") or {}).get("accuracy"),
        "cross_domain": (metrics.get("cross_domain") or {}).get("accuracy"),
        "macro_f1": ((metrics.get("cross_domain") or own).get("macro") or {}).get("f1"),
    }


def _epochs_so_far(folder: Path) -> int | None:
    """Finished epochs of a run that is not at its end, as its checkpoint has them."""
    import numpy as np

    state = folder / "training.npz"
    if not state.is_file():
        return None
    with np.load(state) as file:
        return len(json.loads(str(file["progress"]))["history"])
