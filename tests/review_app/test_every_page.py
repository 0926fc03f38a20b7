"""On every page where people judge: marks hold, are one person's, and are sent once, whatever happens meanwhile."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from btfer.catalogue import faces, verdicts
from btfer.catalogue.rows import PhotoBox
from btfer.catalogue.verdicts import Verdict
from btfer.faces.modes import crop_settings
from btfer.review.drawn_face import add_drawn_face
from btfer.settings import Settings
from btfer.store import Store
from tests.drawn_catalogue import add_photo, make
from tests.review_app.every_page import PAGES, Judging, await_marked, open_page, ready
from tests.review_app.naming import sit
from tests.review_app.test_browser import until
from tests.review_app.test_gallery import draw_by_mouse
from tests.review_app.test_right_votes import rename, restart, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Start = Callable[[Path], Any]
# Photos, Log and No face have had these since an earlier version: here they go along as slow tests.
QUICK = ("duplicates", "pairs")
EVERY = [
    pytest.param(kind, id=name, marks=[] if name in QUICK else pytest.mark.slow)
    for name, kind in PAGES.items()
]


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def sent(page: Any, kind: Judging) -> None:
    if "per_page" in page.url and kind.address in ("photos", "faces"):
        page.wait_for_timeout(1200)  # or it asks whether all was seen
    press(page, kind.send)


@pytest.mark.parametrize("kind", EVERY)
def test_marks_hold_over_everything_and_are_their_reviewers(
    tmp_path: Path, run_app: Start, page: Any, kind: Judging
) -> None:
    cat = kind.make(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    press(page, *kind.mark)
    await_marked(page, kind)
    page.reload()
    await_marked(page, kind)
    visit(page, "Overview")
    page.get_by_text("Faces wanted").wait_for()
    visit(page, kind.title)
    await_marked(page, kind)
    restart(app, page)
    await_marked(page, kind)
    rename(page, "ben")
    ready(page)
    page.locator(".state", has_text="not sent").wait_for(state="detached")
    assert kind.given(cat) == []
    rename(page, "ann")
    await_marked(page, kind)
    page.locator(".tile, .pairs .rule").first.click()  # the keys are the page's again
    sent(page, kind)
    until(page, lambda: len(kind.given(cat)) == kind.n_sent)
    assert {who for who, *_ in kind.given(cat)} == {"ann"}


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_sent_to_a_dead_server_is_saved_once_when_it_is_back(
    tmp_path: Path, run_app: Start, page: Any, kind: Judging
) -> None:
    cat = kind.make(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    press(page, *kind.mark)
    await_marked(page, kind)
    app.kill()
    sent(page, kind)
    page.locator(".state.offline", has_text="sent when the server is back").wait_for()
    context = page.context
    page.close()  # and the window too
    app.start()
    again = context.new_page()
    again.set_default_timeout(200_000)
    again.goto(f"{app.url}/{kind.address}?per_page=24")
    until(again, lambda: len(kind.given(cat)) == kind.n_sent)
    again.locator(".state", has_text="saved").or_(
        again.get_by_text("disagree on nothing")
    ).wait_for()
    again.wait_for_timeout(1000)
    assert len(kind.given(cat)) == kind.n_sent


@pytest.mark.parametrize("kind", EVERY)
def test_a_page_that_met_a_dead_server_is_never_sent_under_another_name(
    tmp_path: Path, run_app: Start, page: Any, kind: Judging
) -> None:
    cat = kind.make(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    press(page, *kind.mark)
    await_marked(page, kind)
    app.kill()
    sent(page, kind)
    page.locator(".state.offline", has_text="sent when the server is back").wait_for()
    context = page.context
    page.close()
    app.start()
    other = context.new_page()
    other.set_default_timeout(200_000)
    sit(other, app.url, "ben")
    open_page(other, app.url, kind)
    other.get_by_text("Reviewer: ben").wait_for()
    other.wait_for_timeout(2000)
    assert kind.given(cat) == []
    assert other.locator(".state", has_text="not sent").count() == 0
    rename(other, "ann")
    until(other, lambda: len(kind.given(cat)) == kind.n_sent)
    assert {who for who, *_ in kind.given(cat)} == {"ann"}


MOMENTS_MS = (0, 40, 120, 300)
# Every moment on one page, and every page at one of them.
DYING = [("photos", moment) for moment in MOMENTS_MS] + [
    (name, MOMENTS_MS[number % len(MOMENTS_MS)])
    for number, name in enumerate(PAGES)
    if name != "photos"
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "after_ms"),
    [pytest.param(PAGES[name], ms, id=f"{name}, {ms} ms") for name, ms in DYING],
)
def test_a_server_that_dies_at_any_moment_of_a_sending_has_it_once(
    tmp_path: Path, run_app: Start, page: Any, kind: Judging, after_ms: int
) -> None:
    cat = kind.make(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    press(page, *kind.mark)
    await_marked(page, kind)
    sent(page, kind)
    page.wait_for_timeout(after_ms)
    app.kill()
    app.start()
    until(page, lambda: len(kind.given(cat)) == kind.n_sent)
    page.locator(".stApp[data-test-connection-state=CONNECTED]").wait_for()
    page.locator(".state", has_text="saving").wait_for(state="detached")
    assert page.get_by_text("load the page again").count() == 0
    assert len(kind.given(cat)) == kind.n_sent


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAGES.values(), ids=PAGES)
def test_quick_unkind_fingers_send_a_page_once(
    tmp_path: Path, run_app: Start, page: Any, kind: Judging
) -> None:
    """Enter is held down, the page is turned while it is saved, and come back to, and the name is changed."""
    cat = kind.make(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    press(page, *kind.mark)
    await_marked(page, kind)
    if kind.address in ("photos", "faces"):
        page.wait_for_timeout(1200)
    for _ in range(12):
        page.keyboard.down(kind.send)  # all but the first are repetitions
    visit(page, "Overview")
    visit(page, kind.title)
    page.keyboard.up(kind.send)
    press(page, *kind.mark[:1], kind.send)
    until(page, lambda: len(kind.given(cat)) >= kind.n_sent)
    page.wait_for_timeout(1500)
    first = kind.given(cat)
    assert {who for who, *_ in first} == {"ann"}
    assert len(set(first)) == len(first)
    rename(page, "ben")
    page.wait_for_timeout(1500)
    assert kind.given(cat) == first


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "after it is saved"])
def test_a_drawn_box_that_was_not_acknowledged_outlasts_its_window_and_is_cut_once(
    tmp_path: Path, run_app: Start, page: Any, saved: bool
) -> None:
    cat, [photo] = make(tmp_path, 1)
    crop = crop_settings(Settings(data_dir=tmp_path))
    said = Verdict("crop", photo, "drop", "crop", settings=crop.digest, reason="no face")
    other = add_photo(cat, tmp_path, 9)  # so that the page has something to show
    verdicts.add(cat, [said, replace(said, photo=other, uid="other")])
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/no-face")
    page.locator(f".tile[data-id='{photo}']").dblclick()
    page.locator("dialog[open] img[src^='data:image/webp']").wait_for()
    app.kill()
    draw_by_mouse(page)
    page.locator(".state.offline", has_text="sent when the server is back").wait_for()
    if saved:  # and the word that it is was lost
        kept = page.evaluate("Object.values(localStorage).find((one) => one.includes('face'))")
        [sending] = json.loads(kept)["pages"].values()
        box = PhotoBox(*sending["box"])
        add_drawn_face(cat, Store(tmp_path), crop, photo, box, "ann", page=sending["number"])
    context = page.context
    page.close()
    app.start()
    again = context.new_page()
    again.set_default_timeout(200_000)
    again.goto(f"{app.url}/no-face")
    again.get_by_text("The face is cut, and waits on the page Faces").wait_for()
    [face] = faces.accepted(cat, crop.digest)
    assert (face.photo, face.hints) == (photo, {"detector": "person"})
    again.reload()
    again.locator(f".tile[data-id='{other}']").wait_for()
    again.wait_for_timeout(1000)
    assert len(faces.of_photo(cat, photo)) == 1
