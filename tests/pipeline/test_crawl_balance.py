"""A crawl fills the cells of a class evenly: groups of people and languages."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.catalogue import Catalogue, photos
from btfer.errors import UsageError
from btfer.pipeline import crawl
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.queries import Cell, Query, QueryPlan
from btfer.queries.cells import interleave
from btfer.settings import Settings
from btfer.sources.web import Web
from tests.conftest import as_bytes, draw_photo
from tests.loopback import FAST, Site

AGES, ETHNICITIES, GENDERS, LANGUAGES = (
    ("toddler", "adult", "elderly"), ("Black", "Asian"), ("female", "male"), ("en", "es"),
)  # fmt: skip
GROUPS = interleave(itertools.product(AGES, ETHNICITIES, GENDERS, LANGUAGES))
SMALL = [as_bytes(draw_photo(seed, (48, 48))) for seed in range(40)]


def query(group: tuple[str, ...], term: int = 0, label: str = "happy") -> Query:
    age, ethnicity, gender, language = group
    phrase = f"{label} {age} {ethnicity} {gender} {language} {term}"
    return Query(phrase, label, language, ethnicity, gender, age, "v1")


def picture(number: int) -> bytes:
    """A small JPEG like no other: the bytes behind its end are no part of the picture."""
    return SMALL[number % len(SMALL)] + f"{number:09}".encode()


@pytest.fixture
def site(threaded_httpserver: HTTPServer) -> Site:
    return Site(threaded_httpserver)


@pytest.fixture
def threaded_httpserver() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


def fill(site: Site, asked: Query, n: int, start: int) -> None:
    for number in range(start, start + n):
        site.show(asked, f"/p/{number}", picture(number), content_type="image/jpeg")


def by_cell(cat: Catalogue, label: str = "happy") -> Counter[Cell]:
    found = photos.count_by_cell(cat)
    return Counter({cell: n for cell, n in found.items() if cell.expression == label})


def crawled(
    cat: Catalogue, settings: Settings, site: Site, plan: QueryPlan, target: int
) -> CrawlOutcome:
    return crawl.run(cat, settings, [site.source], plan, target_per_class=target, web=Web(FAST))


def test_a_target_is_filled_evenly_over_groups_and_languages(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    plan = QueryPlan([query(one) for one in GROUPS], "v1", [])
    for place, one in enumerate(plan.queries):
        fill(site, one, 20, 100 * place)
    outcome = crawled(cat, settings, site, plan, 240)
    counts = by_cell(cat)
    assert len(counts) == 24
    assert (min(counts.values()), max(counts.values())) == (10, 10)
    assert outcome.have == {"happy": 240}
    assert outcome.waiting == 24 * 10
    assert outcome.empty_cells() == []


def test_losses_of_a_cell_are_made_good_by_its_other_pictures(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    plan = QueryPlan([query(one) for one in GROUPS[:10]], "v1", [])
    for place, one in enumerate(plan.queries):
        fill(site, one, 24, 100 * place)
        for number in range(
            3 * place % 12
        ):  # as many are gone as the cell's place in the plan says
            site.show(one, f"/gone/{place}-{number}", b"", status=404)
            site.results[one.phrase].insert(0, site.results[one.phrase].pop())
    outcome = crawled(cat, settings, site, plan, 150)
    assert set(by_cell(cat).values()) == {15}
    assert outcome.have == {"happy": 150}
    assert outcome.refused["http 404"] > 10


def test_a_source_that_no_words_can_be_added_for_is_named(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    plan = QueryPlan([query(GROUPS[0])], "v1", [], {"bong": {"all": "face"}})
    with pytest.raises(UsageError, match=r"unknown source 'bong'; choose one of bing, commons"):
        crawled(cat, settings, site, plan, 5)


def test_the_words_of_a_source_are_asked_and_the_journal_has_the_phrase_alone(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    asked = query(GROUPS[0])
    plan = QueryPlan([asked], "v1", [], {"bing": {"all": "-cartoon", asked.language: "face"}})
    site.results[f"{asked.phrase} face -cartoon"] = site.results.setdefault(asked.phrase, [])
    fill(site, asked, 2, 0)
    crawled(cat, settings, site, plan, 5)
    assert by_cell(cat) == {asked.cell: 2}
    [photo, _] = photos.find(cat, "")
    assert photos.sightings(cat, photo.sha256)[0].phrase == asked.phrase


def test_what_a_cell_cannot_give_is_dealt_out_again(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    groups = GROUPS[:6]
    plan = QueryPlan([query(one, term) for term in range(2) for one in groups], "v1", [])
    for place, one in enumerate(plan.queries):
        poor = one.cell == plan.queries[0].cell
        fill(site, one, 1 if poor else 12, 100 * place)
    outcome = crawled(cat, settings, site, plan, 60)
    counts = by_cell(cat)
    assert sum(counts.values()) == 60
    assert counts.pop(plan.queries[0].cell) == 2
    assert max(counts.values()) - min(counts.values()) <= 1
    assert outcome.have == {"happy": 60}
    assert outcome.searches + outcome.searches_spared == 12
    again = crawled(cat, settings, site, plan, 60)
    assert (again.kept, again.searches) == (0, 0)


def test_what_the_whole_plan_cannot_give_is_said(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    plan = QueryPlan([query(one) for one in GROUPS[:3]], "v1", [])
    for place, one in enumerate(plan.queries[:2]):
        fill(site, one, 3, 100 * place)
    text = "\n".join(crawled(cat, settings, site, plan, 10).lines())
    assert "missing, since the plan's searches show no more: happy 4" in text
    assert f"1 cells without a photo: {plan.queries[2].cell}" in text


def stopped_at(
    n: int, cat: Catalogue, settings: Settings, site: Site, plan: QueryPlan, **options: Any
) -> CrawlOutcome:
    """A crawl that is told to stop once it has kept so many."""
    stop = Event()

    def look(outcome: CrawlOutcome) -> None:
        if outcome.kept >= n:
            stop.set()

    web = Web(FAST)
    return crawl.run(
        cat, settings, [site.source], plan, web=web, watch=look, stop=stop, threads=4, **options
    )


def test_a_crawl_with_a_target_is_balanced_whenever_it_is_stopped(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    plan = QueryPlan([query(one) for one in GROUPS[:8]], "v1", [])
    for place, one in enumerate(plan.queries):
        fill(site, one, 30, 100 * place)
    outcome = stopped_at(48, cat, settings, site, plan, target_per_class=96)
    assert outcome.stopped
    assert 48 <= outcome.kept < 96
    assert max(by_cell(cat).values()) <= 12  # no cell is ahead of its share
    crawled(cat, settings, site, plan, 96)
    assert set(by_cell(cat).values()) == {12}


def test_without_a_target_the_emptiest_cells_are_fetched_first(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    plan = QueryPlan([query(one) for one in GROUPS[:8]], "v1", [])

    def slowly(request: Request) -> Response:
        time.sleep(0.03)
        return Response(picture(int(request.path.rpartition("/")[2])), mimetype="image/jpeg")

    for place, one in enumerate(plan.queries):
        for number in range(30):
            site.answer(one, f"/p/{100 * place + number}", slowly)
    stopped_at(120, cat, settings, site, plan)
    counts = by_cell(cat)
    assert len(counts) == 8
    assert (
        max(counts.values()) - min(counts.values()) <= 12
    )  # of the first, while others were asked
