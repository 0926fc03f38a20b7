import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug import Response

from btfer.catalogue import Catalogue, journal, photos
from btfer.errors import BtferError, Busy, NetworkError, UsageError
from btfer.files import only_one
from btfer.paths import photo_path, thumbnail_path
from btfer.pipeline import crawl, import_photos
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.import_photos import import_folder
from btfer.queries import Query, QueryPlan
from btfer.settings import Settings
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.search import SearchParser
from btfer.sources.web import Manners, Web, WebResponse
from tests.conftest import as_bytes, draw_photo
from tests.loopback import FAST, HAPPY, PLAN, SAD, Site, jpeg, row_of, rows


def test_a_photo_comes_with_its_files_and_its_provenance(
    cat: Catalogue, settings: Settings, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    url = site.show(HAPPY, "/a.jpg", jpeg(1), content_type="image/jpeg", headers={"ETag": '"x"'})
    outcome = go()
    assert (outcome.searches, outcome.found, outcome.kept, outcome.new_photos) == (2, 1, 1, 1)
    row = row_of(cat, url)
    assert (row["state"], row["status"], row["etag"]) == ("kept", 200, '"x"')
    assert photo_path(settings.data_dir, row["photo"], "jpg").read_bytes() == jpeg(1)
    assert thumbnail_path(settings.data_dir, row["photo"]).is_file()
    label = photos.labels(cat)[row["photo"]]
    assert (label.expression, label.language, label.source) == ("happy", "es", "bing")


def test_every_loss_has_its_reason_and_the_sum_is_right(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    site.show(HAPPY, "/good.jpg", jpeg(1))
    site.show(HAPPY, "/webp.jpg", as_bytes(draw_photo(2), "WEBP"))
    site.show(HAPPY, "/niña feliz.jpg", jpeg(3))
    site.show(SAD, "/gone.jpg", b"", status=404)
    site.show(SAD, "/page.jpg", b"<html>log in</html>", content_type="image/jpeg")
    site.show(SAD, "/nothing.jpg", b"")
    site.show(SAD, "/half.jpg", jpeg(4)[:-900])
    site.show(SAD, "/tiny.png", as_bytes(draw_photo(5, (20, 20)), "PNG"))
    site.show(SAD, "/huge.jpg", b"\xff" * 100_001)
    site.show(SAD, "/no.jpg", jpeg(6), headers={"X-Robots-Tag": "noai"})
    site.show(SAD, "/later.jpg", b"", status=500)
    site.add(SAD, "http://localhost:9/dead.jpg")
    site.add(SAD, "http://[bad/dead.jpg")
    outcome = go()
    assert (outcome.found, outcome.kept, outcome.new_photos) == (13, 3, 3)
    assert outcome.refused == {
        "http 404": 1,
        "not an image": 1,
        "empty": 1,
        "truncated": 1,
        "too small": 1,
        "too large": 1,
        "opt-out": 1,
        "bad url": 1,
    }
    assert outcome.failed == {"http 500": 1, "no connection": 1}
    text = " ".join("\n".join(outcome.lines()).split())
    assert "+13 URLs found -3 kept: 3 new photos, 0 with the bytes of another -8 refused" in text
    assert "failed 1 http 500" in text
    formats = {photos.find(cat, row["photo"])[0].format for row in rows(cat) if row["photo"]}
    assert formats == {"jpg", "webp"}


def test_private_addresses_are_refused_unless_allowed(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    site.show(HAPPY, "/a.jpg", jpeg(1))
    web = Web(Manners(host_delay_s=0, trusted_hosts=frozenset({"localhost"})))
    site.results = {
        phrase: [url.replace("localhost", "127.0.0.1") for url in urls]
        for phrase, urls in site.results.items()
    }
    outcome = crawl.run(cat, settings, [site.source], PLAN, web=web)
    assert outcome.refused == {"private address": 1}
    assert site.fetches() == []


def test_a_title_that_no_database_takes_is_mended(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    url = site.show(HAPPY, "/a.jpg", jpeg(1))
    site.titles[url] = "cut \ud83d off \0 here"
    assert go().kept == 1
    assert photos.sightings(cat, rows(cat)[0]["photo"])[0].title == "cut ? off  here"


def test_two_urls_with_the_same_bytes_are_two_sightings_of_one_photo(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    site.show(HAPPY, "/a.jpg", jpeg(1))
    site.show(SAD, "/b.jpg", jpeg(1))
    outcome = go(threads=1)
    assert (outcome.kept, outcome.new_photos, photos.count(cat)) == (2, 1, 1)
    assert sorted(row["reason"] for row in rows(cat)) == ["", "duplicate bytes"]
    assert len(photos.sightings(cat, rows(cat)[0]["photo"])) == 2


def test_a_url_of_two_queries_is_fetched_once_and_seen_twice(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    url = site.show(HAPPY, "/a.jpg", jpeg(1))
    site.add(SAD, url)
    outcome = go()
    assert (outcome.found, outcome.known, outcome.kept) == (2, 1, 1)
    assert site.fetches() == ["/a.jpg"]
    assert len(photos.sightings(cat, rows(cat)[0]["photo"])) == 2


def test_under_back_pressure_every_picture_is_kept(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    for number in range(60):
        site.show(HAPPY if number % 2 else SAD, f"/{number}.jpg", jpeg(number))
    outcome = go(threads=2)
    assert (outcome.found, outcome.new_photos, photos.count(cat)) == (60, 60, 60)


def test_a_second_run_searches_and_fetches_nothing_twice_but_what_is_asked_anew(
    site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    for number in range(37):
        site.show(HAPPY, f"/{number}.jpg", jpeg(number))
    site.show(SAD, "/gone.jpg", b"", status=404)
    assert go(per_query=3).found == 35 + 1  # all of the page that had three
    site.server.clear_log()
    again = go(per_query=3)
    assert site.fetches() == []
    assert (again.searches, again.searches_skipped, again.kept) == (0, 2, 0)
    more = go(per_query=36)
    assert sorted(site.fetches()) == ["/35.jpg", "/36.jpg"]
    assert (more.found, more.known, more.kept) == (38, 36, 2)


def test_an_interrupted_crawl_goes_on_where_it_was(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    for number in range(99):
        site.show(HAPPY, f"/{number}.jpg", jpeg(number))

    def interrupt(outcome: CrawlOutcome) -> None:
        if outcome.kept >= 5:
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        go(watch=interrupt, threads=4)
    assert threading.active_count() <= before + 1  # the server's own; no thread of ours is left
    done = photos.count(cat)
    assert 5 <= done < 99
    outcome = go()
    assert (outcome.new_photos, photos.count(cat)) == (99 - done, 99)


def test_what_another_source_left_behind_is_fetched_when_it_is_seen_again(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    url = site.show(HAPPY, "/a.jpg", jpeg(1))
    journal.add_found(cat, HAPPY, [journal.Sighting(url, "commons")])  # stopped before the fetch
    outcome = go()
    assert (outcome.found, outcome.known, outcome.waiting_before, outcome.kept) == (1, 1, 1, 1)


def test_failed_urls_are_tried_again_only_on_demand(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    answers = {"now": Response(status=500)}
    site.server.expect_request("/a.jpg").respond_with_handler(lambda _: answers["now"])
    url = site.add(HAPPY, site.server.url_for("/a.jpg"))
    assert go().failed == {"http 500": 1}
    answers["now"] = Response(jpeg(1))
    assert go().kept == 0
    assert go(retry=["timeout"]).kept == 0
    outcome = go(retry=["http 500"])
    assert (outcome.retried, outcome.kept) == (1, 1)
    assert row_of(cat, url)["attempts"] == 4  # three in the first crawl


def test_one_class_is_searched_and_fetched_alone(
    site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    site.show(HAPPY, "/a.jpg", jpeg(1))
    site.show(SAD, "/b.jpg", jpeg(2))
    assert go(classes=["sadness"]).searches == 1
    assert site.fetches() == ["/b.jpg"]
    assert go(limit=1).searches == 1
    assert site.fetches() == ["/b.jpg", "/a.jpg"]


def test_a_changed_page_is_a_visible_failure_and_the_rest_goes_on(
    site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    site.show(HAPPY, "/a.jpg", jpeg(1))
    site.captcha = SAD.phrase
    outcome = go()
    assert outcome.kept == 1
    assert len(outcome.searches_failed) == 1
    assert "sad man" in outcome.searches_failed[0]
    assert "has changed and cannot be read" in "\n".join(outcome.lines())


def test_a_source_that_only_fails_is_left_and_is_no_success(
    cat: Catalogue, settings: Settings, site: Site
) -> None:
    plan = QueryPlan([Query(f"sad man {n}", "sad", "en") for n in range(9)], "v1", [])
    site.server.clear()
    site.server.expect_request("/images/async").respond_with_data("", status=403)
    with pytest.raises(NetworkError, match=r"no search brought anything.*http 403"):
        crawl.run(cat, settings, [site.source], plan, web=Web(FAST))
    assert len(site.server.log) == 5


def test_a_source_that_cannot_be_reached_is_a_network_error(
    cat: Catalogue, settings: Settings
) -> None:
    with pytest.raises(NetworkError, match="bing cannot be reached"):
        crawl.run(cat, settings, [bing("http://localhost:9")], PLAN, web=Web(FAST))


@pytest.mark.slow
def test_a_proxy_that_may_be_what_is_wrong_is_named_without_its_password(
    cat: Catalogue, settings: Settings
) -> None:
    web = Web(replace(FAST, proxy="http://ann:secret@localhost:9"))
    with pytest.raises(NetworkError, match="reached through the proxy localhost:9 ") as found:
        crawl.run(cat, settings, [bing("http://example.invalid")], PLAN, web=web)
    assert "secret" not in str(found.value)


def test_a_source_that_drops_the_first_search_is_asked_again(
    site: Site, go: Callable[..., CrawlOutcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.show(HAPPY, "/a.jpg", jpeg(1))
    down = [NotFetched("failed", "no connection")] * 2
    ask = SearchParser._ask

    def drop_two(parser: SearchParser, url: str, **how: Any) -> WebResponse:
        if down:
            raise down.pop()
        return ask(parser, url, **how)

    monkeypatch.setattr(SearchParser, "_ask", drop_two)
    outcome = go()
    assert (outcome.kept, outcome.sources_left) == (1, [])


def test_commons_refuses_to_start_without_a_contact(cat: Catalogue, settings: Settings) -> None:
    with pytest.raises(UsageError, match="BTFER_CONTACT"):
        crawl.run(cat, settings, [commons("http://localhost:9")], PLAN)


def test_only_one_crawl_runs_on_a_data_folder(
    settings: Settings, go: Callable[..., CrawlOutcome]
) -> None:
    with only_one(settings.data_dir, "crawl"), pytest.raises(Busy):
        go()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "happy").mkdir(parents=True)
    (root / "a.jpg").write_bytes(jpeg(1))
    (root / "b.jpg").write_bytes(jpeg(2))
    (root / "happy" / "c.png").write_bytes(as_bytes(draw_photo(3), "PNG"))
    (root / "happy" / "copy.jpg").write_bytes(jpeg(1))
    (root / "notes.txt").write_text("not a photo")
    return root


def test_a_folder_is_taken_in_with_its_labels(
    cat: Catalogue, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,expression,licence\na.jpg,Sadness,CC0\ngone.jpg,sad,\n")
    outcome = import_folder(cat, settings, folder, table)
    assert (outcome.found, outcome.kept, outcome.new_photos) == (6, 4, 3)
    assert outcome.refused == {"not an image": 1}
    assert outcome.failed == {"no such file": 1}
    expressions = [one.expression for one in photos.labels(cat).values()]
    assert sorted(expressions) == ["happy", "sad", "unlabelled"]
    assert [one.licence for one in photos.labels(cat).values()].count("CC0") == 1


def test_importing_again_takes_in_only_what_is_new(
    cat: Catalogue, settings: Settings, folder: Path
) -> None:
    import_folder(cat, settings, folder)
    (folder / "new.jpg").write_bytes(jpeg(9))
    again = import_folder(cat, settings, folder)
    assert (again.found, again.known, again.kept, again.retried) == (6, 5, 1, 0)


def test_files_are_written_several_in_a_transaction_and_large_ones_fewer(
    cat: Catalogue, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "many"
    root.mkdir()
    for seed in range(70):
        (root / f"{seed:02}.jpg").write_bytes(jpeg(seed))
    whole = _transactions(lambda: import_folder(cat, settings, root))
    assert whole < 10
    assert photos.count(cat) == 70
    monkeypatch.setattr(import_photos, "MOST_HELD", 1)
    for seed in range(70, 90):
        (root / f"{seed}.jpg").write_bytes(jpeg(seed))
    assert _transactions(lambda: import_folder(cat, settings, root)) >= 20
    assert photos.count(cat) == 90


def _transactions(work: Callable[[], object]) -> int:
    """How many a piece of work writes."""
    ended: list[None] = []

    def count(_: sa.Connection) -> None:
        ended.append(None)

    sa.event.listen(sa.Engine, "commit", count)
    work()
    sa.event.remove(sa.Engine, "commit", count)
    return len(ended)


class WhileAnotherMachineCrawls:
    """Once a file is taken in here, another machine, which has a lock of its own, has found a photo."""

    def __init__(self, cat: Catalogue) -> None:
        self.cat = cat

    def update(self, stage: str, done: int, total: int) -> None:
        seen = [journal.Sighting("https://example.org/a.jpg", "bing", page_url="")]
        journal.add_found(self.cat, HAPPY, seen)

    def say(self, text: str) -> None:
        pass


def test_a_crawl_of_another_machine_meanwhile_is_said_in_one_line_and_the_import_can_go_on(
    cat: Catalogue, settings: Settings, folder: Path
) -> None:
    with pytest.raises(BtferError, match=r"files came in.* If another machine crawled") as told:
        import_folder(cat, settings, folder, progress=WhileAnotherMachineCrawls(cat))
    assert "CrawlOutcome" not in str(told.value)
    assert photos.count(cat) == 3
    assert import_folder(cat, settings, folder).kept == 0


def test_an_unknown_class_stops_before_anything_is_taken_in(
    cat: Catalogue, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,expression\na.jpg,sad\nb.jpg,grumpy\n")
    with pytest.raises(UsageError, match=r"labels.csv, line 3: unknown expression class 'grumpy'"):
        import_folder(cat, settings, folder, table)
    assert photos.count(cat) == 0
    assert journal.losses(cat) == []


def test_a_file_that_failed_is_tried_again_at_the_next_import(
    cat: Catalogue, settings: Settings, folder: Path
) -> None:
    (folder / "link.jpg").symlink_to(folder / "later.bin")
    assert import_folder(cat, settings, folder).failed == {"no such file": 1}
    (folder / "later.bin").write_bytes(jpeg(7))
    (folder / "link.jpg").unlink()
    (folder / "later.bin").rename(folder / "link.jpg")
    again = import_folder(cat, settings, folder)
    assert (again.retried, again.kept) == (1, 1)


def test_what_an_import_lost_is_named_and_how_to_try_again_is_true(
    cat: Catalogue, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,expression\na.jpg,sad\nsub/gone.jpg,sad\n")
    text = "\n".join(import_folder(cat, settings, folder, table).lines())
    assert "sub/gone.jpg: no such file" in text
    assert "notes.txt: not an image" in text
    assert "run the same import again" in text
    assert "files found" in text
    assert "btfer crawl --retry" not in text
    (folder / "sub").mkdir()
    (folder / "sub" / "gone.jpg").write_bytes(jpeg(8))
    again = import_folder(cat, settings, folder, table)
    assert (again.retried, again.kept, again.lost) == (1, 1, [])
    assert import_folder(cat, settings, folder, table).new_photos == 0


def test_rights_that_are_put_right_in_the_csv_hold_from_then_on(
    any_cat: Catalogue, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,expression,licence\na.jpg,sad,All rights reserved\nb.jpg,sad,\n")
    import_folder(any_cat, settings, folder, table)
    head = "file,expression,licence,licence_url,author,title,page_url\n"
    url, page = "https://creativecommons.org/licenses/by/4.0/", "https://ann.example/a"
    table.write_text(f"{head}a.jpg,sad,CC BY 4.0,{url},Ann,Ä,{page}\n", encoding="utf-8")
    again = import_folder(any_cat, settings, folder, table)
    assert "1 files were imported before with other rights" in "\n".join(again.lines())
    [one] = [one for one in photos.labels(any_cat).values() if one.author]
    stated = (one.licence, one.licence_url, one.author, one.title, one.page_url)
    assert stated == ("CC BY 4.0", url, "Ann", "Ä", page)
    assert import_folder(any_cat, settings, folder, table).notes == []
    import_folder(any_cat, settings, folder)  # without a CSV it states nothing
    [sha256] = [one.sha256 for one in photos.labels(any_cat).values() if one.author]
    assert photos.described(any_cat, [sha256])[sha256].author == "Ann"


def test_a_folder_is_read_in_several_processes(
    cat: Catalogue, settings: Settings, folder: Path
) -> None:
    several = settings.model_copy(update={"engine": "processes", "workers": 2})
    assert import_folder(cat, several, folder).new_photos == 3
