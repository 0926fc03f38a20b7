"""Speed, boxes and memory of the face detector beside the mtcnn package, in one run (`make benchmark-faces`).

    python benchmarks/faces.py [--photos FOLDER] [--count N] [--agree]

Without --photos, scenes of web-photo size are made of the synthetic sample. Every detector reads and decodes
the same files, once each, in a process of its own that is pinned to a core, after a few other photos that
are not measured. A core's rate is taken by CPU time, since other work on the machine can only add to
the clock's; that of several cores by the clock. `matched`: share of boxes that have a partner at an
intersection over union of 0.9 among those that the package finds in the same pixels.
"""

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import results
from faces_agreement import BoxAgreement
from faces_detectors import (
    MTCNN,
    OURS_20,
    OURS_40,
    PEERS,
    REFERENCE,
    DetectorRun,
    in_own_processes,
    read,
    run,
)
from faces_scenes import draw_scenes
from rich.console import Console
from rich.table import Table

from btfer.errors import ImageError
from btfer.faces import Box
from btfer.faces.pyramid import levels
from btfer.images.intake import read_photo

WARM = 3
LEAST_PX = {OURS_40: 40}  # boxes below are not asked for
SIDES = (0, 400, 1000, 2000, 100_000)  # of --agree's rows, in pixels of the longer side
MS = 1e3

# ---- limits of this machine ----


def limit(_: object, paths: list[Path]) -> tuple[float, float, float]:
    """Seconds on one core: all decodes, and PNet's arithmetic from 20 and from 40 px at sgemm's speed."""
    began = time.process_time()
    sizes = [read(path).shape for path in paths]
    decode_s = time.process_time() - began
    per_s = _sgemm_flops()
    from_20_px, from_40_px = (
        sum(pnet_flops(height, width, px) for height, width, _ in sizes) / per_s for px in (20, 40)
    )
    return decode_s, from_20_px, from_40_px


def pnet_flops(height: int, width: int, min_face_px: int) -> float:
    """Operations of PNet's convolutions on all levels of a photo."""
    total = 0
    for level in levels(height, width, min_face_px=min_face_px):
        h, w = level.height - 2, level.width - 2
        total += h * w * 3 * 9 * 10
        h, w = -(-h // 2) - 2, -(-w // 2) - 2
        total += h * w * 10 * 9 * 16
        h, w = h - 2, w - 2
        total += h * w * (16 * 9 * 32 + 32 * 5)
    return 2.0 * total


def _sgemm_flops(side: int = 1024) -> float:
    a = np.random.default_rng(1).random((side, side), np.float32)
    best = min(_cpu_s(lambda: a @ a) for _ in range(12))
    return 2 * side**3 / best


def _cpu_s(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


# ---- speed ----


class DetectorBench:
    """Runs detectors over the same photos and keeps their figures for the table and the targets."""

    def __init__(self, photos: list[Path]) -> None:
        self.photos, self.warm = photos[WARM:], photos[:WARM]
        self.cores = sorted(os.sched_getaffinity(0))
        self.reference = boxes_of(REFERENCE, self.photos, self.warm, set(self.cores))
        self.table = Table(
            "detector",
            "cores",
            "photos/s",
            "CPU ms a photo",
            "speed / mtcnn",
            "boxes matched",
            "peak MB",
        )
        self.ms: dict[str, float] = {}  # CPU, of those pinned to a core
        self.matched: dict[str, float] = {}
        self.peak_mb = 0.0

    def on_a_core(self, name: str) -> None:
        """A row of one process on one core."""
        found = run(name, [self.photos], self.warm, [{self.cores[0]}])
        if isinstance(found, str):
            self.table.add_row(name, "1", "-", "-", "-", "-", found)
            return
        [one] = found
        self.ms[name] = one.cpu_s / len(self.photos) * MS
        self.matched[name] = self._matched(name, one.boxes)
        if name in (OURS_20, OURS_40):
            self.peak_mb = max(self.peak_mb, one.peak_mb)
        ms = self.ms[name]
        self._row((name, "1", MS / ms, ms, self.ms[MTCNN] / ms), self.matched[name], one)

    def on_two(self) -> float:
        """The package in one process that may use two cores, and two processes of ours; how much faster."""
        two, n = self.cores[:2], len(self.photos)
        [theirs] = run(MTCNN, [self.photos], self.warm, [set(two)])
        shares = [self.photos[0::2], self.photos[1::2]]
        each = run(OURS_40, shares, self.warm, [{core} for core in two])
        their_s = theirs.ended - theirs.began
        our_s = max(one.ended for one in each) - min(one.began for one in each)
        ms, ratio = sum(one.cpu_s for one in each) / n * MS, their_s / our_s
        name = f"{MTCNN}, one process"
        self._row((name, "2", n / their_s, theirs.cpu_s / n * MS, 1), self.matched[MTCNN], theirs)
        name = f"{OURS_40}, two processes"
        self._row((name, "2", n / our_s, ms, ratio), self.matched[OURS_40], each[0])
        return float(ratio)

    def _row(
        self, figures: tuple[str, str, float, float, float], matched: float, one: DetectorRun
    ) -> None:
        name, cores, rate, ms, ratio = figures
        cells = (
            f"{rate:.1f}",
            f"{ms:.1f}",
            f"{ratio:.1f}x",
            f"{matched:.1%}",
            f"{one.peak_mb:.0f}",
        )
        self.table.add_row(name, cores, *cells)

    def _matched(self, name: str, boxes: list[list[Box]]) -> float:
        return agreement(self.reference, boxes, LEAST_PX.get(name, 0)).matched


def boxes_of(name: str, photos: list[Path], warm: list[Path], cores: set[int]) -> list[list[Box]]:
    """What a detector that must be there finds in each photo."""
    found = run(name, [photos], warm, [cores])
    if isinstance(found, str):
        raise SystemExit(f"{name}: {found}")
    boxes: list[list[Box]] = found[0].boxes
    return boxes


def agreement(
    theirs: Iterable[list[Box]], ours: Iterable[list[Box]], least_px: int
) -> BoxAgreement:
    """Two detectors' boxes over all photos, those with a shorter side of at least so many pixels."""
    total = BoxAgreement()
    for one, other in zip(theirs, ours, strict=True):
        total.add(one, other, least_px)
    return total


def limit_row(bench: DetectorBench) -> str:
    """How fast anything with PNet can be on this core."""
    [(decode_s, from_20_s, from_40_s)] = in_own_processes(
        limit, [(bench.photos,)], [{bench.cores[0]}]
    )
    n, their_s = len(bench.photos), bench.ms[MTCNN] / MS * len(bench.photos)
    return (
        f"limit of one core (decoding, {decode_s / n * MS:.1f} ms, and PNet's arithmetic at the speed of sgemm): "
        f"from 20 px {n / (decode_s + from_20_s):.0f} photos/s, {their_s / (decode_s + from_20_s):.1f}x; "
        f"from 40 px {n / (decode_s + from_40_s):.0f} photos/s, {their_s / (decode_s + from_40_s):.1f}x"
    )


def targets(bench: DetectorBench, on_two: float) -> tuple[Table, bool]:
    """Each target, and whether every must is reached."""
    table = Table("target", "measured", "must", "aim", title="targets")
    met = True
    matched = min(bench.matched[OURS_20], bench.matched[OURS_40])
    for name, value, must, aim, form, least in (
        ("one core, faces from 20 px", bench.ms[MTCNN] / bench.ms[OURS_20], 3, 4, "{:.1f}x", True),
        ("one core, faces from 40 px", bench.ms[MTCNN] / bench.ms[OURS_40], 7, 9, "{:.1f}x", True),
        ("two processes, against mtcnn as users call it", on_two, 12, 17, "{:.1f}x", True),
        ("memory of a worker", bench.peak_mb, 1200, 600, "{:.0f} MB", False),
        ("boxes matched at IoU 0.9", matched, 0.99, 0.99, "{:.1%}", True),
    ):
        reached = [value >= one if least else value <= one for one in (must, aim)]
        met &= reached[0] or not value  # 0: two cores are not there
        cells = [
            f"{'pass' if good else 'MISS'} ({form.format(one)})"
            for good, one in zip(reached, (must, aim), strict=True)
        ]
        table.add_row(name, form.format(value) if value else "not measured: one core", *cells)
    return table, met


# ---- agreement ----


def compare_boxes(photos: list[Path]) -> tuple[Table, bool]:
    """The package's boxes beside ours on the same pixels, by the photo's longer side."""
    core = {min(os.sched_getaffinity(0))}
    found = {name: boxes_of(name, photos, [], core) for name in (REFERENCE, OURS_20, OURS_40)}
    sides = [max(read(path).shape) for path in photos]
    table = Table(
        "photos",
        "longer side",
        "smallest face",
        "mtcnn",
        "btfer",
        "matched",
        "probability p95",
        "landmarks",
    )
    met = True
    for name, least_px in ((OURS_20, 0), (OURS_40, 40)):
        for begin, end in [*itertools.pairwise(SIDES), (SIDES[0], SIDES[-1])]:
            held = [n for n, side in enumerate(sides) if begin <= side < end]
            if not held:
                continue
            of = agreement(
                (found[REFERENCE][n] for n in held), (found[name][n] for n in held), least_px
            )
            met &= of.holds or len(held) < len(photos)
            table.add_row(
                *(str(len(held)), f"{begin} - {min(end, max(sides))} px", name[-5:]),
                *(str(of.theirs), str(of.ours), f"{of.matched:.2%}"),
                *(f"{of.probability_p95:.1e}", f"{of.landmarks_median:.1e}"),
            )
    return table, met


# ---- the report ----


def readable(folder: Path, count: int) -> list[Path]:
    """So many photos of a folder and its subfolders, spread over all of them; 0 = all."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    chosen = []
    for path in (paths[n] for n in np.random.default_rng(7).permutation(len(paths))):
        try:
            read_photo(path.read_bytes())
        except ImageError:
            continue
        chosen.append(path)
        if len(chosen) == count:
            break
    return chosen


def report(console: Console, photos: list[Path], *, keep: bool) -> bool:
    """Time every detector, print the tables; whether every must is reached. keep: save the figures."""
    bench = DetectorBench(photos)
    for name in (MTCNN, OURS_20, OURS_40, *PEERS):
        bench.on_a_core(name)
    on_two = bench.on_two() if len(bench.cores) > 1 else 0.0
    bench.table.title = f"{len(bench.photos)} photos"
    console.print(bench.table)
    console.print(limit_row(bench))
    table, met = targets(bench, on_two)
    console.print(table)
    if keep:
        results.save(kept_figures(bench))
    return met


def kept_figures(bench: DetectorBench) -> list[results.Measured]:
    """Each of ours beside the mtcnn package, on one core."""
    theirs = MS / bench.ms[MTCNN]
    speed = [
        results.Measured(f"{one} on a core, beside {MTCNN}", MS / bench.ms[one], "photos/s", theirs)
        for one in (OURS_20, OURS_40)
    ]
    matched = [
        results.Measured(
            f"{one}: boxes matched at IoU 0.9", bench.matched[one], "share", limit=">= 0.99"
        )
        for one in (OURS_20, OURS_40)
    ]
    memory = results.Measured("memory a worker", bench.peak_mb, "MB", limit="< 1200")
    return [*speed, *matched, memory]


def main() -> None:
    """Draw or find the photos, compare; exit 1 where a must is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder of photos instead of drawn scenes")
    parser.add_argument("--count", type=int, default=60, help="how many; 0 = all (60)")
    parser.add_argument("--agree", action="store_true", help="compare boxes only, not speed")
    results.add_save(parser)
    asked = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="btfer-benchmark-") as name:
        more = 0 if asked.agree or not asked.count else WARM
        if asked.photos:
            photos = readable(asked.photos, asked.count + more)
        else:
            photos = draw_scenes(Path(name), asked.count + more)
        if len(photos) <= more:
            raise SystemExit(f"no readable photos in {asked.photos}")
        if asked.agree:
            table, met = compare_boxes(photos)
            console.print(table)
        else:
            met = report(console, photos, keep=asked.save)
    raise SystemExit(not met)


if __name__ == "__main__":
    main()
