"""What leaves an open page is told as it is, in a real Chromium; and a catalogue that changes under it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.catalogue import open_catalogue, verdicts
from btfer.catalogue.tables import SCHEMA
from btfer.catalogue.verdicts import Verdict
from btfer.review import Judged, left
from tests.drawn_catalogue import make
from tests.review.test_left import forget
from tests.review_app.every_page import PAGES, await_marked, open_page
from tests.review_app.naming import sit
from tests.review_app.test_browser import await_count, box_of, given, open_round, send, until
from tests.review_app.test_right_votes import choose, marked, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Start = Callable[[Path], Any]


def test_what_left_an_open_page_is_told_by_its_reason(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 8)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    await_count(page, "1 of 8 marked")
    forget(cat, ids[0])
    forget(cat, ids[1])
    review.commit(cat, "photos", [Judged(ids[2])], "ben")
    copy = Verdict("dedup", ids[3], "drop", "dedup", reason="duplicate", keeper=ids[4], distance=2)
    verdicts.add(cat, [copy])
    choose(page, "Pictures per page", "24")  # draws the page anew
    await_count(page, "4 photos waiting")
    visit(page, "Overview")
    visit(page, "Photos")
    page.get_by_text("1 of your marks are on pictures that are not on this page").wait_for()
    page.get_by_role("button", name="bring them back").click()
    page.get_by_text(
        f"0 of 1 pictures are back on your page. The others: 1 {left.FORGOTTEN}"
    ).wait_for()
    page.get_by_role("button", name="discard 1 marks").click()
    forget(cat, ids[4])
    review.commit(cat, "photos", [Judged(ids[5])], "ben")
    page.locator("[data-testid=stSidebar] label", has_text="Blur").click()
    notice = page.get_by_text("2 pictures have left this page: ")
    notice.wait_for()
    said = notice.text_content()
    assert f"1 {left.FORGOTTEN}" in said
    assert f"1 {left.JUDGED}" in said
    assert "other reviewers" not in said


def test_a_page_with_a_forgotten_picture_is_saved_without_it(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 4)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    forget(cat, ids[1])
    send(page)
    page.get_by_text(
        f"3 judged; what was not open any more stays as it is: 1 {left.FORGOTTEN}"
    ).wait_for()
    assert given(cat, "photos") == {
        ids[0]: ("drop", "text"),
        ids[2]: ("keep", ""),
        ids[3]: ("keep", ""),
    }


def test_a_note_moves_and_shrinks_no_picture(tmp_path: Path, run_app: Start, page: Any) -> None:
    make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    page.wait_for_timeout(500)

    def places() -> list[dict[str, float]]:
        return [box_of(tile) for tile in page.locator(".tile").all()]

    before = places()
    for index in (0, 20, 47):
        page.locator(".tile").nth(index).click()
        page.keyboard.press("m")
        page.locator(".note textarea").wait_for()
        page.keyboard.type("a sign\non the wall")
        page.wait_for_timeout(300)
        assert places() == before
        note = box_of(page.locator(".note"))
        one = before[index]
        assert (
            note["y"] >= one["y"] + one["height"] - 1 or note["y"] + note["height"] <= one["y"] + 1
        )
        assert note["y"] >= 0
        assert note["y"] + note["height"] <= 800  # in sight
        page.keyboard.press("Escape")
    assert places() == before


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, id=name, marks=[] if name in ("photos", "pairs") else SLOW)
        for name, kind in PAGES.items()
    ],
)
def test_a_catalogue_that_is_upgraded_under_an_open_page_is_one_sentence_and_no_mark_is_lost(
    tmp_path: Path, run_app: Start, page: Any, kind: Any
) -> None:
    cat = kind.make(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    page.wait_for_timeout(1200)
    for key in kind.mark:
        page.keyboard.press(key)
    await_marked(page, kind)
    file = tmp_path / "catalogue.db"
    with closing(sqlite3.connect(file)) as newer:  # as a migration of a later version may leave it
        newer.executescript(
            "ALTER TABLE verdict RENAME COLUMN note TO remark; ALTER TABLE pair_verdict RENAME COLUMN same TO alike;"
            "UPDATE alembic_version SET version_num = '9999'"
        )
    page.keyboard.press(kind.send)
    page.get_by_text(
        f"this catalogue was upgraded to version 9999 while it was open, and this btfer reads {SCHEMA}"
    ).first.wait_for()
    page.get_by_text("What you marked and did not send is kept in this browser").first.wait_for()
    for title in ("Overview", "Log", kind.title):
        visit(page, title)
        page.wait_for_timeout(1000)  # the sentence may be that of the page before
        page.locator(".stApp[data-test-script-state=notRunning]").wait_for()
        page.get_by_text("was upgraded to version 9999").first.wait_for()
        assert page.get_by_text("Traceback").count() == 0
        assert page.locator("[data-testid=stException]").count() == 0
    with closing(sqlite3.connect(file)) as older:  # the copy of before is put back
        older.executescript(
            "ALTER TABLE verdict RENAME COLUMN remark TO note; ALTER TABLE pair_verdict RENAME COLUMN alike TO same;"
            f"UPDATE alembic_version SET version_num = '{SCHEMA}'"
        )
    assert kind.given(cat) == []
    page.reload()  # what was sent meets a catalogue that takes it
    until(page, lambda: len(kind.given(cat)) == kind.n_sent)
    page.wait_for_timeout(1000)
    assert len(kind.given(cat)) == kind.n_sent


def test_a_catalogue_that_is_replaced_under_an_open_page_gets_no_votes_of_the_old_one(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 30)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    cat.close()
    file = tmp_path / "catalogue.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(tmp_path / "x")) as copy:
        source.backup(copy)
    (tmp_path / "x").replace(file)
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    send(page)
    page.get_by_text("was replaced or deleted while it was open: nothing was written").wait_for()
    assert marked(page) == {ids[0]: "✕ text"}
    send(page)
    page.get_by_text("Every photo that").wait_for()
    now = open_catalogue(f"sqlite:///{file}")
    assert len(given(now, "photos")) == 30
    assert given(now, "photos")[ids[0]] == ("drop", "text")
