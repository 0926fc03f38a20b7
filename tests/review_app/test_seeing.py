"""One sees what one judges: sizes, the loupe, two side by side, hints, any keyboard, guidelines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from btfer import review
from btfer.catalogue import verdicts
from btfer.catalogue.tables import review_page
from btfer.review import Judged, gold
from btfer.review.guidelines import read_guidelines
from tests.drawn_catalogue import DIGEST, FACE_BOX, add_face, add_photo, label_of, make
from tests.review_app.test_browser import await_said, box_of, given, open_round, send, until
from tests.review_app.test_right_votes import marked, rows

pytestmark = pytest.mark.browser
Start = Callable[[Path], Any]

PRESS = """([key, code]) => {
  const deep = (root) => root.activeElement?.shadowRoot ? deep(root.activeElement.shadowRoot) : root.activeElement;
  const all = { bubbles: true, composed: true, cancelable: true };
  deep(document).dispatchEvent(new KeyboardEvent("keydown", { key, code, ...all }));
}"""
# null while the element is being drawn anew: what is not in the page has no colour.
CONTRAST = """(element) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(element);
  if (!style.color || !style.backgroundColor) return null;
  const [one, other] = [light(style.color), light(style.backgroundColor)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""


def contrast(page: Any, selector: str) -> float:
    """Of the words in the element that stands there once it is drawn."""
    for _ in range(50):
        if (found := page.locator(selector).evaluate(CONTRAST)) is not None:
            return float(found)
        page.wait_for_timeout(100)
    raise AssertionError(f"{selector} is never drawn")


def height(page: Any) -> float:
    return float(page.locator(".tile").first.evaluate("one => one.offsetHeight"))


@pytest.mark.parametrize(
    "width",
    [390, pytest.param(1280, marks=pytest.mark.slow), pytest.param(2560, marks=pytest.mark.slow)],
)
def test_the_grid_fills_the_window_and_its_size_is_remembered(
    tmp_path: Path, run_app: Start, page: Any, width: int
) -> None:
    make(tmp_path, 60)
    app = run_app(tmp_path)
    page.set_viewport_size({"width": width, "height": 1000})
    open_round(page, app.url, "photos")
    until(page, lambda: fills(page))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    fitting = height(page)
    for _ in range(3):
        page.keyboard.press("+")
    until(page, lambda: height(page) > 1.5 * fitting)
    larger = height(page)
    page.reload()
    page.locator(".tile").first.wait_for()
    until(page, lambda: height(page) == pytest.approx(larger, abs=2))
    page.keyboard.press("0")
    until(page, lambda: height(page) == pytest.approx(fitting, abs=2))


def fills(page: Any) -> bool:
    """Whether the tiles fill the grid's width, and no row is left half empty."""
    grid, tile = (box_of(page.locator(name).first) for name in (".grid", ".tile"))
    columns = round(grid["width"] / (tile["width"] + 6))
    return bool(columns * (tile["width"] + 6) > 0.95 * grid["width"] and 48 % columns == 0)


@pytest.mark.slow
def test_a_page_of_96_says_once_what_was_done_and_that_nothing_is_known(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, _ = make(tmp_path, 99)
    nameless = add_photo(cat, tmp_path, 200, label="")
    app = run_app(tmp_path)
    open_round(page, app.url, "photos?per_page=96")
    assert page.locator(".tile").count() == 96
    columns = "one => getComputedStyle(one).gridTemplateColumns.split(' ').length"
    until(page, lambda: 96 % page.locator(".grid").evaluate(columns) == 0)
    for index in range(96):
        page.locator(".tile").nth(index).scroll_into_view_if_needed(timeout=5_000)
    send(page)
    await_said(page, "96 judged")
    assert len(rows(cat)) == 96
    page.locator(".said.old").wait_for(state="attached")  # it is no news for ever
    page.locator(".said").wait_for(state="hidden")
    last = page.locator(f".tile[data-id='{nameless}']")
    assert last.inner_text().split().count("unlabelled") == 1
    assert last.get_attribute("aria-label").count("unlabelled") == 1


def test_known_faces_are_framed_in_round_one_and_crops_come_sharp_in_round_two(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 3)
    add_face(cat, tmp_path, ids[0])
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    box = page.locator(".tile svg rect").first
    assert float(box.get_attribute("x")) == FACE_BOX[0]
    assert page.locator(".tile svg").count() == 1
    open_round(page, app.url, "faces")
    page.locator(".size").fill("300")
    page.locator(".tile img").first.wait_for()
    page.wait_for_function(
        """() => [...document.querySelectorAll("*")].some((one) =>
          [...(one.shadowRoot?.querySelectorAll(".tile img") || [])].some((img) => img.naturalWidth >= 256))"""
    )


def test_the_loupe_shows_the_face_enlarged_its_place_and_all_that_is_known(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, _ = make(tmp_path, 3, with_faces=True)
    first = review.queue(cat, "faces", DIGEST, order="suspicious first")[0].photo
    with cat.write() as connection:
        connection.exec_driver_sql(
            "UPDATE sighting SET page_url = CASE WHEN fetch IN (SELECT id FROM fetch WHERE photo = ?) "
            "THEN 'javascript:alert(1)' ELSE 'https://pictures.example/page' END",
            (first,),
        )
    app = run_app(tmp_path)
    open_round(page, app.url, "faces")
    page.keyboard.press(" ")
    face = page.locator("dialog .face img")
    face.wait_for()
    # 200 % of a box of 80 x 100 and its margin would be 240 x 300: a small face is shown at 400 px.
    assert face.evaluate("one => [one.naturalWidth, one.naturalHeight]") == [320, 400]
    page.locator("dialog .frame svg rect").first.wait_for()
    seen = page.locator("dialog").inner_text()
    for text in ("267 %", "1 of 3", ".png", first[:16], "cut off", "javascript:alert(1)"):
        assert text in seen
    assert page.locator("dialog a").count() == 0  # no link but to http and https
    page.keyboard.press("ArrowRight")
    link = page.locator("dialog a")
    assert link.get_attribute("href") == "https://pictures.example/page"
    assert "noopener" in link.get_attribute("rel")
    page.keyboard.press("o")
    page.locator("dialog dd", has_text="cut off").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    page.keyboard.press("ArrowRight")  # the grid has the focus again
    page.keyboard.press("t")
    assert list(marked(page).values()) == ["✕ cut off", "✕ text"]


def test_two_pictures_are_compared_side_by_side(tmp_path: Path, run_app: Start, page: Any) -> None:
    make(tmp_path, 3)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    for key in ("b", "ArrowRight", "b"):
        page.keyboard.press(key)
    page.locator("dialog.pair[open] img[src^='data:image/webp']").nth(1).wait_for()
    page.keyboard.press("b")
    page.locator("dialog[open]").wait_for(state="detached")


def test_any_keyboard_judges(tmp_path: Path, run_app: Start, page: Any) -> None:
    make(tmp_path, 5)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    pressed = [
        ("\u0435", "KeyT"),  # Cyrillic
        ("\u03bd", "KeyN"),  # Greek
        ("\u00e8", "Digit7"),  # the upper row of a French keyboard
        ("Process", "KeyD"),  # an input method
        ("w", "KeyZ"),  # French: what is written on the key is what counts
    ]
    for key, code in pressed:
        page.evaluate(PRESS, [key, code])
        page.evaluate(PRESS, ["ArrowRight", "ArrowRight"])
    assert list(marked(page).values()) == [
        "✕ text",
        "✕ non-human",
        "→ surprise",
        "✕ duplicate",
        "✕ drawing",
    ]


def test_hints_and_keys_are_explained_and_the_strongest_hint_is_on_the_badge(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 1)
    add_face(cat, tmp_path, ids[0], hints={"sharpness": 0.01, "turn": 0.4, "odd_landmarks": 2})
    with cat.write() as connection:
        connection.exec_driver_sql("UPDATE query SET expression = ''")
    app = run_app(tmp_path)
    page.emulate_media(reduced_motion="reduce")  # no colour is halfway
    open_round(page, app.url, "faces")
    badge = page.locator(".badge")
    assert badge.inner_text() == "odd landmarks +2"
    assert "perhaps no face" in badge.get_attribute("title")
    tile = page.locator(".tile").first
    assert "picture 1, unlabelled, odd landmarks, blurred, turned" in tile.get_attribute(
        "aria-label"
    )
    page.keyboard.press("t")
    assert tile.get_attribute("aria-label").endswith("marked ✕ text")
    assert contrast(page, ".tile.drop .mark") >= 4.5
    page.keyboard.press("?")
    words = page.locator("dialog.help").inner_text()
    for text in ("keep the rest, next page", "the head is turned far to one side", "not a face"):
        assert text in words
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")  # from the grid onwards, and back to the tile
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("t")
    assert marked(page) == {}


@pytest.mark.slow
def test_the_guidelines_are_beside_the_grid_and_their_version_is_recorded(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, _ = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    page.keyboard.press("g")
    page.locator(".panel", has_text="Fear or surprise").wait_for()
    drawn = page.locator(".panel .examples img")
    drawn.nth(20).wait_for(state="attached")  # three of each class
    assert drawn.last.evaluate("one => one.naturalWidth") > 50
    page.keyboard.press("t")  # the keys are still the grid's
    send(page)
    await_said(page, "48 judged")
    assert len(rows(cat)) == 48
    assert ("drop", "text") in given(cat, "photos").values()
    with cat.read() as connection:
        recorded = connection.execute(sa.select(review_page.c.guidelines)).scalars().all()
    assert recorded == [read_guidelines(Path("queries")).version]
    page.goto(f"{app.url}/guidelines")
    page.get_by_text("Drawn examples").wait_for()
    page.locator("[data-testid=stHtml] img[alt*='drawn example']").nth(20).wait_for()


def test_hidden_gold_pictures_give_a_quality_and_no_votes(
    tmp_path: Path, run_app: Callable[..., Any], page: Any
) -> None:
    cat, ids = make(tmp_path, 8)
    review.commit(cat, "photos", [Judged(ids[0]), Judged(ids[1], "drop", "text")], "ann")
    (tmp_path / "gold.csv").write_text(f"sha256,label\n{ids[0]},angry\n{ids[1]},drop:text\n")
    app = run_app(tmp_path, "--gold", str(tmp_path / "gold.csv"))
    open_round(page, app.url, "photos", "ben")
    shown = [one.get_attribute("data-id") for one in page.locator(".tile").all()]
    assert len(shown) == 7  # one of the two, among six that await ben
    [hidden] = set(shown) & set(ids[:2])
    send(page)
    await_said(page, "6 judged")
    assert {row.photo for row in cat_rows(cat, "ben")} == set(ids[2:])
    assert gold.quality(cat, "ben").n == 1
    assert gold.quality(cat, "ben").n_correct == (hidden == ids[0])


def cat_rows(cat: Any, who: str) -> list[Any]:
    return [row for row in verdicts.log(cat, rounds=("photos",)) if row.reviewer == who]


def test_conflicting_labels_are_named(tmp_path: Path, run_app: Start, page: Any) -> None:
    cat, ids = make(tmp_path, 2)
    add_photo(cat, tmp_path, 0, label="sad")  # the first drawing, found by another query too
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    tile = page.locator(f".tile[data-id='{ids[0]}']")
    named = f"conflicting labels: {label_of(0)}, sad; found under queries of different classes"
    assert named in tile.locator(".badge").get_attribute("title")
    assert f"conflicting labels ({label_of(0)}, sad)" in tile.get_attribute("aria-label")
    page.keyboard.press(" ")
    page.locator("dialog dd", has_text=named).wait_for()
