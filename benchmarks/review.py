"""How fast the review app is in a real Chromium, beside the plain way in Streamlit (`make benchmark-review`).

    python benchmarks/review.py [--photos N] [--part server|browser|team|all]

server: the CPU time that a fresh server takes for the overview, for a first page of each round, and for that of a
second person. team: twenty scripted reviewers on PostgreSQL (`review_team`).

A catalogue of drawn photos; the queue is judged up to several points, and at each of them pages are judged
by keyboard: from Enter until the next page's pictures are on the screen. The plain way is 48 `st.image`
with a button each, where each press runs the script; a tenth of a page is marked in both.
"""

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import results
import review_catalogue
import review_team
from rich.console import Console
from rich.table import Table

from btfer import review
from btfer.catalogue import open_catalogue
from btfer.review import Judged
from btfer.review.queues import waiting

ROOT = Path(__file__).resolve().parents[1]
REVIEWER = "ann"
PAGE = 48
MARKED = 5  # pictures of a page that are dropped
POINTS = (0.0, 0.25, 0.5, 0.75, 0.99)
PARTS = ("server", "browser", "team", "all")
PAGES = 8  # judged at each point
AT_ONCE = 5_000  # judged together on the way to a point
LEFT = PAGE * (2 * PAGES + 2)  # after the last point, for the pages of two measurements
ON_SCREEN = "images => Promise.all(images.map(image => image.decode().catch(() => {})))"
# Looks at every frame: Playwright's own waiting looks only every half second after a while.
NEXT_PAGE = """(count) => new Promise((done, fail) => {
  const begin = performance.now();
  const roots = () => [...document.querySelectorAll("*")].flatMap((one) => one.shadowRoot || []);
  const look = () => {
    const root = roots().find((one) => one.querySelector(".count")?.textContent.includes(count));
    if (!root && performance.now() - begin > 120000) return fail(new Error(`no page with ${count}`));
    if (!root) return requestAnimationFrame(look);
    Promise.all([...root.querySelectorAll(".tile img")].map((image) => image.decode().catch(() => {}))).then(done);
  };
  look();
})"""
TEXT_SHOWN = """(text) => new Promise((done) => {
  const look = () => (document.body.innerText.includes(text) ? done() : requestAnimationFrame(look));
  look();
})"""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True)
class PageTimes:
    """Seconds at one point of the queue: opening the page anew, and from Enter to the next page, each time."""

    judged: int
    opening: float
    next_page: list[float]
    memory_mb: float


@contextmanager
def served(script: Path, data_dir: Path) -> Iterator[tuple[str, int]]:
    """The URL and process id of a Streamlit server that runs the script."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.headless", "true", "--server.address", "127.0.0.1"],
        cwd=ROOT,
        env=_as_installed() | {"BTFER_DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/_stcore/health")
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


def _as_installed() -> dict[str, str]:
    """The environment, with compiled files: an installed app does not compile itself at each start."""
    return {name: one for name, one in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the app did not start at {url}")


def memory_mb(pid: int) -> float:
    """Resident memory of a process (Linux; 0 elsewhere)."""
    status = Path(f"/proc/{pid}/statm")
    if not status.exists():
        return 0.0
    return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6


def ours(browser: Any, data_dir: Path, names: list[str]) -> list[PageTimes]:
    """Pages judged by keyboard at each point of the queue."""
    found = []
    last = len(names) - LEFT
    for point in POINTS:
        judged = _judge_until(data_dir, names, min(int(point * len(names)), last))
        with served(ROOT / "review_app" / "app.py", data_dir) as (url, pid):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            begin = time.perf_counter()
            _sit(page, url, REVIEWER)
            page.goto(f"{url}/photos")
            _await_pictures(page, len(names) - judged)
            opening = time.perf_counter() - begin
            laps = [_judge_page(page, len(names) - judged - PAGE * n) for n in range(PAGES)]
            found.append(PageTimes(judged, opening, laps, memory_mb(pid)))
            page.close()
    return found


def _judge_page(page: Any, awaiting: int) -> float:
    for _ in range(MARKED):
        page.keyboard.press("n")
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1_100)  # Enter within a second of opening asks first
    begin = time.perf_counter()
    page.keyboard.press("Enter")
    page.evaluate(NEXT_PAGE, f"{awaiting - PAGE:,} photos waiting")
    return time.perf_counter() - begin


def _await_pictures(page: Any, awaiting: int) -> None:
    page.locator(".count", has_text=f"{awaiting:,} photos waiting").wait_for(timeout=120_000)
    page.locator(".tile img").evaluate_all(ON_SCREEN)


def _judge_until(data_dir: Path, names: list[str], wanted: int) -> int:
    """Judge the queue up to a point, without the app; how many are judged then."""
    cat = open_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}")
    # In their turn: what the app showed first is judged already, and was not what was found first.
    open_ = [one.subject.id for one in waiting(cat, "photos")]
    held = len(names) - len(open_)
    todo = open_[: max(0, wanted - held)]
    for start in range(0, len(todo), AT_ONCE):
        part = [Judged(name) for name in todo[start : start + AT_ONCE]]
        review.commit(cat, "photos", part, REVIEWER)
    cat.close()
    return max(held, wanted)


def per_picture(browser: Any, data_dir: Path, awaiting: int) -> tuple[float, float]:
    """Seconds for each judged picture: ours, and the plain way; both as fast as the page lets one."""
    with served(ROOT / "review_app" / "app.py", data_dir) as (url, _):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        _sit(page, url, REVIEWER)
        page.goto(f"{url}/photos")
        _await_pictures(page, awaiting)
        begin = time.perf_counter()
        for n in range(PAGES):
            _judge_page(page, awaiting - PAGE * n)
        ours_s = (time.perf_counter() - begin) / PAGES / PAGE
        page.close()
    with served(ROOT / "benchmarks" / "review_plain_app.py", data_dir) as (url, _):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.get_by_text("0 dropped, page 1").wait_for()
        begin = time.perf_counter()
        for n in range(2):
            _judge_plainly(page, n)
        plain_s = (time.perf_counter() - begin) / 2 / PAGE
        page.close()
    return ours_s, plain_s


def _judge_plainly(page: Any, n: int) -> None:
    for k in range(MARKED):
        page.get_by_role("button", name="drop", exact=True).nth(k).click()
        page.evaluate(TEXT_SHOWN, f"{n * MARKED + k + 1} dropped, page {n + 1}")
    page.get_by_role("button", name="keep the rest").click()
    page.evaluate(TEXT_SHOWN, f"{(n + 1) * MARKED} dropped, page {n + 2}")
    page.locator("img").evaluate_all(ON_SCREEN)


@dataclass(frozen=True)
class ServerTimes:
    """Seconds of CPU of a server process, and its memory in the end."""

    overview: float
    first_page: float
    first_faces: float
    second_person: float
    memory_mb: float


def server(browser: Any, data_dir: Path) -> ServerTimes:
    """A fresh server for each of the first two, since whatever comes first reads the catalogue."""
    app = ROOT / "review_app" / "app.py"
    with served(app, data_dir) as (url, pid):
        _cpu_of(browser, pid, url, "/guidelines", "text=Guidelines")  # compiles what is not yet
    with served(app, data_dir) as (url, pid):
        overview = _cpu_of(browser, pid, url, "", "text=Faces wanted")
    with served(app, data_dir) as (url, pid):
        faces = _cpu_of(browser, pid, url, "/faces", ".tile")
    with served(app, data_dir) as (url, pid):
        first = _cpu_of(browser, pid, url, "/photos", ".tile img")
        second = _cpu_of(browser, pid, url, "/photos", ".tile img", "ben")
        memory = memory_mb(pid)
    return ServerTimes(overview, first, faces, second, memory)


def _sit(page: Any, url: str, name: str) -> None:
    page.context.add_cookies([{"name": "btfer_reviewer", "value": name, "url": url}])


def _cpu_of(
    browser: Any, pid: int, url: str, place: str, ready: str, reviewer: str = REVIEWER
) -> float:
    """Seconds of CPU that the server spends until a page shows what is waited for; its start does not count."""
    begin = cpu_s(pid)
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    _sit(page, url, reviewer)
    page.goto(url + place)
    page.locator(ready).first.wait_for(timeout=120_000)
    page.wait_for_timeout(1_000)
    page.close()
    return cpu_s(pid) - begin


def cpu_s(pid: int) -> float:
    """CPU time of a process so far (Linux; 0 elsewhere)."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def show_server(found: ServerTimes) -> list[results.Measured]:
    """The table of a fresh server's CPU time; the figures to keep."""
    targets = (
        ("overview, CPU of a fresh server", found.overview, "s", 2),
        ("first page of photos, CPU of a fresh server", found.first_page, "s", 3),
        ("first page of faces, CPU of a fresh server", found.first_faces, "s", 3),
        ("a second person's first page, CPU", found.second_person, "s", 3),
        ("server memory after two first pages", found.memory_mb, "MB", 500),
    )
    return _targets(targets)


def show_team(found: review_team.TeamTimes) -> list[results.Measured]:
    """The table of twenty reviewers; the figures to keep."""
    targets = (
        ("20 reviewers on PostgreSQL: page, p95", found.p95("pages"), "s", 0.5),
        ("20 reviewers on PostgreSQL: commit, p95", found.p95("commits"), "s", 0.5),
        ("verdicts lost", found.lost, "verdicts", 1),
        ("verdicts doubled", found.doubled, "verdicts", 1),
    )
    return _targets(targets)


def _targets(rows: Iterable[tuple[str, float, str, float]]) -> list[results.Measured]:
    table = Table("what", "measured", "limit", "")
    kept = []
    for name, value, unit, limit in rows:
        table.add_row(
            name, f"{value:.2f} {unit}", f"< {limit}", "pass" if value < limit else "MISS"
        )
        kept.append(results.Measured(name, value, unit, limit=f"< {limit}"))
    Console(width=100).print(table)
    return kept


def show(found: list[PageTimes], ours_s: float, plain_s: float) -> list[results.Measured]:
    """The table, and each target with what was measured; the figures to keep."""
    console = Console(width=100)
    table = Table("judged before", "opening the page, s", "Enter to next page, s (median, worst)")
    for one in found:
        laps = f"{statistics.median(one.next_page):.2f}, {max(one.next_page):.2f}"
        table.add_row(f"{one.judged:,}", f"{one.opening:.2f}", laps)
    console.print(table)
    slowest = max(statistics.median(one.next_page) for one in found)
    memory = max(one.memory_mb for one in found)
    ends = Table("target", "measured", "")
    for target, measured, holds in (
        ("next page under 0.5 s, median at each point", f"{slowest:.2f} s", slowest < 0.5),
        ("server memory under 500 MB", f"{memory:.0f} MB", 0 < memory < 500),
        (
            "judging a photo: 5x as fast as plain Streamlit",
            f"{plain_s / ours_s:.1f}x",
            plain_s / ours_s >= 5,
        ),
    ):
        ends.add_row(target, measured, "pass" if holds else "MISS")
    console.print(ends)
    console.print(f"a judged picture: ours {ours_s * 1000:.0f} ms, plain {plain_s * 1000:.0f} ms")
    return [
        results.Measured("next page, slowest median", slowest, "s", limit="< 0.5"),
        results.Measured("server memory", memory, "MB", limit="< 500"),
        results.Measured(
            "a judged picture, beside plain Streamlit", ours_s * 1000, "ms", plain_s * 1000
        ),
    ]


def main() -> None:
    """Parse, make the catalogue in a temporary folder, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=100_000, help="photos in the catalogue")
    parser.add_argument("--part", choices=PARTS, default="all", help="what to measure [all]")
    results.add_save(parser)
    given = parser.parse_args()
    parts = PARTS[:-1] if given.part == "all" else (given.part,)
    kept: list[results.Measured] = []
    if "team" in parts:
        team = review_team.measure(given.photos)
        kept += show_team(team) if team else []
        if not team:
            print("no PostgreSQL: its part is left out (Debian: apt-get install postgresql)")
    if {"server", "browser"} & set(parts):
        kept += _in_chromium(max(given.photos, 6 * LEFT), parts)
    if given.save:
        results.save(kept)


def _in_chromium(photos: int, parts: tuple[str, ...]) -> list[results.Measured]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if not program:
        raise SystemExit("no Chromium in PATH (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    kept: list[results.Measured] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        if "server" in parts:
            data_dir = Path(folder) / "server"
            review_catalogue.make(data_dir, photos, faces=photos // 2)
            kept += show_server(server(browser, data_dir))
        if "browser" in parts:
            data_dir = Path(folder) / "browser"
            names = review_catalogue.make(data_dir, photos)
            found = ours(browser, data_dir, names)
            awaiting = photos - found[-1].judged - PAGE * PAGES
            kept += show(found, *per_picture(browser, data_dir, awaiting))
        browser.close()
    return kept


if __name__ == "__main__":
    main()
