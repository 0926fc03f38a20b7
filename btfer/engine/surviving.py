"""Many items through lanes whose workers may die of some of them; no other item is lost by it.

An item whose worker died is given to another one; the third time it has all workers' memory to itself. Where that
one dies too, it is the item's fault and not the machine's.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from btfer.engine.lanes import Answer, Lane, wait_for
from btfer.errors import BtferError

DEATHS = 3  # of workers, before an item is given up
IN_A_ROW = 5  # items given up and none that lived between them: it is not the items' fault
AHEAD = 3  # items a lane holds, so that it need not wait while results are written
SHOWN = 200  # letters of an item in a message
Died = Callable[[Any], Any]
Split = Callable[[Any], Sequence[Any]]


@dataclass(eq=False)
class _Task:
    item: Any
    deaths: int = 0

    @property
    def alone(self) -> bool:
        """Whether nothing else may run beside it."""
        return self.deaths >= DEATHS - 1


@dataclass(eq=False)
class _Busy:
    """A lane and what it holds, in order."""

    lane: Lane
    held: "dict[Future[Answer], _Task]" = field(default_factory=dict)


class SurvivingRun:
    """One function over many items. died: what stands for the result of an item that is given up.

    split: the parts of an item that are tried one by one once it has killed a worker; [] where it has none.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        fn: Callable[[Any], Any],
        items: Iterable[Any],
        died: Died | None = None,
        split: Split | None = None,
    ) -> None:
        self._lanes = [_Busy(lane) for lane in lanes]
        self._fn, self._died, self._split = fn, died, split
        self._source = (_Task(item) for item in items)
        self._again: deque[_Task] = deque()
        self._alone: deque[_Task] = deque()
        self._given_up: list[_Task] = []

    def results(self) -> Iterator[Any]:
        """A result for every item, in any order.

        Raises what the function raises, and BtferError where workers die whichever the item, or of an item for
        which `died` has no result.
        """
        while self._fill():
            held = [future for busy in self._lanes for future in busy.held]
            wait_for(self._lanes[0].lane, held)
            for busy in list(self._lanes):
                yield from self._ended(busy)
        yield from self._results_of_given_up()

    def _fill(self) -> bool:
        """Give the lanes what they can hold; whether they hold anything."""
        while True:
            busy = min(self._lanes, key=lambda one: len(one.held))
            if len(busy.held) >= AHEAD or (task := self._next()) is None:
                return any(one.held for one in self._lanes)
            busy.held[busy.lane.submit(self._fn, task.item)] = task

    def _next(self) -> _Task | None:
        held = [task for busy in self._lanes for task in busy.held.values()]
        if any(task.alone for task in held):
            return None
        if self._again:
            return self._again.popleft()
        if self._alone:
            return None if held else self._alone.popleft()
        return next(self._source, None)

    def _ended(self, busy: _Busy) -> Iterator[Any]:
        """The results that a lane has; where its worker died, what it held is tried again."""
        for future in [one for one in busy.held if one.done()]:
            error = future.exception()
            if error is None:
                busy.held.pop(future)
                yield from self._result(future.result())
            elif busy.lane.is_death(error):
                yield from self._bury(busy)
                return
            else:
                raise error

    def _result(self, answer: Answer) -> Iterator[Any]:
        if answer.error is not None:
            raise answer.error
        yield answer.result
        yield from self._results_of_given_up()

    def _bury(self, busy: _Busy) -> Iterator[Any]:
        """A worker died: of the first of its items that has no result, if of any."""
        wait_for(busy.lane, busy.held, all_=True)  # all of them end with the same error
        lost = []
        for future, task in busy.held.items():
            if (error := future.exception()) is None:
                yield from self._result(future.result())
            elif busy.lane.is_death(error):
                lost.append(task)
            else:
                raise error
        busy.held.clear()
        if not busy.lane.restart():
            self._lanes.remove(busy)
        if not self._lanes:
            raise BtferError("all workers have gone; what was done is kept: run the command again")
        if lost:
            self._blame(lost[0])
        self._again.extend(lost[1:])

    def _blame(self, task: _Task) -> None:
        task.deaths += 1
        parts = self._split(task.item) if self._split else []
        if parts:
            self._again.extend(_Task(part) for part in parts)
        elif task.deaths < DEATHS:
            (self._alone if task.alone else self._again).append(task)
        else:
            self._give_up(task)

    def _give_up(self, task: _Task) -> None:
        self._given_up.append(task)
        if len(self._given_up) >= IN_A_ROW:
            raise died_whatever()
        if self._died is None:
            raise died_of(task.item)

    def _results_of_given_up(self) -> Iterator[Any]:
        """Only once another item has lived: a machine without memory would have them all given up."""
        if self._died is not None:
            yield from map(self._died, [task.item for task in self._given_up])
        self._given_up.clear()


def died_whatever() -> BtferError:
    """Workers die of whatever they are given."""
    return BtferError(
        f"a worker process died {DEATHS} times of each of {IN_A_ROW} items, perhaps for lack of memory; what was "
        f"done is kept: run the command again, with btfer --workers 1 if it happens again{_of_a_script()}"
    )


def _of_a_script() -> str:
    """What a script of somebody's own may lack: each worker reads it from its first line, and dies there."""
    main = sys.modules["__main__"]
    file = str(getattr(main, "__file__", ""))
    if file == "<stdin>":
        return "; a script of your own must be a file, and not come through a pipe"
    if main.__spec__ or not file.endswith(".py"):
        return ""
    return '; a script of your own must make its calls below a line `if __name__ == "__main__":`'


def died_of(item: Any) -> BtferError:
    """Workers die of one item, which cannot be left out."""
    shown = repr(item)
    if len(shown) > SHOWN:
        shown = shown[:SHOWN] + "..."
    return BtferError(
        f"a worker process died {DEATHS} times of {shown}: a fault in a decoder, perhaps"
    )
