"""The job script of docs/cluster, run as SLURM runs it, with a btfer that tells its arguments."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "cluster" / "slurm.sh"


def run(tmp_path: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    program = tmp_path / "btfer"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')
    program.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    return subprocess.run(
        [str(SCRIPT), *words],
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8"}, "3/8"),
        ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "1", "SHARES": "8"}, "3/8"),
    ],
)
def test_a_job_runs_its_share_with_the_options_that_were_given(
    tmp_path: Path, environment: dict[str, str], shard: str
) -> None:
    done = run(tmp_path, "--train", "rafdb=/a b/RAFDB", **environment)
    assert done.stdout.splitlines() == ["bench", "--shard", shard, "--train", "rafdb=/a b/RAFDB"]
    assert done.returncode == 7  # btfer's own


def test_outside_of_an_array_it_says_how_to_be_run(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode != 0
    assert done.stderr.rstrip().endswith("run this with sbatch --array=1-N")


def test_every_variable_of_the_environment_is_told_in_its_head() -> None:
    text = SCRIPT.read_text()
    head, _, body = text.partition("set -euo pipefail")
    used = {*re.findall(r"\$\{?([A-Z_]+)", body)}
    assert used == {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SHARES"}
    assert all(re.search(rf"^#   {name} ", head, re.MULTILINE) for name in used)
    assert os.access(SCRIPT, os.X_OK)
