"""The first pages of a fresh server, from a kept head, are those of one that has read everything; on both databases."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from btfer import review
from btfer.catalogue import Catalogue, erasure, faces, journal, open_catalogue, verdicts, versions
from btfer.catalogue.journal import Fetched, Query, Sighting
from btfer.catalogue.tables import lease, stage_mark
from btfer.catalogue.verdicts import Verdict
from btfer.images import Intake
from btfer.pipeline import crop, dedup
from btfer.pipeline.withdraw import withdraw
from btfer.review import Judged, head, part_index, serving
from btfer.review.badges import DOUBT
from btfer.review.filters import FIRST_ORDER
from btfer.review.index import ReviewIndex, shared
from btfer.review.part_index import PartIndex
from btfer.review.rules import ROUNDS
from btfer.settings import Settings
from tests.catalogue.test_store import HAPPY, SAD, add_photo
from tests.conftest import as_bytes, draw_photo, take_in
from tests.pipeline.crop_photos import detect_drawn
from tests.review.test_index import DIGEST, act, add_face

N, SIZE, LONGEST = 40, 4, 12
TEAM = ("", "ann", "ben", "cleo")
Known = tuple[Catalogue, list[str]]


@pytest.fixture(autouse=True)
def small_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads are kept of few photos, and nothing is read behind the pages."""
    monkeypatch.setattr(head, "LEAST", 0)
    monkeypatch.setattr(head, "LONGEST", LONGEST)
    monkeypatch.setattr(part_index, "FEW", LONGEST // 2)
    monkeypatch.setattr(serving, "_in_background", lambda *given: None)


@pytest.fixture
def filled(any_cat: Catalogue) -> Known:
    """Forty photos that dedup kept, in the order of finding; a fifth of another class, faces in half of them."""
    names = [f"{a}{b}" for a in "0123456789abcdef" for b in "fc6"][:N]
    urls = [f"https://example.org/{name}.jpg" for name in names]
    ids = [(name * 64)[:64] for name in names]
    for n, url in enumerate(urls):
        journal.add_found(any_cat, HAPPY if n % 5 else SAD, [Sighting(url, "bing")])
    ends = [
        (journal.url_id(url), Fetched("kept", photo=one), _intake(one))
        for url, one in zip(urls, ids, strict=True)
    ]
    journal.finish(any_cat, ends)
    verdicts.add_all(any_cat, [Verdict("dedup", one, "keep", "dedup") for one in ids])
    for one in ids[::2]:
        add_face(any_cat, one)
    return any_cat, ids


def _intake(sha256: str) -> Intake:
    return Intake(sha256, "jpg", 640, 480, 1000, 5, -5, b"", {"brightness": 1.0})


@contextmanager
def server(url: str) -> Iterator[Catalogue]:
    """A fresh server: nothing is in memory of it."""
    with closing(open_catalogue(url)) as cat:
        yield cat


def leave_head(cat: Catalogue) -> None:
    """As a server does after it has shown a page of both rounds."""
    for round_ in ROUNDS:
        review.Queue(cat, round_, "dan", DIGEST).page(SIZE, FIRST_ORDER[round_])
        review.end_leases(cat, round_, "dan")
    serving.keep_now(cat, shared(cat, DIGEST))


def page_of(cat: Catalogue, round_: str, reviewer: str) -> review.Page:
    return review.Queue(cat, round_, reviewer, DIGEST).page(SIZE, FIRST_ORDER[round_])


@contextmanager
def leases_put_back(cat: Catalogue) -> Iterator[None]:
    rows = cat.rows(sa.select(lease))
    yield
    with cat.write() as connection:
        connection.execute(sa.delete(lease))
        if rows:
            connection.execute(sa.insert(lease), rows)


def shown(cat: Catalogue) -> tuple[object, ...]:
    """All that first pages show, to each person alone; leases are as before."""
    pages = {}
    for round_ in ROUNDS:
        for who in TEAM[1:]:
            with leases_put_back(cat):
                pages[round_, who] = page_of(cat, round_, who)
    asked = {who: review.asked(cat, DIGEST, who) for who in TEAM}
    numbers = (
        review.progress(cat, DIGEST),
        review.dropped(cat, DIGEST),
        review.forecast(cat, DIGEST),
    )
    rest = review.disputed(cat, DIGEST), review.to_crop(cat, DIGEST), review.to_dedup(cat, DIGEST)
    return pages, asked, numbers, rest


def shown_by_whole(url: str) -> tuple[object, ...]:
    """The same by a server that has read everything."""
    with server(url) as cat, serving.whole(cat, DIGEST):
        serving._parts[cat] = None
        return shown(cat)


def is_whole(cat: Catalogue) -> bool:
    return shared(cat, DIGEST).version is not None


def changes(cat: Catalogue, ids: list[str], rng: random.Random) -> None:
    """What people and stages do, forgetting and a new plan now and then."""
    kind = rng.random()
    if kind < 0.02:
        erasure.erase(cat, [ids.pop(rng.randrange(len(ids)))])
    elif kind < 0.04:
        withdraw(cat, [rng.choice(ids)])
    elif kind < 0.06:
        review.plan(cat, rng.choice([1, 2]))
    elif kind < 0.12:
        unsure = Judged(rng.choice(ids), "keep", unsure=True)
        review.commit(cat, "photos", [unsure], rng.choice(TEAM[1:]))
    elif kind < 0.2:  # a page, so that the start of the queue moves
        page = page_of(cat, rng.choice(ROUNDS), "ben").items
        round_ = "faces" if page and page[0].face else "photos"
        review.commit(cat, round_, [Judged(one.id) for one in page], "ben")
    else:
        act(cat, ids, rng)


@pytest.mark.slow
@pytest.mark.parametrize(("people", "seed"), [(1, 0), (2, 0), (2, 2)])
def test_first_pages_are_those_of_who_has_read_everything(
    filled: Known, empty_url: str, people: int, seed: int
) -> None:
    cat, ids = filled
    review.plan(cat, people)
    rng, by_part = random.Random(1000 * people + seed), 0
    for _ in range(3):
        for _ in range(rng.randrange(12)):
            changes(cat, ids, rng)
        leave_head(cat)
        with server(empty_url) as other, server(empty_url) as fresh:
            for _ in range(3):
                for _ in range(rng.randrange(5)):
                    changes(other, ids, rng)
                assert review.disputed(fresh, DIGEST) == review.disputed(cat, DIGEST)
                assert shown(fresh) == shown_by_whole(empty_url)
                by_part += not is_whole(fresh)
    assert by_part  # or nothing was compared


def test_an_app_that_starts_after_a_stage_has_its_first_pages_at_once(
    filled: Known, empty_url: str
) -> None:
    """Also where a crawl found more since the last head: the stage after it keeps another one."""
    cat, ids = filled
    serving.keep_for_next_start(cat, "photos")
    first = head.kept(cat, DIGEST)
    review.commit(cat, "photos", [Judged(ids[0])], "ann")
    serving.keep_for_next_start(cat, "photos")
    assert head.kept(cat, DIGEST) == first  # it will do, with what has changed since
    _crawled(cat, ids)
    add_photo(cat, "zz")
    verdicts.add_all(cat, [Verdict("dedup", "z" * 64, "keep", "dedup")])
    with server(empty_url) as fresh:
        assert page_of(fresh, "photos", "ann").items
        assert is_whole(fresh)
    serving.keep_for_next_start(cat, "photos")
    with server(empty_url) as fresh:
        assert shown(fresh) == shown_by_whole(empty_url)
        assert not is_whole(fresh)


def test_a_stage_keeps_no_head_of_few_photos(
    filled: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, _ = filled
    monkeypatch.setattr(head, "LEAST", N + 1)
    serving.keep_for_next_start(cat, "photos")
    assert head.kept(cat, DIGEST) is None


def test_dedup_and_crop_leave_what_the_app_shows_first(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btfer.faces.find.detect", detect_drawn)
    for n in range(3):
        photo = as_bytes(draw_photo(n))
        take_in(cat, settings.data_dir, photo, HAPPY, f"https://example.org/{n}.jpg")
    dedup.run(cat, settings)
    found = head.kept(cat, "")
    assert found
    assert len(found.queues["photos"]) == 3
    crop.run(cat, settings, unreviewed="keep")
    digest = faces.newest_settings(cat)
    found = head.kept(cat, digest)
    assert found
    assert len(found.queues["photos"]) == 3
    assert set(found.queues["faces"]) == {one.id for one in faces.accepted(cat, digest)}


def test_a_page_judged_by_part_is_gone_and_the_next_one_follows(
    filled: Known, empty_url: str
) -> None:
    cat, ids = filled
    leave_head(cat)
    with server(empty_url) as fresh, server(empty_url) as other:
        mine, theirs = page_of(fresh, "photos", "ann"), page_of(other, "photos", "ben")
        assert [one.id for one in (*mine.items, *theirs.items)] == ids[:8]
        review.commit(fresh, "photos", [Judged(one.id) for one in mine.items], "ann")
        drop = [Judged(one.id, "drop", reason="text") for one in theirs.items]
        review.commit(other, "photos", drop, "ben")
        following = page_of(fresh, "photos", "ann")
        assert [one.id for one in following.items] == ids[8:12]
        assert following.awaiting == N - 8
        assert not is_whole(fresh)
        back = review.undo_last(fresh, "ann", "photos")
        assert page_of(fresh, "photos", "ann").items == mine.items
        assert {one.id for one in back} == {one.id for one in mine.items}
        assert not is_whole(fresh)


def test_a_head_that_runs_out_is_no_empty_queue(filled: Known, empty_url: str) -> None:
    cat, ids = filled
    leave_head(cat)
    with server(empty_url) as other, server(empty_url) as fresh:
        review.commit(other, "photos", [Judged(one) for one in ids[: LONGEST - 1]], "ben")
        assert not is_whole(fresh)
        page = page_of(fresh, "photos", "ann")
        assert [one.id for one in page.items] == ids[LONGEST - 1 :][:SIZE]
        assert is_whole(fresh)


def test_leases_beyond_the_head_come_first_as_ever(filled: Known, empty_url: str) -> None:
    cat, ids = filled
    leave_head(cat)
    review.recall(cat, "photos", ids[-2:], "ann")
    with server(empty_url) as fresh:
        page = page_of(fresh, "photos", "ann")
        assert [one.id for one in page.items] == [*ids[:2], *ids[-2:]]


def test_other_orders_and_choices_wait_for_everything(filled: Known, empty_url: str) -> None:
    cat, _ = filled
    leave_head(cat)
    for ask in (
        {"order": "smallest first"},
        {"label": "sad"},
        {"chosen": review.Filter(source="bing")},
        {"first": ["nothing"]},
    ):
        with server(empty_url) as fresh:
            assert review.Queue(fresh, "photos", "ann", DIGEST).page(SIZE, **ask).items
            assert is_whole(fresh), ask


def _crawled(cat: Catalogue, ids: list[str]) -> None:
    """A photo of the head was found by a query of another class."""
    url = f"https://example.org/{ids[5][:2]}.jpg"
    other = Query("angry person", "angry", "en")
    journal.add_found(cat, other, [Sighting(url, "bing", "", rank=1)])


CHANGES: dict[str, Callable[[Catalogue, list[str]], object]] = {
    "a crawl has gone on": _crawled,
    "dedup waits for a photo": lambda cat, _: add_photo(cat, "zz"),
    "more votes are asked": lambda cat, _: review.plan(cat, 2),
    "a photo is withdrawn": lambda cat, ids: withdraw(cat, [ids[0]]),
    "a photo is forgotten": lambda cat, ids: erasure.erase(cat, [ids[0]]),
    "networks doubt a face": lambda cat, ids: faces.hint(
        cat, DOUBT, {f"{ids[30][:24]}-{DIGEST}-0": 0.9}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_beyond_a_head_is_read_at_once(filled: Known, empty_url: str, change: str) -> None:
    cat, ids = filled
    leave_head(cat)
    with server(empty_url) as running, server(empty_url) as fresh:
        shown(running)
        assert not is_whole(running)
        CHANGES[change](cat, ids)
        for one in (running, fresh):
            assert shown(one) == shown_by_whole(empty_url)
            assert is_whole(one)


def test_a_running_server_shows_what_networks_doubt_first(filled: Known) -> None:
    cat, ids = filled
    page_of(cat, "faces", "ann")
    doubted = f"{ids[30][:24]}-{DIGEST}-0"
    faces.hint(cat, DOUBT, {doubted: 0.9})
    assert page_of(cat, "faces", "ben").items[0].id == doubted


def test_who_forgets_a_photo_forgets_the_heads(filled: Known, empty_url: str) -> None:
    cat, ids = filled
    leave_head(cat)
    index = shared(cat, DIGEST)
    earlier = head.head_of(index)
    assert earlier
    assert ids[0] in earlier.queues["photos"]
    with server(empty_url) as other:
        erasure.erase(other, [ids[0]])
        assert head.kept(other, DIGEST) is None
        head.keep(cat, DIGEST, earlier)  # by a server that has not noticed
        assert head.kept(other, DIGEST) is None
    serving.keep_now(cat, index)
    later = head.kept(cat, DIGEST)
    assert later
    assert ids[0] not in later.queues["photos"]


def test_a_head_is_kept_as_it_is_and_again_after_much_has_changed(
    filled: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, ids = filled
    kept: list[object] = []
    monkeypatch.setattr(serving, "_in_background", lambda work, *given: kept.append(work(*given)))
    monkeypatch.setattr(serving, "ENOUGH_CHANGED", 3)
    page_of(cat, "photos", "ann")
    assert len(kept) == 1
    assert head.kept(cat, DIGEST) == head.head_of(shared(cat, DIGEST))
    for one in ids[:5]:  # not sooner than after a minute
        review.commit(cat, "photos", [Judged(one)], "ann")
        page_of(cat, "photos", "ann")
    assert len(kept) == 1
    monkeypatch.setattr(serving, "EVERY_S", 0.0)
    page_of(cat, "photos", "ann")
    assert len(kept) == 2
    found = head.kept(cat, DIGEST)
    assert found
    assert found.queues["photos"][0] == ids[5]
    page_of(cat, "photos", "ann")
    assert len(kept) == 2


def test_no_head_is_kept_of_a_catalogue_that_is_read_in_no_time(
    filled: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, _ = filled
    monkeypatch.setattr(head, "LEAST", N + 1)
    monkeypatch.setattr(serving, "_in_background", lambda work, *given: pytest.fail("kept"))
    page_of(cat, "photos", "ann")


DAMAGE: dict[str, str] = {
    "a number": 'replace(found, \'"awaiting", "", \', \'"awaiting", "", 9\')',
    "an id": "replace(found, '1f1f', '')",
    "no list": '\'{"counts": 3, "open": 4, "queues": 5, "digest": ""}\'',
    "nothing": "'{}'",
    "no text": "'[1'",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_head_is_as_none_and_is_replaced(cat: Catalogue, damage: str) -> None:
    for n in range(3):
        verdicts.add(cat, [Verdict("dedup", add_photo(cat, f"{n}f"), "keep", "dedup")])
    leave_head(cat)
    assert head.kept(cat, DIGEST)
    with cat.write() as connection:
        text = f"UPDATE stage_mark SET found = {DAMAGE[damage]} WHERE stage = '{head.STAGE}'"
        assert connection.execute(sa.text(text.replace(":", "\\:"))).rowcount == 1
    assert head.kept(cat, DIGEST) is None
    leave_head(cat)
    assert head.kept(cat, DIGEST)


def test_a_head_of_another_btfer_is_as_none(filled: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    cat, _ = filled
    monkeypatch.setattr(head, "__version__", "0.0.1")
    leave_head(cat)
    monkeypatch.undo()
    assert versions.mark_of(cat, head.STAGE, DIGEST)
    assert head.kept(cat, DIGEST) is None


KEEPS = """
import dataclasses, sys, btfer.review.head as head
from btfer.catalogue import open_catalogue
cat = open_catalogue(sys.argv[1])
old = head.kept(cat, sys.argv[2])
print("ready", flush=True)
while True:
    head.keep(cat, sys.argv[2], dataclasses.replace(old, queues={}))
    head.keep(cat, sys.argv[2], old)
"""


@pytest.mark.slow
def test_a_server_killed_while_it_keeps_a_head_leaves_one_or_the_other(
    filled: Known, empty_url: str
) -> None:
    cat, _ = filled
    leave_head(cat)
    before = head.kept(cat, DIGEST)
    assert before
    for n in range(6):
        command = [sys.executable, "-c", KEEPS, empty_url, DIGEST]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeping:
            assert keeping.stdout
            assert keeping.stdout.readline()
            time.sleep(0.01 * n)
            keeping.kill()
        assert head.kept(cat, DIGEST) in (before, replace(before, queues={}))
        assert shown_by_whole(empty_url) == shown(cat)


def test_everything_is_read_behind_the_first_page(
    filled: Known, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, _ids = filled
    leave_head(cat)
    begun = threading.Event()
    monkeypatch.undo()
    monkeypatch.setattr(head, "LEAST", 0)
    monkeypatch.setattr(serving, "WAIT_S", 0.0)
    monkeypatch.setattr(serving.time, "sleep", lambda _: begun.wait(200))
    with server(empty_url) as fresh:
        first = page_of(fresh, "photos", "ann")
        assert not is_whole(fresh)
        part = serving._parts[fresh]
        assert isinstance(part, PartIndex)
        begun.set()
        for thread in threading.enumerate():
            if thread.name == "btfer review":
                thread.join(200)
        assert is_whole(fresh)
        assert serving._parts[fresh] is None
        assert page_of(fresh, "photos", "ann") == first
        with serving.current(fresh, DIGEST) as index:
            assert type(index) is ReviewIndex
        for thread in threading.enumerate():  # it keeps a head
            if thread.name == "btfer review":
                thread.join(200)
        assert set(head.kept(fresh, DIGEST).queues) == set(ROUNDS)


def test_a_photo_that_comes_long_after_its_address_is_counted(any_cat: Catalogue) -> None:
    one, other = add_photo(any_cat, "a"), "https://example.org/b.jpg"
    verdicts.add(any_cat, [Verdict("dedup", one, "keep", "dedup")])
    journal.add_found(any_cat, SAD, [Sighting(other, "bing")])
    assert review.to_dedup(any_cat, DIGEST) == 0
    add_photo(any_cat, "b", SAD, other)  # its address is known
    assert review.to_dedup(any_cat, DIGEST) == 1


def test_marks_of_heads_are_one_for_each_crop_setting(filled: Known) -> None:
    cat, _ = filled
    leave_head(cat)
    leave_head(cat)
    with cat.read() as connection:
        mine = sa.select(sa.func.count()).where(stage_mark.c.stage == head.STAGE)
        assert connection.scalar(mine) == 1
