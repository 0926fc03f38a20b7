"""Many photos through worker processes, some of which may die of a photo; no other photo is lost by it.

The system ends a process that takes too much memory, and a fault in a decoder can end one too. The engine
cannot say which photo it was: all that were begun are tried again, each while nothing else runs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from btfer.engine import map_unordered, one_by_one
from btfer.errors import BtferError
from btfer.settings import Settings

Item = TypeVar("Item")
Result = TypeVar("Result")

GIVE_UP_AFTER = (
    3  # deaths of processes with one photo each, and none that lived: it is not the photos' fault
)


def map_surviving(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    died: Callable[[Item], Result],
    settings: Settings,
) -> Iterator[Result]:
    """Yield `work(item)` for every item, in any order, or `died(item)` where its process died of it.

    Raises whatever `work` raises, and BtferError where processes die whichever the item. With one worker
    the engine works in this process, which cannot survive its own death.
    """
    left, begun = deque(items), deque[Item]()

    def begin() -> Iterator[Item]:
        while left:
            begun.append(left.popleft())
            yield begun[-1]

    answer = partial(_answer, work=work)
    while left:
        results = map_unordered(answer, begin(), engine=settings.engine, workers=settings.workers)
        while True:
            try:
                item, found = next(results)
            except StopIteration:
                break
            except BtferError as death:
                yield from _each_alone(answer, begun, died, settings.engine, death)
                break
            begun.remove(item)
            yield _result(found)


def _each_alone(
    answer: Callable[[Item], tuple[Item, Result | BtferError]],
    begun: deque[Item],
    died: Callable[[Item], Result],
    engine: str,
    death: BtferError,
) -> Iterator[Result]:
    """Empty `begun`: one item at a time, and a new process after each that killed its own."""
    dead, lived = [], False
    while begun:
        with one_by_one(engine, 1) as run:
            while begun:
                item = begun.popleft()
                try:
                    _, found = run(answer, item)
                except BtferError:
                    dead.append(item)
                    if len(dead) == GIVE_UP_AFTER and not lived:
                        raise death from None
                    break
                lived = True
                yield _result(found)
    yield from map(died, dead)


def _answer(item: Item, *, work: Callable[[Item], Result]) -> tuple[Item, Result | BtferError]:
    """The item and its result; an error is handed over as a value, to be told from the engine's own."""
    try:
        return item, work(item)
    except BtferError as error:
        return item, BtferError(str(error))  # kinds with other arguments cannot be sent


def _result(found: Result | BtferError) -> Result:
    if isinstance(found, BtferError):
        raise found
    return found
