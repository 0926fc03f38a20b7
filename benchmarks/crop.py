"""CPU of the whole crop stage beside the mtcnn package's detection alone, in one run (`make benchmark-crop`).

    python benchmarks/crop.py [--photos FOLDER] [--count N] [--repeat N] [--save]

Without --photos, scenes of web-photo size are made of the synthetic sample. The package decodes and detects; the
stage decodes, detects, cuts each face, measures its hints and packs its PNG. Each is measured in a process of its
own on one core, by CPU time, in turn, as often as --repeat says; the table has the least and the most.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import results
from faces import WARM, readable
from faces_detectors import CROP_STAGE, DECODING, MTCNN, OURS_40, run
from faces_scenes import draw_scenes
from rich.console import Console
from rich.table import Table

MS = 1e3
MUST = 5.0  # times less than the package


def cpu_ms(name: str, photos: list[Path]) -> float:
    """CPU milliseconds a photo, the first WARM photos not counted."""
    found = run(name, [photos[WARM:]], photos[:WARM], [{min(os.sched_getaffinity(0))}])
    if isinstance(found, str):
        raise SystemExit(f"{name}: {found}")
    seconds: float = found[0].cpu_s
    return seconds / len(photos[WARM:]) * MS


def compare(photos: list[Path], repeat: int) -> dict[str, list[float]]:
    """CPU milliseconds a photo of each, as often as asked, in turn: a busy machine is so for all of them."""
    names = (MTCNN, CROP_STAGE, OURS_40, DECODING)
    turns = [{name: cpu_ms(name, photos) for name in names} for _ in range(repeat)]
    return {name: [turn[name] for turn in turns] for name in names}


def table_of(measured: dict[str, list[float]], title: str) -> Table:
    """A row each: CPU, and how much less than the package in the same turn."""
    table = Table("what", "CPU ms a photo", "less than mtcnn", title=title)
    for name, times in measured.items():
        ratios = [theirs / ours for theirs, ours in zip(measured[MTCNN], times, strict=True)]
        table.add_row(name, _range(times, 0), f"{_range(ratios, 1)}x")
    return table


def _range(values: list[float], digits: int) -> str:
    least, most = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return least if least == most else f"{least} - {most}"


def main() -> None:
    """Draw or find the photos, compare; exit 1 where no turn reaches the target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder of photos instead of drawn scenes")
    parser.add_argument("--count", type=int, default=30, help="how many (30)")
    parser.add_argument("--repeat", type=int, default=3, help="how often (3)")
    results.add_save(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="btfer-benchmark-") as name:
        number = asked.count + WARM
        photos = readable(asked.photos, number) if asked.photos else draw_scenes(Path(name), number)
        if len(photos) <= WARM:
            raise SystemExit(f"no readable photos in {asked.photos}")
        measured = compare(photos, asked.repeat)
    Console(width=100).print(table_of(measured, f"{len(photos) - WARM} photos, one core"))
    best = max(a / b for a, b in zip(measured[MTCNN], measured[CROP_STAGE], strict=True))
    if asked.save:
        theirs, ours = min(measured[MTCNN]), min(measured[CROP_STAGE])
        results.save(
            [
                results.Measured("crop stage beside mtcnn 1.0.0", ours, "CPU ms a photo", theirs),
                results.Measured(
                    "crop stage, times less than mtcnn", best, "x", limit=f">= {MUST:.0f}"
                ),
            ]
        )
    print(f"target: {MUST:.0f}x; reached {best:.1f}x: {'pass' if best >= MUST else 'MISS'}")
    raise SystemExit(best < MUST)


if __name__ == "__main__":
    main()
