"""What strangers wrote, on every page: titles, authors, licences, phrases, notes and names stay text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from btfer import review
from btfer.catalogue import Catalogue, tables
from btfer.review import Judged
from tests.drawn_catalogue import make
from tests.review_app.every_page import PAGES, Judging, open_page, ready
from tests.review_app.naming import sit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Start = Callable[[Path], Any]
EVIL = '"\'><img src=x onerror="window.ran=1"><script>window.ran=1</script>$x^2$ [a](javascript:window.ran=1) {{7*7}}'
SHOWN = "<script>window.ran=1</script>"


def poison(cat: Catalogue) -> None:
    """Every text that comes from outside is hostile."""
    sighting = tables.sighting.c
    texts = [sighting.title, sighting.author, sighting.licence]
    with cat.write() as connection:
        connection.execute(sa.update(tables.sighting).values(dict.fromkeys(texts, EVIL)))
        connection.execute(
            sa.update(tables.sighting).values({sighting.page_url: "javascript:window.ran=1"})
        )
        connection.execute(sa.update(tables.query).values(phrase=EVIL))


def unharmed(page: Any) -> bool:
    page.wait_for_timeout(500)  # a picture that is not there needs a moment to fail
    links = page.locator("a[href^='javascript' i]").count()
    return not page.evaluate("() => Boolean(window.ran)") and not links


@pytest.mark.parametrize("kind", PAGES.values(), ids=PAGES)
def test_text_of_strangers_stays_text(
    tmp_path: Path, run_app: Start, page: Any, kind: Judging
) -> None:
    poison(kind.make(tmp_path))
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    open_page(page, app.url, kind)
    assert unharmed(page)
    page.keyboard.press(" ")  # the loupe, where there is one
    assert unharmed(page)
    assert page.locator("img[src='x']").count() == 0


def test_a_hostile_name_and_note_stay_text(tmp_path: Path, run_app: Start, page: Any) -> None:
    cat, ids = make(tmp_path, 3)
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text", note=EVIL)], EVIL)
    app = run_app(tmp_path)
    sit(page, app.url, EVIL)
    page.goto(app.url)
    for name in ("Log", "Agreement", "Overview", "Photos"):
        page.get_by_role("link", name=name, exact=True).click()
        assert unharmed(page)
    page.goto(f"{app.url}/log")
    ready(page)
    page.keyboard.press(" ")
    page.locator("dialog dd", has_text=SHOWN).first.wait_for()
    assert unharmed(page)
