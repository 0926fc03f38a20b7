"""A crawl of 200 hosts with every fault in five answers of a hundred: nothing lost, nobody asked too much."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from btfer.catalogue import Catalogue
from btfer.catalogue.store import Row
from btfer.pipeline import crawl
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.settings import Settings
from btfer.sources.web import Manners, Web
from tests.faulty_web import (
    CRAWL_DELAY_S,
    HOSTS,
    PICTURES,
    PRIVATE,
    FaultyWeb,
    faulty_web,
    is_expected,
)
from tests.loopback import HAPPY, PLAN, SAD, Site, rows

N_HOSTS = 200
PACE_S = 0.05
LAG_S = 0.1  # of a busy machine, between a request and its line in the log
LATE_S = (
    1.0  # the most that the first picture's line may be late: of 2.5 s, where no pace is 0.25 s
)
MANNERS = Manners(
    host_delay_s=PACE_S,
    trusted_hosts=frozenset({"localhost"}),
    timeout_s=8,
    wall_clock_s=5,
    back_off_s=0.01,
    max_bytes=100_000,
)


def kinds() -> dict[str, str]:
    """Every kind of host five times in a hundred, the rest ordinary."""
    words = list(HOSTS)
    return {
        f"h{n:03d}.test": words[n % 20] if n % 20 < len(words) else "ordinary"
        for n in range(N_HOSTS)
    } | {"private.test": "ordinary"}


def show(site: Site, web: FaultyWeb) -> dict[str, tuple[str, str]]:
    """List the pictures in the searches; the end that each must come to, by URL."""
    ends = {}
    words = list(PICTURES)
    numbers = iter(range(100_000))
    for host, kind in web.kinds.items():
        if kind == "ordinary" and host != "private.test":
            for position in range(20):
                fault = words[position] if position < len(words) else ""
                url = web.url(host, next(numbers), fault)
                ends[url] = PICTURES.get(fault, ("kept", ""))
        elif kind in HOSTS:
            for _ in range(12 if kind.endswith("storm") else 6 if kind == "slow pace" else 3):
                ends[web.url(host, next(numbers))] = HOSTS[kind]
    for n, url in enumerate(ends):
        site.add((HAPPY, SAD)[n % 2], url)
    return ends


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWeb]:
    with faulty_web(monkeypatch, kinds()) as found:
        yield found


def gaps_s(web: FaultyWeb, host: str) -> list[float]:
    times = [visit.at for visit in web.visits[host]]
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.slow
def test_every_url_of_a_faulty_web_has_a_stated_end_and_no_host_is_asked_too_much(
    cat: Catalogue, settings: Settings, site: Site, web: FaultyWeb
) -> None:
    ends = show(site, web)
    outcome = crawl.run(
        cat, settings, [site.source], PLAN, per_query=2_000, web=Web(MANNERS), threads=64
    )
    found = {row["url"]: row for row in rows(cat)}
    assert set(found) == set(ends)
    odd = Counter(
        (web.kind_of(url), row["state"], row["reason"])
        for url, row in found.items()
        if not is_expected(row, ends[url])
    )
    assert not odd
    assert_outcome(outcome, found)
    assert_manners(web)


def assert_outcome(outcome: CrawlOutcome, found: dict[str, Row]) -> None:
    waiting = [row for row in found.values() if row["state"] == "found"]
    assert outcome.waiting == len(waiting) == sum(outcome.held.values())
    assert all(row["reason"] for row in waiting)
    assert any("crawl again in" in line for line in outcome.lines())


def assert_pace(web: FaultyWeb, host: str) -> None:
    """Over all pictures: one gap may be short, where a busy machine held the request before it up."""
    times = [visit.at for visit in web.pictures(host)]
    assert times[-1] - times[0] >= CRAWL_DELAY_S * (len(times) - 1) - LATE_S, host


def test_a_host_is_asked_at_its_own_pace(
    cat: Catalogue, settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One host alone: among many, the queue keeps its pictures apart even where no pace is kept.
    with faulty_web(monkeypatch, {"slow.test": "slow pace"}) as web:
        for n in range(6):
            site.add(HAPPY, web.url("slow.test", n))
        outcome = crawl.run(cat, settings, [site.source], PLAN, web=Web(MANNERS), threads=64)
    assert outcome.kept == 6
    assert_pace(web, "slow.test")


def assert_manners(web: FaultyWeb) -> None:
    for host, kind in web.kinds.items():
        asked = len(web.pictures(host))
        crowded = [one for one in web.visits[host] if one.others >= MANNERS.max_per_host]
        assert not crowded, (host, kind)
        assert sum(gaps_s(web, host)) >= PACE_S * len(gaps_s(web, host)) - LAG_S
        if HOSTS.get(kind, ("", ""))[1] in ("robots", "opt-out", "robots.txt down"):
            assert asked == 0, (host, kind)
        if kind == "busy for an hour":
            assert asked <= MANNERS.max_per_host
        if kind.endswith("storm"):
            assert asked <= MANNERS.break_after + MANNERS.max_per_host, (host, kind)
        if kind == "slow pace":
            assert_pace(web, host)
    assert PRIVATE not in web.looked_up, "a private address was connected to"
    assert web.looked_up <= set(web.kinds) | {"localhost", "127.0.0.1"}
