"""Every page passes the rules of axe-core, light and dark: nothing serious stands in the way of anybody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.catalogue import verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.review import Judged
from tests.drawn_catalogue import DIGEST, make
from tests.review_app.naming import sit
from tests.review_app.test_duplicates_page import make_groups
from tests.review_app.test_pairs import make_pairs

pytestmark = pytest.mark.browser
READY = {
    "": "Faces wanted per class",
    "photos": "waiting",
    "faces": "waiting",
    "no-face": "no face",
    "disagreements": "waiting",
    "agreement": "kappa",
    "log": "keep · ann",
    "model": "Model",
}


def judged_by_two(data_dir: Path) -> None:
    """Something on every page: two people agree on most, one photo has no face, the rest waits."""
    cat, ids = make(data_dir, 30, with_faces=True)
    photos = [one.photo for one in review.queue(cat, "faces", DIGEST)]
    review.plan(cat, 2)
    for who in ("ann", "ben"):
        review.commit(cat, "photos", [Judged(id_) for id_ in photos[:12]], who)
    review.commit(cat, "photos", [Judged(photos[12])], "ann")
    review.commit(cat, "photos", [Judged(photos[12], "drop", "text")], "ben")
    without = Verdict("crop", photos[20], "drop", "crop", settings=DIGEST, reason="no face")
    verdicts.add(cat, [without])
    assert len(ids) == 30
    cat.close()


def serious(page: Any) -> list[str]:
    """What axe-core finds serious or critical: the rule, where, and what it says."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{page.url}: {one['id']} at {node['target']}: {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_serious_on_any_page(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, scheme: str
) -> None:
    judged_by_two(tmp_path)
    app = run_app(tmp_path)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = []
    for name, said in READY.items():
        sit(page, app.url, "cleo")
        page.goto(f"{app.url}/{name}")
        page.get_by_text(said).first.wait_for()
        page.wait_for_timeout(1_500)
        found += serious(page)
    assert found == []


@pytest.mark.parametrize(("name", "make_it"), [("duplicates", make_groups), ("pairs", make_pairs)])
def test_axe_finds_nothing_serious_where_pictures_are_compared(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, name: str, make_it: Callable
) -> None:
    make_it(tmp_path, [3, 2] if name == "duplicates" else 4)
    app = run_app(tmp_path)
    page.emulate_media(reduced_motion="reduce")
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/{name}")
    page.locator(".count").first.wait_for()
    page.wait_for_timeout(1_500)
    assert serious(page) == []
