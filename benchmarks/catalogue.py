"""How each part of the catalogue grows from 10,000 to a million photos, on both databases (`make benchmark-catalogue`).

    python benchmarks/catalogue.py [--sizes N N N] [--database sqlite|postgresql|both] [--parts first next ...]

A catalogue is filled in bulk (`many_photos`), and every part is measured in a process of its own: its CPU seconds
and those of the database server, which other work on the machine does not lengthen, and the most memory that the
process held. The ratio is that of one size to the next. What reads all photos may grow no worse than n log n, a page
and what is asked of one photo not at all: no worse than twice, where it takes more than two hundredths of a second.
The first page of a fresh server is measured without what is read behind it, which is a part of its own.
"""

import argparse
import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import many_photos
import results
from rich.console import Console
from rich.table import Table

from btfer import review
from btfer.catalogue import Catalogue, journal, open_catalogue, photos, verdicts
from btfer.catalogue.journal import Fetched, Query, Sighting, url_id
from btfer.catalogue.verdicts import Verdict
from btfer.cli import crawl_status
from btfer.faces.modes import crop_settings
from btfer.images import Intake
from btfer.images.hints import PhotoHints
from btfer.pipeline import build, dedup, funnel, overview, sample
from btfer.review import Judged, serving
from btfer.review.part_index import start_of
from btfer.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import own_postgres

SIZES = (10_000, 100_000, 1_000_000)
PAGE, PAGES = 48, 20
RUNS = 5
LEAST_S = 0.02  # below, a server's clock ticks too seldom
TICKS_S = 1 / os.sysconf("SC_CLK_TCK")
FLAT = 2.0
SLACK = 1.3  # on n log n: memory grows out of the caches on the way
DIGEST = crop_settings(Settings()).digest
NEW = 1_000
HINTS = PhotoHints(brightness=1.0, sharpness=1.0, flat=0.0, colours=0.5, text=0.0, aspect=4 / 3)
Work = Callable[[Catalogue, Settings], object]


def _add(cat: Catalogue, settings: Settings) -> None:
    """A thousand photos, written as a crawl and dedup write them."""
    start = time.time_ns()
    for part in range(0, NEW, 100):
        names = [f"{start + i:064x}" for i in range(part, part + 100)]
        urls = [f"https://new.example/{name}" for name in names]
        asked = Query("a happy person", "happy", "en", plan="b")
        journal.add_found(cat, asked, [Sighting(url, "bing", url) for url in urls])
        ends = [
            (url_id(url), Fetched("kept", status=200, photo=name), _intake(name))
            for url, name in zip(urls, names, strict=True)
        ]
        journal.finish(cat, ends)
        verdicts.add_all(cat, [Verdict("dedup", name, "keep", "dedup") for name in names])


def _intake(name: str) -> Intake:
    return Intake(name, "jpg", 800, 600, 100_000, 1, 2, b"", HINTS)


def _status(cat: Catalogue, settings: Settings) -> None:
    now = funnel.status(cat, DIGEST)
    funnel.crawl_losses(cat)
    crawl_status.read(cat, now.by_cell)


def _build(cat: Catalogue, settings: Settings) -> None:
    """From what is there to the record of a release; its images are files."""
    known = overview.read(cat, DIGEST)
    known.photos_waiting(), known.faces_waiting()
    drawn = sample.draw(known.kept_faces(), per_class=300, seed=1, allow_short=True)
    build.counted(cat, known, build.record_of(settings, build.Plan(), drawn))


def _whole_index(cat: Catalogue, settings: Settings) -> None:
    """As a server reads it that finds no head, or behind its first pages; it leaves one, of few photos too."""
    with serving.whole(cat, DIGEST) as index:
        start_of(index, "photos", review.FIRST_ORDER["photos"])
        serving.keep_now(cat, index)


def _first_page(cat: Catalogue, settings: Settings) -> None:
    """With the numbers of the page Overview."""
    serving.WAIT_S = 3600
    assert review.Queue(cat, "photos", "ann").page(PAGE).items
    review.progress(cat, DIGEST), review.forecast(cat, DIGEST), review.dropped(cat, DIGEST)
    review.disputed(cat, DIGEST), review.asked(cat, DIGEST, "ann")


def _next_page(cat: Catalogue, settings: Settings) -> float:
    """Judging a page and getting the next one, where the app has been running: seconds of one."""
    with serving.whole(cat, DIGEST):
        queue = review.Queue(cat, "photos", "ben")
    items = queue.page(PAGE).items
    cpu_s = clock(settings.catalogue_url)
    start = cpu_s()
    for _ in range(PAGES):
        review.commit(cat, "photos", [Judged(one.id) for one in items], "ben")
        items = queue.page(PAGE).items
        assert items
    return (cpu_s() - start) / PAGES


def _explain(cat: Catalogue, settings: Settings) -> None:
    assert funnel.explain(cat, many_photos.name_of(1))


PARTS: dict[str, tuple[str, str, Work]] = {
    "crawl": (
        "crawl: its next 1,000 addresses",
        "flat",
        lambda cat, _: journal.pending(cat, "bing"),
    ),
    "dedup": ("dedup: nothing new", "flat", lambda cat, settings: dedup.run(cat, settings)),
    "crop": (
        "crop: its queue of 1,000",
        "flat",
        lambda cat, _: photos.awaiting_crop(cat, DIGEST),
    ),
    "status": ("status", "n log n", _status),
    "explain": ("explain a photo", "flat", _explain),
    "build": ("build, without files", "n log n", _build),
    "whole": ("review: everything read", "n log n", _whole_index),
    "first": ("review: first page and overview of a fresh server", "flat", _first_page),
    "next": ("review: a page judged, and the next", "flat", _next_page),
    "insert": (f"insert {NEW:,} photos", "flat", _add),  # last: others find nothing new
}
ONCE = ("whole", "first", "next")
"""Parts that are not run again in the same process, which has everything in memory by then."""


def _leave_nothing_new(url: str, data_dir: Path) -> None:
    """As dedup leaves it, whose rows are there."""
    cat = open_catalogue(url)
    dedup.run(cat, Settings(data_dir=data_dir, catalogue=url, engine="serial"))
    cat.close()


ON_DISK = "disk"
"""In place of a part: the size of the database in bytes a photo."""


@dataclass(frozen=True)
class Figure:
    """What one part took at one size: CPU seconds, and the most memory of its process in MB."""

    part: str
    database: str
    n: int
    seconds: float
    memory_mb: float


def clock(url: str) -> Callable[[], float]:
    """CPU seconds of this process, and of the database server where there is one, with all that it ever started."""
    folder = Path(url.partition("?host=")[2]) / "data" / "postmaster.pid"
    if url.startswith("sqlite"):
        return time.process_time
    server = folder.read_text().split()[0]
    return lambda: time.process_time() + _server_ticks(server) * TICKS_S


def _server_ticks(server: str) -> int:
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            pid, _, rest = stat.read_text().partition(" ")
            fields = rest.rpartition(")")[2].split()
            own, ended = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
            ticks += own + ended if pid == server else own if fields[1] == server else 0
    return ticks


def measure_part(part: str, url: str, data_dir: Path) -> tuple[float, float]:
    """CPU seconds, of several runs where it is quick, and MB."""
    _, _, work = PARTS[part]
    settings = Settings(data_dir=data_dir, catalogue=url, engine="serial")
    cat, cpu_s = open_catalogue(url), clock(url)
    start, runs, own = cpu_s(), 0, None
    while not runs or (runs < RUNS and cpu_s() - start < 2 and part not in ONCE):
        own = work(cat, settings)
        runs += 1
    seconds = own if isinstance(own, float) else (cpu_s() - start) / runs
    cat.close()
    return seconds, _most_memory_mb()


def _most_memory_mb() -> float:
    """Of this process; what `getrusage` says is at least what its parent held, which has filled the catalogue."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(
    database: str, url: str, n: int, data_dir: Path, parts: Sequence[str]
) -> Iterator[Figure]:
    """These parts at one size, each in a process of its own; and how large the database is."""
    start = time.perf_counter()
    rows = many_photos.fill(url, n, DIGEST)
    if "dedup" in parts:
        _leave_nothing_new(url, data_dir)
    print(f"{database}: {rows:,} rows filled in {time.perf_counter() - start:.0f} s", flush=True)
    yield Figure(ON_DISK, database, n, many_photos.n_bytes(url) / n, 0)
    for part in parts:
        command = [sys.executable, __file__, "--part", part, "--url", url, "--data", str(data_dir)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{part} at {n:,} on {database} failed:\n{done.stderr}")
        seconds, memory = json.loads(done.stdout.splitlines()[-1])
        print(f"  {PARTS[part][0]:40} {seconds:9.3f} s {memory:7.0f} MB", flush=True)
        yield Figure(part, database, n, seconds, memory)


@contextlib.contextmanager
def databases(asked: str) -> Iterator[dict[str, Callable[[int, Path], str]]]:
    """What makes the URL of an empty database of each kind, by its name."""

    def sqlite(n: int, folder: Path) -> str:
        return f"sqlite:///{folder / 'catalogue.db'}"

    with contextlib.ExitStack() as stack:
        found: dict[str, Callable[[int, Path], str]] = {}
        if asked in ("sqlite", "both"):
            found["SQLite"] = sqlite
        if asked in ("postgresql", "both"):
            if own_postgres.programs() is None:
                raise SystemExit(
                    "no PostgreSQL (Debian: apt-get install postgresql); --database sqlite"
                )
            server = stack.enter_context(own_postgres.running())
            found["PostgreSQL"] = lambda n, folder: _new_database(server, f"n{n}")
        yield found


def _new_database(server: str, name: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        for old in connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^n[0-9]+$'"
        ):
            connection.execute(f"DROP DATABASE {old[0]}")  # its disk is needed for the next
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


def limit(grows: str, before: int, n: int) -> float:
    """The most that a part may take at `n` photos as a multiple of what it took at fewer."""
    if grows == "flat":
        return FLAT
    return SLACK * n * math.log(n) / (before * math.log(before))


def growth(one: Figure, known: Sequence[Figure]) -> tuple[float, float] | None:
    """A figure as a multiple of that of the size before, and the most that it may be; None for the first size."""
    smaller = [
        other
        for other in known
        if (other.part, other.database) == (one.part, one.database) and other.n < one.n
    ]
    if not smaller or one.part == ON_DISK:
        return None
    last = max(smaller, key=lambda other: other.n)
    ratio = max(one.seconds, LEAST_S) / max(last.seconds, LEAST_S)
    return ratio, limit(PARTS[one.part][1], last.n, one.n)


def judged(new: Iterable[Figure], known: Sequence[Figure]) -> Iterator[results.Measured]:
    """Rows to be kept of new figures, beside those of the sizes before."""
    for one in new:
        where = f"{one.n:,} photos, {one.database}"
        if one.part == ON_DISK:
            yield results.Measured(f"catalogue on disk, {where}", one.seconds, "bytes a photo")
            continue
        name = f"{PARTS[one.part][0]}, {where}"
        yield results.Measured(name, one.seconds, "CPU s")
        if grown := growth(one, known):
            yield results.Measured(f"{name}: growth", grown[0], "x", limit=f"< {grown[1]:.3g}")
        if one.part in ("build", "whole", "first"):
            yield results.Measured(f"{name}: memory", one.memory_mb, "MB")


def show(figures: Sequence[Figure]) -> bool:
    """Print a table; whether every part grows as it may."""
    table = Table("part", "database", "photos", "CPU s", "growth", "at most", "")
    well = True
    parts = [one for one in figures if one.part != ON_DISK]
    for one in sorted(parts, key=lambda f: (f.database, list(PARTS).index(f.part), f.n)):
        cells = ["", "", ""]
        if grown := growth(one, figures):
            ratio, most = grown
            well &= ratio < most
            cells = [f"{ratio:.1f}", f"{most:.1f}", "pass" if ratio < most else "MISS"]
        what = PARTS[one.part][0]
        table.add_row(what, one.database, f"{one.n:,}", f"{one.seconds:.3f}", *cells)
    Console(width=110).print(table)
    return well


def main() -> None:
    """Measure size by size, each database in turn, and print the table; exit 1 where a part grows too fast."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="photos")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    results.add_save(parser)
    for hidden in ("--part", "--url", "--data"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        print(json.dumps(measure_part(given.part, given.url, Path(given.data))))
        return
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # the server ends too
    figures: list[Figure] = []
    with databases(given.database) as found:
        for n in sorted(given.sizes):
            for name, url_of in found.items():
                with tempfile.TemporaryDirectory(prefix="btfer-many-") as folder:
                    url = url_of(n, Path(folder))
                    new = list(measure(name, url, n, Path(folder), given.parts))
                if given.save:  # at once: the next size takes long
                    results.save(judged(new, figures))
                figures += new
    raise SystemExit(not show(figures))


if __name__ == "__main__":
    main()
