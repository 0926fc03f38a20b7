"""Speed of the heavy stages on this machine, each beside what it is built on, in one run (`make benchmark`).

Input is drawn, or the built-in synthetic sample; nothing is downloaded. Every figure is the median of
three runs. `limit` marks what the stage cannot beat as it is built today.

    python benchmarks/stages.py
"""

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import results
from PIL import Image
from rich.console import Console
from rich.table import Table

from btfer.catalogue.rows import KeptFace
from btfer.expressions import EXPRESSIONS
from btfer.images import encode_png, read_photo
from btfer.pipeline import sample
from btfer.sample import load_manifest, picture_path

RUNS = 3


def seconds(work: Callable[[], object]) -> float:
    """Median wall time of `work`."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


Row = tuple[tuple[str, ...], results.Measured]
"""A line of the table, and the same to be kept."""


def intake() -> Row:
    """Decode, check, hash twice, thumbnail and hints, against the hash alone."""
    files = [picture_path(one.file).read_bytes() for one in load_manifest() if one.kind == "single"]
    ours = seconds(lambda: [read_photo(data) for data in files])
    peer = seconds(lambda: [imagehash.phash(Image.open(io.BytesIO(data))) for data in files])
    rate, other = len(files) / ours, len(files) / peer
    line = ("intake", f"{rate:,.0f} photos/s", "imagehash.phash alone", f"{other:,.0f} photos/s")
    kept = results.Measured("intake, beside imagehash.phash alone", rate, "photos/s", other)
    return (*line, f"{peer / ours:.2f}"), kept


def draw() -> Row:
    """300 of each class from 200,000 faces, against shuffling them (random.sample's work)."""
    rows = [
        KeptFace(
            f"{n:x}",
            f"{n:x}",
            label,
            str(n % 5),
            "",
            "",
            f"https://{n % 9973}.example/",
            "",
            "",
            "",
        )
        for n, label in zip(range(200_000), EXPRESSIONS * 28_572, strict=False)
    ]
    ours = seconds(lambda: sample.draw(rows, per_class=300, seed=1))
    rng = np.random.default_rng(1)
    peer = seconds(lambda: rng.permutation(len(rows)))
    line = ("sample", f"{ours:.2f} s", "numpy permutation", f"{peer:.2f} s", f"{peer / ours:.3f}")
    return line, results.Measured("sample, beside a numpy permutation", ours, "s", peer)


def write_crops() -> Row:
    """256x256 PNG encode, against writing the same raw bytes to disk (the limit)."""
    pixels = [np.asarray(Image.open(picture_path(one.file)).convert("RGB").resize((256, 256)))
              for one in load_manifest() if one.kind == "single"]  # fmt: skip
    ours = seconds(lambda: [encode_png(one) for one in pixels])
    with tempfile.TemporaryDirectory() as folder:
        limit = seconds(lambda: [(Path(folder) / "x").write_bytes(one.tobytes()) for one in pixels])
    rate, most = len(pixels) / ours, len(pixels) / limit
    line = ("encode", f"{rate:,.0f} faces/s", "limit: raw write", f"{most:,.0f} faces/s")
    kept = results.Measured("encode, beside a raw write", rate, "faces/s", most)
    return (*line, f"{limit / ours:.3f}"), kept


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    results.add_save(parser)
    given = parser.parse_args()
    table = Table("stage", "ours", "beside", "its figure", "ratio", title=f"median of {RUNS}")
    found = [measure() for measure in (intake, draw, write_crops)]
    for line, _ in found:
        table.add_row(*line)
    Console(width=100).print(table)
    if given.save:
        results.save(kept for _, kept in found)


if __name__ == "__main__":
    main()
