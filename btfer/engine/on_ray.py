"""Lanes on a Ray cluster: actors, each a process that keeps what it has loaded, such as the detector's networks."""

import math
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import btfer
from btfer.engine.choice import Engine, share_of_cores
from btfer.engine.cluster import check_alive, connect, has_died
from btfer.engine.lanes import CHECKED_EVERY_S, Answer, Lane, answer, use_one_core
from btfer.engine.own_process import Attempt, Ended
from btfer.errors import BtferError

STARTS_WITHIN_S = 180.0  # of actors: for those that the cluster has no room for
_idle: "list[RayLane]" = []  # lanes of an earlier loop: their networks are loaded


class _Worker:
    """What runs on the cluster, in a process of its own."""

    def __init__(self, folder: str, version: str) -> None:
        use_one_core()
        self._problem = _enter(folder) or _version_problem(version)

    def problem(self) -> str:
        """Why this process cannot be used; '' where it can."""
        return self._problem

    def work(self, fn: Callable[[Any], Any], item: Any) -> Answer:
        """See `lanes.answer`."""
        return answer(fn, item)


def _enter(folder: str) -> str:
    """Work in the folder of the command, to which its paths are relative; why not, '' where it is there."""
    try:
        os.chdir(folder)
    except OSError as error:
        return (
            f"{folder} is not on the machine {socket.gethostname()} of the cluster ({error.strerror}): run the "
            "command in a folder that all of its machines share"
        )
    return ""


def _version_problem(version: str) -> str:
    if btfer.__version__ == version:
        return ""
    return (
        f"the machine {socket.gethostname()} of the cluster has btfer {btfer.__version__}, and this one "
        f"{version}: install one version everywhere"
    )


class RayLane:
    """An actor with one core of the cluster."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._start()

    def _start(self) -> None:
        kind = self._ray.remote(_Worker).options(num_cpus=1, max_restarts=0, max_task_retries=0)
        self.folder = Path.cwd()
        self._actor = kind.remote(str(self.folder), btfer.__version__)
        self.problem = self._actor.problem.remote()
        self._held: list[Future[Answer]] = []

    def submit(self, fn: Callable[[Any], Any], item: Any) -> "Future[Answer]":
        """See `Lane`."""
        try:
            future: Future[Answer] = self._actor.work.remote(fn, item).future()
        except ConnectionError:  # of ray://, which has tried for half a minute
            raise has_died() from None
        self._held = [one for one in self._held if not one.done()] + [future]
        return future

    def is_death(self, error: BaseException) -> bool:
        """See `Lane`. Of the process, of its machine, or of what it had in memory."""
        if isinstance(error, ConnectionError):
            raise has_died() from None
        errors = self._ray.exceptions
        return isinstance(error, errors.RayError) and not isinstance(error, errors.RayTaskError)

    def restart(self) -> bool:
        """See `Lane`."""
        self.close()
        self._start()
        return bool(_usable(self._ray, [self]))

    def close(self) -> None:
        """See `Lane`."""
        with suppress(ConnectionError):
            self._ray.kill(self._actor)

    def check(self) -> None:
        """See `Lane`. The death of what its own process is connected to is nothing that Ray notices."""
        check_alive(self._ray)

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do, and lives as far as is known."""
        return all(one.done() for one in self._held)


@contextmanager
def ray_lanes(engine: Engine) -> Iterator[list[Lane]]:
    """Actors, as many as the cluster has cores, or `engine.workers`. Raises as `connect`, and where none starts."""
    ray = connect(engine)
    most = int(ray.cluster_resources().get("CPU", 1))
    wanted = min(engine.workers or most, most)
    _let_go_of_other_folders()
    lanes = [_idle.pop() for _ in range(min(wanted, len(_idle)))]
    lanes = _usable(ray, [*lanes, *(RayLane(ray) for _ in range(wanted - len(lanes)))])
    if not lanes:
        raise BtferError(
            f"the Ray cluster '{engine.address}' has no free core within {STARTS_WITHIN_S:.0f} s: wait until its "
            "other jobs have ended"
        )
    try:
        yield list(lanes)
    finally:
        for lane in lanes:
            if lane.is_idle:
                _idle.append(lane)
            else:
                lane.close()


def _let_go_of_other_folders() -> None:
    """Relative paths are those of the folder in which a lane was started, and the program may have gone to another."""
    for lane in [one for one in _idle if one.folder != Path.cwd()]:
        _idle.remove(lane)
        lane.close()


def _usable(ray: Any, lanes: list[RayLane]) -> list[RayLane]:
    """Those that have started, or nearly have; the others are let go. Raises BtferError for what is wrong with one."""
    asked = [lane.problem for lane in lanes]
    ready = _wait(ray, asked, len(asked), STARTS_WITHIN_S)
    found = []
    for lane in lanes:
        if lane.problem not in ready:
            lane.close()
            continue
        try:
            problem = ray.get(lane.problem)
        except ray.exceptions.RayError as error:
            text = str(error).strip().splitlines()
            problem = f"a worker of the Ray cluster does not start: {text[-1] if text else error!r}"
        if problem:
            raise BtferError(problem)
        found.append(lane)
    return found


def _wait(ray: Any, refs: list[Any], number: int, timeout_s: float) -> list[Any]:
    """Those that are ready, `number` at most, once so many are or the time is up. Raises as `check_alive`."""
    end = time.monotonic() + timeout_s
    while True:
        left_s = max(0.0, end - time.monotonic())
        ready, _ = ray.wait(refs, num_returns=number, timeout=min(left_s, CHECKED_EVERY_S))
        check_alive(ray)
        if len(ready) == number or left_s < CHECKED_EVERY_S:
            return list(ready)


def each_in_its_own_task(
    fn: Callable[[Any], Any], items: Iterable[Any], engine: Engine, tries: int
) -> Iterator[Ended[Any, Any]]:
    """See `each_in_its_own_process`: a task each, whose process ends with it."""
    ray = connect(engine)
    while _idle:
        _idle.pop().close()  # their cores are needed
    at_once, needs, share_cores = _slots(ray, engine.workers)
    free = list(range(at_once))
    task = ray.remote(max_calls=1)(_task).options(max_retries=0, **needs)
    source, again = (Attempt(item) for item in items), deque[Attempt[Any]]()
    running: dict[Any, tuple[Attempt[Any], int]] = {}
    folder = str(Path.cwd())
    try:
        while True:
            while free:
                one = again.popleft() if again else next(source, None)
                if one is None:
                    break
                one.tries += 1
                place = free.pop()
                share = (place, at_once) if share_cores else None
                running[task.remote(folder, share, fn, one.item)] = one, place
            if not running:
                return
            (ready,) = _wait(ray, list(running), 1, math.inf)
            attempt, place = running.pop(ready)
            free.append(place)
            ended = attempt.ended(_result(ray, ready))
            if ended.error and attempt.tries < tries:
                again.append(attempt)
            else:
                yield ended
    finally:
        for ref in running:
            ray.cancel(ref, force=True)


def _task(
    folder: str, share: tuple[int, int] | None, fn: Callable[[Any], Any], item: Any
) -> Answer:
    if problem := _enter(folder):
        return Answer(None, BtferError(problem))
    if share and (its_own := share_of_cores(*share)):
        os.sched_setaffinity(0, its_own)
    return answer(fn, item)


def _result(ray: Any, ref: Any) -> Answer | None:
    """None where the process died."""
    try:
        found: Answer = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        return Answer(None, BtferError(str(error).strip().splitlines()[-1]))
    except ray.exceptions.RayError:
        return None
    return found


def _slots(ray: Any, workers: int) -> tuple[int, dict[str, int], bool]:
    """How many tasks run at once, what each needs of the cluster, and whether they share one machine's cores.

    A task needs a GPU, where there are any, and cores. Of several machines, Ray alone knows which one a task is on.
    """
    nodes = [one["Resources"] for one in ray.nodes() if one["Alive"] and "CPU" in one["Resources"]]
    gpus = int(sum(one.get("GPU", 0) for one in nodes))
    cpus = int(sum(one["CPU"] for one in nodes))
    at_once = min(workers or gpus, gpus) if gpus else workers or max(1, len(nodes))
    smallest = min((int(one["CPU"]) for one in nodes), default=1)
    needs = {"num_cpus": max(1, min(cpus // at_once, smallest)), "num_gpus": int(gpus > 0)}
    return at_once, needs, len(nodes) == 1 and not gpus
