"""Measures one network file in a process of its own: python -m btfer.bench.edge.worker FILE THREADS SECONDS.

Prints JSON: latency of one image in ms (median, p95, how many), and by how many MB the process grew
at its peak from before the runtime was imported.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

WARM_UP = 10


def measure(file: Path, threads: int, seconds: float) -> dict[str, float]:
    """Ask a network about one drawn image again and again, for so long."""
    from btfer.bench.edge.runtimes import load_file

    before = _memory("VmRSS")
    network = load_file(file, threads)
    shape = tuple(size or 224 for size in network.shape)
    picture = np.random.default_rng(0).integers(0, 256, (1, *shape)).astype(np.float32)
    for _ in range(WARM_UP):
        network.run(picture)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < WARM_UP:
        started = time.perf_counter()
        network.run(picture)
        times.append(time.perf_counter() - started)
    median, p95 = (float(np.percentile(times, q)) * 1000 for q in (50, 95))
    return {
        "median_ms": round(median, 3),
        "p95_ms": round(p95, 3),
        "asked": len(times),
        "memory_mb": round((_memory("VmHWM") - before) / 1024, 1),
    }


def _memory(name: str) -> int:
    """kB of this process, as Linux reports: VmRSS = now, VmHWM = at its peak.

    Not getrusage: its peak is that of the parent process, where that one was larger.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
