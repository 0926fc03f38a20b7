"""Compiles loops that numpy cannot express: by numba, once on a machine, then from its cache."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile on the first call. The machine code is kept in __pycache__, beside the file's bytecode.

    Where that folder cannot be written, numba keeps it in the user's cache folder, or in NUMBA_CACHE_DIR
    where that is set; where there is none of them, every process compiles for itself (seconds).
    """
    try:
        return _njit(function, cache=True)
    except RuntimeError:  # no folder to keep it in
        return _njit(function, cache=False)


def _njit(function: Function, *, cache: bool) -> Function:
    # "contract": a product and a sum in one step, as C compilers do. No other liberty: sums keep their order.
    how: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True}
    compiled_function: Function = njit(cache=cache, **how)(function)
    return compiled_function
