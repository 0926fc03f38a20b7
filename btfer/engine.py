"""Where heavy loops run: the one seam for scale.

A stage hands over a picklable function and its items and takes results as they come; it never
knows whether they came from this process or from others. Workers return values and write nothing.
"""

import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

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
    if engine not in ENGINES:
        raise UsageError(f"engine '{engine}' is unknown: use one of {', '.join(ENGINES)}")
    return ENGINES[engine](fn, items, workers or _cores())


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
    # spawn, not fork: TensorFlow and threads of the parent do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupt)
    try:
        yield from _stream(pool, fn, itertools.chain(first, source), in_flight=3 * workers)
    except BrokenProcessPool:
        raise BtferError(
            "a worker process died (out of memory?): what was done is kept; "
            "run the command again, with --workers 1 if it happens again"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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


def _ignore_interrupt() -> None:
    """Ctrl-C reaches the whole group; only the parent decides what it means."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


ENGINES = {"serial": _serial, "processes": _processes}
