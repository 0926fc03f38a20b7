"""A lane: one worker process, and what it was given in order. When it dies, its lane knows of what.

An executor with several workers ends as a whole when one of them dies, and cannot say which item it was.
"""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.util import Finalize
from threading import Thread
from typing import Any, NamedTuple, Protocol

from btfer.errors import BtferError

# spawn, not fork: TensorFlow and threads of the parent do not survive a fork.
_LAST = -1_000  # of all that a process of multiprocessing does at its end
SPAWN = multiprocessing.get_context("spawn")


class Answer(NamedTuple):
    """What became of an item: its result, or the error that the function raised."""

    result: Any
    error: Exception | None = None


CHECKED_EVERY_S = 1.0  # whether results may still come


class Lane(Protocol):
    """One worker process; it begins its items in the order in which they are submitted."""

    def submit(self, fn: Callable[[Any], Any], item: Any) -> "Future[Answer]":
        """Have an item worked on. The future raises what `is_death` knows where the process died."""

    def is_death(self, error: BaseException) -> bool:
        """Whether a future's error says that the process is gone. Raises BtferError where all are."""

    def restart(self) -> bool:
        """A new process in place of one that died; False where there is no place for one."""

    def close(self) -> None:
        """Let the process go; what it has not begun is dropped."""

    def check(self) -> None:
        """Raise BtferError where nothing is to be expected any more, of this lane and all others."""


def wait_for(lane: Lane, futures: "Collection[Future[Answer]]", *, all_: bool = False) -> None:
    """Wait for one of the futures, or for all. Raises as `Lane.check`."""
    until = ALL_COMPLETED if all_ else FIRST_COMPLETED
    while True:
        done, _ = wait(futures, CHECKED_EVERY_S, until)
        lane.check()
        if len(done) >= (len(futures) if all_ else 1):
            return


class ProcessLane:
    """A worker process of this machine."""

    def __init__(self) -> None:
        with _plain_start():
            self._executor = _one_worker()

    def submit(self, fn: Callable[[Any], Any], item: Any) -> "Future[Answer]":
        """See `Lane`."""
        with _plain_start():
            try:
                future = self._executor.submit(answer, fn, item)
            except BrokenProcessPool:  # it died while it had nothing to do
                self.restart()
                future = self._executor.submit(answer, fn, item)
        _leave_results_to_worker(self._executor)
        return future

    def is_death(self, error: BaseException) -> bool:
        """See `Lane`."""
        return isinstance(error, BrokenProcessPool)

    def restart(self) -> bool:
        """See `Lane`."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with _plain_start():
            self._executor = _one_worker()
        return True

    def close(self) -> None:
        """See `Lane`."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def check(self) -> None:
        """See `Lane`. The end of a process of this machine is always noticed."""


@contextmanager
def _plain_start() -> Iterator[None]:
    """Each worker takes a process and some open files, of which a user may have so many."""
    try:
        yield
    except OSError as error:
        raise BtferError(
            f"a worker process cannot be started ({error.strerror}); what was done is kept: run again with fewer "
            "--workers"
        ) from error


def _one_worker() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=SPAWN, initializer=_start_on_one_core)


def _leave_results_to_worker(executor: Any) -> None:
    """Close our copy of the end of the pipe into which its one worker, started by now, writes results.

    With it open, who reads half a result, of a worker that was killed while it sent it, waits for the rest forever.
    """
    executor._result_queue._writer.close()


def answer(fn: Callable[[Any], Any], item: Any) -> Answer:
    """In a worker: the result, or the error in a form that survives the way to the parent."""
    try:
        return Answer(fn(item))
    except Exception as error:
        return Answer(None, _portable(error))


def _portable(error: Exception) -> Exception:
    """An error that the parent can read: some classes of libraries can be sent and not received."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return BtferError(f"{type(error).__name__}: {error}")
    return error


def _start_on_one_core() -> None:
    start_worker()
    use_one_core()
    # A worker writes nothing, and to take down its libraries one by one costs half a second.
    Finalize(None, os._exit, args=(0,), exitpriority=_LAST)


def use_one_core() -> None:
    """There is a worker for each core, and threads of libraries would be in its way; these read it when imported."""
    for name in ("OPENCV_FOR_THREADS_NUM", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def start_worker() -> None:
    """Ctrl-C reaches the whole group and only the parent decides what it means; without it a worker ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # a parent that was killed tells nobody
        os._exit(1)
