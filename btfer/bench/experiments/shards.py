"""A share of a grid for each job of an array: the same in every job, whatever is done already. Loads no Keras."""

import heapq
from collections.abc import Callable

from btfer.bench.experiments.cells import GridCell
from btfer.errors import UsageError

MOST_DIGITS = 9  # of a number in I/N
LONGEST_SHOWN = 40  # of what was given instead

Cost = Callable[[GridCell], float]
"""What a cell takes, in any unit: shares of a training set are made equal in it."""


def shard(wanted: list[GridCell], part: str, cost: Cost) -> list[GridCell]:
    """The cells of share i for `i/n`, in the order of `wanted`; none where there are fewer cells than shares.

    The n shares are disjoint and together the whole. Raises UsageError for another form.
    """
    number, count = _numbers(part)
    shares = deal(wanted, min(count, len(wanted)), cost)
    return shares[number - 1] if number <= len(shares) else []


def deal(wanted: list[GridCell], count: int, cost: Cost) -> list[list[GridCell]]:
    """The cells in `count` shares that take about as long as each other, in every training set for itself.

    The costliest first, each to the share that has least of its set; so the sizes of the sets, which a job may not
    know, do not matter. Which order the cells come in does not matter either.
    """
    share_of: dict[GridCell, int] = {}
    totals = [0.0] * count
    for name in sorted({cell.training for cell in wanted}):
        own = [cell for cell in wanted if cell.training == name]
        loads = [(0.0, total, number) for number, total in enumerate(totals)]
        heapq.heapify(loads)
        for cell in sorted(own, key=lambda one: (-cost(one), str(one))):
            load, _, number = loads[0]
            share_of[cell] = number
            totals[number] += cost(cell)
            heapq.heapreplace(loads, (load + cost(cell), totals[number], number))
    return [[cell for cell in wanted if share_of[cell] == number] for number in range(count)]


def _numbers(part: str) -> tuple[int, int]:
    parts = part.split("/")
    if len(parts) == 2 and all(map(_is_number, parts)):
        number, count = map(int, parts)
        if 1 <= number <= count:
            return number, count
    shown = part if len(part) <= LONGEST_SHOWN else f"{part[:LONGEST_SHOWN]}..."
    raise UsageError(f"--shard '{shown}' is not a share; write I/N, from 1/N to N/N, such as 3/8")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
