"""The page in a real Chromium: three widths, light and dark, sorted by a press, and no word to anybody."""

from pathlib import Path
from typing import Any

import pytest

from btfer.bench.datasets import ImageSet
from btfer.bench.leaderboard import write_leaderboard
from tests.bench.drawn_bundles import draw_bundle, speck_release
from tests.review_app.test_accessible import serious

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror=alert(1)></td><script>alert(2)</script> & "quoted" name'
WIDTHS = (390, 1280, 2560)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return speck_release(tmp_path_factory.mktemp("release") / "specks-1", 20)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, images: ImageSet) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    link = "https://example.org/a?b=<i>&c"
    draw_bundle(folder, images, HOSTILE, 0.7, 1, by=HOSTILE, link=link)
    draw_bundle(folder, images, "resnet18", 0.5, 2, silent=9)
    draw_bundle(folder, images, "boaster", 0.3, 3, claimed={"accuracy": 0.92})
    draw_bundle(folder, images, "fer", 0.4, 4, hard=True)
    draw_bundle(folder, images, "own", 0.4, 5, part="in_domain")
    (folder / "<b>.zip").write_bytes(b"PK")
    return write_leaderboard(folder, images, folder / "site").page


def opened(browser: Any, site: Path, width: int, scheme: str) -> tuple[Any, list[str]]:
    page = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    ).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("request", lambda asked: asked.url == site.as_uri() or wrong.append(asked.url))
    page.goto(site.as_uri())
    return page, wrong


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_the_page_fits_every_width_and_axe_finds_nothing_serious(
    browser: Any, site: Path, scheme: str
) -> None:
    page, wrong = opened(browser, site, WIDTHS[0], scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert list(serious(page, "leaderboard")) == []
    page.context.close()
    assert wrong == []


def test_a_press_on_a_heading_sorts_and_a_second_one_turns_it_round(
    browser: Any, site: Path
) -> None:
    page, wrong = opened(browser, site, 1280, "light")
    table = page.locator("table").first

    def names() -> list[str]:
        heads = table.locator("tbody th[scope=row]")
        return [text.split("\n")[0].strip() for text in heads.all_inner_texts()]

    assert names()[0] == HOSTILE
    ranked = names()
    button = table.get_by_role("button", name="accuracy")
    button.click()
    assert names() == ranked
    button.click()
    assert names() == ranked[::-1]
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    ece = table.get_by_role("button", name="ECE")
    for _ in range(2):  # what has none is last in both
        ece.click()
        assert names()[-1] == "fer"
    table.get_by_role("button", name="network").focus()
    page.keyboard.press("Enter")
    assert names()[1:] == ["boaster", "fer", "resnet18"]
    shown = page.locator("main").inner_text()
    assert "claimed accuracy 0.920, is" in shown
    assert "tie with" in shown
    assert page.locator("main img, main script").count() == 0
    page.context.close()
    assert wrong == []
