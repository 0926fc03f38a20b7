"""Commands that start at once, and are killed: a process that has imported what they need forks itself for each.

A kill is either by event (the n-th write to a file, statement or commit of the command, which the forked process
counts itself) or by time, from outside.
"""

import importlib
import multiprocessing
import os
import random
import signal
import sys
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import sqlalchemy as sa

from tests.forked import CONTEXT

FORK = multiprocessing.get_context("fork")
GROUP, PARENT, WORKER = "group", "parent", "worker"
"""Who is killed: the command with its workers, the command alone, or one of its workers."""

_FILE_EVENTS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR
_PATIENCE_S = 300
_PART_OF_PYTHON = "resource_tracker"


@dataclass(frozen=True)
class Job:
    """A command to run in a folder. out: file of what it prints. die_at: event at which it is killed; 0 = never.

    workers: 0 = all in the process itself, and most of what is started here is spared.
    """

    work: Callable[[], object]
    folder: Path
    out: Path
    die_at: int = 0
    who: str = GROUP
    workers: int = 0


@dataclass(frozen=True)
class Done:
    """How it ended. events: how many there were until then. seconds: from its start. killed: whether it was."""

    code: int
    events: int
    seconds: float
    killed: bool
    orphans: Sequence[str]


class Zygote:
    """Start it once; it has its modules imported, and has used none of them."""

    def __init__(self, *modules: str) -> None:
        self._ours, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(theirs, modules))
        self._process.start()
        theirs.close()

    def run(self, job: Job, *, kill_after_s: float | None = None) -> Done:
        """Run a command to its end, or until it is killed; what it started has ended then, or is named."""
        started = time.monotonic()
        self._ours.send(job)
        pid = int(self._ours.recv())
        killed = kill_after_s is not None and self._kill(pid, job.who, kill_after_s)
        if not self._ours.poll(_PATIENCE_S):
            os.killpg(pid, signal.SIGKILL)
        code = int(self._ours.recv())
        seconds = time.monotonic() - started
        said = _said(job)
        return Done(code, len(said), seconds, killed or b"k" in said, left_over(pid))

    def _kill(self, pid: int, who: str, after_s: float) -> bool:
        """Kill after a while; of a worker as soon as there is one. False where the command was quicker."""
        if self._ours.poll(after_s):
            return False
        while not kill(pid, who):
            if self._ours.poll(0.01):
                return False
        return True

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.join(30)


def kill(pid: int, who: str) -> bool:
    """SIGKILL to a command, its group, or one of its workers; False where it has none now."""
    try:
        if who == GROUP:
            os.killpg(pid, signal.SIGKILL)
        elif who == PARENT:
            os.kill(pid, signal.SIGKILL)
        else:
            workers = [one for one in processes_of(pid) if one != pid]
            if not workers:
                return False
            os.kill(random.choice(workers), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def processes_of(session: int) -> list[int]:
    """The living processes of a session, but for those that Python keeps for itself."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            # The name in brackets may have blanks: what counts stands behind it.
            state, _, _, its_session = (one / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its_session) != session or state == "Z":
                continue
            if _PART_OF_PYTHON not in (one / "cmdline").read_text():
                found.append(int(one.name))
        except (OSError, ValueError):
            continue
    return found


def left_over(session: int, patience_s: float = 20) -> list[str]:
    """Command lines of what a command has left running, after some patience; it is ended then."""
    end = time.monotonic() + patience_s
    while (left := processes_of(session)) and time.monotonic() < end:
        time.sleep(0.02)
    named = []
    for pid in left:
        named.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
        os.kill(pid, signal.SIGKILL)
    return named


def _said(job: Job) -> bytes:
    return _counted(job).read_bytes()


def _counted(job: Job) -> Path:
    return job.out.with_suffix(".events")


def _serve(asked: Connection, modules: Sequence[str]) -> None:
    for one in modules:
        importlib.import_module(one)
    while True:
        try:
            job = asked.recv()
        except EOFError:
            return
        process = FORK.Process(target=_as_command, args=(job,))
        process.start()
        asked.send(process.pid)
        process.join()
        asked.send(process.exitcode)


def _as_command(job: Job) -> None:
    os.setsid()
    os.chdir(job.folder)
    os.environ["BTFER_ENGINE"] = "processes" if job.workers else "serial"
    os.environ["BTFER_WORKERS"] = str(job.workers)
    with job.out.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.modules["__main__"] = types.ModuleType("__main__")  # which its workers would run
    _count(job)
    job.work()


def _count(job: Job) -> None:
    """Note each event, and kill at the chosen one; a worker as soon as there is one from then on."""
    counted = os.open(_counted(job), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    n_events, looking = 0, False

    def tick(*_: object) -> None:
        nonlocal n_events, looking
        if looking:
            return
        looking = True
        n_events += 1
        os.write(counted, b".")
        if job.die_at and n_events >= job.die_at:
            if job.who != WORKER:
                os.write(counted, b"k")
            if kill(os.getpid(), job.who):
                os.write(counted, b"k")
                job_done()
        looking = False

    def job_done() -> None:
        nonlocal n_events
        n_events = -(10**9)

    def hear(event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            path, mode, flags = given
            writes = (mode is not None and bool(set("wax+") & set(str(mode)))) or bool(
                int(str(flags)) & _WRITING
            )
            if not writes or str(path).startswith(("/dev", "/proc")):
                return
            tick()
        elif event in _FILE_EVENTS:
            tick()

    def statement(_c: object, _cursor: object, text: str, *_: object) -> None:
        if not text.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            tick()

    sa.event.listen(sa.Engine, "before_cursor_execute", statement)
    sa.event.listen(sa.Engine, "after_cursor_execute", statement)
    sa.event.listen(sa.Engine, "commit", tick)
    sys.addaudithook(hear)
