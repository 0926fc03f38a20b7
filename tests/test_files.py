import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from btfer.errors import Busy, UsageError
from btfer.files import only_one, sha256_file, write_atomic


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.bin"
    write_atomic(path, b"one")
    assert sha256_file(path).startswith("7692c3ad")
    (tmp_path / "file").write_bytes(b"")
    for place in ("file/b.bin", "file/new/b.bin"):
        with pytest.raises(UsageError, match="cannot write"):
            write_atomic(tmp_path / place, b"two")
    assert [p.name for p in path.parent.iterdir()] == ["a.bin"]


def test_a_full_disk_is_a_plain_error_and_leaves_no_part() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    # A real full device: fsync of the data fails the way it does on a full disk.
    code = """
import os, tempfile, pathlib
from btfer import files, errors
real = files._create
def on_full(path):
    handle, is_named = real(path)
    os.dup2(os.open("/dev/full", os.O_WRONLY), handle)
    return handle, is_named
files._create = on_full
folder = pathlib.Path(tempfile.mkdtemp())
try:
    files.write_atomic(folder / "a", b"x" * 100)
except errors.BtferError as error:
    assert "No space left" in str(error), error
    assert list(folder.iterdir()) == []
    print("told")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "told\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
def test_a_writer_who_is_killed_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"before")
    code = """
import os, pathlib, signal, sys
from btfer import files
files.os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
files.write_atomic(pathlib.Path(sys.argv[1]), b"after")
"""
    for name in ("a", "b", "new/c"):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=False)
        assert done.returncode == -signal.SIGKILL
    left = {one.name: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    assert left == {"a": b"before"}


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
def test_what_a_writer_who_was_killed_while_replacing_has_left_the_next_one_removes(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").write_bytes(b"before")
    code = """
import os, pathlib, signal, sys
from btfer import files
files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
files.write_atomic(pathlib.Path(sys.argv[1]), b"after")
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    write_atomic(tmp_path / "a", b"after")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a", b"after")]


def test_of_writers_of_one_file_at_once_each_writes_all_or_nothing(tmp_path: Path) -> None:
    def write(letter: str) -> None:
        for _ in range(50):
            write_atomic(tmp_path / "a", letter.encode() * 100)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    [left] = tmp_path.iterdir()
    assert left.name == "a"
    assert left.read_bytes() in [letter * 100 for letter in (b"a", b"b", b"c", b"d")]


def test_a_file_system_that_has_only_files_with_names_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    write_atomic(tmp_path / "new" / "a", b"one")
    write_atomic(tmp_path / "new" / "a", b"two")
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "new").iterdir()] == [("a", b"two")]


@pytest.mark.reliability("pipes, sockets, devices and links as files")
def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for name in ("there", "new"):
        (tmp_path / name).symlink_to(tmp_path / "real" / name)
    (tmp_path / "real" / "there").write_bytes(b"before")
    for name in ("there", "new"):
        write_atomic(tmp_path / name, b"after")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "real" / name).read_bytes() == b"after"


@pytest.mark.reliability("pipes, sockets, devices and links as files")
def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "to_pipe").symlink_to(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    ours = [tmp_path / name for name in ("pipe", "folder", "to_pipe")]
    for path in (*ours, Path("/dev/null"), Path("/"), Path()):
        with pytest.raises(UsageError, match="name a file to write to"):
            write_atomic(path, b"x")
    with pytest.raises(UsageError, match=r"loop is a link that leads nowhere"):
        write_atomic(tmp_path / "loop", b"x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "loop", "pipe", "to_pipe"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_two_runs_of_a_stage_at_once_are_refused(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from btfer.files import only_one\n"
        "with only_one(pathlib.Path(sys.argv[1]), 'crop'): print('in', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    with (
        pytest.raises(Busy, match="another 'btfer crop' is working in"),
        only_one(tmp_path, "crop"),
    ):
        pass
    with only_one(tmp_path, "dedup"):
        pass
    other.kill()  # a lock dies with its process
    other.communicate()
    with only_one(tmp_path, "crop"):
        pass
