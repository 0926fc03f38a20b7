"""A PostgreSQL server of our own, on a socket in a temporary folder: for tests and benchmarks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running() -> Iterator[str]:
    """The URL of its database, until it is left. `programs` must find it."""
    found = programs()
    assert found is not None
    # Not below pytest's folder: that is private to root, and the server runs as postgres then.
    with tempfile.TemporaryDirectory(prefix="btfer-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o777)
        _as_server("initdb", found, "-D", str(folder / "data"), "-U", "btfer", "-A", "trust", "-N")
        url = f"postgresql://btfer@/postgres?host={folder}"
        start(url)
        try:
            yield url
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                crash(url)


def start(url: str) -> None:
    """Start the server of this URL; after `crash` it replays its log first."""
    folder = url.partition("host=")[2]
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    _control(folder, "-o", options, "-l", f"{folder}/log", "-w", "start")


def crash(url: str) -> None:
    """Let the server of this URL end at once, without a word to whoever is connected."""
    _control(url.partition("host=")[2], "-m", "immediate", "stop")


def _control(folder: str, *arguments: str) -> None:
    found = programs()
    assert found is not None
    _as_server("pg_ctl", found, "-D", f"{folder}/data", *arguments)


def programs() -> Path | None:
    """The folder of its programs; None where it is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


def _as_server(program: str, folder: Path, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; as root through the postgres user, since it refuses root."""
    command = [str(folder / program), *arguments]
    if os.getuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", timeout=200, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
