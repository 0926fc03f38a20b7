"""Speed, completeness and memory of the crawl beside icrawler's own, in one run (`make benchmark-crawl`).

    python benchmarks/crawl.py [--images N] [--repeat N] [--quick]

Both crawlers search and download the same loopback site (`crawl_site.py`), one after the other
(`crawl_runs.py`). Nothing outside this machine is contacted.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterable
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import results
from crawl_runs import MB, CrawlBench, CrawlRun, in_own_process, with_btfer, with_icrawler
from crawl_site import (
    HOSTS,
    LATE_S,
    SLOW_S,
    SitePictures,
    draw_pictures,
    latencies_s,
    names_lead_to_loopback,
    site,
)
from rich.console import Console
from rich.table import Table

ICRAWLER_THREADS = 8
POLITE_S = 0.25  # our default pause between two requests to one host
MAX_MB = 400
AT_LENGTH = (2_000, 20_000)


# ---- limits of this machine ----


def site_limit(port: int, n: int) -> tuple[float, float]:
    """How fast the site serves 4 plain clients that keep nothing: images/s, MB/s."""
    names_lead_to_loopback()
    sizes: list[int] = []

    def read(numbers: Iterable[int]) -> None:
        connection = HTTPConnection("n00.test", port)
        for number in numbers:
            connection.request("GET", f"/photo/{number}.jpg")
            sizes.append(len(connection.getresponse().read()))

    threads = [Thread(target=read, args=(range(first, n, 4),)) for first in range(4)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return len(sizes) / seconds, sum(sizes) / seconds / MB


def latency_limit(n: int, in_flight: int, per_host: int = 2) -> float:
    """Images a second if only the hosts' latency took time."""
    waits = [
        latencies_s()[f"h{host:02d}.test"] * len(range(host, n, HOSTS)) for host in range(HOSTS)
    ]
    return n / max(sum(waits) / in_flight, max(waits) / per_host)


def reading_ms(folder: Path) -> float:
    """How long one core takes to decode and describe a photo (`images.read_photo`), in ms."""
    from btfer.images import read_photo

    photos = [path.read_bytes() for path in folder.glob("photo-*.jpg")]
    read_photo(photos[0])
    began = time.process_time()
    for photo in photos:
        read_photo(photo)
    return 1000 * (time.process_time() - began) / len(photos)


# ---- the report ----


def rates(bench: CrawlBench, n: int) -> list[CrawlRun]:
    """icrawler and ours, with the same requests in flight, and at our default of them."""
    eight = {"threads": ICRAWLER_THREADS}
    return [
        bench.measure(with_icrawler, "icrawler, 8 threads", n, **eight),
        bench.measure(with_btfer, "btfer, 8 in flight", n, **eight),
        bench.measure(with_btfer, "btfer, default, no pause", n),
    ]


def polite(bench: CrawlBench, n: int) -> CrawlRun:
    """Ours with its default pause between two requests to one host."""
    return bench.measure(with_btfer, "btfer, default, polite", n, host_delay_s=POLITE_S)


def rate_table(runs: list[CrawlRun], repeat: int) -> Table:
    """Each run beside icrawler's."""
    columns = (
        "crawl",
        "wall s",
        "CPU s",
        "images/s",
        "MB/s",
        "kept",
        "peak MB",
        "speed / icrawler",
    )
    table = Table(*columns, title=f"{runs[0].asked} images, median of {repeat} runs")
    for run in runs:
        table.add_row(
            run.name,
            f"{run.wall_s:.1f}",
            f"{run.cpu_s:.1f}",
            f"{run.rate:.1f}",
            f"{run.kept_mb / run.wall_s:.1f}",
            f"{run.kept} of {run.asked}",
            f"{run.peak_mb:.0f}",
            f"{run.rate / runs[0].rate:.2f}",
        )
    return table


def loss_runs(bench: CrawlBench) -> list[CrawlRun]:
    """Where icrawler loses images: slow hosts fill its queue, a late page ends its downloaders."""
    slow = f"hosts that take {SLOW_S} s"
    late = f"a second page after {LATE_S:.0f} s"
    eight = {"threads": ICRAWLER_THREADS}
    return [
        bench.measure(with_icrawler, f"icrawler, {slow}", 120, kind="slow", **eight),
        bench.measure(with_btfer, f"btfer, {slow}", 120, kind="slow", **eight),
        bench.measure(with_icrawler, f"icrawler, {late}", 70, kind="late", **eight),
        bench.measure(with_btfer, f"btfer, {late}", 70, kind="late", **eight),
    ]


def length_runs(bench: CrawlBench) -> list[CrawlRun]:
    """Ours with many small images."""
    return [
        bench.measure(with_btfer, f"btfer, {n:,} images of 2 KB", n, kind="small")
        for n in AT_LENGTH
    ]


def plain_table(title: str, runs: list[CrawlRun]) -> Table:
    """Runs that are not compared in speed."""
    table = Table("crawl", "wall s", "kept", "peak MB", title=title)
    for run in runs:
        kept = f"{run.kept} of {run.asked}"
        table.add_row(run.name, f"{run.wall_s:.1f}", kept, f"{run.peak_mb:.0f}")
    return table


def target_table(runs: list[CrawlRun], others: list[CrawlRun]) -> Table:
    """Each target and whether it is reached."""
    icrawler, eight, default = runs[:3]
    ours = [run for run in runs + others if run.name.startswith("btfer")]
    at_eight, at_default = eight.rate / icrawler.rate, default.rate / icrawler.rate
    peak_mb = max(run.peak_mb for run in ours)
    least = min(run.kept / run.asked for run in ours)
    table = Table("target", "measured", "", title="targets")
    for target, measured, reached in (
        ("8 in flight: 1x icrawler", f"{at_eight:.2f}x", at_eight >= 1),
        ("default, no pause: 3x icrawler", f"{at_default:.2f}x", at_default >= 3),
        (f"memory under {MAX_MB} MB", f"{peak_mb:.0f} MB", peak_mb < MAX_MB),
        ("100 % kept", f"{100 * least:.1f} %", least == 1),
    ):
        table.add_row(target, measured, "pass" if reached else "MISS")
    return table


def kept_figures(runs: list[CrawlRun]) -> list[results.Measured]:
    """The rate and memory of each of our runs, beside icrawler's."""
    icrawler, limit = runs[0], f"< {MAX_MB}"
    ours = [run for run in runs if run is not icrawler]
    rates = [
        results.Measured(f"{one.name}, beside icrawler", one.rate, "images/s", icrawler.rate)
        for one in ours
    ]
    return rates + [
        results.Measured(f"{one.name}, memory", one.peak_mb, "MB", icrawler.peak_mb, limit)
        for one in ours
    ]


def limit_lines(port: int, n: int, folder: Path) -> list[str]:
    """The limits of this machine, in words."""
    per_s, mb_per_s = in_own_process(site_limit, port, n)
    read_ms, cores = in_own_process(reading_ms, folder), os.cpu_count() or 1
    return [
        f"limits: the site alone serves {per_s:,.0f} images/s, {mb_per_s:,.0f} MB/s;",
        f"  its hosts' latency allows {latency_limit(n, ICRAWLER_THREADS):.1f} images/s with "
        f"{ICRAWLER_THREADS} in flight, {latency_limit(n, 2 * HOSTS):.1f} with 2 at each host;",
        f"  decoding and describing one takes {read_ms:.1f} ms (icrawler does not look at it): "
        f"{1000 * cores / read_ms:.0f} images/s on {cores} idle cores",
    ]


def report(console: Console, bench: CrawlBench, n: int, quick: bool) -> list[results.Measured]:
    """Run the crawls, print the tables; the figures to keep. quick: neither polite, nor lossy, nor long crawls."""
    runs = rates(bench, n) + ([] if quick else [polite(bench, n)])
    console.print(rate_table(runs, bench.repeat))
    others = []
    if not quick:
        losses, length = loss_runs(bench), length_runs(bench)
        console.print(plain_table("where icrawler loses images", losses))
        console.print(plain_table("memory of long crawls", length))
        others = losses + length
    console.print(target_table(runs, others))
    return kept_figures(runs)


def main() -> None:
    """Draw the pictures, run the crawls, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2_000, help="how many (2000)")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each, the median counts")
    parser.add_argument("--quick", action="store_true", help="no polite, lossy or long crawls")
    results.add_save(parser)
    asked = parser.parse_args()
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="btfer-benchmark-") as name:
        folder = Path(name)
        draw_pictures(folder / "site", min(HOSTS, max(4, asked.images // 50)))
        with site(folder / "site") as port:
            bench = CrawlBench(port, folder, SitePictures(folder / "site"), asked.repeat)
            console.print("\n".join(limit_lines(port, asked.images, folder / "site")))
            kept = report(console, bench, asked.images, asked.quick)
    if asked.save:
        results.save(kept)


if __name__ == "__main__":
    main()
