import io
import time

import pytest
from rich.console import Console

from btfer.cli import crawl_view, output
from btfer.pipeline.crawl_outcome import CrawlOutcome

OUTCOME = CrawlOutcome(
    searches=3,
    searches_skipped=1,
    searches_planned=10,
    found=90,
    known=10,
    kept=50,
    new_photos=45,
    refused={"http 404": 7, "robots": 2},
    failed={"timeout": 3},
    target=100,
    have={"happy": 40, "sad": 5},
)


def test_a_crawl_is_told_in_one_line_with_its_rate() -> None:
    text = crawl_view.summary(OUTCOME, time.monotonic() - 31)
    assert text.startswith("4 of 10 searches, 62 of 80 URLs, 45 new photos, 2.0 URLs/s")


def test_the_commonest_losses_come_first() -> None:
    assert crawl_view.losses(OUTCOME) == "lost: http 404 7, timeout 3, robots 2"
    assert crawl_view.losses(OUTCOME, most=1) == "lost: http 404 7, and 2 more reasons"
    assert crawl_view.losses(CrawlOutcome()) == "lost: none"


def test_the_drawing_has_a_bar_for_each_class() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(crawl_view._drawing(OUTCOME, time.monotonic()))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "happy" in text
    assert "40 of 100" in text
    assert "lost: http 404 7" in text


def test_where_nobody_watches_a_line_is_written_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.set_up_logging()
    with crawl_view.crawl_view() as watch:
        for _ in range(100):
            watch(OUTCOME)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "62 of 80 URLs" in told[0]
