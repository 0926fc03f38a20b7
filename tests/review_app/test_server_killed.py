"""A person judges in a real Chromium while the server is killed and started again, at random points.

What was sent is in the catalogue exactly once, and nothing that was marked is lost. The number of kills is the
variable KILLS; where they fall is drawn by the variable SEED.
"""

import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from tests.drawn_catalogue import make
from tests.reliability.draws import KILLS, SEED, draws
from tests.review_app.test_browser import given, open_round, until
from tests.review_app.test_right_votes import rows

PER_PAGE = 24
REVIEWER = "ann"
NAME = "killed: review app in Chromium"
REASONS = list(review.DROP_REASONS["photos"])
MOMENTS = ("marking", "sending", "away")

Given = dict[str, tuple[str, str]]


class Sitting:
    """One person before one browser, and the server that they do not see dying. judged: what they meant, by photo."""

    def __init__(self, page: Any, app: Any, rng: random.Random) -> None:
        self.page, self.app, self.rng = page, app, rng
        self.judged: Given = {}

    def tiles(self) -> list[str]:
        """The photos on the page, in their order."""
        found = self.page.locator(".tile").evaluate_all("all => all.map(one => one.dataset.id)")
        return [str(one) for one in found]

    def is_done(self) -> bool:
        return bool(self.page.get_by_text("Every photo that btfer dedup kept").count())

    def await_page(self) -> list[str]:
        """Photos that were not judged yet; none where there is none left."""
        until(self.page, lambda: self.is_done() or not set(self.tiles()) <= self.judged.keys())
        return [] if self.is_done() else self.tiles()

    def mark(self, photos: list[str]) -> None:
        """Some of the page, each with a reason."""
        for one in photos:
            reason = self.rng.choice(REASONS)
            self.judged[one] = ("drop", reason)
            tile = self.page.locator(f'.tile[data-id="{one}"]')
            chip = self.page.locator("button.drop", has_text=re.compile(f"{reason}$")).first
            while "drop" not in str(tile.get_attribute("class")).split():
                if chip.get_attribute("aria-pressed") != "true":
                    chip.click()  # where the grid was drawn anew, no reason is chosen
                tile.click()

    def is_marked(self, photos: list[str]) -> bool:
        """Whether these photos have a mark on the page, and no other."""
        found = self.page.locator(".tile.drop").evaluate_all(
            "all => all.map(one => one.dataset.id)"
        )
        return sorted(map(str, found)) == sorted(photos)

    def judge(self, photos: list[str], moment: str) -> None:
        """Mark some of a page and send it. moment: at which the server dies; '' = it lives."""
        chosen = [photo for photo in photos if self.rng.random() < 0.2]
        mark, enter = partial(self.mark, chosen), partial(self.page.keyboard.press, "Enter")
        if moment == "marking":
            self.killing(1.0, mark)
        else:
            mark()
        until(self.page, partial(self.is_marked, chosen))
        self.judged |= {photo: ("keep", "") for photo in photos if photo not in chosen}
        self.page.wait_for_timeout(1500)  # sooner, nobody has seen it
        if moment == "sending":
            self.killing(0.6, enter)
        elif moment == "away":
            self.app.kill()
            enter()
            self.app.start()
        else:
            enter()
        if moment and self.rng.random() < 0.3:
            self.page.reload()

    def killing(self, within_s: float, work: Callable[[], None]) -> None:
        """Do something while the server dies at a random moment, and is started again."""
        after_s = self.rng.uniform(0, within_s)

        def kill_and_start() -> None:
            time.sleep(after_s)
            self.app.kill()
            self.app.start()

        with ThreadPoolExecutor(
            1
        ) as other:  # a page that is still being sent takes no marks until then
            restarted = other.submit(kill_and_start)
            work()
            restarted.result()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.reliability(NAME, seed=SEED)
def test_what_was_sent_is_there_once_and_what_was_marked_is_not_lost(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, record_property: Any
) -> None:
    cat, ids = make(tmp_path, PER_PAGE * (KILLS + 1) - 5)
    app, rng, kills = run_app(tmp_path), draws(NAME), 0
    open_round(page, app.url, f"photos?per_page={PER_PAGE}", REVIEWER)
    one = Sitting(page, app, rng)
    while photos := one.await_page():
        moment = rng.choice(MOMENTS) if kills < KILLS else ""
        one.judge(photos, moment)
        kills += bool(moment)
    assert sorted(rows(cat)) == sorted((photo, REVIEWER) for photo in ids)
    assert given(cat, "photos") == one.judged
    record_property("tries", (kills, 0))
