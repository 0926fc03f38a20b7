"""Two windows of one reviewer: neither loses what the other one marked or sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer.catalogue import pairs
from tests.drawn_catalogue import make
from tests.review_app.naming import sit
from tests.review_app.test_browser import await_count, given, open_round, send, until
from tests.review_app.test_pairs import answers, make_pairs
from tests.review_app.test_right_votes import marked, rows

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Start = Callable[[Path], Any]


def test_a_page_that_one_window_sent_in_vain_is_not_lost_by_marks_of_the_other(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 30)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos?per_page=24", "ann")
    other = page.context.new_page()
    other.set_default_timeout(200_000)
    open_round(other, app.url, "photos?per_page=24")
    page.keyboard.press("t")
    other.locator(".tile.drop").wait_for()  # one page, in both windows
    app.kill()
    send(page)
    page.locator(".state.offline", has_text="sent when the server is back").wait_for()
    other.keyboard.press("ArrowRight")
    other.keyboard.press("n")
    await_count(other, "2 of 24 marked")
    page.close()
    app.start()
    other.reload()
    until(other, lambda: len(rows(cat)) == 24)
    assert given(cat, "photos")[ids[0]] == ("drop", "text")
    assert given(cat, "photos")[ids[1]] == ("keep", "")  # as the first window sent it
    other.get_by_text("1 of your marks are on pictures that are not on this page").wait_for()
    assert marked(other) == {}
    other.wait_for_timeout(1000)
    assert len(rows(cat)) == 24


def test_marks_of_both_windows_are_sent_whichever_was_written_last(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat = make_pairs(tmp_path, 8)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    other = page.context.new_page()
    for one in (page, other):
        one.set_default_timeout(200_000)
        one.goto(f"{app.url}/pairs")
        one.locator(".holder img").nth(1).wait_for()
    for key in "sds":
        page.keyboard.press(key)
    other.locator(".count", has_text="3 of 8 on this page").wait_for()
    for key in "dsd":
        other.keyboard.press(key)
    page.locator(".count", has_text="6 of 8 on this page").wait_for()
    other.keyboard.press("u")
    page.locator(".count", has_text="5 of 8 on this page").wait_for()
    for key in "sss":
        page.keyboard.press(key)
    for one in (page, other):
        one.get_by_text("All 8 pairs have been answered").wait_for()
    assert answers(cat) == [key == "s" for key in "sdsdssss"]
    assert pairs.count(cat).answered == 8
