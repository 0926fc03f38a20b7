"""The crawls that `benchmarks/crawl.py` compares: icrawler's and ours, each in a process of its own.

What was kept is counted on disk, by sha256. A rate is taken up to the last picture on disk:
icrawler then waits 5 s more before it ends, which is not counted.
"""

import hashlib
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from crawl_site import SEARCH_HOST, SitePictures, names_lead_to_loopback, phrases

PER_QUERY = 100
MB = 1_000_000


@dataclass(frozen=True)
class CrawlJob:
    """One crawl: the first n pictures of a kind, into an empty folder."""

    name: str
    port: int
    folder: Path
    n: int
    kind: str = "photo"
    threads: int | None = None  # None = the crawler's own default
    host_delay_s: float = 0.0


@dataclass(frozen=True)
class CrawlRun:
    """What one crawl cost and kept. wall_s: up to the last picture on disk."""

    name: str
    asked: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    kept: int = 0
    kept_mb: float = 0.0

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.kept / self.wall_s


# ---- the two crawlers, each called in a process of its own ----


def with_icrawler(job: CrawlJob) -> CrawlRun:
    """icrawler's ImageDownloader, fed by its UrlListFeeder and a Parser that reads the page's JSON."""
    import json
    import logging
    from urllib.parse import urlencode

    from bs4 import BeautifulSoup
    from icrawler import Crawler, ImageDownloader, Parser, UrlListFeeder

    class PageParser(Parser):  # type: ignore[misc]  # icrawler has no types
        def parse(self, response: Any, **_: object) -> Iterator[dict[str, str]]:
            for link in BeautifulSoup(response.content, "lxml").select("a.iusc"):
                yield {"file_url": json.loads(str(link["m"]))["murl"]}

    names_lead_to_loopback()
    threads = {} if job.threads is None else {"downloader_threads": job.threads}
    storage = {"backend": "FileSystem", "root_dir": str(job.folder)}
    crawler = Crawler(
        UrlListFeeder,
        PageParser,
        ImageDownloader,
        storage=storage,
        log_level=logging.ERROR,
        **threads,
    )
    pages = [
        f"http://{SEARCH_HOST}:{job.port}/images/async?" + urlencode({"q": phrase, "first": first})
        for phrase in phrases(job.kind, job.n, PER_QUERY)
        for first in range(1, _shown_by(phrase) + 1, 35)
    ]
    began, used_s = time.time(), _cpu_s()
    crawler.crawl(
        feeder_kwargs={"url_list": pages},
        parser_kwargs={"req_timeout": 15},  # else it would ask for a late page again and again
        downloader_kwargs={"max_num": 0},
    )
    written = [file.stat().st_mtime for file in job.folder.rglob("*.jpg")]
    return _measured(job, max(written, default=time.time()) - began, _cpu_s() - used_s)


def with_btfer(job: CrawlJob) -> CrawlRun:
    """Our crawl: the source `bing` at the site's address, catalogue and all."""
    from btfer.catalogue import open_catalogue
    from btfer.pipeline import crawl
    from btfer.queries import Query, QueryPlan
    from btfer.settings import load_settings
    from btfer.sources.bing import bing

    names_lead_to_loopback()
    job.folder.mkdir(parents=True)
    os.chdir(job.folder)  # where no btfer.toml is
    for name in [name for name in os.environ if name.startswith("BTFER_")]:
        del os.environ[name]
    settings = load_settings(
        data_dir=job.folder / "data", allow_private_hosts=True, host_delay_s=job.host_delay_s
    )
    queries = [Query(phrase, "happy", "en") for phrase in phrases(job.kind, job.n, PER_QUERY)]
    source = replace(bing(f"http://{SEARCH_HOST}:{job.port}"), min_delay_s=0)  # our own server
    threads: dict[str, Any] = {} if job.threads is None else {"threads": job.threads}
    cat = open_catalogue(settings.catalogue_url)
    began, used_s = time.time(), _cpu_s()
    outcome = crawl.run(
        cat, settings, [source], QueryPlan(queries, "benchmark", []), per_query=PER_QUERY, **threads
    )
    photos = (job.folder / "data" / "photos").rglob("*.jpg")
    written = [file.stat().st_mtime for file in photos]
    run = _measured(job, max(written, default=time.time()) - began, _cpu_s() - used_s)
    cat.close()
    return replace(run, kept=outcome.new_photos)


def _shown_by(phrase: str) -> int:
    _, first, last = phrase.split()
    return int(last) - int(first)


def _cpu_s() -> float:
    """What this process has used of the cores so far."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, both))


def _measured(job: CrawlJob, wall_s: float, cpu_s: float) -> CrawlRun:
    """What a crawl took, with the greatest memory of this process and of its workers, one a core, in sum."""
    peak_kb = next(
        int(line.split()[1])
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    largest_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak_kb += largest_kb * (os.cpu_count() or 1)
    return CrawlRun(job.name, job.n, wall_s, cpu_s, peak_kb * 1024 / MB)


# ---- measuring ----


def in_own_process(work: Callable[..., Any], *args: Any) -> Any:
    """Run something in a process of its own, so that its memory and threads are counted alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


class CrawlBench:
    """Runs crawls, and checks on disk what they kept."""

    def __init__(self, port: int, folder: Path, pictures: SitePictures, repeat: int) -> None:
        self._port = port
        self._folder = folder
        self._pictures = pictures
        self.repeat = repeat
        self._numbers = count()
        self._wanted: dict[tuple[str, int], set[str]] = {}

    def measure(
        self, crawler: Callable[[CrawlJob], CrawlRun], name: str, n: int, **how: Any
    ) -> CrawlRun:
        """The median run by wall time; with the fewest pictures and the most memory of any."""
        runs = sorted(
            (self._once(crawler, name, n, how) for _ in range(self.repeat)),
            key=lambda run: run.wall_s,
        )
        return replace(
            runs[len(runs) // 2],
            kept=min(run.kept for run in runs),
            peak_mb=max(run.peak_mb for run in runs),
        )

    def _once(
        self, crawler: Callable[[CrawlJob], CrawlRun], name: str, n: int, how: dict[str, Any]
    ) -> CrawlRun:
        job = CrawlJob(name, self._port, self._folder / f"run-{next(self._numbers)}", n, **how)
        run: CrawlRun = in_own_process(crawler, job)
        kept, size = self._on_disk(job)
        if crawler is with_btfer and run.kept != kept:
            raise RuntimeError(
                f"{name}: the crawl reported {run.kept} new photos, but {kept} are on disk"
            )
        return replace(run, kept=kept, kept_mb=size / MB)

    def _on_disk(self, job: CrawlJob) -> tuple[int, int]:
        """How many of the pictures asked for are on disk as they were sent, and their bytes."""
        wanted = self._hashes(job.kind, job.n)
        found: dict[str, int] = {}
        photos = job.folder / "data" / "photos"  # ours; beside it lie thumbnails
        for path in (photos if photos.exists() else job.folder).rglob("*.jpg"):
            data = path.read_bytes()
            found[hashlib.sha256(data).hexdigest()] = len(data)
        strange = set(found) - wanted
        if strange:
            raise RuntimeError(f"{job.name}: {len(strange)} files on disk are not from the site")
        return len(found), sum(found.values())

    def _hashes(self, kind: str, n: int) -> set[str]:
        if (kind, n) not in self._wanted:
            draw = self._pictures.small if kind == "small" else self._pictures.photo
            self._wanted[kind, n] = {hashlib.sha256(draw(i)).hexdigest() for i in range(n)}
        return self._wanted[kind, n]
