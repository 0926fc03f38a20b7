"""`btfer bench merge`: runs of other folders, whoever made them, brought into this one."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer.bench.report import write_report
from btfer.bench.runs import merge as merging
from btfer.bench.runs.definition import RunDefinition, run_id
from btfer.bench.runs.merge import Merged, merge
from btfer.bench.runs.store import RunStore
from btfer.errors import BtferError, Busy, UsageError
from btfer.files import only_one
from tests.bench.conftest import KeptLines
from tests.bench.drawn_runs import draw_run
from tests.bench.test_bench_command import typed


def put_run(runs_dir: Path, architecture: str = "resnet18", **changed: Any) -> Path:
    """A drawn run under the id of its definition; changed: keys of its record."""
    drawn = draw_run(runs_dir / "drawn", architecture)
    record = json.loads((drawn / "run.json").read_text())
    record["id"] = run_id(RunDefinition(record["definition"]))
    folder = runs_dir / record["id"]
    drawn.rename(folder)
    (runs_dir / "drawn").rmdir()
    (folder / "model.keras").write_bytes(b"network")
    (folder / "run.json").write_text(json.dumps(record | changed))
    return folder


def change(folder: Path, **changed: Any) -> None:
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | changed))


def contents(folder: Path) -> dict[str, bytes]:
    files = (one for one in folder.rglob("*") if one.is_file() and one.name[0] != ".")
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in files}


def counts(found: Merged) -> dict[str, int]:
    return {name: len(ids) for name, ids in vars(found).items() if ids}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "here ? 1" / "runs"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "data of job 1" / "runs"


def test_runs_come_whole_with_their_folds_and_times_and_twice_brings_nothing(
    here: Path, there: Path
) -> None:
    first, second = put_run(there), put_run(there, "lenet5", state="failed", error="x")
    shutil.copytree(second, first / "fold-1")
    (first / "fold-1" / ".run.lock").touch()
    (first / ".part-0").touch()
    (first / "export").mkdir()
    os.utime(first / "run.json", (1e9, 1e9))
    (there / "_cache").mkdir()
    planned = merge(here, [there], dry_run=True)
    assert counts(planned) == {"new": 2}
    assert not here.exists()
    assert merge(here, [there.parent]) == planned
    assert contents(here) == contents(there)
    assert (here / first.name / "run.json").stat().st_mtime == 1e9
    assert sorted(one.name for one in here.iterdir() if one.is_dir()) == sorted(planned.new)
    assert not list(here.glob("*/.part*"))
    assert counts(merge(here, [there])) == {"same": 2}


@pytest.mark.slow
def test_the_report_is_that_of_both_folders(here: Path, there: Path) -> None:
    put_run(here, "lenet5")
    put_run(there)
    merge(here, [there])
    page = write_report(here, here.parent / "reports").read_text()
    assert "resnet18" in page
    assert "lenet5" in page


DONE_TWICE = {"seconds": 7.5}
MORE = {
    "also_scored": [
        {"release": {"name": "old", "digest": "o"}, "metrics": {}, "predictions": "p.parquet"}
    ]
}


@pytest.mark.parametrize(
    ("ours", "theirs", "what", "kept"),
    [
        ({"state": "failed"}, {}, "replaced", "theirs"),
        ({"state": "running"}, {"state": "trained"}, "replaced", "theirs"),
        ({}, {"state": "failed"}, "behind", "ours"),
        ({"state": "failed"}, {"state": "running"}, "behind", "ours"),
        ({}, MORE, "replaced", "theirs"),
        (MORE, {}, "behind", "ours"),
        ({}, {"training": "the same set"}, "behind", "ours"),
        (MORE, {"other_sets": {"b": {"digest": "b", "predictions": "b", "scores": {}}}}, "differing", "ours"),
        ({}, DONE_TWICE, "differing", "ours"),
        ({}, DONE_TWICE | MORE, "differing", "ours"),
    ],
)  # fmt: skip
def test_of_two_runs_with_one_id_one_is_kept_by_a_rule(
    here: Path, there: Path, ours: Any, theirs: Any, what: str, kept: str
) -> None:
    put_run(here, **ours)
    folder = put_run(there, **theirs)
    expected = contents(here if kept == "ours" else there)
    told = KeptLines()
    assert counts(merge(here, [there], told, dry_run=True)) == {what: 1}
    assert counts(merge(here, [there], told)) == {what: 1}
    assert contents(here) == expected
    lines = {"replaced": "takes the place of", "differing": "was done twice"}
    assert [lines[what] in line and str(folder) in line for line in told.lines] == (
        [True, True] if what in lines else []
    )
    again = "same" if kept == "theirs" else what
    assert counts(merge(here, [there])) == {again: 1}


def test_files_that_are_missing_here_come_later(here: Path, there: Path) -> None:
    put_run(there)
    shutil.copytree(there, here)
    next(here.glob("*/model.keras")).unlink()
    assert counts(merge(here, [there])) == {"replaced": 1}
    assert contents(here) == contents(there)
    next(there.glob("*/model.keras")).unlink()
    assert counts(merge(here, [there])) == {"same": 1}


def test_a_run_of_two_folders_comes_once_and_from_the_better_one(
    here: Path, there: Path, tmp_path: Path
) -> None:
    put_run(there, state="failed")
    put_run(tmp_path / "b" / "runs")
    for dry_run in (True, False):
        found = merge(here, [there, tmp_path / "b", there], dry_run=dry_run)
        assert counts(found) == {"new": 1, "replaced": 1, "behind": 1}
    assert json.loads(next(here.glob("*/run.json")).read_text())["state"] == "done"


def _leads_out(folder: Path) -> None:
    (folder / "model.keras").unlink()
    (folder / "model.keras").symlink_to("/etc/hostname")


def _record_leads_out(folder: Path) -> None:
    shutil.move(folder / "run.json", folder.parents[2] / "run.json")
    (folder / "run.json").symlink_to(folder.parents[2] / "run.json")


def _is_a_link(folder: Path) -> None:
    shutil.move(folder, folder.parents[2] / "elsewhere")
    folder.symlink_to(folder.parents[2] / "elsewhere")


def _circle(folder: Path) -> None:
    (folder / "history.csv").symlink_to("history.csv")


def _fold_leads_out(folder: Path) -> None:
    (folder / "fold-1").symlink_to("/etc")


def _pipe(folder: Path) -> None:
    (folder / "run.json").unlink()
    os.mkfifo(folder / "run.json")


def _not_json(folder: Path) -> None:
    (folder / "run.json").write_text('{"id": ')


def _deep(folder: Path) -> None:
    (folder / "run.json").write_text("[" * 100_000)


def _empty(folder: Path) -> None:
    (folder / "run.json").write_text("")


def _other_id(folder: Path) -> None:
    change(folder, id="../../escaped")


def _wrong_id(folder: Path) -> None:
    change(folder, id="0" * 12)


def _bad_name(folder: Path) -> None:
    (folder / "a\nb").touch()


def _huge(folder: Path) -> None:
    with (folder / "run.json").open("a") as file:
        file.truncate(1 << 30)


HOSTILE: dict[Callable[[Path], None], str] = {
    _leads_out: "leads out of",
    _record_leads_out: "leads out of",
    _is_a_link: "leads out of",
    _circle: "leads nowhere",
    _fold_leads_out: "leads out of",
    _pipe: "run.json is not a file",
    _not_json: "it is not JSON",
    _deep: "nested too deep",
    _empty: "it is empty",
    _other_id: "'../../escape' is not that of its definition",
    _wrong_id: "is not that of its definition",
    _bad_name: "is not a path inside the folder",
    _huge: "more than the",
}


@pytest.mark.parametrize("damage", HOSTILE, ids=lambda one: one.__name__)
def test_a_run_that_cannot_be_trusted_is_left_out_with_one_line_and_the_others_come(
    here: Path, there: Path, damage: Callable[[Path], None]
) -> None:
    good, bad = put_run(there), put_run(there, "lenet5")
    damage(bad)
    told = KeptLines()
    found = merge(here, [there], told)
    assert counts(found) == {"new": 1, "left_out": 1}
    assert [one.name for one in here.iterdir() if one.is_dir()] == [good.name]
    assert len(told.lines) == 1
    assert HOSTILE[damage] in told.lines[0]
    assert bad.name in told.lines[0]


def test_a_link_that_stays_inside_is_copied_as_what_it_leads_to(here: Path, there: Path) -> None:
    folder = put_run(there)
    (folder / "model.keras").rename(there / "kept.keras")
    (folder / "model.keras").symlink_to("../kept.keras")
    assert counts(merge(here, [there])) == {"new": 1}
    copied = here / folder.name / "model.keras"
    assert (copied.is_symlink(), copied.read_bytes()) == (False, b"network")


def test_a_run_that_is_at_work_here_is_left_alone(here: Path, there: Path) -> None:
    own = put_run(here, state="running")
    put_run(there)
    told = KeptLines()
    with only_one(own, "run"):
        assert counts(merge(here, [there], told)) == {"busy": 1}
    assert json.loads((own / "run.json").read_text())["state"] == "running"
    assert "is at work" in told.lines[0]
    assert counts(merge(here, [there])) == {"replaced": 1}


def test_a_run_that_changes_while_it_is_copied_is_left_for_later(
    here: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put_run(there, state="running")
    copy = merging._copy

    def copy_and_change(source: Path, target: Path) -> None:
        copy(source, target)
        change(folder, state="done")

    monkeypatch.setattr(merging, "_copy", copy_and_change)
    assert counts(merge(here, [there])) == {"busy": 1}
    assert RunStore(here).all() == []


def test_two_merges_at_once_and_a_full_disk_are_told_in_one_line(
    here: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_run(there)
    with only_one(here, "merge"):
        with pytest.raises(Busy, match="another 'btfer merge' is working in"):
            merge(here, [there])

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(merging, "_copy", full)
    with pytest.raises(BtferError, match=r"No space left on device\. What was brought in is kept"):
        merge(here, [there])
    assert [one.name for one in here.iterdir()] == [".merge.lock"]


def test_folders_that_hold_no_runs_are_refused(
    tmp_path: Path, here: Path, there: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    put_run(there)
    (tmp_path / "empty" / "runs" / "_cache").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BTFER_DATA_DIR", str(here.parent))
    for wrong in ("empty", "file", "none", there.relative_to(tmp_path) / "_x"):
        assert typed(monkeypatch, "merge", str(there), str(tmp_path / wrong)) == 2
        assert "name a data folder of btfer, or its folder of runs" in capsys.readouterr().err
    assert not here.exists()
    with pytest.raises(UsageError, match="is the folder to merge into"):
        merge(there, [there.parent])


def test_what_became_of_runs_is_one_line_or_json(
    here: Path, there: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    folder = put_run(there)
    monkeypatch.setenv("BTFER_DATA_DIR", str(here.parent))
    assert typed(monkeypatch, "merge", str(there), "--dry-run") == 0
    assert capsys.readouterr().out == "would be: 1 new\n"
    assert typed(monkeypatch, "merge", str(there), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["dry_run"], found["new"], found["same"]) == (False, [folder.name], [])
    assert typed(monkeypatch, "merge", str(there)) == 0
    assert capsys.readouterr().out == "1 here already\n"


KILLED = """
import os, signal, sys
from pathlib import Path
from btfer.bench.runs import merge as merging
name, number = sys.argv[1], int(sys.argv[2])
called = 0

def dies(*arguments):
    global called
    called += 1
    if called == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)

if name == "copy":
    real, merging._copy = merging._copy, dies
else:
    real, Path.rename = Path.rename, dies
merging.merge(Path(sys.argv[3]), [Path(sys.argv[4])])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "number"),
    [("copy", 2), ("copy", 5), ("rename", 1), ("rename", 2), ("rename", 3)],
)
def test_a_merge_killed_at_any_step_leaves_no_half_run_and_goes_on(
    here: Path, there: Path, step: str, number: int
) -> None:
    put_run(here, "lenet5", state="failed")
    put_run(there, "lenet5")
    put_run(there)
    words = [sys.executable, "-c", KILLED, step, str(number), str(here), str(there)]
    done = subprocess.run(words, check=False, timeout=600, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    whole = contents(there)
    for run in RunStore(here).all():
        if run.is_done:
            found = contents(run.folder)
            assert found == {
                name.partition("/")[2]: data
                for name, data in whole.items()
                if name.startswith(run.id)
            }
    merge(here, [there])
    assert contents(here) == whole
    assert not (here / ".merging").exists()
