"""What 1,200 real pictures, judged by eye and keyboard, showed: nothing hides the face, and small ones are large."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.drawn_catalogue import make
from tests.review_app.test_browser import box_of, open_round, send, until
from tests.review_app.test_right_votes import marked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Start = Callable[[Path], Any]


def box(page: Any, selector: str) -> dict[str, float]:
    return box_of(page.locator(selector).first)


def bottom_of(drawn: Any) -> float:
    at = box_of(drawn)
    return at["y"] + at["height"]


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "telephone"])
def test_marks_and_sheets_leave_the_picture_in_sight(
    tmp_path: Path, run_app: Start, page: Any, size: tuple[int, int]
) -> None:
    make(tmp_path, 60)
    app = run_app(tmp_path)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_round(page, app.url, "photos")
    for key in ("t", "ArrowRight", "4"):
        page.keyboard.press(key)
    for kind in ("drop", "relabel"):  # whether a mark is right can be seen before Enter
        tile, mark = box(page, f".tile.{kind}"), box(page, f".tile.{kind} .mark")
        assert mark["y"] - tile["y"] > 0.7 * tile["height"]
        assert mark["y"] + mark["height"] < tile["y"] + tile["height"] + 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    loupe = "dialog.loupe[open] .frame img"
    page.locator(f"{loupe}[src^='data:image/webp']").wait_for()  # 200 x 180 px
    fills = min(0.9 * 180 / 200 * box(page, "dialog .photo")["width"], 0.85 * size[1])
    until(page, lambda: box(page, loupe)["height"] > fills)
    page.keyboard.press(" ")
    page.keyboard.press("?")
    for heading in page.locator(
        ".words h2"
    ).all():  # none at the foot of a column, its list in the next
        first = box_of(heading.locator("xpath=following-sibling::dl[1]/dt[1]"))
        assert first["x"] == pytest.approx(box_of(heading)["x"], abs=2)


def test_two_side_by_side_are_numbered_and_say_how_to_close_them(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 3)
    app = run_app(tmp_path)
    page.set_viewport_size({"width": 1440, "height": 900})
    open_round(page, app.url, "photos")
    for key in ("b", "ArrowRight", "ArrowRight", "b"):
        page.keyboard.press(key)
    page.locator("dialog.pair[open] img[src^='data:image/webp']").nth(1).wait_for()
    captions = page.locator("dialog .caption").all_inner_texts()
    assert [one.split(" · ")[0] for one in captions] == ["1", "3"]
    sheet = box(page, "dialog.pair")
    for caption in page.locator("dialog .caption").all():
        at = box_of(caption)
        assert at["y"] + at["height"] < sheet["y"] + sheet["height"]
    page.get_by_role("button", name="close").click()
    page.locator("dialog[open]").wait_for(state="detached")


def test_what_was_undone_is_said_without_a_second_row_of_keys(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 60)
    app = run_app(tmp_path)
    page.set_viewport_size({"width": 1440, "height": 900})
    open_round(page, app.url, "photos")
    for _ in range(12):
        page.keyboard.press("t")
        page.keyboard.press("ArrowRight")
    before = box(page, ".review .bar")["height"]
    send(page)
    page.locator(".count", has_text="12 photos waiting").wait_for()
    page.keyboard.press("u")
    page.locator(".said", has_text="48 undone").wait_for()
    assert box(page, ".review .bar")["height"] == before  # the grid does not jump


def test_a_page_that_is_not_full_has_larger_faces(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 25, with_faces=True)
    app = run_app(tmp_path)
    page.set_viewport_size({"width": 1440, "height": 950})
    open_round(page, app.url, "faces")
    until(page, lambda: box(page, ".tile")["height"] > 155)  # five rows of 130 px were chosen
    until(page, lambda: bottom_of(page.locator(".tile").last) <= 950)
    sharp = "all => all.length === 25 && all.every((img) => img.naturalWidth >= 256)"
    until(page, lambda: page.locator(".tile img").evaluate_all(sharp))  # drawn anew meanwhile
    columns = "one => getComputedStyle(one).gridTemplateColumns.split(' ').length"
    row = page.locator(".grid").evaluate(columns)
    assert 25 % row  # the last row is short
    for _ in range(row - 1):
        page.keyboard.press("ArrowRight")
    for _ in range(5):  # down its right edge: to the last picture, not to a stop above it
        page.keyboard.press("ArrowDown")
    page.keyboard.press("t")
    assert list(marked(page)) == [page.locator(".tile").last.get_attribute("data-id")]
