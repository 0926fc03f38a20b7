"""Time and memory from 200,000 catalogued faces to a verified release of 2,100 images (`make benchmark-release`).

    python benchmarks/release.py [--faces N] [--per-class N] [--rounds N] [--keep FOLDER]

Input is drawn: a real catalogue (SQLite) and real crops (PNG of grainy pictures, about as large as those of photos).
Building and verifying run in processes of their own, so that the memory is theirs: the most that each ever held
(ru_maxrss). Figures are the median of the rounds; a release is made anew in each.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import release_catalogue
import results
from rich.console import Console
from rich.table import Table

from btfer.catalogue import open_catalogue
from btfer.faces.modes import crop_settings
from btfer.pipeline import build, overview, release, release_images, sample, verify
from btfer.settings import Settings

TARGETS = {"sample": 2.0, "release": 20.0, "verify": 5.0, "memory": 500.0}
Found = dict[str, float]


def main() -> None:
    """Make the catalogue once, measure in rounds, print figures beside targets."""
    given = _arguments()
    if given.part:
        print(json.dumps(PARTS[given.part](Path(given.keep), given.per_class)))
        return
    folder = Path(given.keep or tempfile.mkdtemp(prefix="btfer-release-"))
    try:
        if not (folder / "catalogue.db").exists():
            digest = crop_settings(Settings()).digest
            release_catalogue.make(folder, given.faces, digest)
            release_catalogue.crops(folder, _chosen(folder, given.per_class))
        rounds = [_round(folder, given.per_class) for _ in range(given.rounds)]
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    found = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    measured = _tell(found, given.faces, 7 * given.per_class)
    if given.save:
        results.save(measured)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed of sample, release and verify.")
    parser.add_argument("--faces", type=int, default=200_000)
    parser.add_argument("--per-class", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", default="", help="folder that stays, and is used again")
    results.add_save(parser)
    parser.add_argument("--part", default="", choices=["", *PARTS], help=argparse.SUPPRESS)
    return parser.parse_args()


def _round(folder: Path, per_class: int) -> Found:
    shutil.rmtree(folder / "releases", ignore_errors=True)
    found: Found = {}
    for part in PARTS:
        command = [sys.executable, __file__, "--part", part, "--keep", str(folder)]
        command += ["--per-class", str(per_class)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


def _draw(folder: Path, per_class: int) -> tuple[Any, Any, Any, Found]:
    """Read the catalogue and draw, each timed."""
    settings = Settings(data_dir=folder)
    cat = open_catalogue(settings.catalogue_url)
    known, read_s = _timed(lambda: overview.read(cat, crop_settings(settings).digest))
    rows, rows_s = _timed(known.kept_faces)
    free = [face for face in rows if release_images.may_be_cropped(face)]
    drawn, draw_s = _timed(lambda: sample.draw(free, per_class=per_class, seed=settings.seed))
    return cat, known, drawn, {"read": read_s + rows_s, "sample": draw_s}


def _chosen(folder: Path, per_class: int) -> list[str]:
    _, _, drawn, _ = _draw(folder, per_class)
    return [face.id for faces in drawn.chosen.values() for face in faces]


def _build(folder: Path, per_class: int) -> Found:
    settings = Settings(data_dir=folder)
    cat, known, drawn, found = _draw(folder, per_class)
    plan = build.Plan(per_class)

    def make() -> None:
        record = build.counted(cat, known, build.record_of(settings, plan, drawn))
        images = release_images.release_images(cat, folder, drawn.chosen)
        release.write(cat, settings, images, record)

    _, found["release"] = _timed(make)
    return found | {"build memory": _memory_mb()}


def _verify(folder: Path, per_class: int) -> Found:
    [made] = (folder / "releases").iterdir()
    checks, seconds = _timed(lambda: verify.verify(made))
    wrong = [problem for one in checks for problem in one.problems]
    if wrong:
        raise SystemExit(f"the release is damaged: {wrong[:3]}")
    return {"verify": seconds, "verify memory": _memory_mb()}


PARTS: dict[str, Callable[[Path, int], Found]] = {"build": _build, "verify": _verify}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _tell(found: Found, n_faces: int, n_images: int) -> list[results.Measured]:
    rows = [
        (f"read {n_faces:,} faces from the catalogue", found["read"], "s", None),
        (f"sample: draw {n_images:,} of them", found["sample"], "s", TARGETS["sample"]),
        (f"release of {n_images:,} images", found["release"], "s", TARGETS["release"]),
        ("verify", found["verify"], "s", TARGETS["verify"]),
        ("memory, building", found["build memory"], "MB", TARGETS["memory"]),
        ("memory, verifying", found["verify memory"], "MB", TARGETS["memory"]),
    ]
    table = Table("what", "measured", "target", "", title=f"{os.cpu_count()} cores")
    for what, value, unit, target in rows:
        mark = "" if target is None else "pass" if value < target else "MISS"
        wanted = f"< {target:g} {unit}" if target else ""
        table.add_row(what, f"{value:.1f} {unit}", wanted, mark)
    Console(width=100).print(table)
    return [
        results.Measured(what, value, unit, limit=f"< {target:g}" if target else "")
        for what, value, unit, target in rows
    ]


if __name__ == "__main__":
    main()
