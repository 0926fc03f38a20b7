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
        data, log = str(folder / "data"), str(folder / "log")
        _as_server("initdb", found, "-D", data, "-U", "btfer", "-A", "trust", "-N")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        _as_server("pg_ctl", found, "-D", data, "-o", options, "-l", log, "-w", "start")
        yield f"postgresql://btfer@/postgres?host={folder}"
        _as_server("pg_ctl", found, "-D", data, "-m", "immediate", "stop")


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
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
