"""One function over many items, on worker processes that are killed: of one item, of some, of every one."""

import os
import resource
import subprocess
import sys
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from btfer.engine import SERIAL, Engine, map_unordered, one_by_one
from btfer.engine.surviving import died_whatever
from btfer.errors import BtferError, ImageError, MissingExtra, UsageError
from tests.engine.dying import (
    DEADLY,
    dead,
    die,
    die_of_many_bytes,
    die_once,
    die_while_answering,
    fail,
    fail_oddly,
    process_id,
    root_or_die,
    roots_or_die,
    square,
)

TWO = Engine("processes", 2)
ENGINES = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(SERIAL, id="serial"),
        pytest.param(TWO, id="processes"),
        pytest.param(Engine("ray", 2), id="ray", marks=pytest.mark.slow),
    ],
)
WITH_WORKERS = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(TWO, id="processes"),
        pytest.param(Engine("ray", 2), id="ray", marks=pytest.mark.slow),
    ],
)


@ENGINES
def test_every_engine_gives_every_result(engine: Engine) -> None:
    assert sorted(map_unordered(square, range(40), engine=engine)) == [n * n for n in range(40)]
    assert list(map_unordered(square, [], engine=engine)) == []


@ENGINES
def test_an_error_of_the_work_comes_out_as_it_is(engine: Engine) -> None:
    with pytest.raises(MissingExtra, match=r"the detector needs .* 'btfer\[cuda\]'"):
        list(map_unordered(fail, [3, 5], engine=engine, died=dead))
    with pytest.raises(ImageError) as raised:
        list(map_unordered(fail, [4, 5], engine=engine, died=dead))
    assert (raised.value.reason, str(raised.value)) == ("truncated", "truncated: four")


def test_an_error_that_cannot_be_received_is_a_sentence() -> None:
    with pytest.raises(BtferError, match=r"UnreadableError: \d and \d"):
        list(map_unordered(fail_oddly, range(4), engine=TWO))


@WITH_WORKERS
def test_what_kills_its_worker_says_so_and_all_others_have_their_result(engine: Engine) -> None:
    found = list(map_unordered(root_or_die, range(40), engine=engine, died=dead))
    assert sorted(found) == sorted(-n if n in DEADLY else n * n for n in range(40))


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    items = [(n, tmp_path) for n in range(30)]
    found = list(map_unordered(die_once, items, engine=TWO))
    assert sorted(found) == [n * n for n in range(30)]
    assert {one.name for one in tmp_path.iterdir()} == {"3", "13", "23"}  # they did die


def test_more_workers_than_the_system_lets_a_user_have_are_one_line() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 40, limit[1]))
    try:
        with pytest.raises(BtferError, match=r"cannot be started \(Too many open files\); .*fewer"):
            list(map_unordered(square, range(300), engine=Engine("processes", 300)))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["many", "one by one"])
def test_a_worker_that_is_killed_while_it_sends_its_result_is_replaced(
    way: str, tmp_path: Path
) -> None:
    items = [(n, tmp_path) for n in range(8)]
    if way == "many":
        found = list(map_unordered(die_while_answering, items, engine=TWO))
    else:
        with one_by_one(TWO) as run:
            found = [run(die_while_answering, item) for item in items]
    assert sorted(one[0] for one in found) == list(range(8))
    assert {len(one) for one in found} == {200_000}
    assert (tmp_path / "3").exists()  # it did die


def test_of_many_things_in_one_item_only_the_deadly_one_is_lost() -> None:
    items = [list(range(n, n + 10)) for n in range(0, 40, 10)]
    found = map_unordered(
        roots_or_die,
        items,
        engine=TWO,
        died=lambda some: [-some[0]],
        split=lambda some: [[n] for n in some] if len(some) > 1 else [],
    )
    roots = [n for some in found for n in some]
    assert sorted(roots) == sorted(-n if n in DEADLY else n * n for n in range(40))


@pytest.mark.parametrize("workers", [1, 2])
def test_one_item_and_one_worker_are_survived_too(workers: int) -> None:
    engine = Engine("processes", workers)
    assert list(map_unordered(root_or_die, [7], engine=engine, died=dead)) == [-7]


def test_an_item_that_may_not_be_left_out_is_named() -> None:
    with pytest.raises(BtferError, match="a worker process died 3 times of 7: a fault"):
        list(map_unordered(root_or_die, [6, 7, 8], engine=TWO))


def test_whose_script_is_read_by_every_worker_is_told_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "__main__" not in str(died_whatever())
    main = types.ModuleType("__main__")
    main.__file__ = "mine.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert 'below a line `if __name__ == "__main__":`' in str(died_whatever())
    main.__file__ = "<stdin>"
    assert "must be a file" in str(died_whatever())


@pytest.mark.slow
@pytest.mark.reliability("a picture that kills its worker")
def test_where_every_worker_dies_the_run_ends_and_nothing_is_given_up() -> None:
    given_up: list[int] = []
    with pytest.raises(BtferError, match="died 3 times of each of 5 items, perhaps for lack"):
        list(map_unordered(die, range(40), engine=TWO, died=given_up.append))
    assert given_up == []


def test_a_worker_that_dies_while_it_is_sent_much_hangs_nothing() -> None:
    items = [b"x" + bytes(20_000_000), bytes(10), bytes(20)]
    found = map_unordered(die_of_many_bytes, items, engine=TWO, died=lambda data: -1)
    assert sorted(found) == [-1, 10, 20]


def test_no_more_items_are_taken_than_workers_can_use() -> None:
    taken: list[int] = []

    def items():  # type: ignore[no-untyped-def]
        for n in range(1000):
            taken.append(n)
            yield n

    results = map_unordered(square, items(), engine=TWO)
    next(results)
    assert len(taken) < 20
    results.close()  # type: ignore[attr-defined]


def test_an_unknown_engine_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'cloud'; choose one of serial, processes, ray"):
        Engine("cloud")


@ENGINES
def test_bits_of_work_come_back_to_the_threads_that_asked(engine: Engine) -> None:
    with one_by_one(engine, warm_up=(abs, -1)) as run, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda n: run(abs, -n), range(8))) == list(range(8))
        with pytest.raises(ImageError):
            run(fail, 4)


@WITH_WORKERS
def test_of_bits_of_work_only_the_deadly_one_is_lost(engine: Engine) -> None:
    with one_by_one(engine, died=dead) as run, ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda n: run(root_or_die, n), range(12)))
    assert found == [-n if n in DEADLY else n * n for n in range(12)]


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "from btfer.engine import Engine, one_by_one\n"
        "if __name__ == '__main__':\n"
        "    with one_by_one(Engine('processes', 2)) as run:\n"
        "        print(run(eval, '__import__(\"os\").getpid()'), flush=True)\n"
        "        time.sleep(60)\n"
    )
    script = tmp_path / "crawl.py"
    script.write_text(code)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path}
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert is_running(worker)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 200
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(worker)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_what_a_worker_of_ray_has_loaded_stays_loaded_for_the_next_loop() -> None:
    engine = Engine("ray", 2)
    first = set(map_unordered(process_id, range(20), engine=engine))
    again = set(map_unordered(process_id, range(20), engine=engine))
    assert len(first | again) <= 2
    assert os.getpid() not in first
