"""Log and No face are the same grid as Photos: size, ranges, several at once, notes, doubt, names read aloud."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.catalogue import verdicts
from btfer.catalogue.verdicts import StoredVerdict, Verdict
from btfer.review import Judged
from tests.drawn_catalogue import DIGEST, make
from tests.review_app.naming import sit
from tests.review_app.test_browser import box_of, until
from tests.review_app.test_gallery import await_tiles, held, logged, open_log

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def written(cat: Any, n: int) -> list[StoredVerdict]:
    """The newest verdicts but undoings, newest first."""
    rows = verdicts.log(cat, rounds=("photos",))
    return [row for row in rows if row.decision != "undo"][:n]


def height(page: Any) -> float:
    """Of a picture."""
    return box_of(page.locator(".tile img").first)["height"]


def await_height(page: Any, px: float, within_px: float = 1) -> None:
    for _ in range(1_500):
        if abs(height(page) - px) <= within_px:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the pictures are {height(page)} px high, not {px}")


def drag(page: Any, start: int, end: int) -> None:
    """The mouse, drawn over pictures."""
    boxes = [box_of(page.locator(".tile").nth(one)) for one in (start, end)]
    (x, y), (to_x, to_y) = [(one["x"] + 30, one["y"] + 40) for one in boxes]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=8)
    page.mouse.up()


def test_the_size_of_the_logs_pictures_is_that_of_all_grids_and_is_remembered(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    _, _, app = logged(tmp_path, run_app, page, 3)
    first = height(page)
    page.keyboard.press("+")
    page.keyboard.press("+")
    until(page, lambda: height(page) > 1.3 * first)
    larger = height(page)
    slider = page.get_by_role("slider", name="Size of the pictures")
    assert abs(float(slider.input_value()) - larger) <= 4
    page.reload()
    await_tiles(page, 3)
    await_height(page, larger, 1)
    make(tmp_path, 5)  # two more wait
    page.goto(f"{app.url}/photos")
    await_tiles(page, 2)
    await_height(page, larger, 1)
    slider.fill("120")
    page.goto(f"{app.url}/log")
    await_tiles(page, 3)
    await_height(page, 120, 2)
    page.locator(".tile").first.click()
    page.keyboard.press("0")
    await_height(page, first, 1)


def test_several_pictures_of_the_log_are_marked_at_once_by_range_mouse_and_all(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids, _ = logged(tmp_path, run_app, page, 6)
    tiles = page.locator(".tile")
    tiles.nth(1).click()
    tiles.nth(3).click(modifiers=["Shift"])
    page.get_by_text("3 selected").wait_for()
    page.keyboard.press("t")
    page.get_by_text("3 of 6 marked").wait_for()
    page.keyboard.press("u")  # a step is taken back as one
    page.get_by_text("0 of 6 marked").wait_for()
    page.keyboard.press("Escape")
    drag(page, 0, 2)
    page.get_by_text("3 selected").wait_for()
    page.keyboard.press("x")
    named = tiles.first.get_attribute("aria-label")
    assert named.startswith("picture 1, sad, keep · ann · 20")
    assert named.endswith("marked ✕ do-not-use, selected")
    page.keyboard.press("Control+a")
    page.get_by_text("6 selected").wait_for()
    page.keyboard.press("Escape")
    tiles.nth(5).click()
    page.keyboard.press("z")
    page.get_by_text("4 of 6 marked").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("1 undone. 3 judged.").wait_for()
    kept = dict.fromkeys(ids[1:3], ("keep", ""))
    assert held(cat) == kept | dict.fromkeys(ids[3:], ("drop", "do-not-use"))
    page.locator(".tile.fixed").first.click()
    page.keyboard.press("t")
    page.get_by_text("This verdict is undone").wait_for()
    page.keyboard.press("u")
    page.get_by_text("No mark of yours is left to take back").wait_for()
    assert len(verdicts.log(cat, rounds=("photos",))) == 6 + 4 + 3


def test_a_note_and_a_doubt_go_with_the_verdict_that_holds(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids, _ = logged(tmp_path, run_app, page, 2)
    page.keyboard.press("m")
    page.keyboard.type("a stamp?")
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.get_by_text("? unsure ✎ note").wait_for()
    page.reload()
    page.get_by_text("1 not sent").wait_for()
    page.locator(".tile:focus").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("1 judged.").wait_for()
    [row] = written(cat, 1)
    assert (row.photo, row.reviewer, row.decision) == (ids[1], "ben", "keep")
    assert (row.note, row.unsure) == ("a stamp?", True)
    page.locator(".tile .says", has_text="keep, unsure · ben").wait_for()
    page.keyboard.press("m")
    page.keyboard.type("no")
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    page.keyboard.press("Enter")
    page.get_by_text("A verdict that is undone keeps no note").wait_for()
    assert written(cat, 1) == [row]


def test_photos_without_a_face_are_dropped_together_with_a_note(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 4)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    none = [Verdict("crop", one, "drop", "crop", settings=DIGEST, reason="no face") for one in ids]
    verdicts.add(cat, none)
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    open_log(page, app.url, "no-face")
    page.keyboard.press("m")
    page.keyboard.type("a hand")
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.get_by_text("A drop here is the last word").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Nothing is marked: press a drop reason's letter").wait_for()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    page.get_by_text("2 dropped; the page Log takes it back.").wait_for()
    first, second = written(cat, 2)
    assert {first.photo, second.photo} == set(ids[2:])
    assert {first.note, second.note} == {"a hand", ""}
    await_tiles(page, 2)
