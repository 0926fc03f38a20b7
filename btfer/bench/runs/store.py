"""Finished runs: found by name, with the network as it was stored. Importing this loads no Keras."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.bench.runs.inputs import InputSpec, input_spec
from btfer.errors import UsageError

if TYPE_CHECKING:
    import keras

MODEL = "model.keras"


@dataclass(frozen=True)
class TrainedRun:
    """A run with a network. record: its run.json."""

    folder: Path
    record: dict[str, Any]

    @property
    def form(self) -> InputSpec:
        """What its network is given."""
        return input_spec(self.record["definition"])

    @property
    def name(self) -> str:
        """Network, side in pixels and id, in a few words."""
        told = self.record["definition"]
        return f"{told['architecture']} {told['resolution']} ({self.record['id']})"

    def network(self) -> "keras.Model":
        """The trained network."""
        import keras

        return keras.saving.load_model(self.folder / MODEL, compile=False)


def with_network(runs_dir: Path) -> list[TrainedRun]:
    """Every run whose network is stored, the best on its release first; folds stand for themselves."""
    folders = [path.parent for path in runs_dir.glob(f"**/{MODEL}")]
    found = [TrainedRun(one, _record(one)) for one in folders if (one / "run.json").is_file()]
    return sorted(found, key=lambda one: (-_accuracy(one.record), one.name))


def find_run(runs_dir: Path, text: str) -> TrainedRun:
    """The run that `text` names: a folder, the beginning of an id, or a network that ran just once.

    A k-fold run stands for its first fold. Raises UsageError where none or several are meant.
    """
    known = with_network(runs_dir)
    meant = [one for one in known if _means(one, text)]
    if (runs_dir / text).is_dir() or Path(text).is_dir():
        folder = (runs_dir / text if (runs_dir / text).is_dir() else Path(text)).resolve()
        meant = [one for one in known if one.folder.resolve() == folder]
        meant = meant or [one for one in known if one.folder.resolve() == folder / "fold-1"]
        if not meant and (folder / MODEL).is_file() and (folder / "run.json").is_file():
            return TrainedRun(folder, _record(folder))
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(one.name for one in (meant or known)[:8]) or "none yet: run btfer bench"
    raise UsageError(f"'{text}' names {len(meant)} runs with a network: choose of {names}")


def _means(one: TrainedRun, text: str) -> bool:
    is_id = len(text) >= 4 and str(one.record["id"]).startswith(text)
    return bool(text) and (is_id or text == one.record["definition"]["architecture"])


def _record(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "run.json").read_text(encoding="utf-8")))


def _accuracy(record: dict[str, Any]) -> float:
    metrics = record.get("metrics", {})
    found = metrics.get("cross_domain") or metrics.get("held_out") or metrics.get("validation")
    return float((found or {}).get("accuracy", 0))
