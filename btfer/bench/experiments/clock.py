"""How long a grid will still take, as far as its finished cells tell."""

import time

from btfer.bench.runs.record import RunRecord

WORTH_LEARNING_S = 1  # what takes less was done already


class Clock:
    """Time left of a grid: what is expected of the cells that are left, scaled by how the finished ones went.

    expected: seconds of each cell. With several at once the time is shared among as many as were at work together.
    """

    def __init__(self, expected: list[float]) -> None:
        self.expected = expected
        self.planned = self.taken = 0.0
        self._left = set(range(len(expected)))
        self._begun: dict[int, float] = {}
        self._at_once = 1

    def begin(self, number: int) -> None:
        """A cell is at work from now on."""
        self._begun[number] = time.monotonic()
        self._at_once = max(self._at_once, len(self._begun))

    def skip(self, number: int) -> None:
        """A cell needs no work."""
        self._left.discard(number)

    def done(self, number: int, record: RunRecord) -> None:
        """A cell has ended; learn from one that was trained just now."""
        seconds = time.monotonic() - self._begun.pop(number)
        self._left.discard(number)
        if record.is_done and seconds > WORTH_LEARNING_S:
            self.planned += self.expected[number]
            self.taken += seconds

    def left(self) -> str:
        """In words, for the end of a line."""
        scale = self.taken / self.planned if self.planned else 1.0
        seconds = scale * sum(self.expected[one] for one in self._left) / self._at_once
        return f"; about {in_words(seconds)} left"


def in_words(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h` or `2.1 days`."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} days"
