"""One function over many items, or over one at a time out of many threads, on the engine that is chosen."""

import itertools
import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

from btfer.engine.choice import Engine, cores
from btfer.engine.lanes import Lane, ProcessLane, wait_for
from btfer.engine.surviving import DEATHS, IN_A_ROW, SurvivingRun, died_of, died_whatever

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_unordered(
    fn: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    engine: Engine,
    died: Callable[[Item], Result] | None = None,
    split: Callable[[Item], Sequence[Item]] | None = None,
) -> Iterator[Result]:
    """Yield `fn(item)` for every item, in any order; at most a few items per worker are in flight.

    A worker process that dies is replaced, and its item tried again. died: what stands for the result of an item
    that killed three of them; split: the parts of an item, tried one by one once it has killed one ([] where it
    cannot be split). Raises whatever `fn` raises, MissingExtra, and BtferError where workers die whichever the
    item, where one dies three times of an item and there is no `died`, or where no cluster answers.
    The serial engine works in this process, which cannot survive its own death.
    """
    source = iter(items)
    first = list(itertools.islice(source, 2))
    all_ = itertools.chain(first, source)
    if not _has_workers(engine, len(first), must_survive=died is not None):
        yield from map(fn, all_)
        return
    with _lanes(engine) as lanes:
        yield from SurvivingRun(lanes, fn, all_, died, split).results()


def _has_workers(engine: Engine, n_items: int, *, must_survive: bool) -> bool:
    """Whether there is work for workers: one of this machine costs a second to start and gains nothing alone."""
    if engine.name == "serial" or not n_items:
        return False
    is_alone = n_items == 1 or (engine.workers or cores()) == 1
    return engine.name == "ray" or must_survive or not is_alone


@contextmanager
def one_by_one(
    engine: Engine,
    *,
    died: Callable[[Any], Any] | None = None,
    warm_up: tuple[Any, ...] = (),
) -> Iterator[Callable[..., Any]]:
    """Yield `run(fn, item)`, which many threads may call: each waits for its own result.

    For work that comes in bits, out of threads that do something else in between. died: as in `map_unordered`.
    warm_up: a function and an item that every worker begins with at once, so that the first result does not wait
    for imports. Errors are those of `map_unordered`.
    """
    if engine.name == "serial":
        lock = Lock()

        def run(fn: Callable[[Item], Result], item: Item) -> Result:
            with lock:
                return fn(item)

        yield run
        return
    with _lanes(engine) as lanes:
        for lane in lanes if warm_up else ():
            lane.submit(*warm_up)
        yield _ByThreads(lanes, died).run


class _ByThreads:
    """Lanes that threads take in turn, one each."""

    def __init__(self, lanes: Sequence[Lane], died: Callable[[Any], Any] | None) -> None:
        self._free: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        self._died = died
        self._given_up = 0  # since an item last lived
        for lane in lanes:
            self._free.put(lane)

    def run(self, fn: Callable[[Any], Any], item: Any) -> Any:
        """The result of one item; raises as `map_unordered`."""
        for _ in range(DEATHS):
            lane = self._free.get()
            try:
                future = lane.submit(fn, item)
                wait_for(lane, [future])
                answer = future.result()
            except Exception as error:
                if not lane.is_death(error):
                    raise
                lane.restart()
                continue
            finally:
                self._free.put(lane)
            self._given_up = 0
            if answer.error is not None:
                raise answer.error
            return answer.result
        self._given_up += 1
        if self._given_up >= IN_A_ROW:
            raise died_whatever()
        if self._died is None:
            raise died_of(item)
        return self._died(item)


@contextmanager
def _lanes(engine: Engine) -> Iterator[list[Lane]]:
    """The workers of an engine."""
    if engine.name == "ray":
        from btfer.engine.on_ray import ray_lanes

        with ray_lanes(engine) as on_ray:
            yield on_ray
        return
    lanes: list[Lane] = [ProcessLane() for _ in range(engine.workers or cores())]
    try:
        yield lanes
    finally:
        for lane in lanes:
            lane.close()
