"""Each cell's share of a target, so that a class is filled evenly over groups of people and languages."""

import heapq
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from btfer.queries import Cell


class Shares:
    """How many photos each cell has, and how many it may still bring.

    target: photos of a class, or None for as many as there are. have: photos that are there already,
    by cell; those of cells that are not planned count towards their class.
    """

    def __init__(
        self, target: int | None, have: Mapping[Cell, int], planned: Iterable[Cell]
    ) -> None:
        self.target = target
        self.have = Counter(dict(have))
        self.planned = list(dict.fromkeys(planned))
        self._quota: dict[Cell, int] = {}
        self.deal(self.planned)

    def room(self, cell: Cell) -> float:
        """How many photos more a cell may bring."""
        if self.target is None:
            return math.inf
        return self._quota.get(cell, 0) - self.have[cell]

    def is_full(self, cell: Cell) -> bool:
        """Whether a cell has its share."""
        return self.room(cell) <= 0

    def missing(self) -> list[Cell]:
        """Planned cells without their share."""
        return [one for one in self.planned if self.target and not self.is_full(one)]

    def deal(self, giving: Collection[Cell]) -> bool:
        """Deal what each class lacks among cells that can give more, the emptiest first; whether any has room now.

        Cells of the plan go before others. All other cells get nothing more.
        """
        if self.target is None:
            return False
        self._quota = {}
        by_class: dict[str, list[Cell]] = {}
        for one in dict.fromkeys(giving):
            by_class.setdefault(one.expression, []).append(one)
        totals: Counter[str] = Counter()
        for cell, n in self.have.items():
            totals[cell.expression] += n
        planned = set(self.planned)
        for label, cells in by_class.items():
            chosen = [one for one in cells if one in planned] or cells
            self._quota |= self._level(chosen, self.target - totals[label])
        return any(not self.is_full(one) for one in self._quota)

    def _level(self, cells: list[Cell], missing: int) -> dict[Cell, int]:
        """Photos that each cell is to have, once the missing ones have gone to the emptiest, one by one."""
        heap = [(self.have[cell], place, cell) for place, cell in enumerate(cells)]
        heapq.heapify(heap)
        for _ in range(max(0, missing)):
            n, place, cell = heap[0]
            heapq.heapreplace(heap, (n + 1, place, cell))
        return {cell: n for n, _, cell in heap}
