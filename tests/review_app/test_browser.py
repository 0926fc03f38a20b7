"""A person at the keyboard, in a real Chromium: no press is lost, none falls on another picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.catalogue import Catalogue, verdicts
from tests.drawn_catalogue import DIGEST, add_face, add_photo, make
from tests.review_app.conftest import window
from tests.review_app.naming import sit

pytestmark = pytest.mark.browser
LETTERS = list(review.DROP_REASONS["photos"].items())


def open_round(page: Any, url: str, round_: str, who: str = "") -> None:
    if who:
        sit(page, url, who)
    page.goto(f"{url}/{round_}")
    page.locator(".tile").first.wait_for()


def send(page: Any) -> None:
    """Press Enter when the page has been seen for long enough; again where a busy machine has not drawn all of it."""
    page.wait_for_timeout(1500)
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    if page.get_by_text("unseen? Enter again").count():
        page.keyboard.press("Enter")


def await_count(page: Any, text: str) -> None:
    page.locator(".count", has_text=text).wait_for()


def await_said(page: Any, text: str) -> None:
    """What the last action did was said, above the grid or where no picture is left; it may have faded since."""
    page.get_by_text(text).first.wait_for(state="attached")


def given(cat: Catalogue, round_: str) -> dict[str, tuple[str, str]]:
    rows = verdicts.current_in(cat, round_)
    return {r.face or r.photo: (r.decision, r.reason or r.expression) for r in rows}


def test_a_page_is_judged_and_taken_back_by_keyboard_alone(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    expected = dict.fromkeys(ids[:48], ("keep", ""))
    for index in range(30):  # sixty presses, with no pause between them
        reason, key = LETTERS[index % len(LETTERS)]
        page.keyboard.press(key)
        page.keyboard.press("ArrowRight")
        expected[ids[index]] = ("drop", reason)
    await_count(page, "30 of 48 marked")
    assert given(cat, "photos") == {}  # nothing is sent before the page is
    send(page)
    await_count(page, "12 photos waiting")
    assert given(cat, "photos") == expected

    app.kill()
    app.start()
    open_round(page, app.url, "photos")
    page.keyboard.press("u")
    await_count(page, "60 photos waiting · 30 of 48 marked")
    assert given(cat, "photos") == {}
    send(page)  # the marks came back with the pictures
    await_count(page, "12 photos waiting")
    assert given(cat, "photos") == expected


@pytest.mark.slow
def test_faces_are_relabelled_zoomed_and_never_kept_without_a_label(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, _ = make(tmp_path, 3, with_faces=True)
    odd = add_face(cat, tmp_path, add_photo(cat, tmp_path, 9, label=""))
    ids = [item.id for item in review.queue(cat, "faces", DIGEST)]
    app = run_app(tmp_path)
    open_round(page, app.url, "faces")
    send(page)
    page.get_by_text("This face has no label").wait_for()
    assert given(cat, "faces") == {}
    page.keyboard.press("4")  # the cursor went to the face without a label
    page.keyboard.press(" ")
    page.locator("dialog[open] svg").wait_for()  # the whole photo came, with its box
    title = page.locator("dialog dd", has_text="Drawing 9")
    assert title.text_content() == "<b>Drawing 9</b>"  # text from the web stays text
    page.keyboard.press(" ")
    send(page)
    page.get_by_text("Every face that btfer crop found has been judged").wait_for()
    assert given(cat, "faces") == dict.fromkeys(ids, ("keep", "")) | {odd: ("relabel", "happy")}


@pytest.mark.slow
def test_the_mouse_marks_with_the_chosen_reason(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 4)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    page.get_by_role("button", name="unclear").click()
    for index in (1, 3, 1):  # the second click on a picture clears it
        page.locator(".tile").nth(index).click()
    page.wait_for_timeout(1100)
    page.get_by_role("button", name="keep the rest").click()
    page.get_by_text("Every photo that btfer dedup kept has been judged").wait_for()
    expected = dict.fromkeys(ids[:3], ("keep", "")) | {ids[3]: ("drop", "unclear")}
    assert given(cat, "photos") == expected


def another(page: Any) -> Any:
    """A second browser window, as of another person: nothing is shared with the first."""
    return window(page.context.browser)


def until(page: Any, holds: Callable[[], bool]) -> None:
    """Wait for what no locator can say."""
    for _ in range(1_500):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it never came true")


def box_of(drawn: Any) -> dict[str, float]:
    """Where something is drawn, once it is: the page may be drawing it anew in this moment."""
    for _ in range(1_500):
        if found := drawn.bounding_box():
            return dict(found)
        drawn.page.wait_for_timeout(100)
    raise AssertionError("it was never drawn")


def tiles(page: Any) -> set[str]:
    return {tile.get_attribute("data-id") for tile in page.locator(".tile").all()}


@pytest.mark.slow
def test_two_browsers_on_one_queue_judge_every_picture_once(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 120)
    app = run_app(tmp_path)
    other = another(page)
    open_round(page, app.url, "photos", "ann")
    open_round(other, app.url, "photos", "ben")
    assert len(tiles(page)) == len(tiles(other)) == 48
    assert len(tiles(page) | tiles(other)) == 96
    for one in (page, other):
        one.keyboard.press("n")
        send(one)
        await_said(one, "48 judged")
    other.get_by_text(
        "24 photos are waiting for other reviewers"
    ).wait_for()  # ann has them before her
    send(page)
    page.get_by_text("Every photo that btfer dedup kept has been judged").wait_for()
    rows = verdicts.votes(cat, "photos")
    assert sorted(row.photo for row in rows) == sorted(ids)
    assert {row.reviewer for row in rows} == {"ann", "ben"}


@pytest.mark.slow
def test_a_blind_second_pass_ends_in_the_last_word(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 3)
    review.plan(cat, 2)
    app = run_app(tmp_path)
    other = another(page)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    send(page)
    page.get_by_text("3 photos are waiting for other reviewers").wait_for()
    open_round(other, app.url, "photos", "ben")
    await_count(other, "3 photos waiting · 0 of 3 marked")  # nothing of the first votes shows
    assert "ann" not in other.locator(".review").inner_text()
    send(other)
    other.get_by_text("1 photo is waiting for other reviewers").wait_for()
    assert set(given(cat, "photos")) == set(ids[1:])
    other = another(page)
    open_round(other, app.url, "disagreements", "cleo")
    other.get_by_text("ann: drop: text | ben: keep").wait_for()
    send(other)
    other.get_by_text("Nothing is marked").wait_for()
    other.keyboard.press("4")
    send(other)
    other.get_by_text("Reviewers disagree on nothing").wait_for()
    assert given(cat, "photos")[ids[0]] == ("relabel", "happy")
