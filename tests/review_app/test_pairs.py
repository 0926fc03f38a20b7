"""The page of pairs: what it says (AppTest), and a person at the keyboard (Chromium)."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from btfer.catalogue import Catalogue, pairs
from btfer.review import pairs as asking
from tests.drawn_catalogue import make
from tests.review_app.naming import rename
from tests.review_app.test_seeing import PRESS


def make_pairs(data_dir: Path, n: int) -> Catalogue:
    """A catalogue with n pairs of drawn photos to ask about."""
    cat, ids = make(data_dir, n + 1)
    ids.sort()
    pairs.draw(cat, [(one, other, 1.0) for one, other in pairwise(ids)])
    return cat


def answers(cat: Catalogue) -> list[bool | None]:
    return [row.same for row in pairs.drawn(cat)]


def show() -> AppTest:
    def script() -> None:
        from review_app import pairs

        pairs.page()

    app = AppTest.from_function(script, default_timeout=200).run()
    assert not app.exception
    return app


def sentences(app: AppTest) -> str:
    return " ".join(e.value for kind in (app.info, app.success, app.error) for e in kind)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_page_names_the_command_that_draws_pairs(data_dir: Path) -> None:
    make(data_dir, 2)
    assert "`btfer dedup calibrate` draws pairs" in sentences(show())


@pytest.mark.slow
def test_the_last_page_can_be_undone_when_all_are_answered(data_dir: Path) -> None:
    cat = make_pairs(data_dir, 1)
    app = show()
    assert sentences(app) == ""
    rename(app, "ann")
    asking.answer(cat, {asking.waiting(cat)[0].id: True}, "ann")
    app.run()
    assert "All 1 pairs have been answered. Next: run `btfer dedup calibrate`" in sentences(app)
    app.button[0].click().run()
    assert not app.exception
    assert answers(cat) == [None]


@pytest.mark.browser
def test_pairs_are_answered_and_undone_by_keyboard_alone(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat = make_pairs(tmp_path, 10)
    app = run_app(tmp_path)
    page.goto(f"{app.url}/pairs")
    page.locator(".holder img").nth(1).wait_for()
    assert "<b>Drawing" in page.locator("figcaption").first.text_content()  # text stays text
    said = "sdssdsds"
    for key in said[:4] + "u" + said[3:7]:  # no pause between presses
        page.keyboard.press(key)
    page.locator(".count", has_text="7 of 8 on this page").wait_for()
    assert answers(cat) == [None] * 10  # nothing is sent before the page is full
    page.keyboard.press(said[7])
    page.locator(".count", has_text="8 of 10 pairs answered").wait_for()
    expected = [key == "s" for key in said]
    assert answers(cat) == [*expected, None, None]

    page.keyboard.press("u")
    page.locator(".count", has_text="7 of 8 on this page").wait_for()
    assert answers(cat) == [None] * 10
    page.keyboard.press("s")  # the other answer to the last pair of that page
    page.locator(".count", has_text="8 of 10 pairs answered").wait_for()
    page.evaluate(PRESS, ["\u0432", "KeyD"])  # on a Cyrillic keyboard
    page.get_by_role("button", name="same picture").click()
    page.get_by_text("All 10 pairs have been answered").wait_for()
    assert answers(cat) == [*expected[:7], True, False, True]
