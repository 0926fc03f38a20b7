"""Where heavy loops run: the one seam for scale.

A stage hands over a picklable function and its items and takes results as they come; it never knows whether they
came from this process, from others, or from the machines of a Ray cluster. Workers return values and write nothing.
"""

from btfer.engine.choice import ENGINES, PROCESSES, SERIAL, Engine
from btfer.engine.mapping import map_unordered, one_by_one
from btfer.engine.own_process import Ended, each_in_its_own_process

__all__ = [
    "ENGINES",
    "PROCESSES",
    "SERIAL",
    "Ended",
    "Engine",
    "each_in_its_own_process",
    "map_unordered",
    "one_by_one",
]
