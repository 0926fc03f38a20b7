"""Training that can be killed: after each epoch one file holds all that the next epoch depends on.

Restored: weights, optimizer with its learning rate, the counters of early stopping and of the
learning-rate plateau, the seeds of dropout layers, the best accuracy so far, the history; and the
batches are drawn by epoch number. Not restored: batches of the epoch that was cut off, which is done again
from its start. On a CPU a run that was cut off ends as one that was not.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btfer.cached import DAMAGED, is_unreadable
from btfer.errors import BtferError
from btfer.parsing import parse_json

STATE = "training.npz"
EpochRow = dict[str, float]
"""One epoch: number, phase, steps, seconds, learning rate, and what Keras logs (loss, accuracy, val_...)."""


def epoch_in_words(row: EpochRow) -> str:
    """`epoch 3 (phase 2), loss 1.234, accuracy 0.500, validation 0.480, 2.5 s`."""
    return (
        f"epoch {row['epoch']} (phase {row['phase']}), loss {row['loss']:.3f}, accuracy {row['accuracy']:.3f}, "
        f"validation {row['val_accuracy']:.3f}, {row['seconds']:.1f} s"
    )


OnEpoch = Callable[[EpochRow], None]
COUNTERS = ("wait", "best", "cooldown_counter", "stopped_epoch")


@dataclass
class TrainingState:
    """How far a training is. history: a row per finished epoch, over both phases."""

    phase: int = 1
    phase_epochs: int = 0
    stopped: bool = False
    best: float = -1.0
    history: list[EpochRow] = field(default_factory=list)
    counters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def begin(self, phase: int) -> None:
        """Go over to the next phase, with nothing done in it."""
        self.phase, self.phase_epochs, self.stopped, self.best = phase, 0, False, -1.0
        self.counters = {}


def load_state(folder: Path) -> TrainingState:
    """What `folder` remembers of a training; a new one where there is nothing.

    Raises BtferError where it is damaged.
    """
    path = folder / STATE
    if not path.is_file():
        return TrainingState()
    with _arrays(path) as file:
        return TrainingState(**parse_json(str(file["progress"])))


@contextmanager
def _arrays(path: Path) -> Iterator[Any]:
    """The arrays of a file, by name. Raises BtferError for what is damaged."""
    try:
        with np.load(path) as file:
            yield file
    except (*DAMAGED, OSError) as error:
        if is_unreadable(error):
            raise
        raise BtferError(
            f"{path} is damaged ({str(error)[:120]}): delete the folder {path.parent}, and the run begins anew"
        ) from None


def best_weights(folder: Path, phase: int) -> Path:
    """Where the weights with the best validation accuracy of a phase are."""
    return folder / f"best-phase{phase}.npz"


def save_weights(model: keras.Model, path: Path) -> None:
    """All weights of a model, in order."""
    _save_arrays(path, _numbered("weight", model.weights))


def set_weights(model: keras.Model, path: Path) -> None:
    """Put the weights of `save_weights` back."""
    with _arrays(path) as file:
        _assign(model.weights, "weight", file)


def restore(model: keras.Model, folder: Path) -> None:
    """Put weights, optimizer and dropout seeds of the last finished epoch back into a compiled model."""
    model.optimizer.build(model.trainable_variables)
    with _arrays(folder / STATE) as file:
        for name, variables in _variables(model).items():
            _assign(variables, name, file)


class Checkpoint(keras.callbacks.Callback):
    """Remember each finished epoch, then call `on_epoch` with its row. Must be the last callback of a fit.

    counted: callbacks whose counters go on after a restart, by name.
    """

    def __init__(
        self,
        folder: Path,
        state: TrainingState,
        counted: dict[str, keras.callbacks.Callback],
        on_epoch: OnEpoch,
    ) -> None:
        super().__init__()
        self.folder, self.state, self.counted, self.on_epoch = folder, state, counted, on_epoch
        self.started = self.seconds = 0.0
        self.steps = 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Give the other callbacks their counters back: their own start has just cleared them."""
        for name, values in self.state.counters.items():
            for key, value in values.items():
                setattr(self.counted[name], key, value)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self.started, self.steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Count a step and stop the clock at it, so that validation is not counted."""
        self.steps += 1
        self.seconds = time.perf_counter() - self.started

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the weights if they are the best, then the state, then call `on_epoch`."""
        row = self._row(logs or {})
        done = self.state
        if row["val_accuracy"] > done.best:
            done.best = row["val_accuracy"]
            save_weights(self.model, best_weights(self.folder, done.phase))
        done.phase_epochs, done.stopped = epoch + 1, bool(self.model.stop_training)
        done.history.append(row)
        done.counters = {name: _counters(one) for name, one in self.counted.items()}
        self._save()
        self.on_epoch(row)

    def _row(self, logs: dict[str, float]) -> EpochRow:
        number = len(self.state.history) + 1
        shown = {name: float(value) for name, value in logs.items() if name != "learning_rate"}
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        timing = {"learning_rate": rate, "steps": self.steps, "seconds": round(self.seconds, 4)}
        return {"epoch": number, "phase": self.state.phase, **shown, **timing}

    def _save(self) -> None:
        arrays = {"progress": np.array(json.dumps(asdict(self.state)))}
        for name, variables in _variables(self.model).items():
            arrays |= _numbered(name, variables)
        _save_arrays(self.folder / STATE, arrays)


def _variables(model: keras.Model) -> dict[str, list[keras.Variable]]:
    seeds = [one for one in model.variables if one.name == "seed_generator_state"]
    return {"weight": model.weights, "optimizer": model.optimizer.variables, "seed": seeds}


def _counters(callback: keras.callbacks.Callback) -> dict[str, Any]:
    values = {name: getattr(callback, name, None) for name in COUNTERS}
    return {name: float(value) for name, value in values.items() if value is not None}


def _numbered(name: str, variables: list[keras.Variable]) -> dict[str, Any]:
    return {
        f"{name}{number}": keras.ops.convert_to_numpy(one) for number, one in enumerate(variables)
    }


def _assign(variables: list[keras.Variable], name: str, file: Any) -> None:
    for number, variable in enumerate(variables):
        variable.assign(file[f"{name}{number}"])


def _save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """np.savez that is whole or not there; streamed, since a large network does not fit twice."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise BtferError(
            f"cannot write {path}: {error.strerror}; make room and run again"
        ) from error
    finally:
        Path(temporary).unlink(missing_ok=True)
