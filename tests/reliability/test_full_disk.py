"""Every command on a disk that becomes full: a sentence, and with room again it ends as on a large disk."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from btfer.expressions import EXPRESSIONS
from tests.reliability.commands import COMMANDS, Command
from tests.reliability.draws import KILLS, SEED, draws
from tests.reliability.house import PHOTOS, House, btfer, put_photos
from tests.reliability.states import differences, state_of
from tests.reliability.trial import Trial
from tests.reliability.zygote import Job

TIMES = max(1, KILLS // 5)
TRIED = [one for one in COMMANDS if one.share == 1 or TIMES > 1]
BLOCK = 4096

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(7200),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=128m", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk in memory cannot be mounted here: it needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def free_bytes(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_bsize


def fill(disk: Path, leaving: int) -> Path:
    """A file that takes all but so many bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free_bytes(disk) - leaving)
    return ballast


@pytest.mark.reliability("disk full at every write", seed=SEED)
@pytest.mark.parametrize("command", TRIED, ids=lambda one: one.name)
def test_a_full_disk_is_a_sentence_and_loses_nothing(
    house: House, command: Command, disk: Path, record_property: Any
) -> None:
    trial = Trial(house, command, disk / "work")
    trial.begin()
    before = free_bytes(disk)
    whole = trial.run()
    grown = max(before - free_bytes(disk), BLOCK)
    wanted = state_of(trial.folder)
    lost, rng = [], draws(command.name)
    for _ in range(TIMES):
        # What is written and deleted again needs room, too: some more than what stays.
        leaving = BLOCK * rng.randrange(0, grown // BLOCK + 2)
        wrong = when_full(trial, disk, whole.code, leaving)
        wrong += differences(wanted, state_of(trial.folder))
        lost += [f"{leaving} bytes left: {'; '.join(wrong)}"] if wrong else []
    record_property("tries", (TIMES, len(lost)))
    assert lost == [], f"{len(lost)} of {TIMES}: {lost[0]}"


def when_full(trial: Trial, disk: Path, code: int, leaving: int) -> list[str]:
    """What is not as it must be when it ran on a full disk, and again with room."""
    trial.begin()
    trial.out.unlink(missing_ok=True)
    ballast = fill(disk, leaving)
    done = trial.run()
    ballast.unlink()
    said = trial.out.read_text()
    wrong = [f"left running: {one}" for one in done.orphans]
    if "Traceback" in said:
        wrong.append(f"a traceback: {said[-1500:]}")
    if done.code not in (1, code):
        wrong.append(f"it ended with {done.code}: {said[-500:]}")
    if done.code != code and not any(
        one in said for one in ("No space", "disk is full", "make room", "free some")
    ):
        wrong.append(f"it does not say that the disk is full: {said[-500:]}")
    wrong += [f"left: {one}" for one in trial.folder.rglob(".part-*")]
    end = trial.run()
    if end.code != code:
        wrong.append(f"with room it ended with {end.code}: {trial.out.read_text()[-500:]}")
    return wrong


@pytest.mark.reliability("no room for SQLite's journal alone")
def test_with_room_for_photos_but_not_for_the_catalogue_nothing_is_lost(
    house: House, disk: Path, tmp_path: Path
) -> None:
    """The photos come to another disk than the catalogue: their files are there before their rows."""
    catalogue = ("--catalogue", f"sqlite:///{disk / 'catalogue.db'}")
    for number, leaving in enumerate(range(0, 48 * BLOCK, 6 * BLOCK)):
        folder, out = tmp_path / f"work{number}", tmp_path / f"{number}.out"
        put_photos(folder)
        ballast = fill(disk, leaving)
        full = house.zygote.run(Job(btfer(*catalogue, "import", PHOTOS), folder, out))
        said = out.read_text()
        ballast.unlink()
        assert full.code in (0, 1)
        assert full.code == 0 or "free some space" in said, said
        assert "Traceback" not in said
        for words in (("import", PHOTOS), ("catalogue", "verify")):
            done = house.zygote.run(Job(btfer(*catalogue, *words), folder, out))
            assert done.code == 0, out.read_text()
        assert len(list((folder / "data/photos").rglob("*.jpg"))) == 2 * len(EXPRESSIONS) + 1
        for one in disk.iterdir():
            one.unlink()
