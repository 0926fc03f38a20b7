"""A command in a copy of a folder, again and again."""

import shutil
from pathlib import Path

from tests.reliability.commands import Command
from tests.reliability.house import House
from tests.reliability.zygote import GROUP, WORKER, Done, Job


class Trial:
    """Copies of one folder in which a command runs."""

    def __init__(self, house: House, command: Command, folder: Path) -> None:
        self.house, self.command, self.folder = house, command, folder
        self.out = folder.parent.with_name(f"{folder.parent.name}.out")

    def begin(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.house.stage(self.command.stage), self.folder)
        self.command.prepare(self.folder)

    def run(self, *, die_at: int = 0, after_s: float | None = None, who: str = GROUP) -> Done:
        workers = 1 if who == WORKER else 0
        work = self.house.here(self.command.work)
        job = Job(work, self.folder, self.out, die_at, who, workers)
        return self.house.zygote.run(job, kill_after_s=after_s)
