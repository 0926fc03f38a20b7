"""Long work, such as a training run: each item in a fresh process, whose memory is free again when it ends."""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from btfer.engine.choice import Engine, share_of_cores
from btfer.engine.lanes import SPAWN, Answer, answer, start_worker

Item = TypeVar("Item")
Result = TypeVar("Result")
DIED = "its process died, perhaps for lack of memory"


@dataclass(frozen=True)
class Ended(Generic[Item, Result]):
    """The end of one item: its result, or the error of its last try as a sentence. tries: how many it took."""

    item: Item
    result: Result | None = None
    error: str = ""
    tries: int = 1


@dataclass(eq=False)
class Attempt(Generic[Item]):
    """An item, and how often it was begun."""

    item: Item
    tries: int = 0

    def ended(self, found: Answer | None) -> "Ended[Item, Any]":
        """found: None where the process died."""
        if found is None:
            return Ended(self.item, error=DIED, tries=self.tries)
        if found.error is not None:
            error = str(found.error) or type(found.error).__name__
            return Ended(self.item, error=error, tries=self.tries)
        return Ended(self.item, found.result, tries=self.tries)


def each_in_its_own_process(
    fn: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    engine: Engine,
    tries: int = 2,
) -> Iterator[Ended[Item, Result]]:
    """Yield the end of `fn(item)` for every item, as they come; each has a fresh process.

    Where there are GPUs, as many run at once, and each sees one of them. Elsewhere one runs at a time, or on a
    cluster one on each machine; `engine.workers`, where it is set, says how many instead (of GPUs, no more than
    there are). Those that share a machine share its cores. An item that fails or whose process dies is tried
    again, `tries` times in all, and the others go on. On `serial` one runs at a time. Items are taken only as they
    can be begun. Left early, it ends what runs.
    """
    if engine.name == "ray":
        from btfer.engine.on_ray import each_in_its_own_task

        yield from each_in_its_own_task(fn, items, engine, tries)
        return
    yield from _Processes(fn, engine, tries).run(items)


@dataclass(frozen=True)
class _Slot:
    """Where one item at a time is worked on: the name of a GPU, or '' and some cores."""

    gpu: str
    cores: frozenset[int] = frozenset()


class _Processes(Generic[Item, Result]):
    def __init__(self, fn: Callable[[Item], Result], engine: Engine, tries: int) -> None:
        gpus = list_gpus()
        most = 1 if engine.name == "serial" else engine.workers or max(1, len(gpus))
        self._fn, self._tries = fn, tries
        self._slots = deque(
            [_Slot(gpu) for gpu in gpus[:most]]
            if gpus
            else [_Slot("", frozenset(share_of_cores(n, most))) for n in range(most)]
        )
        self._running: dict[Any, tuple[Attempt[Item], BaseProcess, _Slot]] = {}

    def run(self, items: Iterable[Item]) -> Iterator[Ended[Item, Result]]:
        source = (Attempt(item) for item in items)
        again: deque[Attempt[Item]] = deque()
        try:
            while True:
                while self._slots and (one := again.popleft() if again else next(source, None)):
                    self._begin(one)
                if not self._running:
                    return
                for ready in wait(list(self._running)):
                    attempt, found = self._end(ready)
                    ended = attempt.ended(found)
                    if ended.error and attempt.tries < self._tries:
                        again.append(attempt)
                    else:
                        yield ended
        finally:
            for _, process, _ in self._running.values():
                process.terminate()

    def _begin(self, attempt: Attempt[Item]) -> None:
        attempt.tries += 1
        slot = self._slots.popleft()
        ours, theirs = SPAWN.Pipe(duplex=False)
        process = SPAWN.Process(target=_work, args=(theirs, self._fn, attempt.item, slot.gpu))
        with _on_cores(slot.cores):  # which the process inherits
            process.start()
        theirs.close()  # so that our end is closed with the process
        self._running[ours] = attempt, process, slot

    def _end(self, ready: Any) -> tuple[Attempt[Item], Answer | None]:
        attempt, process, slot = self._running[ready]
        try:
            found = ready.recv()
        except (EOFError, OSError):  # it died before its answer, or in the middle of it
            found = None
        process.join()
        del self._running[ready]
        ready.close()
        self._slots.append(slot)
        return attempt, found


def _work(to_parent: Connection, fn: Callable[[Item], Result], item: Item, gpu: str) -> None:
    """The whole of a process. gpu: the one that it may see, '' where there is none."""
    start_worker()
    if gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    to_parent.send(answer(fn, item))


@contextmanager
def _on_cores(some: Collection[int]) -> Iterator[None]:
    """This thread, and what it starts, on these cores alone; on all that it has where there are none."""
    if not some:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, some)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def list_gpus() -> list[str]:
    """The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    if (given := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [one.strip() for one in given.split(",") if one.strip() not in ("", "-1")]
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    told = subprocess.run(
        [program, "--query-gpu=index", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return told.stdout.split() if told.returncode == 0 else []
