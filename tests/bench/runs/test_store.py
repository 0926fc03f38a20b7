"""One damaged record never stops a command: it is skipped with one line. And how a run is named."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from btfer.bench.datasets import load_release
from btfer.bench.runs.store import RunStore
from btfer.cli import app
from btfer.errors import UsageError
from tests.bench.conftest import KeptLines, draw_folder, draw_release
from tests.bench.drawn_runs import draw_run
from tests.bench.stored_runs import store as store_run

GOOD = "abcd12345678"


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def without(name: str) -> Callable[[Path], None]:
    def remove(file: Path) -> None:
        values = json.loads(file.read_text())
        file.write_text(json.dumps({key: value for key, value in values.items() if key != name}))

    return remove


DAMAGED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "truncated": (truncate, "it is not JSON"),
    "empty": (lambda file: file.write_bytes(b""), "it is empty"),
    "a list": (lambda file: file.write_text("[1, 2]"), "it does not hold an object"),
    "another object": (lambda file: file.write_text('{"a": 1}'), "'id' is missing"),
    "without metrics": (without("metrics"), "'metrics' is missing"),
    "without definition": (without("definition"), "'definition' is missing"),
    "not UTF-8": (lambda file: file.write_bytes(b'{"id": "\xff\xfe"}'), "it is not UTF-8"),
    "a folder": (lambda file: (file.unlink(), file.mkdir()), "it cannot be opened"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_record_is_skipped_with_one_line(kind: str, tmp_path: Path) -> None:
    damage, why = DAMAGED[kind]
    good = draw_run(tmp_path, seed=1)
    bad = draw_run(tmp_path, seed=2)
    damage(bad / "run.json")
    told = KeptLines()
    store = RunStore(tmp_path, told)
    assert [one.folder for one in store.all()] == [good]
    assert [one.folder for one in store.all()] == [good]
    [line] = told.lines
    assert line.startswith(f"skipped {bad / 'run.json'}, which is not the record of a run: {why}")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = draw_run(tmp_path) / "run.json"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(RunStore(tmp_path).all()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_skipped_with_one_line(tmp_path: Path) -> None:
    folder = draw_run(tmp_path)
    folder.chmod(0)
    told = KeptLines()
    assert RunStore(tmp_path, told).all() == []
    folder.chmod(0o755)
    assert len(told.lines) == 1


def test_a_folder_without_a_record_and_a_missing_folder_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "_cache").mkdir()
    (tmp_path / "file").write_text("")
    told = KeptLines()
    assert RunStore(tmp_path, told).all() == []
    assert RunStore(tmp_path / "none", told).all() == []
    assert told.lines == []


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder: a good run with a network, and a damaged one."""
    data_dir = tmp_path_factory.mktemp("data")
    release = load_release(draw_release(data_dir / "releases" / "r1", 3))
    draw_folder(data_dir / "training" / "faces", 4)
    store_run(data_dir / "runs", release)
    return data_dir


@pytest.fixture
def data_dir(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "data"
    shutil.copytree(stored, copy)
    bad = copy / "runs" / "0000badbad00"
    bad.mkdir()
    (bad / "run.json").write_text('{"id": "0000badb')
    monkeypatch.setenv("BTFER_DATA_DIR", str(copy))
    return copy


@pytest.mark.parametrize(
    "command",
    [
        ["bench", "runs"],
        ["report"],
        ["export", "abcd", "--format", "tflite"],
        ["bench", "plan", "--epochs", "1", "--model", "lenet5", "--train", "faces"],
        pytest.param(["bench", "edge", "abcd"], marks=pytest.mark.slow),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_command_goes_on_past_a_damaged_record(command: list[str], data_dir: Path) -> None:
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output + repr(done.exception)
    lines = [line for line in done.stderr.splitlines() if "0000badbad00" in line]
    assert len(lines) == 1
    assert "is not the record of a run: it is not JSON" in lines[0]


def test_a_k_fold_run_stands_for_its_first_fold_and_predictions_say_what_they_are(
    data_dir: Path,
) -> None:
    runs = data_dir / "runs"
    whole = draw_run(runs, "lenet5", training="in-domain (k-fold)")
    for number in (10, 2, 1):
        shutil.copytree(runs / GOOD, whole / f"fold-{number}")
        values = json.loads((whole / f"fold-{number}" / "run.json").read_text())
        values |= {"id": f"f0{number:010d}"}
        (whole / f"fold-{number}" / "run.json").write_text(json.dumps(values))
    other = draw_run(runs, "fer", training="external", protocol={"name": "external"})
    failed = draw_run(runs, "zfnet")
    store = RunStore(runs)
    for text in (whole.name, whole.name[:6], "lenet5", str(whole)):
        assert store.find(text).folder == whole / "fold-1"
    assert store.find("f00000000002").folder == whole / "fold-2"
    for text in (other.name, "fer"):
        with pytest.raises(
            UsageError,
            match=f"run {other.name} has no network of its own: it is predictions of fer",
        ):
            store.find(text)
    with pytest.raises(UsageError, match=f"run {failed.name} has no network, its state is done"):
        store.find(failed.name)


def test_a_name_that_means_several_runs_or_none_lists_what_there_is(data_dir: Path) -> None:
    runs = data_dir / "runs"
    values = json.loads((runs / GOOD / "run.json").read_text())
    shutil.copytree(runs / GOOD, runs / "abcd99999999")
    (runs / "abcd99999999" / "run.json").write_text(json.dumps(values | {"id": "abcd99999999"}))
    store = RunStore(runs)
    for text in ("abcd", "sequential_4conv"):
        with pytest.raises(
            UsageError, match=f"'{text}' names 2 runs; choose one of .*abcd12345678"
        ):
            store.find(text)
    with pytest.raises(UsageError, match=r"unknown run 'abc'; choose one of .*abcd12345678"):
        store.find("abc")
    with pytest.raises(UsageError, match="the record of run '0000badbad00' cannot be read"):
        store.find("0000badbad00")
    with pytest.raises(UsageError, match="unknown run 'x': there is no trained run yet"):
        RunStore(runs / "none").find("x")
