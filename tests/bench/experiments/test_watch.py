import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from btfer.bench.experiments import watch
from btfer.bench.experiments.watch import Watch
from btfer.bench.train.checkpoint import STATE, Checkpoint, TrainingState
from tests.bench.conftest import KeptLines


def put_epoch(folder: Path, epoch: int) -> None:
    folder.mkdir(exist_ok=True)
    row = {"epoch": epoch, "phase": 2, "loss": 1.5, "accuracy": 0.25, "val_accuracy": 0.5}
    state = TrainingState(history=[row | {"seconds": 2.0}])
    saver = Checkpoint(folder, state, {}, lambda row: None)
    nothing = SimpleNamespace(weights=[], variables=[], optimizer=SimpleNamespace(variables=[]))
    saver.set_model(nothing)
    saver._save()


def test_epochs_on_disk_are_told_once_those_of_folds_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY_S", 0.01)
    run, folds = tmp_path / "run", tmp_path / "folds"
    told = KeptLines()

    def wait_for(line: str) -> None:
        end = time.monotonic() + 200
        while line not in told.lines and time.monotonic() < end:
            time.sleep(0.01)
        assert told.lines.count(line) == 1

    with Watch(told.say) as one:
        one.begin("[1/2] a", run)
        one.begin("[2/2] b", folds)
        put_epoch(run, 1)
        wait_for("[1/2] a: epoch 1 (phase 2), loss 1.500, accuracy 0.250, validation 0.500, 2.0 s")
        (run / STATE).unlink()  # as at the end of a training
        put_epoch(folds, 0)  # so that its folder is there
        put_epoch(folds / "fold-1", 3)
        wait_for(
            "[2/2] b, fold-1: epoch 3 (phase 2), loss 1.500, accuracy 0.250, validation 0.500, 2.0 s"
        )
        put_epoch(run, 2)
        wait_for("[1/2] a: epoch 2 (phase 2), loss 1.500, accuracy 0.250, validation 0.500, 2.0 s")
        one.end("[1/2] a")
    assert len(told.lines) == 3
