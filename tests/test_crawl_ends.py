"""How a crawl ends on the command line: by a signal, by `--json`, and in `btfer status`."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from btfer.catalogue import journal, open_catalogue, photos
from btfer.catalogue.journal import Fetched, Sighting
from btfer.cli import crawl_report, crawl_status, crawl_view
from btfer.pipeline import crawl_tally
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.crawl_tally import CrawlTally
from btfer.queries import Cell, Query

COMMAND = [sys.executable, "-c", "from btfer.cli import main; main()"]
SAMPLE_PLAN = Path(__file__).parent.parent / "btfer" / "sample" / "queries"
HAPPY = Query("girl happy", "happy", "en", "White", "female", "child", "v1")
SAD = Query("hombre triste", "sad", "es", "Black", "male", "adult", "v1")


def begin(folder: Path, *more: str) -> "subprocess.Popen[str]":
    """A crawl of the built-in site that takes long, in a folder of its own."""
    environment = os.environ | {"BTFER_QUERIES_DIR": str(SAMPLE_PLAN), "BTFER_ENGINE": "serial"}
    command = [*COMMAND, "crawl", "--source", "sample", *more]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    pipes["preexec_fn"] = partial(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # ignored in background jobs
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)


def wait_for_photos(folder: Path) -> None:
    deadline = time.monotonic() + 200
    while not list((folder / "data" / "photos").glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_crawl_with_its_summary_and_it_goes_on_later(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = begin(tmp_path, "--json")
    wait_for_photos(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=200)
    assert process.returncode == code
    facts = json.loads(out)
    assert facts["stopped"]
    assert facts["kept"] >= 1
    sums = [facts["found"] - facts["known"], facts["waiting_before"], facts["retried"]]
    ends = [facts["kept"], facts["waiting"]]
    ends += [n for state in ("refused", "failed") for n in facts[state].values()]
    assert sum(sums) == sum(ends)
    assert "run the same command again to continue" in err
    assert "Traceback" not in err
    later = begin(tmp_path)
    assert "Traceback" not in later.communicate(timeout=200)[1]
    assert later.returncode == 0


def test_a_second_signal_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with crawl_report.stop_on_signals() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.event.is_set()
        assert stop.signal == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.fixture
def crawled(tmp_path: Path) -> Path:
    """The folder of a catalogue with lost and waiting URLs of two hosts, and no photo."""
    cat = open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}")
    seen = [Sighting(f"https://a.example/{n}.jpg", "bing") for n in range(3)]
    journal.add_found(cat, HAPPY, [*seen, Sighting("https://B.example/x", "bing")])
    journal.add_found(cat, SAD, [])
    for one in (HAPPY, SAD):
        journal.add_search(cat, one, "bing", per_query=5, found=4)
    ids = [journal.url_id(one.url) for one in seen]
    journal.finish(cat, [(ids[0], Fetched("refused", "http 404"), None)])
    journal.finish(cat, [(ids[1], Fetched("failed", "timeout", attempts=3), None)])
    cat.close()
    return tmp_path


def test_the_catalogue_tells_what_was_asked_of_each_source_and_host(crawled: Path) -> None:
    cat = open_catalogue(f"sqlite:///{crawled / 'catalogue.db'}")
    assert crawl_tally.of_sources(cat) == {
        "bing": CrawlTally(asked=4, refused=1, failed=1, waiting=2)
    }
    assert crawl_tally.of_hosts(cat) == {
        "a.example": CrawlTally(asked=4, refused=1, failed=1, waiting=1),
        "b.example": CrawlTally(waiting=1),
    }
    assert list(photos.asked_cells(cat)) == [HAPPY.cell, SAD.cell]
    status = crawl_status.read(cat, photos.count_by_cell(cat))
    cat.close()
    assert status.empty == [HAPPY.cell, SAD.cell]
    assert crawl_status.group_table(status) == (
        ["language", "age", "gender", "White", "Black"],
        [["en", "child", "female", 0, 0], ["es", "adult", "male", 0, 0]],
    )
    assert json.loads(json.dumps(status.facts()))["cells"][0]["photos"] == 0


def test_status_names_the_empty_cells(crawled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cat = open_catalogue(f"sqlite:///{crawled / 'catalogue.db'}")
    crawl_status.show(crawl_status.read(cat, photos.count_by_cell(cat)))
    cat.close()
    text = capsys.readouterr().out
    assert "2 cells without a photo: happy, child White female (en); sad, adult Black male" in text
    assert "a.example" in text


def test_the_busiest_hosts_are_shown_and_the_others_summed() -> None:
    tallies = {f"h{n}.example": CrawlTally(asked=n, kept=n, n_bytes=10**6) for n in range(5)}
    assert crawl_tally.table(tallies, most=2) == [
        ["h4.example", 4, 4, 0, 0, 0, "1.0"],
        ["h3.example", 3, 3, 0, 0, 0, "1.0"],
        ["3 others", 3, 3, 0, 0, 0, "3.0"],
    ]


def test_long_addresses_are_shortened_in_messages() -> None:
    url = f"https://a.example/{'x' * 300}/end.jpg"
    outcome = CrawlOutcome(
        searches_planned=1, searches_failed=[f"bing 'sad': no answer from {url}"]
    )
    text = "\n".join(outcome.lines())
    assert url not in text
    assert "https://a.example/xxx" in text
    assert "/end.jpg" in text
    assert max(map(len, text.splitlines())) < 140


def test_an_outcome_is_json_with_its_cells_sources_and_hosts() -> None:
    outcome = CrawlOutcome(
        by_source={"bing": CrawlTally(kept=1)},
        cells=Counter({HAPPY.cell: 2}),
        planned=[HAPPY.cell, SAD.cell],
    )
    facts = json.loads(json.dumps(outcome.facts()))
    assert facts["by_source"]["bing"]["kept"] == 1
    assert [one["photos"] for one in facts["cells"]] == [2, 0]
    assert facts["cells"][0]["age"] == "child"


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (CrawlOutcome(), 0),
        (CrawlOutcome(searches_planned=4, searches=1, found=10, kept=5, new_photos=5), 300),
        (CrawlOutcome(searches_planned=4, found=10), None),
        (CrawlOutcome(target=20, have={"sad": 5}, new_photos=5, planned=[SAD.cell]), 300),
        (CrawlOutcome(target=20, have={"sad": 30}, planned=[SAD.cell]), 0),
    ],
)
def test_the_time_left_follows_from_the_rate(outcome: CrawlOutcome, seconds: float | None) -> None:
    assert crawl_view.seconds_left(outcome, 100) == seconds


def test_progress_names_cells_sources_and_the_hosts_that_hold_it_up() -> None:
    outcome = CrawlOutcome(
        by_source={"bing": CrawlTally(asked=9, kept=7)},
        cells=Counter({HAPPY.cell: 7}),
        planned=[HAPPY.cell, SAD.cell],
        in_hand=Counter({"slow.example": 64, "quick.example": 1}),
    )
    assert crawl_view.cells(outcome) == "cells: 2, 1 still empty, the fullest has 7 photos"
    assert crawl_view.sources(outcome) == "sources: bing 7 kept of 9"
    assert crawl_view.line(outcome, time.monotonic() - 1).endswith("; waiting for: slow.example 64")


def test_a_cell_has_a_name_that_can_be_read() -> None:
    assert (
        str(Cell("happy", "en", "Black", "female", "toddler")) == "happy, toddler Black female (en)"
    )
    assert str(Cell("", "", "", "", "")) == "unlabelled"
