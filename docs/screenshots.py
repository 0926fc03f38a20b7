"""Makes the pictures of the documents from what `btfer demo` left in a folder: synthetic faces only.

python docs/screenshots.py demo

The review app is in docs/review, the demo's page chapter by chapter and its report in docs/demo. Each page of the app
at 1280 pixels, as the documents show it, and at 390 (a phone) and 2560 in folders of these names. WebP: a page of 48
pictures is a tenth of what it is as PNG. Those of 2560 are kept at half their size.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from review import FLAGS, served  # noqa: E402

from btfer import review  # noqa: E402
from btfer.catalogue import Catalogue, open_catalogue, tables  # noqa: E402
from btfer.catalogue.faces import newest_settings  # noqa: E402
from btfer.review import Judged, Queue  # noqa: E402
from btfer.sample import picture_path  # noqa: E402

SIZES = {"": (1280, 800), "390": (390, 844), "2560": (2560, 1440)}
"""Width and height in pixels, by the folder below docs/review."""
WIDEST_KEPT_PX = 1280
CHAPTERS = (
    "searched",
    "refused",
    "duplicates",
    "people",
    "crop",
    "groups",
    "release",
    "ranking",
    "mistakes",
)
TALLEST_CHAPTER_PX = 1000
"""Of a chapter that is longer its beginning is shown."""
QUALITY = 55
PATIENCE_MS = 180_000  # the machine may be busy
DONE = ".stApp[data-test-script-state=notRunning]"


def prepare(data_dir: Path) -> None:
    """Take the demo's verdicts of people out; two people then judge a part, and not always alike."""
    cat = open_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}")
    with cat.write() as connection:
        connection.execute(
            sa.delete(tables.verdict).where(tables.verdict.c.round.in_(review.ROUNDS))
        )
    review.plan(cat, 2)
    for round_, n in (("photos", 60), ("faces", 40)):
        for who, differs in (("ann", 0), ("ben", 7)):
            _judge(cat, round_, who, n, differs)
    cat.close()


def _judge(cat: Catalogue, round_: str, who: str, n: int, differs: int) -> None:
    page = Queue(cat, round_, who, newest_settings(cat)).page(n)
    judged = []
    for number, item in enumerate(page.items):
        odd = (differs and number % differs == 3) or item.label == "unlabelled"
        judged.append(Judged(item.id, "relabel", "", "neutral") if odd else Judged(item.id))
    review.commit(cat, round_, judged, who)


def shoot(page: Any, url: str, out: Path, data_dir: Path) -> None:
    """A picture of each page, with a few marks on the grids."""
    for name, ready in (
        ("overview", "Faces wanted"),
        ("photos", "photos waiting"),
        ("faces", "faces waiting"),
        ("duplicates", "bits"),
        ("disagreements", "waiting"),
        ("agreement", "kappa"),
        ("log", "marked"),
        ("guidelines", "Guidelines"),
    ):
        place = "" if name == "overview" else name  # the first page has no name in the address
        page.context.add_cookies([{"name": "btfer_reviewer", "value": "cleo", "url": url}])
        page.goto(f"{url}/{place}")
        page.get_by_text(ready).first.wait_for(timeout=60_000)
        page.locator(DONE).wait_for()
        page.wait_for_timeout(2_500)
        for key in "tds" if name in ("photos", "faces") else "":
            page.keyboard.press(key)
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
        _keep(page, out / f"{name}.webp")
        if name == "photos":
            page.keyboard.press("Space")
            page.wait_for_timeout(2_500)
            _keep(page, out / "loupe.webp")
    if (data_dir / "runs").is_dir():
        shoot_model(page, url, out)


def shoot_model(page: Any, url: str, out: Path) -> None:
    """The page Model with a picture of the sample."""
    page.goto(f"{url}/model")
    page.locator("input[type=file]").set_input_files(picture_path("group_01.jpg"))
    page.get_by_alt_text("What the network sees").wait_for(timeout=300_000)
    page.locator(DONE).wait_for()
    page.wait_for_timeout(2_500)
    _keep(page, out / "model.webp")


def shoot_demo(page: Any, demo: Path, out: Path) -> None:
    """The chapters of the demo's page, and the beginning of its newest report."""
    page.goto((demo / "index.html").resolve().as_uri())
    # A picture of a section alone has a margin, and the section is as wide as on the page.
    page.add_style_tag(content="body { max-width: 75rem } section { padding: 1rem 1.5rem }")
    for name in CHAPTERS:
        _keep(page.locator(f"section#{name}"), out / f"{name}.webp", TALLEST_CHAPTER_PX)
    newest = max((demo / "data" / "reports").glob("*/index.html"))
    page.goto(newest.resolve().as_uri())
    _keep(page, out / "report.webp")


def _keep(shown: Any, path: Path, tallest_px: int | None = None) -> None:
    """Keep what a page or an element shows."""
    image = Image.open(io.BytesIO(shown.screenshot()))
    image = image.crop((0, 0, image.width, min(image.height, tallest_px or image.height)))
    image.thumbnail((WIDEST_KEPT_PX, image.height), Image.Resampling.LANCZOS)
    image.save(path, "WEBP", quality=QUALITY, method=6)


def main() -> None:
    """Copy, judge, open, shoot."""
    from playwright.sync_api import sync_playwright

    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    demo, out = Path(sys.argv[1]), ROOT / "docs" / "review"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data_dir = Path(folder) / "data"
        shutil.copytree(demo / "data", data_dir)
        prepare(data_dir)
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        told = ROOT / "docs" / "demo"
        told.mkdir(exist_ok=True)
        shoot_demo(browser.new_page(viewport={"width": 1280, "height": 800}), demo, told)
        with served(ROOT / "review_app" / "app.py", data_dir) as (url, _):
            for name, (width, height) in SIZES.items():
                (out / name).mkdir(parents=True, exist_ok=True)
                page = browser.new_page(viewport={"width": width, "height": height})
                page.set_default_timeout(PATIENCE_MS)
                shoot(page, url, out / name, data_dir)
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
