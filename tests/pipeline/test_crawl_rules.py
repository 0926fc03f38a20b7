"""What a crawl leaves alone: classes that have enough, licences that do not fit, what was withdrawn or blocked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from btfer.catalogue import Catalogue, journal, photos, withdrawals
from btfer.errors import UsageError
from btfer.pipeline import crawl
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.import_photos import import_folder
from btfer.queries import QueryPlan
from btfer.settings import Settings
from btfer.sources.web import Web
from tests.loopback import FAST, HAPPY, PLAN, SAD, Site, jpeg, row_of, rows

Go = Callable[..., CrawlOutcome]


@pytest.fixture
def named(settings: Settings) -> Settings:
    """Settings that Commons accepts."""
    return settings.model_copy(update={"contact": "https://example.org/crawl"})


def test_all_sources_together_bring_every_picture_with_its_whole_provenance(
    cat: Catalogue, named: Settings, site: Site
) -> None:
    for number in range(90):
        site.show(HAPPY if number % 2 else SAD, f"/{number}.jpg", jpeg(number))
    sources = [site.source, site.commons]
    outcome = crawl.run(cat, named, sources, PLAN, web=Web(FAST))
    assert (outcome.searches, outcome.found, outcome.known) == (4, 180, 90)
    assert outcome.new_photos == photos.count(cat) == 90
    for photo in photos.find(cat, ""):
        seen = photos.sightings(cat, photo.sha256)
        assert {one.source for one in seen} == {"bing", "commons"}
        for one in seen:
            assert one.phrase in (HAPPY.phrase, SAD.phrase)
            assert one.plan == "v1"
            assert one.language in ("es", "en")
            assert 1 <= one.rank <= 45
            assert one.page_url.startswith(one.url)
            assert one.at
        [free] = [one for one in seen if one.source == "commons"]
        assert free.licence == "CC BY 4.0"
        assert free.licence_url.startswith("https://creativecommons.org/")
        assert (free.author, free.title[-4:]) == ("A Painter", ".jpg")


def test_a_class_that_has_its_target_is_neither_searched_nor_fetched(
    cat: Catalogue, settings: Settings, site: Site, go: Go
) -> None:
    for number in range(95):
        site.show(HAPPY, f"/{number}.jpg", jpeg(number))
    site.show(SAD, "/sad.jpg", jpeg(99))
    outcome = go(target_per_class=5, threads=1)
    assert 5 <= outcome.have["happy"] < 95  # what was on its way still came
    assert outcome.waiting == 96 - outcome.kept > 0
    assert len(site.fetches()) < 96
    later = replace(HAPPY, phrase="mujer sonriendo")
    plan = QueryPlan([later, SAD], "v1", [])
    again = crawl.run(cat, settings, [site.source], plan, target_per_class=5, web=Web(FAST))
    assert (again.searches, again.searches_spared, again.kept) == (0, 1, 0)
    assert go().kept == outcome.waiting - again.kept  # without a target the rest comes


@pytest.mark.parametrize(
    ("rule", "kept"), [("any", 2), ("stated", 1), ("derivatives", 1), ("free", 1)]
)
def test_photos_without_a_fitting_licence_are_not_fetched(
    cat: Catalogue, named: Settings, site: Site, rule: str, kept: int
) -> None:
    settings = named.model_copy(update={"licences": rule})
    site.show(HAPPY, "/stated.jpg", jpeg(1))
    silent = site.show(HAPPY, "/silent.jpg", jpeg(2))
    site.silent.add(silent)
    crawl.run(cat, settings, [site.commons], PLAN, web=Web(FAST))
    assert photos.count(cat) == kept
    assert row_of(cat, silent)["reason"] == ("" if rule == "any" else "licence")
    assert ("/silent.jpg" in site.fetches()) == (rule == "any")
    if rule != "any":  # and when the rule has changed, they can be had by name
        free = settings.model_copy(update={"licences": "any"})
        again = crawl.run(cat, free, [site.commons], PLAN, retry=["licence"], web=Web(FAST))
        assert (again.retried, again.kept) == (1, 1)


def test_a_source_that_states_no_licence_is_not_searched_under_a_licence_rule(
    cat: Catalogue, named: Settings, site: Site
) -> None:
    settings = named.model_copy(update={"licences": "free"})
    site.show(HAPPY, "/a.jpg", jpeg(1))
    sources = [site.source, site.commons]
    outcome = crawl.run(cat, settings, sources, PLAN, web=Web(FAST))
    assert outcome.kept == 1
    assert "bing was not searched: it states no licence (--licences free)" in outcome.lines()
    assert "/images/async" not in [request.path for request, _ in site.server.log]
    with pytest.raises(UsageError, match=r"bing states no licence.*commons, flickr"):
        crawl.run(cat, settings, [site.source], PLAN, web=Web(FAST))


def test_what_was_withdrawn_is_never_fetched_nor_stored(
    cat: Catalogue, settings: Settings, site: Site, go: Go, tmp_path: Path
) -> None:
    by_url = site.show(HAPPY, "/url.jpg", jpeg(1))
    by_page = site.show(HAPPY, "/page.jpg", jpeg(2))
    by_hash = site.show(SAD, "/hash.jpg", jpeg(3))
    moved = site.show(SAD, "/r", b"", status=302, headers={"Location": "/there.jpg"})
    site.server.expect_request("/there.jpg").respond_with_data(jpeg(4))
    digest = journal.hashlib.sha256(jpeg(3)).hexdigest()
    there = site.server.url_for("/there.jpg")
    withdrawals.add(cat, [by_url, f"{by_page}#page", digest, there])
    assert go().refused == {"withdrawn": 4}
    assert {row["reason"] for row in rows(cat)} == {"withdrawn"}
    assert {"/url.jpg", "/page.jpg"}.isdisjoint(site.fetches())
    assert row_of(cat, by_hash)["photo"] is row_of(cat, moved)["photo"] is None
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "copy.jpg").write_bytes(jpeg(3))
    taken = import_folder(cat, settings, tmp_path / "own")
    assert taken.refused == {"withdrawn": 1}
    assert photos.count(cat) == 0
    assert [one for one in settings.data_dir.rglob("*.jpg") if digest in one.name] == []


def test_hosts_on_the_block_list_are_not_asked(
    cat: Catalogue, settings: Settings, site: Site, tmp_path: Path
) -> None:
    listed = settings.model_copy(update={"queries_dir": tmp_path / "queries"})
    listed.queries_dir.mkdir()
    (listed.queries_dir / "blocked.txt").write_text(f"{site.server.url_for('/private/')}\n")
    site.show(HAPPY, "/private/a.jpg", jpeg(1))
    site.show(HAPPY, "/open.jpg", jpeg(2))
    outcome = crawl.run(cat, listed, [site.source], PLAN)
    assert outcome.refused == {"blocked": 1}
    assert site.fetches() == ["/open.jpg"]


@pytest.mark.parametrize(
    ("words", "reasons"),
    [(["failed"], ["failed"]), (["timeout,429"], ["timeout", "http 429"]), (["503 ", ""], ["http 503"])],
)  # fmt: skip
def test_retry_takes_words_and_numbers(words: list[str], reasons: list[str]) -> None:
    assert crawl.retry_reasons(words) == reasons


@pytest.mark.parametrize("wrong", [{"per_query": 0}, {"target_per_class": 0}])
def test_numbers_that_cannot_be_right_are_refused(go: Go, wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="must be 1 or more, got 0"):
        go(**wrong)
