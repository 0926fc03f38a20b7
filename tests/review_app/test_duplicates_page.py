"""The page of near-duplicates: what it says (AppTest), and a person at the keyboard (Chromium)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.review import duplicates
from tests.drawn_catalogue import add_photo, make
from tests.review_app.naming import rename, sit
from tests.review_app.test_seeing import PRESS


def make_groups(data_dir: Path, sizes: list[int]) -> tuple[Catalogue, list[list[str]]]:
    """A catalogue with a group of each size, as dedup would leave it: the keeper first, then its copies."""
    cat, _ = make(data_dir, 0)
    numbers, groups = iter(range(1, 1000)), []
    for size in sizes:
        group = [add_photo(cat, data_dir, next(numbers), label="happy") for _ in range(size)]
        told = partial(Verdict, "dedup", decision="drop", reviewer="dedup", reason="duplicate")
        verdicts.add(cat, [told(photo=one, keeper=group[0], distance=3) for one in group[1:]])
        groups.append(group)
    return cat, groups


def held(cat: Catalogue) -> dict[str, str]:
    return {row.photo: row.keeper for row in verdicts.current_in(cat, "dedup")}


def show() -> AppTest:
    def script() -> None:
        from review_app import duplicates

        duplicates.page()

    app = AppTest.from_function(script, default_timeout=200).run()
    assert not app.exception
    return app


def sentences(app: AppTest) -> str:
    return " ".join(e.value for kind in (app.info, app.success, app.error) for e in kind)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    return tmp_path


def test_without_a_catalogue_the_page_names_the_next_command(data_dir: Path) -> None:
    assert "`btfer crawl`" in sentences(show())


def test_without_copies_the_page_says_so(data_dir: Path) -> None:
    make(data_dir, 2)
    assert "There are no groups of duplicates" in sentences(show())


@pytest.mark.slow
def test_a_reviewer_without_a_name_is_asked_for_one(data_dir: Path) -> None:
    make_groups(data_dir, [2])
    app = show()
    assert sentences(app) == ""
    rename(app, "  ")
    assert "Enter your name" in sentences(app)


@pytest.mark.slow
def test_the_last_change_can_be_taken_back_where_no_group_is_left(data_dir: Path) -> None:
    cat, [[keeper, copy]] = make_groups(data_dir, [2])
    duplicates.change(cat, keeper, "ann", not_copies=[copy])
    app = show()
    rename(app, "ann")
    [undo] = [button for button in app.main.button if button.label == "Undo my last change"]
    undo.click().run()
    assert not app.exception
    assert held(cat) == {keeper: "", copy: keeper}
    assert sentences(app) == ""  # the group is drawn again


HOSTILE = [
    (
        {"kind": "commit", "reviewer": "ann", "group": "' OR 1=1 --", "keep": "x", "not": []},
        "has no copies now",
    ),
    (
        {"kind": "commit", "reviewer": "ann", "keep": ["a"], "not": "abc", "place": "x"},
        "has no copies now",
    ),
    ({"kind": "commit", "reviewer": "ben", "keep": "a", "not": []}, "nothing was saved"),
    ({"kind": "find", "ids": 7}, ""),
    ({"kind": "zoom", "id": "../../../etc/passwd", "place": -5}, ""),
    ({"kind": "turn", "place": 10**9}, ""),
    ({"kind": "more", "place": True}, ""),
    ({"kind": "delete", "number": {}}, ""),
    ("commit", ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "said"), HOSTILE, ids=lambda one: str(one)[:24])
def test_whatever_the_browser_sends_changes_nothing_but_groups(
    data_dir: Path, answer: Any, said: str
) -> None:
    def script(answer: object) -> None:
        import streamlit as st

        from review_app import duplicates, session

        opened = session.opened_catalogue()
        assert opened
        st.session_state["duplicates"] = {"answer": answer}
        duplicates._answer(opened[0], "ann", duplicates._groups(opened[0]))
        del st.session_state["duplicates"]
        duplicates.page()

    cat, _ = make_groups(data_dir, [3, 2])
    before = verdicts.log(cat)
    app = AppTest.from_function(script, kwargs={"answer": answer}, default_timeout=200).run()
    assert not app.exception
    assert all(said in error.value for error in app.error)
    assert bool(app.error) == bool(said)
    assert verdicts.log(cat) == before


@pytest.mark.slow
@pytest.mark.browser
def test_groups_are_changed_and_undone_by_keyboard_alone(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, [large, *_] = make_groups(tmp_path, [4, 3, *[2] * 8])
    before = held(cat)
    app = run_app(tmp_path)

    def open_page() -> None:
        sit(page, app.url, "ann")
        page.goto(f"{app.url}/duplicates")
        page.locator(".count", has_text="group 1 of 10").wait_for()

    open_page()
    assert page.locator(".tile").count() == 4
    assert page.locator(".tile .role").all_text_contents() == ["★ kept", *["✕ copy"] * 3]
    assert "<b>Drawing 1</b>" in page.locator(".facts").first.text_content()  # text stays text
    assert "kept: " in page.locator(".about").text_content()
    second, third = (page.locator(".tile").nth(n).get_attribute("data-id") for n in (1, 2))
    page.keyboard.press("n")  # the keeper itself cannot be no copy
    page.get_by_text("press K on another photo first").wait_for()
    page.keyboard.press("ArrowRight")
    page.evaluate(PRESS, ["\u03bd", "KeyN"])  # on a Greek keyboard
    for key in ("ArrowRight", "k"):  # no pause between presses
        page.keyboard.press(key)
    assert page.locator(".tile .role").all_text_contents() == [
        "✕ copy",
        "✓ not a copy",
        "★ kept",
        "✕ copy",
    ]
    assert held(cat) == before  # nothing is sent before Enter
    page.keyboard.press("Enter")
    page.locator(".count", has_text="group 2 of 10").wait_for()
    changed = dict.fromkeys(large, third) | {second: "", third: ""}
    assert held(cat) == before | changed

    page.keyboard.press("Enter")  # nothing is marked: the next group, and nothing is written
    page.locator(".count", has_text="group 3 of 10").wait_for()
    assert held(cat) == before | changed
    app.kill()
    app.start()
    open_page()
    page.keyboard.press("u")
    page.get_by_text("verdicts undone").wait_for()
    assert held(cat) == before
    assert page.locator(".tile").first.get_attribute("data-id") == large[0]
    page.keyboard.press("u")
    page.get_by_text("no change of yours to undo").wait_for()


@pytest.mark.browser
@pytest.mark.slow
def test_pages_turn_and_two_pictures_are_compared_large(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    make_groups(tmp_path, [2] * 10)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/duplicates")
    for number in range(1, 10):
        page.locator(".count", has_text=f"group {number} of 10").wait_for()
        page.keyboard.press("Enter")
    page.locator(".count", has_text="group 10 of 10").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("This was the last group").wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.locator("dialog[open] img[src^='data:image/webp']").nth(1).wait_for()
    says = page.locator("dialog[open] .difference figcaption", has_text="of the picture differs")
    says.wait_for()
    assert page.locator("dialog[open] canvas").count() == 1
    page.keyboard.press(" ")
    assert page.locator("dialog[open]").count() == 0
    for _ in range(2):
        page.keyboard.press("b")
    page.locator(".count", has_text="group 8 of 10").wait_for()
