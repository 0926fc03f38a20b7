"""Where heavy loops run: the one seam for scale.

A stage hands over a picklable function and its items and takes results as they come; it never
knows whether they came from this process or from others. Workers return values and write nothing.
"""

import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, TypeVar

from btfer.errors import BtferError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_unordered(
    fn: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    engine: str = "processes",
    workers: int = 0,
) -> Iterator[Result]:
    """Yield `fn(item)` for every item, in any order; at most a few items per worker are in flight.

    workers: 0 = one per core. Raises UsageError for an unknown engine, BtferError when a worker
    process dies, and whatever `fn` raises.
    """
    _check_engine(engine)
    return ENGINES[engine](fn, items, workers or _cores())


def _check_engine(engine: str) -> None:
    if engine not in ENGINES:
        raise UsageError(f"unknown engine '{engine}'; choose one of {', '.join(ENGINES)}")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serial(fn: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    return map(fn, items)


def _processes(
    fn: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    source = iter(items)
    first = list(itertools.islice(source, 2))
    if workers == 1 or len(first) < 2:  # a process costs seconds to start and gains nothing here
        yield from map(fn, itertools.chain(first, source))
        return
    with _pool(workers) as pool:
        yield from _stream(pool, fn, itertools.chain(first, source), in_flight=3 * workers)


@contextmanager
def one_by_one(
    engine: str, workers: int = 0, *, warm_up: tuple[Any, ...] = ()
) -> Iterator[Callable[..., Any]]:
    """Yield `run(fn, item)`, which many threads may call: each waits for its own result.

    For work that comes in bits, out of threads that do something else in between. warm_up: a
    function and an item that every worker begins with at once, so that the first result does not
    wait for imports. Errors are those of `map_unordered`.
    """
    _check_engine(engine)
    if engine == "serial":
        lock = Lock()

        def run(fn: Callable[[Item], Result], item: Item) -> Result:
            with lock:
                return fn(item)

        yield run
        return
    workers = workers or _cores()
    with _pool(workers) as pool:
        for _ in range(workers if warm_up else 0):
            pool.submit(*warm_up)
        yield lambda fn, item: _result(pool.submit(fn, item))


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn, not fork: TensorFlow and threads of the parent do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        yield pool
    except BrokenProcessPool:
        raise _died() from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(future: "Future[Result]") -> Result:
    try:
        return future.result()
    except BrokenProcessPool:
        raise _died() from None


def _died() -> BtferError:
    return BtferError(
        "a worker process died, perhaps for lack of memory; what was done is kept: run the command "
        "again, with btfer --workers 1 if it happens again"
    )


def _stream(
    pool: ProcessPoolExecutor, fn: Callable[[Item], Result], source: Iterable[Item], in_flight: int
) -> Iterator[Result]:
    source = iter(source)
    pending = {pool.submit(fn, item) for item in itertools.islice(source, in_flight)}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        pending |= {pool.submit(fn, item) for item in itertools.islice(source, len(done))}
        for future in done:
            yield future.result()


def _start_worker() -> None:
    """Ctrl-C reaches the whole group and only the parent decides what it means; without it a worker ends."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # a parent that was killed tells nobody
        os._exit(1)


ENGINES = {"serial": _serial, "processes": _processes}
