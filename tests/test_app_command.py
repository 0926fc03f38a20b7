"""`btfer app` as a user has it: a process, started in a folder that is no checkout, asked over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from btfer.cli.start import STREAMLIT, streamlit_options
from btfer.host_names import LOOPBACK

BTFER = [sys.executable, "-c", "from btfer.cli import main; main()"]
ROOT = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def get(url: str) -> tuple[int, str]:
    for _ in range(1_000):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url}")


def test_the_app_answers_from_any_folder_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [*BTFER, "--data-dir", "elsewhere", "app", "--port", str(port)]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            [*command, "--reviewers-per-image", "2"],
            cwd=tmp_path,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        assert get(f"http://127.0.0.1:{port}/_stcore/health") == (200, "ok")
        status, page = get(f"http://127.0.0.1:{port}/")
        assert (status, "<title>" in page) == (200, True)
        again = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert again.returncode == 1
        (line,) = again.stderr.splitlines()
        assert line.startswith(f"btfer: port {port} on 127.0.0.1 cannot be used")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=200) == 130
    finally:
        process.kill()
    said = (tmp_path / "out").read_text()
    assert "Traceback" not in said
    assert said.startswith("Open the address below in your browser. Ctrl-C here stops the app")


def test_the_options_are_those_of_the_checkout_and_the_users_own_come_first(tmp_path: Path) -> None:
    ours = streamlit_options(ROOT / ".streamlit/config.toml", {}, None)
    assert ours == STREAMLIT
    own = tmp_path / "config.toml"
    own.write_text("[server]\naddress = '0.0.0.0'\nport = 9000\n")
    options = streamlit_options(own, {"STREAMLIT_CLIENT_TOOLBAR_MODE": "viewer"}, None)
    assert (options["server.address"], options["server.port"]) == ("0.0.0.0", 9000)
    assert options["client.toolbarMode"] == "viewer"
    assert set(LOOPBACK) | {socket.gethostname().lower()} <= set(options["server.allowedHosts"])
    given = {"STREAMLIT_SERVER_ALLOWED_HOSTS": "faces.example *.team.example"}
    options = streamlit_options(own, given, None)
    assert options["server.allowedHosts"] == [*LOOPBACK, "faces.example", "*.team.example"]
    assert streamlit_options(own, {}, 9001)["server.port"] == 9001


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_a_port_that_is_none_is_a_usage_error(port: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*BTFER, "app", "--port", port], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
