"""Every page passes the rules of axe-core, light and dark: nothing serious stands in the way of anybody."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.catalogue import pairs, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.review import Judged
from tests.drawn_catalogue import DIGEST, make
from tests.review_app.naming import sit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
READY = {
    "Overview": ".btfer-bar",
    "Photos": ".review .tile",
    "Faces": ".review[data-round=faces] .tile",
    "No face": "[role=listbox][aria-label*='without a face'] .tile",
    "Duplicates": ".duplicates .tile",
    "Disagreements": ".review .tile >> text='ann: keep | ben: drop: text'",
    "Agreement": "text=/kappa/",
    "Log": "[role=listbox][aria-label*='verdicts'] .tile",
    "Guidelines": "text=Drawn examples",
    "Pairs": ".pairs figure",
    "Model": "h3 >> text=Model",
}
"""What is on each page once it is drawn."""
SHEETS = {
    "Photos": {
        "the loupe": (" ",),
        "two side by side": ("Escape", "b", "ArrowRight", "b"),
        "the keys": ("Escape", "?"),
    },
    "No face": {"a face is drawn": (" ",)},
    "Duplicates": {"kept and copy": ("ArrowRight", " ")},
    "Log": {"a picture, larger": (" ",)},
}
"""What opens over a page, with the keys that open it."""


def something_everywhere(data_dir: Path) -> None:
    """Two people agree on most, one photo has no face, three are copies, pairs are asked about, the rest waits."""
    cat, _ = make(data_dir, 30, with_faces=True)
    photos = [one.photo for one in review.queue(cat, "faces", DIGEST)]
    review.plan(cat, 2)
    for who in ("ann", "ben"):
        review.commit(cat, "photos", [Judged(id_) for id_ in photos[:12]], who)
    review.commit(cat, "photos", [Judged(photos[12])], "ann")
    review.commit(cat, "photos", [Judged(photos[12], "drop", "text")], "ben")
    without = Verdict("crop", photos[20], "drop", "crop", settings=DIGEST, reason="no face")
    copies = [
        Verdict("dedup", one, "drop", "dedup", reason="duplicate", keeper=photos[21], distance=3)
        for one in photos[22:25]
    ]
    verdicts.add(cat, [without, *copies])
    pairs.draw(cat, [(one, other, 1.0) for one, other in pairwise(sorted(photos[25:29]))])
    cat.close()


MARK_SHEET = """() => {
  for (const one of document.querySelectorAll("*"))
    one.toggleAttribute("data-sheet", Boolean(one.shadowRoot?.querySelector("dialog[open]")));
}"""
SHEET = {"include": [{"fromShadowDom": ["[data-sheet]", "dialog[open]"]}]}
"""The sheet alone: what is behind it cannot be reached, and is pale while the script runs."""


def serious(page: Any, where: str, context: Any = None) -> Iterator[str]:
    """What axe-core finds serious or critical: the rule, where, and what it says."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for one in axe.Axe().run(page, context).response["violations"]:
        if one["impact"] in ("serious", "critical"):
            for node in one["nodes"]:
                yield f"{where}: {one['id']} at {node['target']}: {node['failureSummary']}"


def await_drawn(page: Any) -> None:
    """Until the script has run: what it may replace is pale, and what is to come is a grey bar."""
    page.locator(".stApp[data-test-script-state=notRunning]").wait_for()
    for passing in ("[data-stale=true]", "[data-testid=stSkeleton]"):
        page.wait_for_function("one => !document.querySelector(one)", arg=passing)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, scheme: str
) -> None:
    something_everywhere(tmp_path)
    app = run_app(tmp_path)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sit(page, app.url, "cleo")
    page.goto(app.url)
    found: list[str] = []
    for name, drawn in READY.items():
        page.get_by_role("link", name=name, exact=True).click()
        page.locator(drawn).first.wait_for()
        await_drawn(page)
        found += serious(page, name)
        for sheet, keys in SHEETS.get(name, {}).items():
            page.locator(".tile").first.click()
            for key in keys:
                page.keyboard.press(key)
            page.locator("dialog[open] :is(img[src^='data:image/webp'], h2)").last.wait_for()
            page.evaluate(MARK_SHEET)
            found += serious(page, f"{name}, {sheet}", SHEET)
            page.keyboard.press("Escape")
    assert not found, "\n".join(found)
