"""The runs in a folder: the one reader and writer of `run.json`. Importing this loads no Keras."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.bench.runs.inputs import InputSpec, input_spec
from btfer.bench.runs.record import EXTERNAL, NotARecord, RunRecord
from btfer.errors import UsageError
from btfer.files import write_atomic
from btfer.parsing import parse_json
from btfer.plain_files import read_plain_text
from btfer.progress import SILENT, Progress

if TYPE_CHECKING:
    import keras

MODEL, RECORD = "model.keras", "run.json"
LEAST_DIGITS = 4  # of an id, so that it is not taken for the name of a network
MOST_NAMED = 8


@dataclass(frozen=True)
class TrainedRun:
    """A run whose network is stored."""

    folder: Path
    record: RunRecord

    @property
    def input_spec(self) -> InputSpec:
        """How images become the input of its network."""
        return input_spec(self.record.definition)

    @property
    def name(self) -> str:
        """Network, side in pixels and id, in a few words."""
        return self.record.title

    def network(self) -> "keras.Model":
        """The trained network, in full precision also where it learnt in half: converters know no other."""
        import keras

        model = keras.saving.load_model(self.folder / MODEL, compile=False)
        if self.record.definition.mixed_precision:
            _compute_in_full(model)
        return model


def _compute_in_full(layer: Any) -> None:
    layer.dtype_policy = "float32"
    for inner in getattr(layer, "layers", ()):
        _compute_in_full(inner)


@dataclass(frozen=True)
class RunStore:
    """The runs in `runs_dir`, a folder for each. A record that cannot be read is skipped with one line."""

    runs_dir: Path
    progress: Progress = SILENT
    _named: set[Path] = field(default_factory=set, repr=False, compare=False)

    @property
    def cache(self) -> Path:
        """Folder of decoded pixels, shared by all runs."""
        return self.runs_dir / "_cache"

    def read(self, folder: Path) -> RunRecord | None:
        """The record of a run's folder; None where there is none, or none that can be read."""
        try:
            return _read(folder)
        except NotARecord as error:
            self._skip(folder, str(error))
            return None

    def write(self, record: RunRecord) -> RunRecord:
        """Write the record to its folder, whole; the record."""
        text = f"{json.dumps(record.to_json(), indent=2)}\n"
        write_atomic(record.folder / RECORD, text.encode())
        return record

    def all(self) -> list[RunRecord]:
        """Every run, by folder; a cross-validation is one run, without its folds."""
        found = map(self.read, self._folders())
        return [one for one in found if one is not None]

    def folds(self, record: RunRecord) -> list[RunRecord]:
        """The runs of a cross-validation's folds, in order; [] for another run."""
        folders = sorted(record.folder.glob("fold-*"), key=lambda one: (len(one.name), one.name))
        return [one for folder in folders if (one := self.read(folder)) is not None]

    def with_network(self) -> list[TrainedRun]:
        """Every run whose network is stored, the best on its release first; folds stand for themselves."""
        runs = [run for one in self.all() for run in self._trained(one)]
        return sorted(runs, key=lambda one: (-_accuracy(one.record), one.name))

    def trained(self, folder: Path) -> TrainedRun:
        """The run in a folder, which may be that of a fold. Raises UsageError where it has no network."""
        record = self.read(folder)
        if record is None:
            raise UsageError(f"no readable run in {folder}")
        return self._trained_or_error(record)

    def find(self, text: str) -> TrainedRun:
        """The trained run that `text` names: a folder, the first digits of an id, or a network that ran once.

        A cross-validation stands for its first fold. Raises UsageError where no run or several are
        meant, and where the run has no network.
        """
        return self._trained_or_error(self._pick(text, self._trained))

    def record(self, text: str) -> RunRecord:
        """The run that `text` names as in `find`, with a network or without. Raises UsageError as there."""
        return self._pick(text, lambda one: one.is_done)

    def _pick(self, text: str, fits: Callable[[RunRecord], Any]) -> RunRecord:
        """The run that is meant. fits: whether a run is worth naming as a choice."""
        records = self.all()
        meant = self._meant(text, records)
        if len(meant) == 1:
            return meant[0]
        named = [one.title for one in meant or [one for one in records if fits(one)]]
        if not named:
            raise UsageError(f"unknown run '{text}': there is no trained run yet, run btfer bench")
        choice = ", ".join(named[:MOST_NAMED])
        if meant:
            raise UsageError(f"'{text}' names {len(meant)} runs; choose one of {choice}")
        raise UsageError(f"unknown run '{text}'; choose one of {choice}")

    def _meant(self, text: str, records: list[RunRecord]) -> list[RunRecord]:
        for folder in (self.runs_dir / text, Path(text)):
            if text and _is_run(folder):
                found = self.read(folder)
                if found is None:
                    raise UsageError(
                        f"the record of run '{text}' cannot be read: {folder / RECORD}"
                    )
                return [found]
        if len(text) >= LEAST_DIGITS:
            folds = [fold for one in records for fold in self.folds(one)]
            by_id = [one for one in [*records, *folds] if one.id.startswith(text)]
            if by_id:
                return by_id
        named = [one for one in records if text and one.definition.architecture == text]
        return [one for one in named if self._trained(one)] or named

    def _trained(self, record: RunRecord) -> list[TrainedRun]:
        """The run itself, or the folds of it, as far as their networks are stored."""
        own = [record] if (record.folder / MODEL).is_file() else self.folds(record)
        return [TrainedRun(one.folder, one) for one in own if (one.folder / MODEL).is_file()]

    def _trained_or_error(self, record: RunRecord) -> TrainedRun:
        trained = self._trained(record)
        if trained:
            return trained[0]
        if record.training == EXTERNAL:
            raise UsageError(
                f"run {record.id} has no network of its own: it is predictions of "
                f"{record.definition.architecture}; choose a run that btfer bench trained"
            )
        raise UsageError(
            f"run {record.id} has no network, its state is {record.state}: run btfer bench again"
        )

    def _folders(self) -> list[Path]:
        try:
            found = sorted(self.runs_dir.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [one for one in found if one.is_dir() and one.name[0] not in "._"]

    def _skip(self, folder: Path, why: str) -> None:
        if folder not in self._named:
            self._named.add(folder)
            self.progress.say(f"skipped {folder / RECORD}, which is not the record of a run: {why}")


def _is_run(folder: Path) -> bool:
    """Whether a record lies there, readable or not."""
    try:
        return (folder / RECORD).is_file()
    except PermissionError:
        return True
    except (OSError, ValueError):  # a text that is too long for a path, or has a zero byte
        return False


def _read(folder: Path) -> RunRecord | None:
    """Raises NotARecord that says why the file cannot be used."""
    try:
        text = read_plain_text(folder / RECORD, "utf-8-sig")
        return RunRecord.from_json(parse_json(text), folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotARecord:
        raise
    except UnicodeDecodeError:
        raise NotARecord("it is not UTF-8") from None
    except ValueError as error:
        why = "it is empty" if not text.strip() else f"it is not JSON ({error})"
        raise NotARecord(why) from None
    except OSError as error:
        raise NotARecord(f"it cannot be opened ({error.strerror})") from None


def _accuracy(record: RunRecord) -> float:
    found = (
        record.cross_scores or record.metrics.get("held_out") or record.metrics.get("validation")
    )
    return float((found or {}).get("accuracy", 0))
