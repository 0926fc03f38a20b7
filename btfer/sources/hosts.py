"""Which host may be asked now: a queue that spreads work over hosts, and a gate that limits requests to each."""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Generic, TypeVar

TaskT = TypeVar("TaskT")
MAX_RETURNS = 3  # of a task to the queue: then it is left to a later crawl


class CrawlStopped(Exception):
    """The crawl is being stopped; what is in flight is dropped and stays `found` in the journal."""


TOLD_TO_WAIT = "told to wait"


class HostOnHold(Exception):
    """The host must be left alone for longer than anybody waits; `why` is the word for it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class HostGate:
    """At most `max_per_host` requests to a host at a time, their starts `delay_s` apart.

    free: hosts of our own, without limit and pause.
    """

    def __init__(
        self,
        max_per_host: int,
        delay_s: float,
        max_wait_s: float,
        free: frozenset[str] = frozenset(),
    ) -> None:
        self._max_per_host = max_per_host
        self._free = free | {""}  # '' = no URL at all, which nobody is asked for
        self.max_wait_s = max_wait_s  # who must wait longer is not waited for
        self.stopped = False
        self._delay_s = delay_s
        self._changed = Condition()
        self._busy: Counter[str] = Counter()
        self._next: dict[str, float] = {}
        self._why: dict[str, str] = {}  # of hosts that were held
        self._paces: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait until the host may be asked, and take one of its places. Raises Stopped and OnHold."""
        with self._changed:
            self._wait(host)
            self._busy[host] += 1
            self._next[host] = time.monotonic() + self.delay_s(host)
        try:
            yield
        finally:
            with self._changed:
                _take_one(self._busy, host)
                self._changed.notify_all()

    def stop(self) -> None:
        """Make every thread that waits raise CrawlStopped."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def ready_in(self, host: str) -> float:
        """Seconds until the host may be asked again; 0 or less = now."""
        return self._next.get(host, 0.0) - time.monotonic()

    def hold(self, host: str, seconds: float, why: str = TOLD_TO_WAIT) -> None:
        """Ask this host nothing for a while."""
        with self._changed:
            until = time.monotonic() + seconds
            if until > self._next.get(host, 0.0):
                self._next[host], self._why[host] = until, why
            self._changed.notify_all()

    def held(self) -> dict[str, float]:
        """Hosts that nobody waits for now, and in how many seconds they may be asked again."""
        with self._changed:
            waits_s = {host: self.ready_in(host) for host in self._why}
        return {host: wait_s for host, wait_s in waits_s.items() if wait_s > self.max_wait_s}

    def slow_down(self, host: str, delay_s: float) -> None:
        """Keep at least this time between the requests to a host, as its robots.txt asks."""
        with self._changed:
            self._paces[host] = max(delay_s, self._delay_s)

    def delay_s(self, host: str) -> float:
        """The time between two requests to a host, in seconds."""
        return 0.0 if host in self._free else self._paces.get(host, self._delay_s)

    def has_place(self, host: str, busy: int) -> bool:
        """Whether a host that is asked for `busy` things now may be asked for one more."""
        return busy < self._max_per_host or host in self._free

    def _wait(self, host: str) -> None:
        while True:
            if self.stopped:
                raise CrawlStopped
            wait_s = self._next.get(host, 0.0) - time.monotonic()
            if wait_s > self.max_wait_s:
                raise HostOnHold(self._why.get(host, TOLD_TO_WAIT))
            if wait_s > 0:
                self._changed.wait(wait_s)
            elif not self.has_place(host, self._busy[host]):
                self._changed.wait()
            else:
                return


class HostQueue(Generic[TaskT]):
    """Tasks given out host by host in turn, to hosts that may be asked now: one slow host holds up no thread.

    It takes the place of icrawler's queue, which loses a task whenever it is full.
    """

    def __init__(self, gate: HostGate, host_of: Callable[[TaskT], str]) -> None:
        self._gate = gate
        self._host_of = host_of
        self._changed = Condition()
        self._closed = False
        self._in_flight: Counter[str] = Counter()
        self._started: dict[str, float] = {}
        self._waiting: dict[str, deque[TaskT]] = {}
        self._returned: Counter[TaskT] = Counter()
        self._patience_s = math.inf  # while others go on

    def add(self, tasks: Iterable[TaskT]) -> None:
        """Append tasks to the queue."""
        with self._changed:
            for task in tasks:
                self._waiting.setdefault(self._host_of(task), deque()).append(task)
            self._changed.notify_all()

    def get(self) -> TaskT | None:
        """The next task whose host may be asked; waits for one. None = the queue was closed.

        After `last_call`, and when nothing else is left, tasks come whose host must be left alone
        for longer than that: whoever asks it is told so.
        """
        with self._changed:
            while not self._closed:
                waits_s: dict[str, float] = {}
                for host in self._waiting:
                    if self._gate.has_place(host, self._in_flight[host]):
                        waits_s[host] = self._ready_in(host)
                        if waits_s[host] <= 0:
                            return self._take(host)
                soonest = min(waits_s, key=waits_s.__getitem__, default="")
                if waits_s and not self._in_flight and waits_s[soonest] > self._patience_s:
                    return self._take(soonest)
                self._changed.wait(waits_s.get(soonest))
            return None

    def put_back(self, task: TaskT) -> bool:
        """Keep a task whose host must be left alone until it may be asked; False = that is too long."""
        with self._changed:
            host = self._host_of(task)
            self._returned[task] += 1
            if self._returned[task] > MAX_RETURNS or self._gate.ready_in(host) > self._patience_s:
                del self._returned[task]
                return False
            self._waiting.setdefault(host, deque()).appendleft(task)
            return True

    def last_call(self, patience_s: float) -> None:
        """Nothing more will be added: give back what must wait for longer than this."""
        with self._changed:
            self._patience_s = patience_s
            self._changed.notify_all()

    def done(self, task: TaskT) -> None:
        """Give the place of a task back."""
        with self._changed:
            host = self._host_of(task)
            _take_one(self._in_flight, host)
            self._changed.notify_all()

    def drop(self, unwanted: Callable[[TaskT], bool]) -> list[TaskT]:
        """Take tasks back that nobody has begun."""
        with self._changed:
            gone = [task for tasks in self._waiting.values() for task in tasks if unwanted(task)]
            for host, tasks in list(self._waiting.items()):
                self._waiting[host] = deque(task for task in tasks if not unwanted(task))
                if not self._waiting[host]:
                    del self._waiting[host]
            return gone

    def close(self) -> None:
        """Give out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _ready_in(self, host: str) -> float:
        """Seconds until the host may be asked; a task that was just given out has not asked it yet."""
        since_last_s = time.monotonic() - self._started.get(host, -math.inf)
        return max(self._gate.ready_in(host), self._gate.delay_s(host) - since_last_s)

    def _take(self, host: str) -> TaskT:
        tasks = self._waiting.pop(host)
        task = tasks.popleft()
        if tasks:
            self._waiting[host] = tasks  # to the end of the line
        self._in_flight[host] += 1
        self._started[host] = time.monotonic()
        return task


def _take_one(counts: Counter[str], host: str) -> None:
    """Count down, and forget hosts at nought: a long crawl meets many."""
    counts[host] -= 1
    if not counts[host]:
        del counts[host]
