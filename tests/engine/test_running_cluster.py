"""A Ray cluster that runs already, of the user's own, which asks for its token: found as `auto`, and by its address."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from btfer.catalogue import open_catalogue, photos
from btfer.engine import cluster
from tests.conftest import as_bytes, draw_photo
from tests.engine.test_cluster import BTFER, ROOT

TOKEN = "f" * 64
MARK = "HEAD_OF_A_TEST"
CLIENT_PORTS = range(8100, 10_000)  # below those that Ray gives its workers
DIED = "btfer: the Ray cluster has died, perhaps for lack of memory"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Head:
    """home: where its user keeps the token."""

    home: Path
    folder: Path
    port: int
    client_port: int

    def address(self, how: str) -> str:
        return "auto" if how == "auto" else f"ray://127.0.0.1:{self.client_port}"

    def begin(self, work: Path, how: str, *arguments: str) -> "subprocess.Popen[str]":
        named = {"HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        if how == "auto":
            named["RAY_ADDRESS"] = f"127.0.0.1:{self.port}"
        return subprocess.Popen(
            [sys.executable, "-c", BTFER, "-q", "--address", self.address(how), *arguments],
            cwd=work,
            env=_without_ray_of_ours() | named,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill(self) -> None:
        """All its processes, which have another parent by now."""
        mine = f"{MARK}={self.folder}\0".encode()
        for file in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mine in file.read_bytes():
                    os.kill(int(file.parent.name), signal.SIGKILL)


def _without_ray_of_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}


def _free_port(among: range) -> int:
    for port in among:
        with ExitStack() as held, suppress(OSError):
            held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no free port in {among}")


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    pytest.importorskip("ray")
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text(TOKEN)
    folder = Path(tempfile.mkdtemp(prefix="head-"))  # pytest's own is too long for sockets
    free = iter(CLIENT_PORTS)
    ports = [_free_port(range(next(free), CLIENT_PORTS.stop))]
    ports.append(_free_port(range(ports[0] + 1, CLIENT_PORTS.stop)))
    one = Head(tmp_path, folder, *ports)
    words = ["--node-ip-address=127.0.0.1", "--num-cpus=2", "--include-dashboard=false"]
    words += [f"--port={one.port}", f"--ray-client-server-port={one.client_port}"]
    # What the node is told it need not wait for, 15 s at most on a machine however busy.
    agents = (
        "dashboard-agent-listen",
        "dashboard-agent-grpc",
        "runtime-env-agent",
        "metrics-export",
    )
    for name, port in zip(agents, cluster._free_ports(len(agents)), strict=True):
        words.append(f"--{name}-port={port}")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ray.scripts.scripts",
            "start",
            "--head",
            f"--temp-dir={folder}",
            *words,
        ],
        env=_without_ray_of_ours()
        | {
            "HOME": str(tmp_path),
            "RAY_agent_register_timeout_ms": "240000",
            "RAY_USAGE_STATS_ENABLED": "0",
            MARK: str(folder),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    yield one
    one.kill()
    shutil.rmtree(folder, ignore_errors=True)


def draw(folder: Path, number: int, size: tuple[int, int]) -> None:
    folder.mkdir()
    drawn = [as_bytes(draw_photo(n, size)) for n in range(4)]
    for n in range(number):
        (folder / f"{n}.jpg").write_bytes(drawn[n % 4] + b"%d" % n)  # each another file


def taken_in(work: Path) -> int:
    file = work / "data" / "catalogue.db"
    if not file.exists():
        return 0
    cat = open_catalogue(f"sqlite:///{file}")
    try:
        return photos.count(cat)
    finally:
        cat.close()


@pytest.mark.parametrize("how", ["auto", "ray://"])
def test_it_works_there_with_the_token_that_the_user_has(
    how: str, head: Head, tmp_path: Path
) -> None:
    draw(tmp_path / "faces ? 1", 6, (320, 240))
    process = head.begin(tmp_path, how, "--engine", "ray", "import", "faces ? 1")
    _, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    assert taken_in(tmp_path) == 6


@pytest.mark.parametrize("how", ["auto", "ray://"])
def test_a_cluster_that_is_killed_ends_the_command_in_one_line_and_it_goes_on_elsewhere(
    how: str, head: Head, tmp_path: Path
) -> None:
    number = 1200
    draw(tmp_path / "many", number, (3000, 2250))
    process = head.begin(tmp_path, how, "--engine", "ray", "import", "many")
    while not taken_in(tmp_path):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.2)
    head.kill()
    killed = time.monotonic()
    _, err = process.communicate(timeout=200)
    assert (process.returncode, err.count("\n")) == (1, 1), err
    assert err.startswith(DIED)
    assert time.monotonic() - killed < 90
    assert 0 < taken_in(tmp_path) < number
