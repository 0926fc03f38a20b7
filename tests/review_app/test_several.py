"""Several pictures are marked at once, and what is written beside one is kept: in a real Chromium."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.catalogue import verdicts
from btfer.review import Judged
from tests.drawn_catalogue import make
from tests.review_app.naming import sit
from tests.review_app.test_browser import another, await_count, box_of, given, open_round, send
from tests.review_app.test_right_votes import marked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Start = Callable[[Path], Any]


def selected(page: Any) -> list[int]:
    """Places of the selected pictures, as a screen reader finds them."""
    tiles = page.locator(".tile").all()
    found = [i for i, one in enumerate(tiles) if one.get_attribute("aria-selected") == "true"]
    said = [i for i, one in enumerate(tiles) if "selected" in one.get_attribute("aria-label")]
    assert found == said
    return found


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_range_is_marked_at_once_and_taken_back_at_once(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    press(page, "n", "ArrowRight", *["Shift+ArrowRight"] * 3)
    assert selected(page) == [1, 2, 3, 4]
    await_count(page, "4 selected")
    press(page, "Shift+ArrowLeft", "d")
    dropped = dict.fromkeys(ids[1:4], "✕ duplicate")
    assert marked(page) == {ids[0]: "✕ non-human"} | dropped
    press(page, "4")
    assert set(list(marked(page).values())[1:]) == {"→ happy"}
    press(page, "u")
    assert marked(page) == {ids[0]: "✕ non-human"} | dropped
    press(page, "d")  # all have it: it is taken away from all
    assert marked(page) == {ids[0]: "✕ non-human"}
    press(page, "u", "Escape")
    assert selected(page) == []
    press(page, "ArrowRight", "t")  # one again
    assert marked(page)[ids[4]] == "✕ text"
    page.reload()
    page.locator(".tile.drop").first.wait_for()
    press(page, "u", "u")  # over a reload, the step is still one
    assert marked(page) == {ids[0]: "✕ non-human"}
    press(page, "Control+a", "s")
    await_count(page, "48 of 48 marked")
    send(page)
    await_count(page, "12 photos waiting")
    assert set(given(cat, "photos").values()) == {("drop", "several people")}


def test_the_mouse_selects_a_range_single_pictures_and_a_rectangle(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    _, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    tile = page.locator(".tile").nth
    tile(2).click()
    tile(5).click(modifiers=["Shift"])
    assert selected(page) == [2, 3, 4, 5]
    tile(8).click(modifiers=["Control"])
    tile(3).click(modifiers=["Control"])
    assert selected(page) == [2, 4, 5, 8]
    page.get_by_role("button", name="unclear").click()  # the button is the key
    assert list(marked(page)) == [ids[i] for i in (2, 4, 5, 8)]
    tile(0).click()
    assert selected(page) == []
    columns = page.locator(".grid").evaluate(
        "one => getComputedStyle(one).gridTemplateColumns.split(' ').length"
    )
    start, end = (box_of(tile(i)) for i in (1, columns + 2))
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(end["x"] + 20, end["y"] + 20, steps=6)
    page.mouse.up()
    assert selected(page) == [1, 2, columns + 1, columns + 2]
    press(page, "t")
    assert [ids.index(id_) for id_, word in marked(page).items() if word == "✕ text"] == [
        1,
        2,
        columns + 1,
        columns + 2,
    ]
    press(page, " ", "p")  # under the loupe a key is about the picture that is seen
    assert list(marked(page).values()).count("✕ too poor") == 1


@pytest.mark.slow
def test_a_note_is_text_and_unsure_asks_for_a_second_person(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 5)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    press(page, "m")
    area = page.locator(".note textarea")
    area.wait_for()
    page.keyboard.type("=1+1 truc d'un rc")  # keys of marks, of the undo, and Streamlit's own
    press(page, "Enter")
    page.keyboard.type("second line")
    assert marked(page) == {}
    page.reload()
    page.locator(".tile .flags", has_text="note").wait_for()
    press(page, "m")
    assert area.input_value() == "=1+1 truc d'un rc\nsecond line"
    press(page, "Escape", "q", "ArrowRight", "t")
    label = page.locator(".tile").first.get_attribute("aria-label")
    assert label.endswith("unsure, note: =1+1 truc d'un rc\nsecond line")
    press(page, "ArrowRight", " ", "m")
    page.locator("dialog .note textarea").wait_for()
    page.keyboard.insert_text("long " * 2000)
    page.keyboard.type("more than fits")
    press(page, "Escape")
    page.locator("dialog[open] dd", has_text="long long").wait_for()  # the loupe stays open
    press(page, "q", "u", "Escape")
    await_count(page, "1 unsure")
    send(page)
    page.get_by_text("1 photo is waiting for other reviewers").wait_for()
    stored = {row.photo: row for row in verdicts.log(cat, rounds=("photos",))}
    assert stored[ids[0]].note == "=1+1 truc d'un rc\nsecond line"
    assert [id_ for id_ in ids if stored[id_].unsure] == ids[:1]
    assert len(stored[ids[2]].note) == 10_000 - 1  # a space at the end goes
    page.get_by_role("button", name="Undo my last page").click()
    await_count(page, "1 of 5 marked · 1 unsure")
    assert page.locator(".tile .flags", has_text="note").count() == 2
    send(page)
    page.get_by_text("1 photo is waiting for other reviewers").wait_for()
    other = another(page)
    open_round(other, app.url, "photos", "ben")
    assert [one.get_attribute("data-id") for one in other.locator(".tile").all()] == ids[:1]
    assert "second" not in other.locator(".review").inner_text()  # nothing of ann's shows
    press(other, "w")
    send(other)
    other.get_by_text("wait for somebody who has not voted", exact=False).or_(
        other.get_by_text("Every photo that")
    ).or_(other.get_by_text("waiting for other reviewers")).first.wait_for()
    sit(other, app.url, "cleo")
    third = other.context.new_page()
    open_round(third, app.url, "disagreements")
    third.get_by_text("ann: keep, unsure (with a note) | ben: drop: drawing").wait_for()
    press(third, " ")
    third.locator("dialog dd", has_text="ann: =1+1 truc").wait_for()


def test_the_log_shows_notes_and_doubts(tmp_path: Path, run_app: Start, page: Any) -> None:
    cat, ids = make(tmp_path, 2)
    page_ = [Judged(ids[0], "drop", "text", note="two\nlines <b>", unsure=True), Judged(ids[1])]
    review.commit(cat, "photos", page_, "ann")
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/log")
    page.locator(".tile .says", has_text="text, unsure").wait_for()
    page.locator(".tile").nth(1).click()
    press(page, "Space")
    page.locator("dialog").get_by_text("two lines <b>", exact=True).wait_for()
