"""Benchmarks on a few pictures: that they run and count, not how fast."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def printed() -> str:
    """What a small run says."""
    command = [sys.executable, str(BENCHMARKS / "crawl.py"), "--images", "40", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_crawl_benchmark_counts_every_image_that_ours_keeps(printed: str) -> None:
    ours = re.findall(r"│ (btfer, .*?) +│.*│ (\d+) of (\d+) +│", printed)
    assert len(ours) == 2, printed
    assert {(kept, asked) for _, kept, asked in ours} == {("40", "40")}, printed


@pytest.mark.slow
def test_the_crawl_benchmark_says_pass_or_miss_for_each_target(printed: str) -> None:
    ends = re.findall(r"│ ([^│]+?) +│ ([^│]+?) +│ (pass|MISS) +│", printed)
    assert [target for target, _, _ in ends] == [
        "8 in flight: 1x icrawler",
        "default, no pause: 3x icrawler",
        "memory under 400 MB",
        "100 % kept",
    ]
    assert ends[-1] == ("100 % kept", "100.0 %", "pass")


@pytest.fixture(scope="module")
def copies() -> str:
    """What the benchmark of copies and expressions prints for three photos."""
    command = [sys.executable, str(BENCHMARKS / "expressions.py"), "--most", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def taken(copies: str, kind: str) -> bool:
    return bool(re.search(rf"copy: {kind} +│ 3 +│ . of 3 +│ 3 of 3", copies))


@pytest.mark.slow
def test_copies_are_taken_and_no_other_expression_is(copies: str) -> None:
    assert "other expressions merged: none" in copies
    kinds = ("resize 0.5", "mirror", "quality 20", "brightness 1.4", "crop 10%", "screenshot")
    assert [kind for kind in kinds if not taken(copies, kind)] == [], copies


@pytest.mark.slow
@pytest.mark.xfail(reason="known loss: a meme frame hides some copies", strict=True)
def test_pictures_in_a_meme_frame_are_taken(copies: str) -> None:
    assert taken(copies, "meme"), copies


@pytest.mark.slow
def test_the_training_benchmark_puts_a_step_beside_one_by_hand() -> None:
    command = [sys.executable, str(BENCHMARKS / "train_steps.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"│ lenet5 +│ 48 │ [\d,.]+ +│ [\d,.]+ +│ [+-][\d.]+% +│", done.stdout), (
        done.stdout
    )
    assert "Table 2" not in done.stdout  # no hours from a part of the networks


def test_the_leak_benchmark_finds_what_it_planted() -> None:
    command = [sys.executable, str(BENCHMARKS / "leaks.py"), "--most", "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"│ whole photo, 100 px +│ 5 +│ 5 +│ 1\.000 +│", done.stdout), done.stdout
    assert "precision 1.0000" in done.stdout
