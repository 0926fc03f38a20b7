"""The grids of Log and No face in a real Chromium: marked by keys, sent by Enter, larger by Space."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from btfer import review
from btfer.catalogue import faces, photos, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.faces.modes import crop_settings
from btfer.paths import photo_path
from btfer.review import Judged, duplicates
from btfer.settings import Settings
from review_app import log, no_face
from tests.drawn_catalogue import DIGEST, make
from tests.review_app.naming import sit
from tests.review_app.test_browser import another, box_of
from tests.review_app.test_duplicates_page import make_groups
from tests.review_app.test_right_votes import choose, rename

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def held(cat: Any) -> dict[str, tuple[str, str]]:
    return {row.photo: (row.decision, row.reason) for row in verdicts.current_in(cat, "photos")}


def test_the_log_is_judged_anew_by_keyboard_and_says_who_and_when(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 4)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    page.goto(f"{app.url}/log")
    grid = page.get_by_role("listbox", name="verdicts, newest first")
    grid.wait_for()
    assert page.locator(".tile img").count() == 4
    says = page.locator(".tile .says").all_text_contents()
    assert all("keep · ann · 20" in one for one in says)
    page.locator(".tile").first.click()
    page.keyboard.press("t")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("z")
    page.get_by_text("2 of 4 marked").wait_for()
    assert held(cat) == dict.fromkeys(ids, ("keep", ""))  # nothing is sent before Enter
    page.keyboard.press("Enter")
    page.get_by_text("1 undone. 1 judged.").wait_for()
    page.get_by_text("0 of 7 marked").wait_for()
    expected = {ids[0]: ("keep", ""), ids[2]: ("keep", ""), ids[3]: ("drop", "text")}
    assert held(cat) == expected
    page.locator(".tile").first.click()
    page.keyboard.press("Space")
    page.locator("dialog[open] img").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_what_is_chosen_of_the_log_is_in_the_address(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 6)
    review.commit(cat, "photos", [Judged(one) for one in ids[:3]], "ann")
    review.commit(cat, "photos", [Judged(one, "drop", "text") for one in ids[3:]], "ben")
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/log?by=ben&class=happy")
    page.locator(".tile .says", has_text="text · ben").wait_for()
    assert page.locator(".tile").count() == 1
    page.get_by_role("combobox", name="Class").click()
    page.keyboard.type("any")
    page.keyboard.press("Enter")
    page.locator(".tile").nth(2).wait_for()
    page.wait_for_function("location.search === '?by=ben'")
    page.reload()
    page.locator(".tile").nth(2).wait_for()
    assert page.locator(".tile").count() == 3
    page.goto(f"{app.url}/photos")
    page.get_by_text("Every photo that").wait_for()
    page.get_by_role("link", name="My earlier pages").click()
    page.locator(".tile .says", has_text="keep · ann").first.wait_for()
    assert page.locator(".tile").count() == 3  # one's own, to be judged anew


def test_a_photo_without_a_face_is_seen_large_and_dropped(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 3)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    without = [
        Verdict("crop", one, "drop", "crop", settings=DIGEST, reason="no face") for one in ids
    ]
    verdicts.add(cat, without)
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    page.goto(f"{app.url}/no-face")
    page.locator(".tile").nth(1).dblclick()
    page.locator("dialog[open] img[src^='data:image/webp']").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="F no face").click()  # what a key does, a button does too
    page.locator(".tile").nth(1).click()
    page.locator(".tile.drop").wait_for()
    page.get_by_role("button", name="send the marked ones").click()
    page.get_by_text("1 dropped; the page Log takes it back.").wait_for()
    assert held(cat)[ids[1]] == ("drop", "no face")  # the newest comes first
    assert page.locator(".tile").count() == 2


@pytest.mark.slow
def test_what_is_chosen_of_photos_without_a_face_is_in_the_address(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 60)
    review.commit(cat, "photos", [Judged(one) for one in ids[:30]], "ann")
    said = (("no face", one) for one in ids[:56]), (("out of memory", one) for one in ids[56:])
    verdicts.add(
        cat,
        [
            Verdict("crop", photo, "drop", "crop", settings=DIGEST, reason=reason)
            for reason, photo in chain(*said)
        ],
    )
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    page.goto(f"{app.url}/no-face?by=ann&class=sad")
    page.locator(".tile .label", has_text="sad").nth(3).wait_for()
    assert page.locator(".tile").count() == 4
    choose(page, "Class", "any")
    page.locator(".tile").nth(29).wait_for()
    page.wait_for_function("location.search === '?by=ann'")
    choose(page, "Reviewer", "any")
    page.locator(".tile").nth(47).wait_for()  # a page
    page.get_by_role("button", name="Older").click()
    page.wait_for_function("location.search.startsWith('?before=')")
    page.locator(".tile").nth(48).wait_for(state="detached")
    await_tiles(page, 12)
    page.reload()
    await_tiles(page, 12)
    choose(page, "Reason", "out of memory")
    await_tiles(page, 4)
    assert page.evaluate("location.search") == "?reason=out+of+memory"
    other = another(page)
    other.goto(page.url)
    await_tiles(other, 4)


@pytest.mark.slow
def test_what_is_chosen_of_the_duplicates_is_in_the_address(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, groups = make_groups(tmp_path, [3, 2, 2, 2])
    review.commit(cat, "photos", [Judged(groups[1][0], "drop", "text")], "ann")
    duplicates.change(cat, groups[2][0], "cleo", keep=groups[2][1])
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    page.goto(f"{app.url}/duplicates")
    page.locator(".count", has_text="group 1 of 4").wait_for()
    page.keyboard.press("Enter")
    page.locator(".count", has_text="group 2 of 4").wait_for()
    page.locator("[data-testid=stSidebar] label", has_text="Filter").click()
    choose(page, "Reviewer", "cleo")
    page.locator(".count", has_text="group 1 of 1").wait_for()
    page.wait_for_function("location.search === '?by=cleo'")
    page.reload()
    page.locator(".count", has_text="group 1 of 1").wait_for()
    assert page.locator(".tile").first.get_attribute("data-id") == groups[2][1]
    other = another(page)
    other.goto(f"{app.url}/duplicates?verdict=text&source=folder")
    other.locator(".count", has_text="group 1 of 1").wait_for()
    assert other.locator(".tile").first.get_attribute("data-id") == groups[1][0]
    other.goto(f"{app.url}/duplicates?find={groups[3][1][:12]}")
    other.locator(f".tile[data-id='{groups[3][0]}']").wait_for()
    other.get_by_role("combobox", name="Verdict").click()
    assert other.get_by_role("option").all_text_contents() == ["any", "not judged (1)"]
    other.goto(f"{app.url}/duplicates?by=nobody")
    other.get_by_text("No group is as chosen").wait_for()


def await_tiles(page: Any, n: int) -> None:
    """Until there are so many tiles, no more."""
    page.locator(".tile").nth(n - 1).wait_for()
    page.locator(".tile").nth(n).wait_for(state="detached")


def draw_by_mouse(page: Any) -> None:
    frame = box_of(page.locator("dialog[open] .frame"))
    for share in (0.3, 0.8):
        x, y = (frame[at] + share * frame[side] for at, side in (("x", "width"), ("y", "height")))
        page.mouse.click(x, y)


def draw_by_keys(page: Any) -> None:
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")


@pytest.mark.parametrize("draw", [draw_by_mouse, draw_by_keys], ids=["mouse", "keys"])
def test_a_face_that_the_detector_missed_is_drawn(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, draw: Callable[[Any], None]
) -> None:
    cat, [photo] = make(tmp_path, 1)
    digest = crop_settings(Settings(data_dir=tmp_path)).digest
    said = Verdict("crop", photo, "drop", "crop", settings=digest, reason="no face")
    verdicts.add(cat, [said])
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    page.goto(f"{app.url}/no-face")
    page.locator(".tile").dblclick()
    page.locator("dialog[open] img[src^='data:image/webp']").wait_for()
    draw(page)
    page.get_by_text("a usable face in every photo").wait_for()
    [face] = faces.accepted(cat, digest)
    assert (face.photo, face.hints) == (photo, {"detector": "person"})
    assert min(face.width_px, face.height_px) > 60


def marked(page: Any) -> list[str]:
    return [one.inner_text() for one in page.locator(".tile .mark").all() if one.is_visible()]


def open_log(page: Any, url: str, place: str = "log") -> None:
    page.goto(f"{url}/{place}")
    page.locator(".tile").first.wait_for()
    page.locator(".tile:focus").wait_for()  # keys judge without a click


def logged(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, n: int
) -> tuple[Any, list[str], Any]:
    """Photos that ann kept, in the log that ben has open."""
    cat, ids = make(tmp_path, n)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    open_log(page, app.url)
    return cat, ids, app


def test_marks_in_the_log_are_their_reviewers_and_outlast_a_reload(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids, app = logged(tmp_path, run_app, page, 4)
    page.keyboard.press("t")
    page.keyboard.press("ArrowRight")
    page.evaluate(PRESS, {"key": "ц", "code": "KeyW"})  # a Cyrillic keyboard
    page.get_by_text("2 not sent").wait_for()
    page.reload()
    page.get_by_text("2 not sent").wait_for()
    assert marked(page) == ["✕ text", "✕ drawing"]
    rename(page, "cleo")
    page.get_by_text("0 of 4 marked").wait_for()
    assert marked(page) == []
    rename(page, "ben")
    page.get_by_text("2 of 4 marked").wait_for()
    page.goto(f"{app.url}/log?verdict=text")  # where these pictures are not
    page.goto(f"{app.url}/log?find={ids[3][:12]}")
    page.get_by_text("1 of your marks are on pictures that are not on this page").wait_for()
    assert len(verdicts.log(cat, rounds=("photos",))) == 4
    page.get_by_role("button", name="discard 1 marks").click()
    page.keyboard.press("Enter")
    page.get_by_text("1 judged.").wait_for()
    assert held(cat) == dict.fromkeys(ids[:3], ("keep", "")) | {ids[3]: ("drop", "text")}


PRESS = """(keys) => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  at.dispatchEvent(new KeyboardEvent("keydown", { ...keys, bubbles: true, composed: true, cancelable: true }));
}"""


def test_what_the_log_sent_to_a_dead_server_is_saved_once_it_is_back(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    cat, ids, app = logged(tmp_path, run_app, page, 2)
    page.keyboard.press("t")
    app.kill()
    page.keyboard.press("Enter")
    page.get_by_text("offline: this page is kept here").wait_for()
    app.start()
    page.get_by_text("1 judged.").wait_for()
    assert held(cat) == {ids[0]: ("keep", ""), ids[1]: ("drop", "text")}
    assert len(verdicts.log(cat, rounds=("photos",))) == 4  # two, one undone, and its successor


def test_what_is_sent_again_by_the_log_or_no_face_is_done_once(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 2)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    [new, old] = verdicts.log(cat, rounds=("photos",))
    page = [Judged(str(new.id), "drop", "text"), Judged(str(old.id), "undo")]
    assert log.judge_again(cat, page, "ben") == "1 undone. 1 judged."
    n = len(verdicts.log(cat, rounds=("photos",)))
    assert log.judge_again(cat, page, "ben").startswith("2 had been taken back")
    assert len(verdicts.log(cat, rounds=("photos",))) == n
    gone = [Judged(ids[0], "drop", "text")]  # somebody drew a face meanwhile
    assert no_face.drop(cat, gone, "ben").startswith("0 dropped")


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((300, 900), id="high"),
        pytest.param((900, 300), id="wide", marks=pytest.mark.slow),
        pytest.param((80, 90), id="small", marks=pytest.mark.slow),
    ],
)
def test_a_box_is_drawn_in_shares_of_the_picture_alone(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, size: tuple[int, int]
) -> None:
    cat, [photo] = make(tmp_path, 1)
    stored = photo_path(tmp_path, photo, photos.described(cat, [photo])[photo].format)
    Image.new("RGB", size, "teal").save(stored)
    digest = crop_settings(Settings(data_dir=tmp_path)).digest
    verdicts.add(cat, [Verdict("crop", photo, "drop", "crop", settings=digest, reason="no face")])
    app = run_app(tmp_path)
    sit(page, app.url, "ben")
    page.goto(f"{app.url}/no-face")
    page.locator(".tile").dblclick()
    page.locator("dialog[open] img[src^='data:image/webp']").wait_for()
    frame = box_of(page.locator("dialog[open] .frame"))
    assert frame["width"] / frame["height"] == pytest.approx(size[0] / size[1], rel=0.02)
    for share in (0.3, 0.8):
        page.mouse.dblclick(  # the second click of a corner is no corner
            frame["x"] + share * frame["width"], frame["y"] + share * frame["height"]
        )
    page.get_by_text("a usable face in every photo").wait_for()
    [face] = faces.accepted(cat, digest)
    assert face.width_px == pytest.approx(size[0] / 2, abs=size[0] / 50)
    assert face.height_px == pytest.approx(size[1] / 2, abs=size[1] / 50)
