"""Speed, recall and memory of the near-duplicate search beside its peers, in one run (`make benchmark-dedup`).

    python benchmarks/dedup.py [--sizes N,N] [--cap-s SECONDS] [--runs N]

Hashes are random: 32 of 64 bits set, as in a pHash, and a tenth of them are copies with 0 to 10 bits
flipped. Mirror hashes are the hash with the odd waves turned, and up to two bits more. Peers do not
search for mirror images, so ours is measured without as well. Every search has a process of its own.
`~`: the peer answered only some of the queries, and its time is scaled up.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import results
from dedup_peers import BRUTE_FORCE, IMAGEDEDUP, PEERS, PROCESSES, Hashes, PeerTime, timed
from rich.console import Console
from rich.table import Table

from btfer import hamming

MAX_BITS = 8
ODD_WAVES = 0x5555555555555555
NEW = 1_000
CHECKED = 2_000  # rows whose neighbours brute force finds as well
MB = 1_000_000
SMALL, LARGE = 100_000, 1_000_000


# ---- what is searched ----


def draw_hashes(n: int, seed: int) -> tuple[Hashes, Hashes]:
    """Hashes and mirror hashes of n pictures; the last tenth are copies of others."""
    rng = np.random.default_rng(seed)
    hashes = _with_bits(n, np.full(n, 32), rng)
    copies = n // 10
    source = rng.integers(0, n - copies, copies)
    hashes[n - copies :] = hashes[source] ^ _with_bits(copies, rng.integers(0, 11, copies), rng)
    return hashes, hashes ^ np.uint64(ODD_WAVES) ^ _with_bits(n, rng.integers(0, 3, n), rng)


def _with_bits(n: int, how_many: "np.ndarray[Any, Any]", rng: np.random.Generator) -> Hashes:
    """n words with so many bits set at random."""
    words = np.zeros(n, np.uint64)
    for begin in range(0, n, SMALL):
        part = slice(begin, begin + SMALL)
        size = len(words[part])
        order = np.argsort(rng.random((size, 64), dtype=np.float32), axis=1)
        chosen = order < how_many[part, None]
        words[part] = np.packbits(chosen, axis=1).view(np.uint64).ravel()
    return words


# ---- measuring ----


@dataclass(frozen=True)
class SearchFigures:
    """What our search took and found, and the share of brute force's pairs that it found too."""

    seconds: float
    extra_mb: float
    pairs: int
    recall: float


def in_own_process(work: Callable[..., Any], *args: Any) -> Any:
    """Do something in a process of its own, so that memory and caches are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


def search_all(n: int, mirrored: bool, runs: int) -> SearchFigures:
    """Ours, all pairs of keys, with the time to make the keys."""
    hashes, mirrors = draw_hashes(n, seed=3)
    side = mirrors if mirrored else None

    def search() -> tuple[hamming.Keys, hamming.Pairs]:
        keys = hamming.collapse(hashes, side)
        return keys, hamming.collect(hamming.near_pairs(keys, max_bits=MAX_BITS))

    seconds, extra_mb, (keys, pairs) = _measured(search, runs)
    first = np.empty(n, np.int64)  # of each row, its key
    first[keys.order] = np.repeat(np.arange(len(keys)), np.diff(keys.start))
    rng = np.random.default_rng(1)
    rows = np.r_[n - CHECKED // 2 : n, rng.integers(0, n, CHECKED // 2)]
    expected = _brute_force((hashes[rows], mirrors[rows]), (hashes, mirrors), mirrored)
    named = ((first[rows[a]], first[b]) for a, b in expected)
    wanted = {_key(a, b) for a, b in named if a != b}
    found = {_key(a, b) for a, b in zip(pairs.i.tolist(), pairs.j.tolist(), strict=True)}
    _check_distances(keys, keys, pairs)
    return SearchFigures(seconds, extra_mb, len(pairs.i), _recall(wanted, found))


def search_added(n: int, mirrored: bool, runs: int) -> SearchFigures:
    """Ours, the near old ones of 1,000 new hashes, a tenth of them copies of old ones."""
    hashes, mirrors = draw_hashes(n, seed=3)
    new_hashes, new_mirrors = draw_hashes(NEW, seed=4)
    new_hashes[::10], new_mirrors[::10] = hashes[:NEW:10], mirrors[:NEW:10]

    def search() -> tuple[hamming.Keys, hamming.Keys, hamming.Pairs]:
        new = hamming.collapse(new_hashes, new_mirrors if mirrored else None)
        old = hamming.each_row(hashes, mirrors if mirrored else None)
        return new, old, hamming.collect(hamming.near_between(new, old, max_bits=MAX_BITS))

    seconds, extra_mb, (new, old, pairs) = _measured(search, runs)
    expected = _brute_force((new.hashes, new.mirrors), (hashes, mirrors), mirrored)
    found = set(zip(pairs.i.tolist(), pairs.j.tolist(), strict=True))
    _check_distances(new, old, pairs)
    return SearchFigures(seconds, extra_mb, len(pairs.i), _recall(set(expected), found))


def _measured(search: Callable[[], Any], runs: int) -> tuple[float, float, Any]:
    """Median wall time, memory above what the process had before, and what was found."""
    hamming.collect(hamming.near_pairs(hamming.collapse(draw_hashes(5_000, seed=1)[0])))
    before = _status_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak up to here
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        found = search()
        times.append(time.perf_counter() - began)
    return statistics.median(times), _status_mb("VmHWM") - before, found


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / MB


def _brute_force(
    left: tuple[Hashes, Any], right: tuple[Hashes, Any], mirrored: bool
) -> Iterator[tuple[int, int]]:
    """Every pair within reach, each distance counted."""
    ways = [(left[0], right[0])]
    if mirrored:
        ways += [(left[0], right[1]), (left[1], right[0])]
    for a, b in ways:
        for i, one in enumerate(a):
            for j in np.flatnonzero(np.bitwise_count(one ^ b) <= MAX_BITS):
                yield i, int(j)


def _key(a: Any, b: Any) -> tuple[int, int]:
    return (int(a), int(b)) if a < b else (int(b), int(a))


def _recall(wanted: set[tuple[int, int]], found: set[tuple[int, int]]) -> float:
    return len(wanted & found) / len(wanted) if wanted else math.nan


def _check_distances(left: hamming.Keys, right: hamming.Keys, pairs: hamming.Pairs) -> None:
    """Every pair found is one, at the distance said."""
    ways = [(left.hashes, right.hashes)]
    if left.mirrors is not None and right.mirrors is not None:
        ways += [(left.hashes, right.mirrors), (left.mirrors, right.hashes)]
    bits = np.min([np.bitwise_count(a[pairs.i] ^ b[pairs.j]) for a, b in ways], axis=0)
    if (bits != pairs.bits).any() or (bits > MAX_BITS).any():
        raise SystemExit("the search returned a pair that is not near, or a wrong distance")


def peer_on_all(name: str, n: int, cap_s: float) -> PeerTime | str:
    """A peer, every hash as a query."""
    hashes, _ = draw_hashes(n, seed=3)
    return timed(name, hashes, hashes, MAX_BITS, cap_s)


def peer_on_added(name: str, n: int, cap_s: float) -> PeerTime | str:
    """A peer, 1,000 new hashes as queries; its index of the old ones stands already."""
    return timed(name, draw_hashes(n, seed=3)[0], draw_hashes(NEW, seed=4)[0], MAX_BITS, cap_s)


# ---- tables ----

Results = dict[tuple[str, int, bool], SearchFigures]
WORK = {"all pairs": (search_all, peer_on_all), "adding 1,000": (search_added, peer_on_added)}


Compared = tuple[Table, dict[bool, SearchFigures], float, list[results.Measured]]


def compare(work: str, n: int, cap_s: float, runs: int) -> Compared:
    """One table; our results without and with mirrors; imagededup's seconds (nan where it has none); all seconds."""
    ours, theirs = WORK[work]
    table = Table("search", "seconds", "time / ours", "notes", title=f"{work}, {n:,} hashes")
    done = {mirrored: in_own_process(ours, n, mirrored, runs) for mirrored in (False, True)}
    for mirrored, one in done.items():
        note = f"recall {one.recall:.2%}, {one.pairs:,} pairs, {one.extra_mb:.0f} MB"
        name = "btfer, with mirrors" if mirrored else "btfer, hashes alone"
        table.add_row(name, f"{one.seconds:.2f}", f"{one.seconds / done[False].seconds:.1f}x", note)
    default_s = math.nan
    about = f"{work}, {n:,} hashes within {MAX_BITS} bits"
    kept = [
        results.Measured(f"{about}, mirrors too", done[True].seconds, "s"),
        results.Measured(f"{about}, recall with mirrors", done[True].recall, "share", limit=">= 1"),
        results.Measured(f"{about}, memory with mirrors", done[True].extra_mb, "MB"),
    ]
    for name in PEERS:
        result = in_own_process(theirs, name, n, cap_s)
        if isinstance(result, str):
            table.add_row(name, "-", "-", result)
            continue
        seconds, note = at_best(name, result, work)
        mark = "~" if result.scaled else ""
        table.add_row(name, f"{mark}{seconds:,.2f}", f"{seconds / done[False].seconds:,.1f}x", note)
        scaled = " (scaled from a part)" if result.scaled else ""
        kept.append(
            results.Measured(f"{about}, beside {name}{scaled}", done[False].seconds, "s", seconds)
        )
        default_s = seconds if name == IMAGEDEDUP else default_s
    return table, done, default_s, kept


def at_best(name: str, result: PeerTime, work: str) -> tuple[float, str]:
    """A peer's seconds, read in its favour, and how."""
    search_s = result.search_s / PROCESSES.get(name, 1)
    note = f"divided by its {PROCESSES[name]} processes" if name in PROCESSES else ""
    if work != "all pairs":
        return search_s, note or "its index is built beforehand"
    if name == BRUTE_FORCE:
        return search_s / 2, "as if each pair were compared once"
    return result.prepare_s + search_s, note


def targets(found: Results, default_s: float) -> tuple[Table, bool]:
    """The issue's musts and aims, with mirrors as dedup searches; whether all musts are met."""
    table = Table("target", "measured", "must", "aim", title="targets, with mirrors")
    met = True

    def judge(name: str, value: float, must: float, aim: float, form: str, least: bool) -> None:
        nonlocal met
        reached = [(value >= one) if least else (value < one) for one in (must, aim)]
        met &= reached[0]
        words = ["pass" if good else "MISS" for good in reached]
        asked = [form.format(one) for one in (must, aim)]
        cells = [f"{word} ({limit})" for word, limit in zip(words, asked, strict=True)]
        cells[0] = "-" if math.isinf(must) else cells[0]
        table.add_row(name, form.format(value), *cells)

    small, large = (found.get(("all pairs", n, True)) for n in (SMALL, LARGE))
    if small:
        judge("100,000: seconds", small.seconds, math.inf, 1, "{:.2f} s", False)
        if not math.isnan(default_s):
            ratio = default_s / small.seconds
            judge("100,000: faster than imagededup", ratio, 100, 1_000, "{:,.0f}x", True)
    if large:
        judge("1,000,000: seconds", large.seconds, 20, 10, "{:.1f} s", False)
        judge("1,000,000: memory", large.extra_mb, 300, 300, "{:.0f} MB", False)
    if small and large:
        exponent = math.log10(large.seconds / small.seconds)
        judge("growth exponent", exponent, math.inf, 1.4, "{:.2f}", False)
    added = found.get(("adding 1,000", LARGE, True))
    if added:
        judge("adding 1,000 to 1,000,000", added.seconds, 1, 0.3, "{:.2f} s", False)
    recall = min(one.recall for one in found.values())
    judge("recall", recall, 1, 1, "{:.2%}", True)
    return table, met


def main() -> None:
    """Print a table for each work and size, then the targets; exit 1 where a must is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default=f"{SMALL},{LARGE}", help="how many hashes, by commas")
    parser.add_argument("--cap-s", type=float, default=20, help="seconds that a peer may take (20)")
    parser.add_argument("--runs", type=int, default=3, help="of ours, the median counts (3)")
    results.add_save(parser)
    args = parser.parse_args()
    console = Console(width=110)
    found: Results = {}
    kept: list[results.Measured] = []
    default_s = math.nan
    for n in map(int, args.sizes.split(",")):
        for work in WORK:
            table, done, peer_s, more = compare(work, n, args.cap_s, args.runs)
            console.print(table)
            found |= {(work, n, mirrored): one for mirrored, one in done.items()}
            kept += more
            if (work, n) == ("all pairs", SMALL):
                default_s = peer_s
    table, met = targets(found, default_s)
    console.print(table)
    if args.save:
        results.save(kept)
    raise SystemExit(not met)


if __name__ == "__main__":
    main()
