"""Answers that look like one and may be none: asked again, at once and later, and never taken for an end."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from werkzeug import Request, Response

from btfer.catalogue import Catalogue, journal
from btfer.errors import NetworkError, UsageError
from btfer.pipeline import crawl
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.queries import Query, QueryPlan
from btfer.settings import Settings
from btfer.sources.web import Web
from tests.loopback import FAST, HAPPY, Site, jpeg

OTHER = replace(HAPPY, phrase="mujer sonriendo")
PLAN = QueryPlan([HAPPY, OTHER], "v1", [])
Go = Callable[..., CrawlOutcome]


@pytest.fixture
def go(cat: Catalogue, settings: Settings, site: Site) -> Go:
    def run(plan: QueryPlan = PLAN, **options: object) -> CrawlOutcome:
        return crawl.run(cat, settings, [site.source], plan, web=Web(FAST), **options)  # type: ignore[arg-type]

    return run


def asked(site: Site, query: Query) -> int:
    """How often the source was asked for a query's first page."""
    pages = [one.args for one, _ in site.server.log if one.path == "/images/async"]
    return sum(one["q"] == query.phrase and one["first"] == "1" for one in pages)


def answer(site: Site, handler: Callable[[Request], Response]) -> None:
    """Let the source answer in another way."""
    site.server.clear()
    site.server.no_handler_status_code = 404
    site.server.expect_request("/images/async").respond_with_handler(handler)
    for n in range(9):
        site.server.expect_request(f"/{n}.jpg").respond_with_data(jpeg(n))


def page(*urls: str, **more: str) -> Response:
    links = [f"<a class='iusc' m='{json.dumps({'murl': url} | more)}'></a>" for url in urls]
    return Response(f'<ul class="dgControl_list">{"".join(links)}</ul>', mimetype="text/html")


def test_nothing_where_others_of_the_language_have_something_is_asked_again(
    site: Site, go: Go
) -> None:
    site.show(HAPPY, "/1.jpg", jpeg(1))
    outcome = go()
    assert asked(site, OTHER) == 3
    [why] = outcome.searches_suspicious
    assert "mujer sonriendo" in why
    assert "does for others in 'es'" in why
    assert any("1 suspicious" in line for line in outcome.lines())
    site.show(OTHER, "/2.jpg", jpeg(2))  # and a later crawl gets it
    later = go()
    assert (later.searches, later.searches_skipped, later.kept) == (1, 1, 1)
    assert later.searches_suspicious == []
    assert go().searches == 0


def test_nothing_in_a_language_without_anything_is_an_answer(site: Site, go: Go) -> None:
    other = Query("glückliche Frau", "happy", "de")
    site.show(HAPPY, "/1.jpg", jpeg(1))
    outcome = go(QueryPlan([other, HAPPY], "v1", []))
    assert asked(site, other) == 1
    assert outcome.searches_suspicious == []
    assert go(QueryPlan([other, HAPPY], "v1", [])).searches == 0


def test_a_hurdle_that_goes_away_costs_nothing(site: Site, go: Go) -> None:
    hurdles = [Response('<title>x</title><form action="/captcha/x"></form>')] * 2

    def once_more(request: Request) -> Response:
        if request.args["first"] != "1":
            return page()
        if request.args["q"] == OTHER.phrase and hurdles:
            return hurdles.pop()
        return page(
            site.server.url_for("/1.jpg" if request.args["q"] == HAPPY.phrase else "/2.jpg")
        )

    answer(site, once_more)
    outcome = go()
    assert (outcome.kept, outcome.searches_suspicious, outcome.searches_failed) == (2, [], [])


def test_what_stays_suspicious_is_asked_in_three_crawls_and_then_on_request(
    cat: Catalogue, site: Site, go: Go
) -> None:
    site.show(HAPPY, "/1.jpg", jpeg(1))
    for _ in range(3):
        assert len(go().searches_suspicious) == 1
    assert journal.suspicious(cat, "bing") == {OTHER.id: 3}
    quiet = go()
    assert (quiet.searches, quiet.searches_doubtful) == (0, 1)
    assert any("--again suspicious" in line for line in quiet.lines())
    site.show(OTHER, "/2.jpg", jpeg(2))
    assert go(again=["suspicious"]).kept == 1
    assert journal.suspicious(cat, "bing") == {}


def test_a_phrase_can_be_searched_again(site: Site, go: Go) -> None:
    site.show(HAPPY, "/1.jpg", jpeg(1))
    site.show(OTHER, "/2.jpg", jpeg(2))
    go()
    site.show(OTHER, "/3.jpg", jpeg(3))
    outcome = go(again=["Mujer Sonriendo"])
    assert (outcome.searches, outcome.kept) == (1, 1)
    with pytest.raises(UsageError, match=r"did you mean 'mujer sonriendo'"):
        go(again=["mujer sonrendo"])


def test_an_empty_second_page_after_a_full_one_is_no_end(site: Site, go: Go) -> None:
    for n in range(35):
        site.show(HAPPY, f"/{n}.jpg", jpeg(n))
    [why] = go(QueryPlan([HAPPY], "v1", [])).searches_suspicious
    assert "its second page is empty" in why


def test_odd_records_are_skipped_counted_and_told(site: Site, go: Go) -> None:
    good = [site.server.url_for(f"/{n}.jpg") for n in (1, 2, 3)]
    answer(site, lambda request: page(*good, "") if request.args["first"] == "1" else page())
    outcome = go()
    assert (outcome.kept, outcome.odd_records) == (3, {"bing": 2})
    assert any("odd records skipped" in line and "bing 2" in line for line in outcome.lines())


def test_a_source_that_blocks_is_asked_five_times_and_left(
    cat: Catalogue, site: Site, go: Go
) -> None:
    answer(site, lambda _: Response('<title>x</title><form action="/captcha/x"></form>'))
    queries = [replace(HAPPY, phrase=f"mujer {n}") for n in range(9)]
    with pytest.raises(NetworkError, match=r"no search brought anything.*5 searches in a row"):
        go(QueryPlan(queries, "v1", []))
    assert sum(asked(site, one) for one in queries) == 5
    assert len(journal.suspicious(cat, "bing")) == 5


def test_the_copy_is_fetched_where_the_original_is_gone(
    cat: Catalogue, settings: Settings, site: Site, go: Go
) -> None:
    copy, gone = site.server.url_for("/5.jpg"), site.server.url_for("/gone.jpg")
    shown = page(gone, turl=copy, purl="https://host.example/page")
    answer(site, lambda request: shown if request.args["first"] == "1" else page())
    outcome = go(QueryPlan([HAPPY], "v1", []))
    assert (outcome.found, outcome.kept, outcome.refused) == (2, 1, {"http 404": 1})
    assert journal.end_of(cat, copy).state == "kept"
    assert journal.copies_of(cat, [gone]) == {copy}  # which are withdrawn with it


def test_what_is_said_to_be_too_small_for_a_face_is_not_asked_for(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    named = settings.model_copy(update={"contact": "https://example.org/crawl"})
    small, large = (site.show(HAPPY, f"/{n}.jpg", jpeg(n)) for n in (1, 2))
    site.sizes[small] = (300, 39)
    outcome = crawl.run(cat, named, [site.commons], PLAN, web=Web(FAST))
    assert (outcome.kept, outcome.refused) == (1, {"too small": 1})
    assert site.fetches() == ["/2.jpg"]
    assert journal.end_of(cat, large).state == "kept"
