"""What one person took back or began to write is not another's, who sits down at the same window."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.review import Judged
from tests.drawn_catalogue import make
from tests.review_app.every_page import PAGES, open_page, ready
from tests.review_app.naming import sit
from tests.review_app.test_browser import await_count, given, open_round, send
from tests.review_app.test_right_votes import marked, rename, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Start = Callable[[Path], Any]


def test_a_page_that_one_person_took_back_is_not_marked_for_another(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 4)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    send(page)
    page.get_by_role("button", name="Undo my last page").click()
    await_count(page, "1 of 4 marked")
    rename(page, "ben")
    await_count(page, "4 photos waiting")
    page.wait_for_timeout(500)
    assert marked(page) == {}
    send(page)
    page.get_by_text("Every photo that").wait_for()
    assert given(cat, "photos")[ids[0]] == ("keep", "")


def test_a_settled_page_that_is_taken_back_leaves_no_marks_on_photos(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 6)
    review.plan(cat, 2)
    review.commit(cat, "photos", [Judged(one) for one in ids[:2]], "cleo")
    review.commit(cat, "photos", [Judged(one, "drop", "text") for one in ids[:2]], "dora")
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/disagreements")
    await_count(page, "0 of 2 marked")
    page.keyboard.press("t")
    send(page)
    await_count(page, "0 of 1 marked")
    page.keyboard.press("u")
    await_count(page, "1 of 2 marked")
    visit(page, "Photos")
    await_count(page, "4 photos waiting")
    page.wait_for_timeout(500)
    assert page.get_by_text("marks are on pictures that are not").count() == 0


def test_a_note_that_is_open_is_not_the_next_persons(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 4)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("m")
    page.keyboard.type("mine")
    rename(page, "ben")
    await_count(page, "4 photos waiting")
    page.wait_for_timeout(500)
    assert page.locator(".note textarea").count() == 0


@pytest.mark.parametrize("kept", ['{"trail": 5}', '{"marks": {"a": null}}', '{"trail": [null]}'])
def test_what_cannot_be_read_in_the_browsers_store_stops_no_page(
    tmp_path: Path, run_app: Start, page: Any, kept: str
) -> None:
    make(tmp_path, 4)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    await_count(page, "1 of 4 marked")
    page.evaluate(
        "(kept) => Object.keys(localStorage).filter((one) => one.startsWith('btfer '))"
        ".forEach((one) => localStorage.setItem(one, kept))",
        kept,
    )
    page.reload()
    await_count(page, "0 of 4 marked")
    page.keyboard.press("t")
    await_count(page, "1 of 4 marked")


@pytest.mark.parametrize("name", ["duplicates", "pairs"])
def test_what_was_taken_back_on_other_pages_is_not_anothers(
    tmp_path: Path, run_app: Start, page: Any, name: str
) -> None:
    kind = PAGES[name]
    kind.make(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    for key in kind.mark:
        page.keyboard.press(key)
    page.keyboard.press(kind.send)
    page.wait_for_timeout(1500)
    page.keyboard.press("u")
    page.wait_for_timeout(1500)
    rename(page, "ben")
    ready(page)
    page.wait_for_timeout(1000)
    assert "not sent" not in page.locator(".state").text_content()
