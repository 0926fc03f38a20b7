"""Who may be asked now: a queue that spreads work over hosts, and a gate that no host is pushed through."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Condition, Event, Lock
from typing import Generic, TypeVar

Task = TypeVar("Task")


class Stopped(Exception):
    """The crawl is being stopped; what is in flight is dropped and stays `found` in the journal."""


class HostGate:
    """At most `max_per_host` requests to a host at a time, their starts `delay_s` apart."""

    def __init__(self, max_per_host: int, delay_s: float, stopped: Event) -> None:
        self._delay_s = delay_s
        self._stopped = stopped
        self._lock = Lock()
        self._next: dict[str, float] = {}
        self._slots: defaultdict[str, BoundedSemaphore] = defaultdict(
            lambda: BoundedSemaphore(max_per_host)
        )

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for a free slot of the host, and hold it. Raises Stopped."""
        with self._lock:
            slot = self._slots[host]
        with slot:
            self._wait(host)
            yield

    def hold(self, host: str, seconds: float) -> None:
        """Ask this host nothing for a while."""
        with self._lock:
            self._next[host] = max(self._next.get(host, 0.0), time.monotonic() + seconds)

    def _wait(self, host: str) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                wait_s = self._next.get(host, 0.0) - now
                if wait_s <= 0:
                    self._next[host] = now + self._delay_s
                    break
            self._stopped.wait(wait_s)
            if self._stopped.is_set():
                raise Stopped


class HostQueue(Generic[Task]):
    """All tasks at once, given out host by host in turn, so that one slow host holds up no thread.

    It takes the place of icrawler's queue, which loses a task whenever it is full.
    """

    def __init__(
        self, tasks: Iterable[Task], host_of: Callable[[Task], str], max_per_host: int
    ) -> None:
        self._host_of = host_of
        self._max_per_host = max_per_host
        self._changed = Condition()
        self._in_flight: Counter[str] = Counter()
        self._waiting: dict[str, deque[Task]] = {}
        for task in tasks:
            self._waiting.setdefault(host_of(task), deque()).append(task)

    def get(self) -> Task | None:
        """The next task whose host has a free place; waits for one. None = all are given out."""
        with self._changed:
            while self._waiting:
                for host in self._waiting:
                    if self._in_flight[host] < self._max_per_host:
                        return self._take(host)
                self._changed.wait()
            return None

    def done(self, task: Task) -> None:
        """Give the place of a task back."""
        with self._changed:
            self._in_flight[self._host_of(task)] -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Give out nothing more."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def _take(self, host: str) -> Task:
        tasks = self._waiting.pop(host)
        task = tasks.popleft()
        if tasks:
            self._waiting[host] = tasks  # to the end of the line
        self._in_flight[host] += 1
        return task
