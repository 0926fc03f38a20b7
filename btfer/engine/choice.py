"""Which engine: by name, with how many workers, at which address."""

import os
from dataclasses import dataclass

from btfer.errors import UsageError
from btfer.settings import Settings

ENGINES = {
    "serial": "in this process",
    "processes": "in several processes of this machine",
    "ray": "on a Ray cluster",
}
"""The engines by name, each with where its loops run."""


@dataclass(frozen=True)
class Engine:
    """Where heavy loops run. Raises UsageError for a name that is none of ENGINES.

    workers: 0 = one per core, of the cluster where there is one. address: of Ray, see the setting of that name.
    """

    name: str = "processes"
    workers: int = 0
    address: str = "local"

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise UsageError(f"unknown engine '{self.name}'; choose one of {', '.join(ENGINES)}")

    @classmethod
    def of(cls, settings: Settings) -> "Engine":
        """The engine that the settings name."""
        return cls(settings.engine, settings.workers, settings.address)


SERIAL = Engine("serial")
PROCESSES = Engine()


def share_of_cores(number: int, of: int) -> set[int]:
    """The cores of this process that are the share `number` (0 ...) of so many; none where the system pins nothing.

    JAX takes as many threads as it has cores, whatever it is told; TensorFlow and OpenMP heed this too.
    """
    if not hasattr(os, "sched_setaffinity"):
        return set()
    every = sorted(os.sched_getaffinity(0))
    first, end = (len(every) * n // of for n in (number, number + 1))
    return set(every[first:end] or [every[number % len(every)]])


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
