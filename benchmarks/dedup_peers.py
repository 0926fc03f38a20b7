"""The searches that `benchmarks/dedup.py` puts beside ours: each given hashes, then asked for query after query.

A peer that is not installed raises ImportError when it is prepared.
"""

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Search = Callable[[Hashes], int]  # from hashes to how many near ones were found for them
ROWS, COLUMNS = 16, 8_192  # a block that stays in the cache


def brute_force(hashes: Hashes, max_bits: int) -> Search:
    """numpy: XOR and bit count of every query with every hash, in blocks."""

    def search(queries: Hashes) -> int:
        found = 0
        for begin in range(0, len(queries), ROWS):
            rows = queries[begin : begin + ROWS, None]
            for start in range(0, len(hashes), COLUMNS):
                bits = np.bitwise_count(rows ^ hashes[start : start + COLUMNS])
                found += int(np.count_nonzero(bits <= max_bits))
        return found

    return search


def faiss_flat(hashes: Hashes, max_bits: int) -> Search:
    """faiss: IndexBinaryFlat.range_search, on all cores."""
    import faiss

    index = faiss.IndexBinaryFlat(64)
    index.add(_as_bytes(hashes))

    def search(queries: Hashes) -> int:
        limits, _, _ = index.range_search(_as_bytes(queries), max_bits + 1)
        return int(limits[-1])

    return search


def pybktree(hashes: Hashes, max_bits: int) -> Search:
    """pybktree: its BK-tree of Python integers."""
    import pybktree

    tree = pybktree.BKTree(pybktree.hamming_distance, hashes.tolist())

    def search(queries: Hashes) -> int:
        return sum(len(tree.find(query, max_bits)) for query in queries.tolist())

    return search


def imagededup(hashes: Hashes, max_bits: int) -> Search:
    """imagededup: the search that its `find_duplicates` takes by default, one query after another.

    Its other parts, which need torch, are not imported; nothing of the search is replaced.
    """
    from imagededup.handlers.search.brute_force_cython import BruteForceCython

    known = {str(i): f"{value:016x}" for i, value in enumerate(hashes.tolist())}
    searcher = BruteForceCython(known, None)  # the distance function is of its other searches

    def search(queries: Hashes) -> int:
        return sum(len(searcher.search(f"{one:016x}", tol=max_bits)) for one in queries.tolist())

    return search


def _as_bytes(hashes: Hashes) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    return np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)


BRUTE_FORCE, IMAGEDEDUP = "numpy brute force", "imagededup, default search"
PEERS: dict[str, Callable[[Hashes, int], Search]] = {
    BRUTE_FORCE: brute_force,
    "faiss flat, all cores": faiss_flat,
    "pybktree": pybktree,
    IMAGEDEDUP: imagededup,
}
# It shares queries out to one process a core; here one is measured, and the sharing taken as free.
PROCESSES = {IMAGEDEDUP: os.cpu_count() or 1}


class PeerTime(NamedTuple):
    """Seconds for all queries; scaled: only some of them were asked."""

    prepare_s: float
    search_s: float
    scaled: bool


def timed(
    name: str, hashes: Hashes, queries: Hashes, max_bits: int, cap_s: float
) -> PeerTime | str:
    """One peer's time, or why there is none. Slices of the queries grow until the cap is near."""
    prepare = PEERS[name]
    try:
        trial_s = _seconds(lambda: prepare(hashes[:5_000], max_bits))
    except ImportError as error:
        return f"not installed ({error.name})"
    if trial_s * len(hashes) / 5_000 > 2 * cap_s:
        return f"skipped: its index alone would take ~{trial_s * len(hashes) / 5_000:.0f} s"
    began = time.perf_counter()
    search = prepare(hashes, max_bits)
    prepare_s = time.perf_counter() - began
    n = 2
    while True:
        n = min(n, len(queries))
        began = time.perf_counter()
        search(queries[:n])
        slice_s = time.perf_counter() - began
        if n == len(queries) or slice_s > cap_s / 4:
            return PeerTime(prepare_s, slice_s * len(queries) / n, n < len(queries))
        expected_s = slice_s * len(queries) / n
        n = len(queries) if expected_s < cap_s else 3 * n


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
