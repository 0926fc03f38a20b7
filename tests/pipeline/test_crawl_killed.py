"""A crawl that is killed, again and again, ends with what one ends with that never was."""

import json
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue import open_catalogue
from btfer.catalogue.tables import fetch, photo, search, sighting
from btfer.pipeline import crawl
from btfer.settings import Settings
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.web import Web
from tests.forked import CONTEXT
from tests.loopback import FAST, HAPPY, PLAN, SAD, Site, jpeg
from tests.pipeline.test_crawl_hostile import assert_whole

PICTURES = 150


def crawl_here(base: str, folder: Path, started: Event) -> None:
    """What each process does: a crawl from the start, or from where the one before was killed."""
    settings = Settings(data_dir=folder, engine="serial", contact="https://example.org/crawl")
    cat = open_catalogue(settings.catalogue_url)
    started.set()
    sources = [replace(make(base), min_delay_s=0) for make in (bing, commons)]
    crawl.run(cat, settings, sources, PLAN, web=Web(FAST), threads=4)
    cat.close()


def start(site: Site, folder: Path) -> BaseProcess:
    started = CONTEXT.Event()
    process = CONTEXT.Process(target=crawl_here, args=(site.source.base_url, folder, started))
    process.start()
    assert started.wait(60)
    return process


@pytest.fixture
def site(threaded_httpserver: HTTPServer) -> Site:
    site = Site(threaded_httpserver)

    def slowly(request: Request) -> Response:
        time.sleep(0.04)
        number = int(request.path.rpartition("/")[2])
        return Response(jpeg(number % 140) if number % 10 else b"", mimetype="image/jpeg")

    for number in range(PICTURES):
        site.answer(HAPPY if number % 3 else SAD, f"/p/{number}", slowly)
    return site


@pytest.fixture
def threaded_httpserver() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


def wait_for(site: Site, fetches: int) -> None:
    """Until the site was asked for so many pictures in all."""
    deadline = time.monotonic() + 200
    while len(site.fetches()) < fetches and time.monotonic() < deadline:
        time.sleep(0.005)


def catalogue_in(folder: Path) -> dict[str, list[str]]:
    """All that the crawl wrote, without times, attempts and the order of arrival."""
    cat = open_catalogue(f"sqlite:///{folder / 'catalogue.db'}")
    columns = {
        "fetch": (fetch.c.url, fetch.c.state, fetch.c.photo, fetch.c.status, fetch.c.final_url),
        "sighting": [one for one in sighting.c if one.name not in ("id", "at")],
        "photo": [one for one in photo.c if one.name not in ("at", "number")],
        "search": (search.c.query, search.c.source, search.c.asked, search.c.found),
    }
    tables = {
        name: sorted(json.dumps(row) for row in cat.rows(sa.select(*chosen)))
        for name, chosen in columns.items()
    }
    assert_whole(cat, folder)
    cat.close()
    return tables


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_ten_kills_at_random_moments_change_nothing(site: Site, tmp_path: Path) -> None:
    whole = start(site, tmp_path / "whole")
    whole.join(100)
    rng, killed, progress = random.Random(1), tmp_path / "killed", []
    for _ in range(10):
        process = start(site, killed)
        wait_for(site, len(site.fetches()) + rng.randrange(20))
        time.sleep(rng.uniform(0.0, 0.05))
        process.kill()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        progress.append(len(catalogue_in(killed)["photo"]))
    last = start(site, killed)
    last.join(100)
    assert whole.exitcode == last.exitcode == 0
    assert progress[-1] > progress[0]  # they were killed at work
    assert progress[-1] < 126
    assert len(catalogue_in(killed)["photo"]) == 126
    assert catalogue_in(killed) == catalogue_in(tmp_path / "whole")
    assert not list(killed.glob("**/.part-*"))
