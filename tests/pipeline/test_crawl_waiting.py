"""Hosts that ask to wait are waited for: their URLs stay, the others go on."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from werkzeug import Request, Response

from btfer.catalogue import Catalogue
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.sources.web import Web
from tests.loopback import FAST, SAD, Site, jpeg, row_of, rows

Go = Callable[..., CrawlOutcome]


def elsewhere(url: str) -> str:
    """The same picture at another host."""
    return url.replace("localhost", "127.0.0.1")


def test_urls_of_a_host_that_asks_to_wait_stay_waiting(cat: Catalogue, site: Site, go: Go) -> None:
    busy = Response(status=429, headers={"Retry-After": "900"})
    answers = {"now": busy}
    for n in range(40):
        site.answer(SAD, f"/{n}.jpg", lambda _: answers["now"])
    site.server.expect_request("/other.jpg").respond_with_data(jpeg(99))
    other = site.add(SAD, elsewhere(site.server.url_for("/other.jpg")))
    outcome = go()
    assert (outcome.kept, outcome.waiting, outcome.held) == (1, 40, {"told to wait": 40})
    assert row_of(cat, other)["state"] == "kept"
    assert {(row["state"], row["reason"]) for row in rows(cat) if row["url"] != other} == {
        ("found", "told to wait")
    }
    assert len(site.fetches()) <= 3
    [line] = [one for one in outcome.lines() if "crawl again" in one]
    assert line.startswith("crawl again in 15 minutes, or use --wait: localhost wants to be left")
    answers["now"] = Response(jpeg(1))
    assert go().kept == 40


def test_a_storm_of_refusals_is_not_answered_with_a_storm(site: Site, go: Go) -> None:
    for n in range(40):
        site.show(SAD, f"/{n}.jpg", b"", status=429)
    outcome = go()
    assert outcome.waiting == 40
    assert len(site.fetches()) <= 7


@pytest.mark.slow
def test_wait_stays_until_the_host_may_be_asked(site: Site, go: Go) -> None:
    came: list[float] = []

    def answer(_: Request) -> Response:
        came.append(time.monotonic())
        return (
            Response(status=429, headers={"Retry-After": "2"})
            if len(came) == 1
            else Response(jpeg(1))
        )

    for n in range(3):
        site.answer(SAD, f"/{n}.jpg", answer)
    web = Web(replace(FAST, max_wait_s=0.5, max_per_host=1, break_s=2.0))
    outcome = go(web=web, wait=True)
    assert (outcome.kept, outcome.waiting, outcome.held) == (3, 0, {})
    assert came[1] - came[0] >= 2


def test_wait_does_not_stay_for_a_host_that_never_answers(site: Site, go: Go) -> None:
    for n in range(12):
        site.show(SAD, f"/{n}.jpg", b"", status=429)
    web = Web(replace(FAST, max_wait_s=0.01, break_s=0.02, attempts=1, break_after=1))
    outcome = go(web=web, wait=True)
    assert outcome.waiting == 12
    assert len(site.fetches()) <= 9
