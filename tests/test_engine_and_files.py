import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from btfer.engine import map_unordered, one_by_one
from btfer.errors import BtferError, Busy, UsageError
from btfer.files import only_one, sha256_file, write_atomic


def square(n: int) -> int:
    return n * n


def die(n: int) -> int:
    os._exit(9)


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_both_engines_give_every_result(engine: str) -> None:
    results = map_unordered(square, range(40), engine=engine, workers=2)
    assert sorted(results) == [n * n for n in range(40)]


def test_no_more_items_are_taken_than_workers_can_use() -> None:
    taken: list[int] = []

    def items():  # type: ignore[no-untyped-def]
        for n in range(1000):
            taken.append(n)
            yield n

    results = map_unordered(square, items(), engine="processes", workers=2)
    next(results)
    assert len(taken) < 20
    results.close()  # type: ignore[attr-defined]


def test_a_worker_that_dies_is_a_plain_error() -> None:
    with pytest.raises(BtferError, match="worker process died"):
        list(map_unordered(die, range(4), engine="processes", workers=2))


def test_an_unknown_engine_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="serial, processes"):
        map_unordered(square, [1], engine="cloud")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.bin"
    write_atomic(path, b"one")
    assert sha256_file(path).startswith("7692c3ad")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BtferError, match="cannot write"):
        write_atomic(tmp_path / "file" / "b.bin", b"two")
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
    handle = real(path)
    os.dup2(os.open("/dev/full", os.O_WRONLY), handle)
    return handle
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


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "from btfer.engine import one_by_one\n"
        "if __name__ == '__main__':\n"
        "    with one_by_one('processes', 2) as run:\n"
        "        print(run(eval, '__import__(\"os\").getpid()'), flush=True)\n"
        "        time.sleep(60)\n"
    )
    script = tmp_path / "crawl.py"
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert is_running(worker)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 60
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(worker)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_bits_of_work_come_back_from_worker_processes_to_the_threads_that_asked() -> None:
    with one_by_one("processes", 2, warm_up=(abs, -1)) as run, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda n: run(abs, -n), range(8))) == list(range(8))
    with one_by_one("serial") as run:
        assert run(abs, -3) == 3
    with pytest.raises(UsageError, match="serial, processes"), one_by_one("gpu"):
        pass
