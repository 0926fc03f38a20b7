"""Hosts that refuse or fail again and again are left alone: a minute, then twice as long each time."""

from collections import Counter
from threading import Lock

from btfer.sources.fetch_errors import NotFetched
from btfer.sources.hosts import HostGate

REFUSES = "host refuses"
DOWN = "host down"
_REFUSALS = frozenset({401, 403, 429})
MAX_STRIKES = 6  # then the host is left alone for a day
_DAY_S = 86_400.0


class Breaker:
    """Counts what hosts answer to pictures, and holds those that only refuse or fail.

    After `break_after` failures in a row the host is asked nothing for `pause_s`, then once: another
    failure doubles the pause, an answer ends the count.
    """

    def __init__(self, gate: HostGate, break_after: int, pause_s: float) -> None:
        self._gate = gate
        self._break_after = break_after
        self._pause_s = pause_s
        self._lock = Lock()
        self._failed: Counter[str] = Counter()
        self._strikes: Counter[str] = Counter()

    def answered(self, host: str) -> None:
        """The host works."""
        with self._lock:
            self._failed.pop(host, None)
            self._strikes.pop(host, None)

    def failed(self, host: str, error: NotFetched) -> None:
        """Count one request that brought nothing; what says nothing about the host counts as an answer."""
        if error.status is None and error.state != "failed":
            return  # nothing was sent
        why = _trouble(error)
        if not why:
            self.answered(host)
            return
        if self._gate.ready_in(host) > self._gate.max_wait_s:
            return  # of a host that is held already: what was still under way
        with self._lock:
            self._failed[host] += 1
            broken = self._failed[host] >= self._break_after
        if broken:
            self.hold(host, why)

    def hold(self, host: str, why: str, at_least_s: float = 0.0) -> None:
        """Leave the host alone, longer each time in a row."""
        with self._lock:
            strikes = self._strikes[host]
            self._strikes[host] += 1
            self._failed[host] = self._break_after - 1  # the next failure is enough
        pause_s = self._pause_s * 2**strikes if strikes < MAX_STRIKES else _DAY_S
        self._gate.hold(host, max(pause_s, at_least_s), why)


def _trouble(error: NotFetched) -> str:
    """What a failed request says about its host, '' = nothing bad."""
    if error.status in _REFUSALS:
        return REFUSES
    if error.state == "failed" or error.status == 503:
        return DOWN
    return ""
