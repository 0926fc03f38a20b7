"""What a second worker gains, and what Ray costs, over the stages that decode photos (`make benchmark-scale`).

    python benchmarks/scale.py [--photos FOLDER] [--count N] [--repeat N] [--hashes N,N] [--save]

Import, dedup and crop of the same photos with one and with two workers, on processes of this machine and on a Ray
cluster of this machine, each in a fresh process and a fresh catalogue, in turn, as often as --repeat says; the least
time counts. Without --photos, scenes of web-photo size are drawn; of a folder that has too few, changed copies are
made beside the originals. Starting the workers, or the cluster, is measured for itself. --hashes: so many random hashes
with mirror images, all compared with all, by one process and by two workers.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import results
from dedup import draw_hashes
from faces import readable
from faces_scenes import draw_scenes
from PIL import Image, ImageEnhance, ImageOps
from rich.console import Console
from rich.table import Table

from btfer import hamming
from btfer.catalogue import open_catalogue
from btfer.engine import Engine, map_unordered
from btfer.pipeline import crop, dedup, import_photos
from btfer.settings import Settings

STAGES = ("start", "import", "dedup", "crop")
WAYS = (("processes", 1), ("processes", 2), ("ray", 1), ("ray", 2))
SPEED_UP, MOST_OVERHEAD = 1.8, 0.10  # targets: of crop; of import, dedup and crop together
Times = dict[str, float]


# ---- what is measured, in a process of its own ----


def measure(photos: Path, data_dir: Path, engine: str, workers: int) -> dict[str, float]:
    """Seconds of each stage, how many photos it saw, and how many faces came."""
    settings = Settings(data_dir=data_dir, engine=engine, workers=workers)
    cat = open_catalogue(settings.catalogue_url)
    found: dict[str, float] = {}
    begun = time.perf_counter()

    def ended(stage: str, seen: int) -> None:
        nonlocal begun
        now = time.perf_counter()
        found[stage], found[f"{stage} photos"] = now - begun, seen
        begun = now

    list(map_unordered(abs, range(workers), engine=Engine.of(settings), died=abs))
    ended("start", workers)
    ended("import", import_photos.import_folder(cat, settings, photos).new_photos)
    ended("dedup", dedup.run(cat, settings).new)
    cropped = crop.run(cat, settings, unreviewed="keep")
    ended("crop", cropped.photos)
    cat.close()
    return found | {"faces": cropped.taken}


def stages_in_own_process(photos: Path, engine: str, workers: int) -> dict[str, float]:
    """`measure` with a fresh catalogue."""
    with tempfile.TemporaryDirectory(prefix="btfer-benchmark-") as folder:
        found: dict[str, float] = in_own_process(
            f"measure(Path({str(photos)!r}), Path({folder!r}), {engine!r}, {workers})"
        )
    return found


def in_own_process(call: str) -> Any:
    """What a function of this file returns in a fresh Python, whose workers need not import this file."""
    code = f"import json; from scale import *; print(json.dumps({call}))"
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    if done.returncode:
        raise SystemExit(f"{call}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def join_seconds(n: int, workers: int) -> float:
    """All pairs of n hashes; workers: 0 = in this process."""
    keys = hamming.collapse(*draw_hashes(n, seed=n))
    list(hamming.near_pairs(hamming.collapse(*draw_hashes(5_000, seed=1))))  # compiled once
    over = partial(map_unordered, engine=Engine("processes", workers)) if workers else None
    begun = time.perf_counter()
    hamming.collect(hamming.near_pairs(keys, over=over))
    return time.perf_counter() - begun


# ---- the photos ----


def collect_photos(folder: Path | None, count: int, into: Path) -> None:
    """So many different photos in a folder."""
    if folder is None:
        draw_scenes(into, count)
        return
    originals = readable(folder, count)
    if not originals:
        raise SystemExit(f"no readable photos in {folder}")
    rng = np.random.default_rng(3)
    for n in range(count):
        original = originals[n % len(originals)]
        to = into / f"{n:06d}{original.suffix.lower()}"
        if n < len(originals):
            to.write_bytes(original.read_bytes())
        else:
            changed(Image.open(original), rng).save(to.with_suffix(".jpg"), quality=90)


def changed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another crop, size, light and colour: other bytes, and mostly another hash."""
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    width, height = picture.size
    left, right, top, bottom = rng.uniform(0, 0.12, 4)
    box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
    picture = picture.crop(tuple(map(int, box)))  # type: ignore[arg-type]
    factor = rng.uniform(0.8, 1.0)
    picture = picture.resize((int(picture.width * factor), int(picture.height * factor)))
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Color, ImageEnhance.Contrast):
        picture = enhance(picture).enhance(rng.uniform(0.75, 1.25))
    return picture


# ---- the tables ----


def least(times: list[Times]) -> Times:
    """Of each figure the least of all turns."""
    return {name: min(one[name] for one in times) for name in times[0]}


def table_of(found: dict[tuple[str, int], Times], title: str) -> Table:
    """A row a stage: seconds, photos per second, what two workers gain, what Ray takes beside processes."""
    heads = [f"{engine}, {workers}" for engine, workers in WAYS]
    table = Table("stage", "photos", *heads, "gain of 2", "Ray's gain", "Ray: time", title=title)
    for stage in STAGES:
        times = [found[way][stage] for way in WAYS]
        own, one_own, two_own = (
            times[:2],
            gain(found, "processes", stage),
            gain(found, "ray", stage),
        )
        table.add_row(
            stage,
            "" if stage == "start" else f"{found[WAYS[0]][f'{stage} photos']:.0f}",
            *(f"{seconds:.1f} s" for seconds in times),
            *(("", "") if stage == "start" else (f"{one_own:.2f}x", f"{two_own:.2f}x")),
            f"{times[3] / own[1]:.2f}x",
        )
    return table


def gain(found: dict[tuple[str, int], Times], engine: str, stage: str) -> float:
    """How many times quicker two workers are than one."""
    return found[engine, 1][stage] / found[engine, 2][stage]


def overhead(found: dict[tuple[str, int], Times]) -> float:
    """By how much Ray's two workers are slower than two processes, without the start; negative = quicker."""
    ray, own = (
        sum(found[engine, 2][stage] for stage in STAGES[1:]) for engine in ("ray", "processes")
    )
    return ray / own - 1


def rows_of(found: dict[tuple[str, int], Times]) -> list[results.Measured]:
    """What is kept."""
    rows = []
    for stage in STAGES[1:]:
        for engine, workers in WAYS:
            rate = found[engine, workers][f"{stage} photos"] / found[engine, workers][stage]
            what = f"{stage}, {engine}, workers: {workers}"
            rows.append(results.Measured(what, rate, "photos/s"))
    for engine in ("processes", "ray"):
        start = found[engine, 2]["start"]
        rows.append(results.Measured(f"start of two workers, {engine}", start, "s"))
    return [
        *rows,
        *verdicts(found),
    ]


def verdicts(found: dict[tuple[str, int], Times]) -> list[results.Measured]:
    """The targets."""
    speed_up = gain(found, "processes", "crop")
    return [
        results.Measured("crop, two workers beside one", speed_up, "x", limit=f">= {SPEED_UP}"),
        results.Measured(
            "Ray beside processes, two workers, all stages, time",
            1 + overhead(found),
            "x",
            limit=f"<= {1 + MOST_OVERHEAD}",
        ),
    ]


def joins(sizes: list[int], console: Console) -> list[results.Measured]:
    """All pairs of hashes, with one process and with two workers."""
    table = Table("hashes, all pairs", "this process", "two workers", "gain", "two workers, s / n²")
    rows = []
    for n in sizes:
        alone, two = (in_own_process(f"join_seconds({n}, {workers})") for workers in (0, 2))
        table.add_row(
            f"{n:,}", f"{alone:.1f} s", f"{two:.1f} s", f"{alone / two:.2f}x", f"{two / n / n:.2e}"
        )
        what = (
            f"all pairs, {n:,} hashes within 8 bits, mirrors too, two workers, beside one process"
        )
        rows.append(results.Measured(what, two, "s", alone))
    console.print(table)
    return rows


def main() -> None:
    """Make the photos, measure, print the tables; exit 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder of photos instead of drawn scenes")
    parser.add_argument("--count", type=int, default=400, help="how many photos (400)")
    parser.add_argument("--repeat", type=int, default=1, help="how often (1)")
    parser.add_argument(
        "--hashes", default="", help="numbers of hashes to be compared with all others"
    )
    results.add_save(parser)
    asked = parser.parse_args()
    console = Console(width=130)
    kept = joins([int(float(one)) for one in asked.hashes.split(",") if one], console)
    with tempfile.TemporaryDirectory(prefix="btfer-benchmark-") as folder:
        collect_photos(asked.photos, asked.count, Path(folder))
        turns = [
            {way: stages_in_own_process(Path(folder), *way) for way in WAYS}
            for _ in range(asked.repeat)
        ]
    found = {way: least([one[way] for one in turns]) for way in WAYS}
    if len({one["faces"] for turn in turns for one in turn.values()}) > 1:
        raise SystemExit(f"the engines found different numbers of faces: {turns}")
    load = os.getloadavg()[0]
    console.print(table_of(found, f"{asked.count} photos, {os.cpu_count()} cores, load {load:.1f}"))
    if asked.save:
        results.save([*kept, *rows_of(found)])
    met = [
        gain(found, "processes", "crop") >= SPEED_UP,
        overhead(found) <= MOST_OVERHEAD,
    ]
    for one, is_met in zip(verdicts(found), met, strict=True):
        print(
            f"{one.what}: {one.value:.2f} {one.unit} ({one.limit}): {'pass' if is_met else 'MISS'}"
        )
    raise SystemExit(not all(met))


if __name__ == "__main__":
    main()
