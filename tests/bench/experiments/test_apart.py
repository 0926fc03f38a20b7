"""Cells in processes of their own, which fail, are killed, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from btfer.bench.datasets import load_training
from btfer.bench.experiments import apart
from btfer.bench.experiments.cells import cells
from btfer.bench.experiments.clock import Clock
from btfer.bench.experiments.grid import GridContext, run_grid
from btfer.bench.runs.store import RunStore
from btfer.bench.train.protocol import PAPER
from btfer.engine import Engine
from btfer.errors import UsageError
from tests.bench.conftest import KeptLines, draw_folder, draw_release, run_tiny
from tests.bench.experiments import fake_runs

ROOT = Path(__file__).parents[3]
WITHOUT_KERAS = [
    sys.executable,
    "-c",
    "from btfer.bench.experiments import apart; from tests.bench.experiments import fake_runs; "
    "apart._run = fake_runs.go_on; from btfer.cli import main; main()",
]
"""The command, but for the processes of its runs."""

TWO = Engine("processes", 2)


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GridContext:
    """A grid whose cells are played by `fake_runs`."""
    monkeypatch.setattr(apart, "_run", fake_runs.run)
    monkeypatch.setenv(fake_runs.FOLDER, str(tmp_path))
    split = load_training(draw_folder(tmp_path / "faces", 4), "faces")
    return GridContext(RunStore(tmp_path / "runs", KeptLines()), PAPER, {"faces": split}, None)


@pytest.mark.slow
def test_a_cell_that_fails_or_is_killed_is_tried_once_more_and_the_others_go_on(
    context: GridContext, tmp_path: Path
) -> None:
    wanted = cells(["lenet5"], [48], ["none"], ["none"], range(5), ["faces"])
    records = run_grid(wanted, context, TWO)
    assert [one.state for one in records] == ["done", "failed", "failed", "done", "done"]
    tries = [len((tmp_path / str(number)).read_text()) for number in range(5)]
    assert tries == [1, 2, 2, 2, 2]  # the last one was busy
    assert records[1].error == "no such layer"
    assert records[2].error == "its process died, perhaps for lack of memory"
    for one in records[1:3]:
        assert json.loads((one.folder / "run.json").read_text())["error"] == one.error
    assert len({one.id for one in records}) == 5
    told = context.store.progress.lines
    first, second = "[1/5] lenet5 48 none, faces, seed 0", "[2/5] lenet5 48 none, faces, seed 1"
    assert [line for line in told if ": " not in line][:2] == [first, second]
    ended = dict(line.split(": ", 1) for line in told if ": " in line)
    assert ended[first].startswith("done: accuracy 0.500; about ")
    assert ended[second].startswith("failed 2 times: no such layer; about ")
    assert sum("left out: another process is running it" in line for line in told) == 1


def test_a_command_that_is_left_ends_its_processes(
    context: GridContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = cells(["lenet5"], [48], ["none"], ["none"], range(2), ["faces"])
    monkeypatch.setattr(apart, "_run", time.sleep)  # a job is no number of seconds
    monkeypatch.setattr(apart, "Job", lambda number, data: 600)

    def leave(ended: Any, *_: Any) -> Any:
        raise AssertionError("nothing ends")

    monkeypatch.setattr(apart, "_end", leave)
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_grid(wanted, context, TWO)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert _wait_for(lambda: not _runs_of(os.getpid()))


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_what_a_process_begins_with_loads_no_keras() -> None:
    code = "import sys, btfer.bench.experiments.apart; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_time_left_is_shared_among_those_at_work_together() -> None:
    clock = Clock([60.0] * 4)
    assert clock.left() == "; about 4 min left"
    clock.begin(0)
    clock.begin(1)
    assert clock.left() == "; about 2 min left"
    clock.skip(2)
    clock.skip(3)
    assert clock.left() == "; about 60 s left"


def test_replicas_and_a_process_a_gpu_contradict_each_other(tmp_path: Path) -> None:
    from btfer.bench import BenchRequest, bench

    with pytest.raises(UsageError, match="--replicas 2 shares each batch among GPUs, and --engine"):
        bench(BenchRequest(data_dir=tmp_path, replicas=2), engine=TWO)


def test_the_command_itself_leaves_gpus_alone_and_its_processes_see_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from btfer.bench import _gpus_left_alone

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    with _gpus_left_alone():
        assert (os.environ["CUDA_VISIBLE_DEVICES"], os.environ["JAX_PLATFORMS"]) == ("", "cpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert "JAX_PLATFORMS" not in os.environ


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "faces ? 1" / "data"
    draw_folder(folder / "training" / "faces" / "train", 6)
    draw_folder(folder / "training" / "faces" / "test", 2, first=50)
    draw_release(folder / "release", 2)
    return folder


def _options(data_dir: Path) -> dict[str, Any]:
    sets = {"faces": data_dir / "training" / "faces"}
    options = {"architectures": ["lenet5"], "epochs": 1, "balances": ["none"]}
    return {"training": sets, "release": data_dir / "release", **options}


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(TWO, id="processes"),
        pytest.param(Engine("ray", 2), id="ray"),
    ],
)
def test_every_engine_gives_the_same_run_and_the_second_time_starts_nothing(
    data_dir: Path, tmp_path: Path, engine: Engine
) -> None:
    [serial] = run_tiny(tmp_path / "serial", **_options(data_dir))
    told: list[str] = []
    [run] = run_tiny(data_dir, **_options(data_dir), engine=engine, on_progress=told.append)
    assert (run["id"], run["state"], run["error"]) == (serial["id"], "done", None)
    assert run["metrics"].keys() == serial["metrics"].keys()
    for part, scores in serial["metrics"].items():
        assert run["metrics"][part]["accuracy"] == pytest.approx(scores["accuracy"], abs=0.1)
    [stored] = RunStore(data_dir / "runs").all()
    assert stored.to_json() == run
    assert stored.folder.joinpath("model.keras").is_file()
    begun, ended = [line for line in told if line[0] == "[" and ": epoch" not in line]
    assert ended.startswith(f"{begun}: done: accuracy ")
    told.clear()
    again = run_tiny(data_dir, **_options(data_dir), engine=engine, on_progress=told.append)
    assert again == [run]
    assert told[-1] == "1 of 1 cells are done already"


@pytest.mark.slow
def test_a_run_that_is_killed_is_tried_again(data_dir: Path) -> None:
    killed: list[int] = []

    def kill() -> None:
        if _wait_for(lambda: bool(list((data_dir / "runs").glob("*/run.json")))):
            killed.extend(_runs_of(os.getpid()))
            os.kill(killed[0], signal.SIGKILL)

    killer = Thread(target=kill)
    killer.start()
    [run] = run_tiny(data_dir, **_options(data_dir), engine=TWO)
    killer.join()
    assert len(killed) == 1
    assert (run["state"], run["error"]) == ("done", None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_whoever_ends_the_command_ends_its_runs(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, asked: signal.Signals, code: int
) -> None:
    marks = data_dir / "marks"
    marks.mkdir()
    monkeypatch.setenv(fake_runs.FOLDER, str(marks))
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    words = ["--data-dir", str(data_dir), "bench", "--release", str(data_dir / "release")]
    words += ["--model", "lenet5", "--seeds", "3", "--workers", "2"]
    job = _start([*WITHOUT_KERAS, *words])
    assert _wait_for(lambda: len(list(marks.iterdir())) == 2)
    runs = _runs_of(job.pid)
    assert len(runs) == 2
    job.send_signal(asked)
    _, err = job.communicate(timeout=200)
    assert job.returncode == code, err
    assert asked == signal.SIGKILL or "run the same command again" in err
    assert "Traceback" not in err
    assert _wait_for(lambda: not any(_words(str(one)) for one in runs))


def _start(command: list[str]) -> "subprocess.Popen[str]":
    quiet = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # ignored in background jobs
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=quiet)


def _runs_of(pid: int) -> list[int]:
    """The processes of runs below one process."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found if "spawn_main" in _words(one)]


def _words(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _wait_for(holds: Callable[[], bool], seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()
