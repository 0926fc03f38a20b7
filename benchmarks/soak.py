"""Soak: crawl, dedup and crop again and again on a loopback web of which one answer in twenty is wrong.

    python benchmarks/soak.py [--minutes N] [--pictures N] [--save]

Each round has new hosts and pictures, a new data folder and, in 5 % of the answers, the next of all the faults that
tests/faulty_web.py knows. All of it runs in this process. After the warm-up, resident memory must stay within 10 %,
open descriptors and threads must not grow, and every URL must have come to the end that its fault asks for. Exit code
1 where one of these did not hold.
"""

import argparse
import gc
import itertools
import logging
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import results
from PIL import Image
from pytest_httpserver import HTTPServer
from rich.console import Console
from rich.table import Table

from btfer.catalogue import open_catalogue
from btfer.pipeline import crawl, crop, dedup
from btfer.sample import load_manifest, picture_path
from btfer.settings import Settings
from btfer.sources.web import Manners, Web

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests import faulty_web
from tests.faulty_web import HOSTS, PICTURES, FaultyWeb, is_expected
from tests.loopback import HAPPY, PLAN, SAD, Site, rows

EVERY = 20  # pictures, of which one has a fault
OF_A_HOST = 10
WARM_UP = 0.3  # of the time: libraries load, caches fill
MAY_GROW = 1.10
MANNERS = Manners(
    host_delay_s=0.01,
    trusted_hosts=frozenset({"localhost"}),
    timeout_s=8,
    wall_clock_s=3,
    back_off_s=0.01,
    max_bytes=140_000,  # the endless picture sends more
)


@dataclass(frozen=True)
class Sample:
    """How the process stands after a round. rss_mb: resident memory. urls, odd: seen, and with another end."""

    at_s: float
    rss_mb: float
    descriptors: int
    threads: int
    urls: int
    faults: int
    faces: int
    odd: int


def photos() -> Iterator[bytes]:
    """The built-in sample's photos without end; each time a little darker, so that none is the same file."""
    files = [picture_path(one.file) for one in load_manifest() if one.decision == "keep"]
    for number, file in enumerate(itertools.cycle(files)):
        with Image.open(file) as image:
            dark = np.asarray(image.convert("RGB")) * (1 - number // len(files) % 50 / 200)
        buffer = BytesIO()
        Image.fromarray(dark.astype(np.uint8)).save(buffer, "JPEG", quality=85)
        yield buffer.getvalue()


class Round:
    """A web of new hosts and the end that each of its URLs must come to."""

    def __init__(self, number: int, n_pictures: int, faults: Iterator[str]) -> None:
        self.kinds = {"private.test": "ordinary"}
        self._listed: list[tuple[str, int, str]] = []
        self.ends: list[tuple[str, str]] = []
        for one in range(n_pictures):
            fault = next(faults) if one % EVERY == EVERY - 1 else ""
            host = f"r{number}h{one // OF_A_HOST}.test"
            if fault in HOSTS:
                host = f"r{number}f{one}.test"
            self.kinds[host] = fault if fault in HOSTS else "ordinary"
            self._listed.append((host, one, "" if fault in HOSTS else fault))
            self.ends.append((HOSTS | PICTURES).get(fault, ("kept", "")))

    def show(self, web: FaultyWeb, site: Site) -> dict[str, tuple[str, str]]:
        """List the pictures in the searches; the ends by URL."""
        web.kinds.clear()
        web.kinds.update(self.kinds)
        urls = [web.url(*one) for one in self._listed]
        site.results.clear()
        for one, url in enumerate(urls):
            site.add((HAPPY, SAD)[one % 2], url)
        return dict(zip(urls, self.ends, strict=True))


def one_round(
    site: Site, web: FaultyWeb, ends: dict[str, tuple[str, str]]
) -> tuple[int, Counter[str]]:
    """Crawl, dedup and crop into a new folder: how many faces were cut, and which URLs came to another end."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder), engine="serial", allow_private_hosts=True, host_delay_s=0
        )
        cat = open_catalogue(settings.catalogue_url)
        try:
            source = replace(site.source, min_delay_s=0)
            crawl.run(cat, settings, [source], PLAN, per_query=5_000, web=Web(MANNERS), threads=32)
            found = {row["url"]: row for row in rows(cat)}
            odd = Counter(f"no row: {url}" for url in ends.keys() - found.keys())
            odd += Counter(
                f"{web.kind_of(url)}: {row['state']} {row['reason']}"
                for url, row in found.items()
                if url not in ends or not is_expected(row, ends[url])
            )
            dedup.run(cat, settings)
            return crop.run(cat, settings, unreviewed="keep").taken, odd
        finally:
            cat.close()


def stand(at_s: float, urls: int, faults: int, faces: int, odd: int) -> Sample:
    """How this process stands now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    rss_mb = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    descriptors, threads = (len(os.listdir(f"/proc/self/{one}")) for one in ("fd", "task"))
    return Sample(at_s, rss_mb, descriptors, threads, urls, faults, faces, odd)


def soak(minutes: float, n_pictures: int) -> list[Sample]:
    """Round after round until the time is over, three at least; how the process stood after each."""
    samples: list[Sample] = []
    faults = itertools.cycle([*HOSTS, *PICTURES])
    known = photos()
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as patch, HTTPServer(host="127.0.0.1") as server:
        site = Site(server)
        pictures: dict[int, bytes] = {}

        def jpeg(number: int) -> bytes:
            if number not in pictures:
                pictures[number] = next(known)
            return pictures[number]

        patch.setattr(faulty_web, "jpeg", jpeg)
        with faulty_web.faulty_web(patch, {}) as web:
            for number in itertools.count():
                ends = Round(number, n_pictures, faults).show(web, site)
                faces, odd = one_round(site, web, ends)
                for what, n in odd.items():
                    print(f"round {number}: {what} ({n})", flush=True)
                n_faults = sum(web.kind_of(url) in HOSTS | PICTURES for url in ends)
                for one in (pictures, web.visits, web.looked_up, web._open, web._seen):
                    one.clear()  # what the web itself has kept is no leak
                server.clear_log()
                at_s = time.monotonic() - started
                samples.append(stand(at_s, len(ends), n_faults, faces, sum(odd.values())))
                print(samples[-1], flush=True)
                if at_s > 60 * minutes and len(samples) >= 3:
                    return samples
    raise AssertionError("the rounds end with the time")


def halves(samples: list[Sample], name: str) -> tuple[float, float]:
    """The median of a figure after the warm-up, in the first and in the last third of what is left."""
    begins = samples[-1].at_s * WARM_UP
    warm = [getattr(one, name) for one in samples if one.at_s >= begins]
    third = max(1, len(warm) // 3)
    return statistics.median(warm[:third]), statistics.median(warm[-third:])


def measured(samples: list[Sample]) -> list[results.Measured]:
    """What must hold, with its limit."""
    first, last = halves(samples, "rss_mb")
    found = [
        results.Measured(
            "resident memory, end beside start", last / first, "x", limit=f"<= {MAY_GROW}"
        )
    ]
    for name in ("descriptors", "threads"):
        first, last = halves(samples, name)
        found.append(
            results.Measured(f"{name} more at the end", max(0, last - first), name, limit="<= 0")
        )
    urls, faults = (sum(getattr(one, name) for one in samples) for name in ("urls", "faults"))
    lost = sum(one.odd for one in samples)
    what = f"URLs not accounted for, of {urls} with {faults} faults in {len(samples)} rounds"
    found.append(results.Measured(what, lost, "URLs", limit="<= 0"))
    return found


def holds(one: results.Measured) -> bool:
    """Whether a figure is within its limit."""
    return one.value <= float(one.limit.removeprefix("<= "))


def show(samples: list[Sample], found: list[results.Measured]) -> None:
    """Print the samples and the verdict on each figure."""
    console = Console(width=110)
    table = Table("minutes", "MB", "descriptors", "threads", "URLs", "faults", "faces")
    step = max(1, len(samples) // 20)
    for one in samples[::step]:
        cells = (one.descriptors, one.threads, one.urls, one.faults, one.faces)
        table.add_row(f"{one.at_s / 60:.1f}", f"{one.rss_mb:.0f}", *map(str, cells))
    console.print(table)
    table = Table("after the warm-up", "figure", "must be", "")
    for row in found:
        table.add_row(row.what, f"{row.value:.3g}", row.limit, "pass" if holds(row) else "MISS")
    console.print(table)


def main() -> None:
    """Run, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="how long [60]")
    parser.add_argument("--pictures", type=int, default=200, help="of each round [200]")
    results.add_save(parser)
    args = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request of a search
    samples = soak(args.minutes, args.pictures)
    found = measured(samples)
    show(samples, found)
    if args.save:
        results.save(found)
    raise SystemExit(not all(map(holds, found)))


if __name__ == "__main__":
    main()
