"""What is known and not fetched yet, by cell, and the order in which it is given to the threads."""

import heapq
import itertools
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from btfer.catalogue.rows import FetchTask
from btfer.pipeline.crawl_shares import Shares
from btfer.pipeline.crawl_tally import host_of
from btfer.queries import Cell

MAX_PER_HOST = 16  # URLs of one host with the threads at a time; the others wait here, cell by cell
HOSTS_PER_THREAD = 8  # the threads choose among so many hosts, so that slow ones hold up no other
PATIENCE_S = (
    10.0  # after that, a URL in hand keeps no place of its cell, nor its host one of the hosts
)
LOOKED_AT = 16  # URLs of a cell that are tried for a host with a place


@dataclass
class _InHand:
    """What the threads have of one host."""

    n: int = 0
    active: float = 0.0  # when the last came or went


class _Taken(NamedTuple):
    """A URL in hand."""

    task: FetchTask
    host: str
    since: float


@dataclass
class Backlog:
    """URLs that may be fetched, given out evenly: the cell with the fewest photos comes first.

    With a target, no more of a cell are in hand than it has room for, so that it is not overfilled.
    """

    shares: Shares
    threads: int
    of_source: Counter[str] = field(default_factory=Counter)  # here and in hand
    aside: Counter[Cell] = field(default_factory=Counter)  # of cells that were full; in the journal
    _waiting: dict[Cell, deque[tuple[FetchTask, str]]] = field(
        default_factory=dict
    )  # with its host
    _taken: dict[str, _Taken] = field(default_factory=dict)  # in hand, by id
    _hosts: dict[str, _InHand] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)  # a URL is given out once in a crawl

    def __len__(self) -> int:
        return self.of_source.total()

    def add(self, tasks: Iterable[FetchTask]) -> None:
        """Take up URLs of the journal; those of full cells are only counted."""
        for one in tasks:
            if one.id in self._seen:
                continue
            if self.shares.is_full(one.cell):
                self.aside[one.cell] += 1
                continue
            self._seen.add(one.id)
            self._waiting.setdefault(one.cell, deque()).append((one, host_of(one.url)))
            self.of_source[one.source] += 1

    def take(self) -> list[FetchTask]:
        """URLs to give to the threads now."""
        now = time.monotonic()
        in_hand = Counter(
            one.task.cell for one in self._taken.values() if now - one.since < PATIENCE_S
        )
        places = HOSTS_PER_THREAD * self.threads - sum(
            now - one.active < PATIENCE_S for one in self._hosts.values()
        )
        queue = [
            (self.shares.have[cell] + in_hand[cell], place, cell)
            for place, cell in enumerate(self._waiting)
        ]
        heapq.heapify(queue)
        taken: list[FetchTask] = []
        while queue:
            n, place, cell = heapq.heappop(queue)
            if self.shares.room(cell) <= in_hand[cell]:
                continue
            found = self._next_of(cell, places > 0)
            if found is None:
                continue
            places -= self._give(*found, now)
            in_hand[cell] += 1
            taken.append(found[0])
            if cell in self._waiting:
                heapq.heappush(queue, (n + 1, place, cell))
        return taken

    def ended(self, tasks: Iterable[FetchTask]) -> None:
        """Threads have given these back."""
        for one in tasks:
            if taken := self._taken.pop(one.id, None):
                self.of_source[one.source] -= 1
                host = self._hosts[taken.host]
                host.n -= 1
                host.active = time.monotonic()
                if not host.n:
                    del self._hosts[taken.host]

    def give_up(self, cell: Cell, begun: Iterable[FetchTask] = ()) -> None:
        """Leave what a full cell has to the journal. begun: of it, what the threads gave back unasked."""
        self.ended(begun := list(begun))
        left = [*begun, *(task for task, _ in self._waiting.pop(cell, ()))]
        self.of_source.subtract(one.source for one in left[len(begun) :])
        self._seen.difference_update(one.id for one in left)
        self.aside[cell] += len(left)

    def cells(self) -> set[Cell]:
        """Cells that have URLs here or in hand."""
        return {*self._waiting, *(one.task.cell for one in self._taken.values())}

    def of_hosts(self, hosts: Collection[str]) -> Counter[str]:
        """How many URLs of some hosts are here or in hand, by source."""
        here = (one for tasks in self._waiting.values() for one in tasks)
        in_hand = ((one.task, one.host) for one in self._taken.values())
        every = itertools.chain(here, in_hand) if hosts else ()
        return Counter(task.source for task, host in every if host in hosts)

    def in_hand_by_host(self) -> Counter[str]:
        """How many URLs of each host the threads have."""
        return Counter({host: one.n for host, one in self._hosts.items()})

    def _next_of(self, cell: Cell, new_host: bool) -> tuple[FetchTask, str] | None:
        """The first URL of a cell whose host has a place; those before it go to the end of the line."""
        tasks = self._waiting[cell]
        for _ in range(min(len(tasks), LOOKED_AT)):
            known = self._hosts.get(tasks[0][1])
            if new_host if known is None else known.n < MAX_PER_HOST:
                found = tasks.popleft()
                if not tasks:
                    del self._waiting[cell]
                return found
            tasks.rotate(-1)
        return None

    def _give(self, task: FetchTask, host: str, now: float) -> bool:
        """Put a URL in hand; whether its host is a new one there."""
        is_new = host not in self._hosts
        known = self._hosts.setdefault(host, _InHand(active=now))
        known.n += 1
        self._taken[task.id] = _Taken(task, host, now)
        return is_new
