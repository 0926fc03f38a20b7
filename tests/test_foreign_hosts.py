"""What a site gets that points its own name to the review app (DNS rebinding): nothing, by raw requests on loopback."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.forked import start_as_command, streamlit
from tests.test_app_command import BTFER, ROOT, free_port, get

ROUTES = [
    "GET /",
    "GET /photos",
    "GET /index.html",
    "GET /static/js/index.js",
    "GET /favicon.png",
    "GET /media/0.webp",
    "GET /app/static/x.png",
    "GET /component/btfer/index.html",
    "GET /_stcore/health",
    "GET /_stcore/host-config",
    "GET /_stcore/metrics",
    "GET /_stcore/script-health-check",
    "GET /_stcore/bidi-components/btfer_review_grid/index.js",
    "PUT /_stcore/upload_file/session/file",
    "DELETE /_stcore/upload_file/session/file",
    "OPTIONS /_stcore/upload_file/session/file",
    "POST /_stcore/agent/interact",
    "HEAD /",
    "TRACE /nowhere",
]
FOREIGN = ["faces.example", "faces.example:{port}", "127.0.0.1.faces.example"]
FOREIGN += ["localhost@faces.example", "[::1]faces.example:{port}", "localhost, faces.example", ""]
OWN = ["127.0.0.1:{port}", "localhost:{port}", "localhost", "LOCALHOST:{port}", "localhost.:{port}"]
OWN += ["[::1]:{port}", "[::1]"]


def status(port: int, head: str, *hosts: str, version: str = "1.1") -> int:
    """Of the answer to a request with these Host headers."""
    return int(said(port, head, *hosts, version=version).split(maxsplit=2)[1])


def said(port: int, head: str, *hosts: str, version: str = "1.1") -> str:
    lines = [f"{head} HTTP/{version}", *(f"Host: {one}" for one in hosts), "Connection: close"]
    with socket.create_connection(("127.0.0.1", port), timeout=200) as wire:
        wire.sendall("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
        answer = b""
        while part := wire.recv(65_536):
            answer += part
    return answer.decode(errors="replace")


def is_refused(port: int, head: str, *hosts: str, version: str = "1.1") -> bool:
    """Whether nothing comes but the refusal."""
    answer = said(port, head, *hosts, version=version)
    shut = "answers only to the names" in answer or head.startswith("HEAD")
    return answer.startswith("HTTP/1.1 403") and shut


def handshake(port: int, host: str, origin: str) -> int:
    """The status that a websocket asked for under a name gets."""
    with socket.create_connection(("127.0.0.1", port), timeout=200) as wire:
        wire.sendall(
            f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        return int(wire.recv(1000).split(maxsplit=2)[1])


def by_command(port: int, folder: Path) -> subprocess.Popen[bytes]:
    return start([*BTFER, "app", "--port", str(port)], folder, folder)


def by_streamlit(port: int, folder: Path) -> subprocess.Popen[bytes]:
    run = [sys.executable, "-m", "streamlit", "run", "review_app/app.py"]
    return start([*run, "--server.port", str(port)], folder, ROOT)


def by_streamlit_elsewhere(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """Where no .streamlit/config.toml says which names are allowed."""
    run = [sys.executable, "-m", "streamlit", "run", str(ROOT / "review_app/app.py")]
    options = ["--server.headless=true", "--server.port", str(port)]
    return start([*run, *options], folder, folder)


def start(command: list[str], data_dir: Path, folder: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BTFER_DATA_DIR": str(data_dir)}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet)


@pytest.mark.parametrize(
    "started",
    [by_command, by_streamlit, pytest.param(by_streamlit_elsewhere, marks=pytest.mark.slow)],
)
def test_a_foreign_name_gets_nothing(
    tmp_path: Path, started: Callable[[int, Path], subprocess.Popen[bytes]]
) -> None:
    port = free_port()
    process = started(port, tmp_path)
    try:
        assert get(f"http://127.0.0.1:{port}/_stcore/health") == (200, "ok")
        for name in (one.format(port=port) for one in FOREIGN):
            assert all(is_refused(port, route, name) for route in ROUTES), name
            assert handshake(port, name, f"http://{name}") in (400, 403)
        for route in ROUTES:
            assert status(port, route, "localhost", "faces.example") in (400, 403)
            assert is_refused(port, route, version="1.0")  # no Host at all
            assert not is_refused(port, route, f"localhost:{port}")
        for name in (one.format(port=port) for one in OWN):
            assert status(port, "GET /", name) == 200, name
            assert handshake(port, name, f"http://{name}") == 101, name
        assert handshake(port, f"127.0.0.1:{port}", "http://faces.example") == 403
        refused = said(port, "GET /photos", "faces.example")
        assert '"faces.example". To serve it under this name, add the name' in refused
        assert "content-type: text/plain" in refused.lower()
    finally:
        process.kill()
        process.wait()


@contextmanager
def served(tmp_path: Path, environment: Mapping[str, str], *options: str) -> Iterator[int]:
    port = free_port()
    (tmp_path / ".streamlit").mkdir()
    arguments = ["run", str(ROOT / "review_app/app.py"), f"--server.port={port}", *options]
    given = {**os.environ, "BTFER_DATA_DIR": str(tmp_path), **environment}
    process = start_as_command(
        streamlit, *arguments, folder=tmp_path, environment=given, out=tmp_path / "out"
    )
    try:
        assert get(f"http://127.0.0.1:{port}/_stcore/health") == (200, "ok")
        yield port
    finally:
        process.kill()
        process.join()


@pytest.mark.slow
def test_on_all_addresses_it_has_the_machines_name_and_the_one_that_is_told(tmp_path: Path) -> None:
    options = ["--server.headless=true", "--server.address=0.0.0.0"]
    told = "--browser.serverAddress=faces.example"
    with served(tmp_path, {}, *options, told) as port:
        for name in (socket.gethostname().upper(), "faces.example", "Faces.Example:443"):
            assert status(port, "GET /", name) == 200
            assert handshake(port, name, f"http://{name}") == 101
        assert status(port, "GET /", "other.example") == 403
        assert status(port, "GET /", "0.0.0.0") == 403


def test_behind_a_proxy_it_has_the_name_that_is_configured(tmp_path: Path) -> None:
    allowed = {"STREAMLIT_SERVER_ALLOWED_HOSTS": "localhost *.team.example 127.0.0.1"}
    options = ["--server.headless=true", "--server.address=127.0.0.1"]
    with served(tmp_path, allowed, *options) as port:
        for name in ("faces.team.example", "FACES.team.example:443", "localhost"):
            assert status(port, "GET /", name) == 200
            assert handshake(port, name, f"http://{name}") == 101
        assert status(port, "GET /", "team.example.org") == 403
