"""Keras, imported when a network is built and not when it is listed: it takes seconds, a list none.

A module of builders does `from btfer.bench.architectures.lazy import keras, layers, ops` and writes what
it would write with Keras itself. Type checkers are shown the real modules.
"""

from importlib import import_module
from typing import Any


class LazyModule:
    """A module that is imported when something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


keras = LazyModule("keras")
layers = LazyModule("keras.layers")
ops = LazyModule("keras.ops")
