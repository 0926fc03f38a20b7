"""Streamlit's box about a lost server: it takes no key of the grid, and gives the grid none of a text box."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.drawn_catalogue import make
from tests.review_app.test_browser import await_count, open_round

pytestmark = pytest.mark.browser
Start = Callable[[Path], Any]
# The box comes with the focus, the key is pressed before anybody is told of it.
PRESS_IN_BOX = """key => {
  const box = Object.assign(document.createElement("section"), { tabIndex: -1 });
  box.innerHTML = "<h2>Connection error</h2><button>Close</button>";
  box.setAttribute("role", "dialog");
  box.querySelector("button").onclick = () => box.remove();
  document.body.append(box);
  box.focus();
  box.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
}"""


def press_in_box(page: Any) -> None:
    page.evaluate(PRESS_IN_BOX, "n")
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_timeout(100)


def test_a_key_that_falls_into_the_box_is_not_lost(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 12)
    open_round(page, run_app(tmp_path).url, "photos", "ann")
    press_in_box(page)
    await_count(page, "1 of 12 marked")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("t")  # the grid has the focus again
    await_count(page, "2 of 12 marked")


@pytest.mark.slow
def test_what_was_typed_elsewhere_is_no_verdict_when_the_box_comes(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 12)
    open_round(page, run_app(tmp_path).url, "photos", "ann")
    page.get_by_text("Filter", exact=True).click()
    find = page.get_by_role("textbox", name="Find")
    find.fill("Drawi")
    press_in_box(page)
    page.keyboard.type("ng")  # each means something in the grid
    assert find.input_value() == "Drawing"
    find.fill("")
    page.keyboard.press("Enter")
    page.locator(".tile").nth(11).wait_for()
    await_count(page, "0 of 12 marked")


def test_a_note_goes_on_where_it_was_when_the_box_comes(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 12)
    open_round(page, run_app(tmp_path).url, "photos", "ann")
    page.keyboard.press("m")
    note = page.locator("textarea")
    note.fill("li")
    press_in_box(page)
    page.keyboard.type("p")
    assert note.input_value() == "lip"
    await_count(page, "0 of 12 marked")
