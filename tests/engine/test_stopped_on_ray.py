"""A command on a Ray cluster of this machine that is stopped, or whose cluster dies: it ends at once, and goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from btfer.catalogue import open_catalogue, photos
from btfer.engine import PROCESSES
from tests.conftest import as_bytes, draw_photo
from tests.engine.test_cluster import BTFER, ROOT
from tests.engine.test_mapping import is_running

PHOTOS = 600  # so many, and so large, that there are five seconds between the first and the last
STOPPED = "stopped; what was done is kept: run the same command again to continue"
DIED = "the Ray cluster has died"
# A shell gives what it starts in the background a SIGINT that is ignored, and children inherit that.
HEARS_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces ? 1")
    drawn = [as_bytes(draw_photo(n, (3000, 2250))) for n in range(4)]
    for n in range(PHOTOS):
        (folder / f"{n}.jpg").write_bytes(drawn[n % 4] + b"%d" % n)  # each another file
    return folder


def begin(work: Path, source: Path, engine: str = "ray") -> "subprocess.Popen[str]":
    words = ["--engine", engine, "--workers", "2", "-q", "import", str(source)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_ADDRESS"):
        environment.pop(name, None)
    return subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C + BTFER, *words],
        cwd=work,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def taken_in(work: Path) -> set[str]:
    file = work / "data" / "catalogue.db"
    if not file.exists():
        return set()
    with closing(open_catalogue(f"sqlite:///{file}")) as cat:
        return {one.sha256 for one in photos.find(cat, "")}


def descendants(process: int) -> dict[str, int]:
    """The processes that a process has begun, and these, by the name of their program."""
    told = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in told.stdout.splitlines()]
    found, ours = {}, {process}
    for _ in range(4):
        for pid, parent, name in rows:
            if int(parent) in ours:
                ours.add(int(pid))
                found[f"{name} {pid}"] = int(pid)
    return found


def the(name: str, running: dict[str, int]) -> int:
    return next(pid for known, pid in running.items() if known.startswith(name))


ENDS: dict[str, tuple[int, str, Callable[[int, dict[str, int]], None]]] = {
    "Ctrl-C": (130, STOPPED, lambda command, _: os.killpg(command, signal.SIGINT)),
    "SIGTERM": (143, STOPPED, lambda command, _: os.kill(command, signal.SIGTERM)),
    "its node killed": (1, DIED, lambda _, of: os.kill(the("raylet", of), signal.SIGKILL)),
    "its head killed": (1, DIED, lambda _, of: os.kill(the("gcs_server", of), signal.SIGKILL)),
}


@pytest.mark.parametrize("how", ENDS)
def test_it_ends_with_a_sentence_and_leaves_nothing_and_goes_on(
    how: str, source: Path, tmp_path: Path
) -> None:
    code, sentence, do = ENDS[how]
    command = begin(tmp_path, source)
    while not taken_in(tmp_path) and command.poll() is None:
        time.sleep(0.2)
    running = descendants(command.pid)
    assert any(name.startswith("raylet") for name in running)
    do(command.pid, running)
    _, err = command.communicate(timeout=600)  # the machine may be busy; Ray itself waits for ever
    assert command.returncode == code, err
    lines = err.splitlines()
    assert lines == [line for line in lines if sentence in line]
    # Where its node dies while it sends something, Ray itself ends the process, without a word.
    assert len(lines) == 1 or (sentence == DIED and not lines)
    deadline = time.monotonic() + 180  # its agents look now and then whether their node lives
    while any(map(is_running, running.values())) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not [name for name, pid in running.items() if is_running(pid)]
    before = taken_in(tmp_path)
    assert before
    again = begin(tmp_path, source, PROCESSES.name)
    assert again.communicate(timeout=300)[1] == ""
    assert again.returncode == 0
    assert before < taken_in(tmp_path)
    assert len(taken_in(tmp_path)) == PHOTOS
