"""What the table of kills and faults counts: each test once, each seed once, and a loss until it is survived."""

import csv
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "benchmarks"))

import reliability  # noqa: E402
import results  # noqa: E402

HERE = "tests/test_reliability_table.py::test_seeds_add_up_and_a_seed_counts_once"
OTHER = "tests/test_reliability_table.py::test_a_loss_counts_until_it_is_survived"
COLUMNS = ("what", "value", "limit", "test", "seed", "code", "date")
Row = tuple[str, int, int, str, str, str]


def table(folder: Path, *rows: Row) -> dict[str, reliability.Tried]:
    """What is made of rows: name, tried, lost, test, seed and state of the code."""
    with (folder / "2026-11-30-reliability.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name, tried, lost, test, seed, code in rows:
            writer.writerow((name, tried - lost, f">= {tried}", test, seed, code, "2026-11-30"))
    return reliability.saved(folder)


def test_seeds_add_up_and_a_seed_counts_once(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        ("killed: dedup", 10, 0, HERE, "0", "a"),
        ("killed: dedup", 20, 0, HERE, "1", "a"),
        ("killed: dedup", 30, 0, HERE, "1", "b"),
        ("killed: dedup", 5, 0, HERE, "1", "b"),
        ("killed: dedup", 7, 0, OTHER, "1", "b"),
        ("killed: crop", 2, 0, HERE, "1", "a"),
    )
    assert [(name, one.tried) for name, one in found.items()] == [
        ("killed: crop", 2),
        ("killed: dedup", 10 + 30 + 7),
    ]
    assert found["killed: dedup"].codes == {"a", "b"}


def test_a_loss_counts_until_it_is_survived(tmp_path: Path) -> None:
    lost: Row = ("killed: crop", 20, 2, HERE, "3", "a")
    others: list[Row] = [
        ("killed: crop", 50, 0, HERE, "4", "b"),  # another seed
        ("killed: crop", 50, 0, OTHER, "3", "b"),  # another test
        ("killed: crop", 19, 0, HERE, "3", "b"),  # less than what lost
    ]
    assert table(tmp_path, lost, *others)["killed: crop"].lost == 2
    found = table(tmp_path, lost, *others, ("killed: crop", 20, 0, HERE, "3", "b"))["killed: crop"]
    assert (found.tried, found.lost, found.mended) == (120, 0, 2)
    again = table(tmp_path, ("x", 20, 0, HERE, "", "a"), ("x", 3, 1, HERE, "", "a"))["x"]
    assert (again.tried, again.lost) == (3, 1)  # what survived before does not hide it


def test_a_row_that_names_no_test_counts_while_no_other_does(tmp_path: Path) -> None:
    old: Row = ("umask", 3, 1, "", "", "")
    assert table(tmp_path, old)["umask"].tried == 3
    found = table(tmp_path, old, ("umask", 2, 0, HERE, "", "a"))["umask"]
    assert (found.tried, found.lost, found.mended) == (2, 0, 1)


def test_a_test_that_is_gone_is_counted_no_more(tmp_path: Path) -> None:
    gone = "tests/test_reliability_table.py::test_that_was_renamed[dedup]"
    assert table(tmp_path, ("killed: dedup", 9, 0, gone, "0", "a")) == {}


TESTS = """
import os, pytest
@pytest.mark.reliability("killed", seed=3)
@pytest.mark.parametrize("command", [type("C", (), {"name": "dedup"})()])
def test_kills(record_property, command):
    record_property("tries", (5, 1))
    assert False
@pytest.mark.reliability("umask")
def test_fault():
    pass
@pytest.mark.reliability("umask")
def test_that_is_stopped():
    os._exit(9)
"""
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import pytest, reliability
from pathlib import Path
reliability.results.FOLDER = Path(sys.argv[3])
keep = reliability.results.save
reliability.results.save = lambda rows, more: keep(rows, more=more, folder=Path(sys.argv[3]))
pytest.main([sys.argv[2], "-q", "--rootdir", ".", "-p", "no:cacheprovider"], [reliability.Count(reliability.save)])
"""


def test_a_run_that_is_stopped_keeps_the_rows_of_the_tests_that_have_ended(tmp_path: Path) -> None:
    (tmp_path / "test_stopped.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text("")  # pytest asks all plugins about it
    arguments = [str(ROOT / "benchmarks"), "test_stopped.py", str(tmp_path / "kept")]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 9, done.stdout.decode() + done.stderr.decode()
    [file] = (tmp_path / "kept").glob("*.csv")
    with file.open() as opened:
        rows = list(csv.DictReader(opened))
    assert list(rows[0]) == [*results.COLUMNS, "test", "seed", "code"]
    assert [(r["what"], r["value"], r["limit"], r["seed"]) for r in rows] == [
        ("killed: dedup", "4", ">= 5", "3"),
        ("umask", "1", ">= 1", ""),
    ]
    assert [r["test"].partition("[")[0] for r in rows] == [
        "test_stopped.py::test_kills",
        "test_stopped.py::test_fault",
    ]
