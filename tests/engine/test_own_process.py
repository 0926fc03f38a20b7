"""Long work, each item in a fresh process: one that fails is tried again, and the others go on."""

import os
import stat
from pathlib import Path

import pytest

from btfer.engine import SERIAL, Ended, Engine, each_in_its_own_process
from btfer.engine.choice import share_of_cores
from tests.engine.dying import cores_seen, die_while_answering, fail_or_die, gpu_seen, process_id

KINDS = ("dies", "fails", "fails once", "ends", "ends too")


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(SERIAL, id="serial"),
        pytest.param(Engine("processes", 2), id="processes"),
        pytest.param(Engine("ray", 2), id="ray"),
    ],
)
@pytest.mark.slow
def test_each_has_a_process_and_one_that_fails_a_second_try(engine: Engine, tmp_path: Path) -> None:
    items = [(kind, tmp_path) for kind in KINDS]
    ends = {one.item[0]: one for one in each_in_its_own_process(fail_or_die, items, engine=engine)}
    assert ends.keys() == set(KINDS)
    assert {kind: one.tries for kind, one in ends.items()} == {
        "dies": 2,
        "fails": 2,
        "fails once": 2,
        "ends": 1,
        "ends too": 1,
    }
    assert ends["dies"].error == "its process died, perhaps for lack of memory"
    assert ends["fails"].error == "no such network"
    assert not any(ends[kind].error for kind in ("fails once", "ends", "ends too"))
    processes = {ends[kind].result for kind in ("fails once", "ends", "ends too")}
    assert len(processes) == 3
    assert os.getpid() not in processes


def test_a_process_that_is_killed_while_it_sends_its_result_has_a_second_try(
    tmp_path: Path,
) -> None:
    items = [(3, tmp_path), (4, tmp_path)]
    ends = list(each_in_its_own_process(die_while_answering, items, engine=SERIAL))
    assert {one.item[0]: (one.tries, one.error) for one in ends} == {3: (2, ""), 4: (1, "")}


def test_each_gpu_has_one_run_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 0\necho 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = each_in_its_own_process(gpu_seen, range(4), engine=Engine("processes"))
    assert {one.result for one in found} == {"0", "1"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    found = each_in_its_own_process(gpu_seen, range(2), engine=Engine("processes", 2))
    assert [one.result for one in found] == ["5", "5"]


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(Engine("processes", 2), id="processes"),
        pytest.param(Engine("ray", 2), id="ray", marks=pytest.mark.slow),
    ],
)
def test_those_at_once_share_the_cores(engine: Engine) -> None:
    every = os.sched_getaffinity(0)
    found = each_in_its_own_process(cores_seen, range(2), engine=engine)
    shares = [one.result or () for one in found]
    assert sorted(shares) == sorted(tuple(sorted(share_of_cores(n, 2))) for n in range(2))
    assert os.sched_getaffinity(0) == every


def test_shares_of_cores_are_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 6, 8, 9})
    assert [share_of_cores(n, 2) for n in range(2)] == [{3, 5}, {6, 8, 9}]
    assert [share_of_cores(n, 7) for n in range(7)].count(set()) == 0
    monkeypatch.delattr(os, "sched_setaffinity")
    assert share_of_cores(0, 2) == set()


def test_nothing_to_do_is_nothing() -> None:
    assert list(each_in_its_own_process(process_id, [], engine=SERIAL)) == []
    assert Ended(1).error == ""
