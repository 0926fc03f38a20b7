"""A model on paper of 200,000, a million and 100 million photos on 1, 8 and 64 machines (`make scale`).

    python benchmarks/scale_model.py [--cores N] [--network-gbit X] [--disk-mb-s X] [--price-per-hour X]

It writes docs/scale.md. Every constant is the newest row of `benchmarks/results` that has its name, and the document
says which; what no benchmark measures is an option of this script, and is named as one.
"""

import argparse
import csv
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from btfer.files import write_atomic

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs" / "scale.md"
PHOTOS = (200_000, 1_000_000, 100_000_000)
MACHINES = (1, 8, 64)
NEAR_AT = (100_000, 300_000)
"""Hashes of the two searches that are measured."""
SIZES = (1_000_000, 100_000)
"""Photos at which the catalogue's parts may have been measured: the most count; beyond, n log n is assumed."""


@dataclass(frozen=True)
class Source:
    """A row of a file of results."""

    file: str
    what: str
    value: float
    unit: str
    load: str


@dataclass(frozen=True)
class Given:
    """What no benchmark measures. cores, network_gbit, disk_mb_s: of one machine. prices: None = not asked."""

    cores: int = 16
    network_gbit: float = 10.0
    disk_mb_s: float = 500.0
    price_per_hour: float | None = None
    price_per_tb_month: float | None = None


@dataclass(frozen=True)
class Constants:
    """What is measured, each in the unit of its row. measured_at: photos in the catalogue that was measured."""

    measured_at: int
    read: Source
    crop: Source
    near: Source
    near_more: Source
    insert: Source
    status: Source
    build: Source
    photo_bytes: Source
    thumbnail_bytes: Source
    crop_bytes: Source
    catalogue_bytes: Source


ROWS = {
    "read": ("intake", "reading a photo on a core, beside imagehash.phash alone"),
    "crop": ("crop", "crop stage beside mtcnn 1.0.0"),
    "near": ("dedup", "all pairs, 100,000 hashes within 8 bits, mirrors too"),
    "near_more": ("dedup", "all pairs, 300,000 hashes within 8 bits, mirrors too"),
    "insert": ("catalogue", "insert 1,000 photos, {n} photos, PostgreSQL"),
    "status": ("catalogue", "status, {n} photos, PostgreSQL"),
    "build": ("catalogue", "build, without files, {n} photos, PostgreSQL"),
    "photo_bytes": ("bytes_a_photo", "a photo on disk"),
    "thumbnail_bytes": ("bytes_a_photo", "a thumbnail on disk"),
    "crop_bytes": ("bytes_a_photo", "a crop on disk"),
    "catalogue_bytes": ("catalogue", "catalogue on disk, {n} photos, PostgreSQL"),
}
"""The benchmark whose results have each constant, and the name of the row."""

MEANS = {
    "read": "taking in a photo: decoding, hashes, thumbnail",
    "crop": "cropping a photo: detection, crop, PNG",
    "near": "near-duplicates among 100,000",
    "near_more": "near-duplicates among 300,000",
    "insert": "writing 1,000 photos to the catalogue",
    "status": "`btfer status`",
    "build": "`btfer build`, what it reads of the catalogue",
    "photo_bytes": "a photo",
    "thumbnail_bytes": "its thumbnail",
    "crop_bytes": "the crop of a face, one for each photo",
    "catalogue_bytes": "the catalogue",
}


def constants(folder: Path = HERE / "results") -> Constants:
    """The newest row of each. Raises SystemExit that names the benchmark to run where there is none."""
    *_, smallest = SIZES
    probe = ROWS["build"]
    n = next(
        (one for one in SIZES if find(folder, probe[0], probe[1].format(n=f"{one:,}"))), smallest
    )
    rows = {
        name: newest(folder, benchmark, what.format(n=f"{n:,}"))
        for name, (benchmark, what) in ROWS.items()
    }
    return Constants(measured_at=n, **rows)


def newest(folder: Path, benchmark: str, what: str) -> Source:
    """As `find`. Raises SystemExit that names the benchmark to run where there is no such row."""
    found = find(folder, benchmark, what)
    if found is None:
        raise SystemExit(
            f"no row '{what}' in {folder.name}/*-{benchmark}.csv: run benchmarks/{benchmark}.py --save"
        )
    return found


def find(folder: Path, benchmark: str, what: str) -> Source | None:
    """The last row of the newest file of a benchmark that has it."""
    found = None
    for path in sorted(folder.glob(f"*-{benchmark}.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file, strict=True):
                if row["what"] == what:
                    found = Source(path.name, what, float(row["value"]), row["unit"], row["load"])
    return found


@dataclass(frozen=True)
class Hours:
    """Hours that each thing is busy, were it alone."""

    read: float
    near: float
    crop: float
    writes: float
    reads: float
    network: float
    disk: float

    def total(self) -> float:
        """The stages come one after the other. Within one, the slowest of cores, network, disk and writer counts."""
        return (
            max(self.read + self.crop, self.network, self.disk, self.writes)
            + self.near
            + self.reads
        )

    def slowest(self) -> str:
        """What is busy the longest."""
        return max((getattr(self, one.name), one.name) for one in fields(self))[1]


NAMES = {
    "read": "taking in",
    "near": "near-duplicates",
    "crop": "cropping",
    "writes": "catalogue: writes",
    "reads": "catalogue: reads",
    "network": "network",
    "disk": "disk",
}


def near_growth(known: Constants) -> float:
    """The exponent between the two sizes that were measured."""
    few, many = NEAR_AT
    return math.log(known.near_more.value / known.near.value) / math.log(many / few)


def hours(known: Constants, given: Given, n: int, machines: int) -> Hours:
    """Of `n` photos on so many machines. One process writes to the catalogue, however many machines there are."""
    cores = machines * given.cores
    stored = known.photo_bytes.value + known.thumbnail_bytes.value + known.crop_bytes.value
    moved = 2 * known.photo_bytes.value + known.thumbnail_bytes.value + known.crop_bytes.value
    near_s = known.near_more.value * (n / NEAR_AT[1]) ** near_growth(known)
    at = known.measured_at
    grown = n * math.log(n) / (at * math.log(at))
    return Hours(
        read=n / known.read.value / cores / 3600,
        near=near_s / cores / 3600,
        crop=n * known.crop.value / 1000 / cores / 3600,
        writes=n / 1000 * known.insert.value / 3600,
        reads=grown * (known.status.value + known.build.value) / 3600,
        network=n * moved / (machines * given.network_gbit * 1e9 / 8) / 3600,
        disk=n * stored / (machines * given.disk_mb_s * 1e6) / 3600,
    )


def disk_bytes(known: Constants, n: int) -> float:
    """Photos, thumbnails, a crop for each, and the catalogue."""
    each = ("photo_bytes", "thumbnail_bytes", "crop_bytes", "catalogue_bytes")
    return n * sum(float(getattr(known, name).value) for name in each)


def machines_until_writer(known: Constants, given: Given) -> float:
    """From how many machines on the one writer is slower than all cores together."""
    work_s = 1000 / known.read.value + known.crop.value
    return work_s / (known.insert.value * given.cores)


def document(known: Constants, given: Given) -> str:
    """The page, in Markdown."""
    lines = [
        "# How far it scales: a model on paper",
        "",
        "Made by `make scale` (`benchmarks/scale_model.py`) of rows in `benchmarks/results`; do not edit it. It is a",
        "model: constants that were measured on one machine, multiplied. Waiting for websites, the comparison of",
        "candidates for near-duplicates by their pixels, and the time that people need to judge are not in it.",
        "",
        "## Measured",
        "",
        "| what | value | row | file | load |",
        "|---|---|---|---|---|",
    ]
    for name, source in ((name, getattr(known, name)) for name in ROWS):
        lines.append(
            f"| {MEANS[name]} | {source.value:,.4g} {source.unit} | {source.what} | {source.file} | {source.load} |"
        )
    lines += [
        "",
        "## Assumed",
        "",
        *_assumed(known, given),
        "",
        "## Hours, and what is busy the longest",
        "",
    ]
    lines += ["| photos | machines | " + " | ".join(NAMES.values()) + " | in all | busiest |"]
    lines += ["|" + "---:|" * (len(NAMES) + 3) + "---|"]
    for n in PHOTOS:
        for machines in MACHINES:
            one = hours(known, given, n, machines)
            each = " | ".join(_hours(getattr(one, name)) for name in NAMES)
            lines.append(
                f"| {n:,} | {machines} | {each} | {_hours(one.total())} | {NAMES[one.slowest()]} |"
            )
    lines += ["", "## What it costs", "", *_costs(known, given), "", "## What saturates first", ""]
    return "\n".join(lines + _saturates(known, given)) + "\n"


def _assumed(known: Constants, given: Given) -> list[str]:
    return [
        f"- {given.cores} cores a machine, each as fast as the one that was measured (`--cores`), a network of "
        f"{given.network_gbit:g} Gbit/s (`--network-gbit`)",
        f"  and a disk that writes {given.disk_mb_s:g} MB/s (`--disk-mb-s`) for each. None of these is measured.",
        "- Every photo moves over the network twice, into the store and to the core that crops it; its thumbnail and",
        "  crop once. Cores share the work without loss.",
        "- One process writes to the catalogue, in the seconds that a thousand photos took; what reads all of it grows",
        f"  with n log n from {known.measured_at:,} on.",
        f"- Near-duplicates grow with n to the power of {near_growth(known):.2f}, as between the two sizes measured.",
        "  They are far below 100 million, where a search of all pairs grows faster: read that column as a least.",
    ]


def _hours(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value >= 0.01 else "< 0.01"


def _costs(known: Constants, given: Given) -> list[str]:
    heads = ["photos", "machines", "machine-hours", "disk, TB"]
    hour, month = given.price_per_hour, given.price_per_tb_month
    heads += ["machines cost"] if hour is not None else []
    heads += ["a month on disk costs"] if month is not None else []
    lines = ["| " + " | ".join(heads) + " |", "|" + "---:|" * len(heads)]
    for n in PHOTOS:
        for machines in MACHINES:
            spent = machines * hours(known, given, n, machines).total()
            stored = disk_bytes(known, n) / 1e12
            cells = [f"{n:,}", f"{machines}", _hours(spent), f"{stored:,.3g}"]
            cells += [f"{spent * hour:,.2f}"] if hour is not None else []
            cells += [f"{stored * month:,.2f}"] if month is not None else []
            lines.append("| " + " | ".join(cells) + " |")
    if hour is None and month is None:
        lines += [
            "",
            "Prices change: give yours with `--price-per-hour` and `--price-per-tb-month`.",
        ]
    return lines


def _saturates(known: Constants, given: Given) -> list[str]:
    few, many = (
        hours(known, given, PHOTOS[-1], machines) for machines in (MACHINES[0], MACHINES[-1])
    )
    until = machines_until_writer(known, given)
    return [
        f"- On one machine {PHOTOS[-1]:,} photos keep '{NAMES[few.slowest()]}' busy the longest, on {MACHINES[-1]} "
        f"'{NAMES[many.slowest()]}'.",
        f"- The catalogue has one writer. From {until:,.0f} machines of {given.cores} cores on, taking in and cropping "
        "are quicker than it writes.",
        f"- The network of a machine carries {given.network_gbit * 1e9 / 8 / _moved(known):,.0f} photos a second, its "
        f"cores take in and crop {given.cores / (1 / known.read.value + known.crop.value / 1000):,.0f}.",
    ]


def _moved(known: Constants) -> float:
    return 2 * known.photo_bytes.value + known.thumbnail_bytes.value + known.crop_bytes.value


def main() -> None:
    """Write the document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for one in fields(Given):
        kind: Callable[[str], float] = int if one.name == "cores" else float
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=kind, default=one.default)
    asked = parser.parse_args()
    write_atomic(DOCUMENT, document(constants(), Given(**vars(asked))).encode())
    print(DOCUMENT)


if __name__ == "__main__":
    main()
