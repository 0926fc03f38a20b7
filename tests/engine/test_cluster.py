"""Where a Ray cluster is: what may be said of it, and what is said where it is not there."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from btfer.engine import cluster
from btfer.errors import BtferError
from tests.engine.test_mapping import is_running

ROOT = Path(__file__).parents[2]
BTFER = "from btfer.cli import main; main()"
WITHOUT_RAY = "import sys; sys.modules['ray'] = None\n" + BTFER


def start(code: str, *arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def btfer(*arguments: str, cwd: Path, code: str = BTFER) -> tuple[int, str, str]:
    process = start(code, *arguments, cwd=cwd)
    out, err = process.communicate(timeout=250)
    return process.returncode, out, err


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    from tests.conftest import as_bytes, draw_photo

    (tmp_path / "faces ? 1").mkdir()
    for n in range(4):
        (tmp_path / "faces ? 1" / f"{n}.jpg").write_bytes(as_bytes(draw_photo(n)))
    return tmp_path


@pytest.fixture
def nobody_there() -> str:
    """An address at which nothing answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"ray://127.0.0.1:{one.getsockname()[1]}"


def test_without_ray_it_names_the_extra(pictures: Path) -> None:
    code, _, err = btfer("--engine", "ray", "import", "faces ? 1", cwd=pictures, code=WITHOUT_RAY)
    assert code == 1
    assert err.endswith("btfer: the engine 'ray' needs the extra 'ray': pip install 'btfer[ray]'\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    ["", "here", "ray://", "ray://a b:1", "ray://host", "http://h:1", "ray://h:0", "ray://h:99999"],
)
def test_an_address_that_is_none_is_a_usage_error(address: str, tmp_path: Path) -> None:
    code, _, err = btfer("--engine", "ray", "--address", address, "status", cwd=tmp_path)
    assert code == 2
    assert f"setting 'address': write local, auto or ray://HOST:PORT (got '{address}')" in err


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    given = ("--engine", "ray", "--address", "ray://ann:S3cret@h:10001", "status")
    code, out, err = btfer(*given, cwd=tmp_path)
    assert code == 2
    assert "got 'ray://ann:***@h:10001'" in err
    assert "S3cret" not in out + err


def test_an_address_without_the_engine_is_a_usage_error(tmp_path: Path) -> None:
    code, _, err = btfer("--address", "auto", "status", cwd=tmp_path)
    assert code == 2
    assert "--address has no effect with the engine 'processes': pass --engine ray" in err


@pytest.mark.slow
def test_where_no_cluster_answers_it_says_so(pictures: Path, nobody_there: str) -> None:
    started = time.monotonic()
    given = ("--engine", "ray", "--address", nobody_there)
    code, _, err = btfer(*given, "import", "faces ? 1", cwd=pictures)
    assert code == 1
    assert f"no Ray cluster answers at the address '{nobody_there}' (Connection refused)" in err
    assert time.monotonic() - started < 150  # Ray itself would try for longer


@pytest.mark.slow
def test_a_port_at_which_something_else_listens_is_said_to_be_no_ray_client_s(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_CLIENT_INITIAL_CONNECTION_TIMEOUT_S", "1")
    monkeypatch.setenv("RAY_CLIENT_MAX_CONNECTION_TIMEOUT_S", "1")
    with socket.create_server(("127.0.0.1", 0)) as other:
        given = ("--engine", "ray", "--address", f"ray://127.0.0.1:{other.getsockname()[1]}")
        code, _, err = btfer(*given, "import", "faces ? 1", cwd=pictures)
    assert (code, err.count("\n")) == (1, 1)
    assert "what listens there does not answer: Ray's client has a port of its own, 10001" in err


@pytest.mark.slow
def test_a_head_that_does_not_answer_is_named_at_once(
    nobody_there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = nobody_there.removeprefix("ray://")
    monkeypatch.setenv("RAY_ADDRESS", address)
    ray = pytest.importorskip("ray")
    with pytest.raises(BtferError, match=r"answers at the address 'auto, .*:\d+' \(Connection"):
        cluster._check_that_it_is_open(ray)


def test_a_cluster_that_another_user_keeps_closed_is_said_to_be_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as head:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{head.getsockname()[1]}")
        address = ray._private.services.canonicalize_bootstrap_address("auto")
        words = (f"--gcs-address={address}", f"--raylet_socket_name={tmp_path}/none")
        code = "print('here', flush=True); input()"
        node = subprocess.Popen(
            [sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert node.stdout is not None
        node.stdout.readline()  # until then, it has the name of this process
        try:
            me = cluster._name_of(os.geteuid())
            with pytest.raises(BtferError, match=f"at {address}, is of the user {me}: set RAY_ADD"):
                cluster._check_that_it_is_open(ray)
        finally:
            node.communicate()


@pytest.mark.slow
def test_where_none_runs_on_this_machine_it_says_so(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(pictures / "none"))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):  # of this process's own cluster, if it has one
        monkeypatch.delenv(name, raising=False)
    given = ("--engine", "ray", "--address", "auto")
    code, _, err = btfer(*given, "import", "faces ? 1", cwd=pictures)
    assert code == 1
    assert "no Ray cluster answers at the address 'auto'" in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_cluster_of_this_machine_prints_nothing_and_leaves_nothing(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tempfile.mkdtemp()  # pytest's own is too long for sockets
    monkeypatch.setenv("TMPDIR", temporary)
    given = ("--engine", "ray", "--workers", "1", "-q")
    code, out, err = btfer(*given, "import", "faces ? 1", "--json", cwd=pictures)
    assert (code, err) == (0, "")
    assert json.loads(out)["new_photos"] == 4
    Path(temporary).rmdir()  # it is empty


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "first"),
    [
        (signal.SIGTERM, "sys"),
        pytest.param(signal.SIGKILL, "ray", id="SIGKILL, ray imported before"),
    ],
)
def test_the_cluster_ends_with_a_command_that_is_stopped(
    how: signal.Signals, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    code = (
        f"import {first}\n"
        "import sys, time, os\n"
        "from btfer.cli import _end\n"
        "from btfer.engine import Engine, one_by_one\n"
        "import signal; signal.signal(signal.SIGTERM, _end)\n"
        "with one_by_one(Engine('ray', 1)) as run:\n"
        "    print(run(eval, '__import__(\"os\").getpid()'), flush=True)\n"
        "    print(run(eval, '__import__(\"os\").getppid()'), flush=True)\n"
        "    time.sleep(100)\n"
    )
    process = start(code, cwd=tmp_path)
    assert process.stdout is not None
    worker, raylet = int(process.stdout.readline()), int(process.stdout.readline())
    assert is_running(worker)
    process.send_signal(how)
    process.communicate(timeout=600)
    assert process.returncode == (143 if how == signal.SIGTERM else -signal.SIGKILL)
    deadline = time.monotonic() + 200
    while (is_running(worker) or is_running(raylet)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(worker)
    assert not is_running(raylet)
