"""The whole line on the built-in sample, as `make demo` runs it: killed in the middle, and run again."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from btfer.demo.benchmark import NETWORKS
from btfer.sample import load_manifest
from tests.test_app_command import free_port, get

BTFER = [sys.executable, "-c", "from btfer.cli import main; main()"]
PER_CLASS = 5


def btfer(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BTFER, *arguments], cwd=cwd, capture_output=True, text=True, timeout=700, check=False
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demo that was killed, workers and all, while it cropped, and then run again to the end."""
    folder = tmp_path_factory.mktemp("line") / "faces ? 1"
    folder.mkdir()
    arguments = [*BTFER, "demo", "--per-class", str(PER_CLASS), "--epochs", "1"]
    first = subprocess.Popen(
        arguments,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    faces = folder / "demo/data/faces"
    deadline = time.monotonic() + 500
    while first.poll() is None and len(list(faces.rglob("*.png"))) < 10:
        assert time.monotonic() < deadline, "no face was cropped in eight minutes"
        time.sleep(0.1)
    assert first.poll() is None, first.stderr.read() if first.stderr else ""
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    again = subprocess.run(
        arguments, cwd=folder, capture_output=True, text=True, timeout=700, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    return folder, again.stdout


@pytest.fixture(scope="module")
def funnel(demo: tuple[Path, str]) -> dict:
    told = btfer("--data-dir", "demo/data", "status", "--json", cwd=demo[0])
    return json.loads(told.stdout)


pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_every_picture_of_the_sample_came_or_has_a_reason(funnel: dict) -> None:
    fates = {row["reason"]: row["n"] for row in funnel["urls"] if row["source"] == "sample"}
    readable = {one.sha256 for one in load_manifest()} - {
        one.sha256 for one in load_manifest() if one.file.startswith(("truncated", "tiny"))
    }
    photos = next(line for line in funnel["funnel"] if line["what"] == "photos")
    assert sum(photos["per_class"]) == len(readable)
    assert fates.keys() >= {"", "http 404", "opt-out", "robots", "truncated", "too small"}
    assert all(row["state"] in ("kept", "refused", "failed") for row in funnel["urls"])


def test_planted_copies_are_gone_and_nobody_else(funnel: dict) -> None:
    dropped = next(line for line in funnel["funnel"] if line["what"] == "- duplicate")
    assert sum(dropped["per_class"]) == sum(one.kind == "duplicate" for one in load_manifest())


def test_the_copy_under_another_class_is_told(funnel: dict) -> None:
    assert funnel["conflicting_labels"] >= 1


def test_the_release_is_balanced_verifies_and_is_the_same_again(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    (release,) = (folder / "demo/data/releases").iterdir()
    rows = list(csv.DictReader((release / "metadata.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 7 * PER_CLASS
    assert len({(row["ethnicity"], row["gender"], row["age"]) for row in rows}) > 7
    assert "synthetic" in (release / "README.md").read_text()
    checked = btfer("verify", str(release), cwd=folder)
    assert checked.returncode == 0, checked.stdout
    again = ("build", "--per-class", str(PER_CLASS), "--max-per-site", "0", "--json")
    built = btfer("--data-dir", "demo/data", *again, cwd=folder)
    assert json.loads(built.stdout)["path"].endswith(release.name)


def test_it_shows_the_funnel_the_table_and_the_pages(demo: tuple[Path, str]) -> None:
    folder, told = demo
    assert "synthetic" in told
    assert all(name in told for name in NETWORKS)
    assert f"of {7 * PER_CLASS} answers as Keras gives them" in told
    for page in pages(told):
        text = (folder / page).read_text()
        assert "synthetic" in text
        assert "http://" not in text.replace("http://www.w3.org", "")  # self-contained


def pages(told: str) -> list[str]:
    """The demo's page, and the report."""
    found = [line.split(maxsplit=1) for line in told.splitlines()]
    return [words[1] for words in found if words[:1] in (["page"], ["report"])]


def test_the_page_tells_every_step_with_the_command_that_made_it(demo: tuple[Path, str]) -> None:
    folder, told = demo
    soup = BeautifulSoup((folder / pages(told)[0]).read_text(), "lxml")
    chapters = soup.select("main > section")
    assert len(chapters) == 10
    for one in chapters:
        assert one.select_one("code.command").text.startswith("btfer ")
        assert one.select("img, table")
    images = soup.select("img")
    assert all(one["src"].startswith("data:image/") and one["alt"] for one in images)
    duplicates = soup.select("#duplicates .row")
    assert len(duplicates) == sum(one.kind == "duplicate" for one in load_manifest())
    assert all(len(one.select("img")) == 2 for one in duplicates)
    index = folder / "demo/index.html"
    for link in soup.select(".links a"):
        assert (index.parent / unquote(link["href"])).is_file(), link["href"]
    assert all(soup.select(f"[id='{link['href'][1:]}']") for link in soup.select("nav a"))


def test_the_report_opens_with_a_plot_of_the_ranking(demo: tuple[Path, str]) -> None:
    folder, told = demo
    soup = BeautifulSoup((folder / pages(told)[1]).read_text(), "lxml")
    assert soup.find("img")["alt"].startswith("accuracy with 95 % intervals of 3 networks")


def test_people_judge_in_a_folder_of_their_own_and_the_demo_stays(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    before = {one: one.read_bytes() for one in (folder / "demo/data/releases").rglob("*.*")}
    port = free_port()
    app = subprocess.Popen(
        [*BTFER, "demo", "--review", "--port", str(port)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert get(f"http://127.0.0.1:{port}/_stcore/health") == (200, "ok")
        app.send_signal(signal.SIGINT)
        said, _ = app.communicate(timeout=200)
        assert app.returncode == 130
    finally:
        app.kill()
    assert f"http://localhost:{port}" in said
    waiting = json.loads(btfer("--data-dir", "demo/review", "status", "--json", cwd=folder).stdout)
    (line,) = [one for one in waiting["funnel"] if one["what"] == "await review"]
    assert sum(line["per_class"]) == sum(one.kind != "duplicate" for one in load_manifest()) - 2
    done = json.loads(btfer("--data-dir", "demo/data", "status", "--json", cwd=folder).stdout)
    assert not [one for one in done["funnel"] if one["what"] == "await review"]
    assert {one: one.read_bytes() for one in before} == before


def test_a_released_face_can_be_explained_back_to_its_query(demo: tuple[Path, str]) -> None:
    told = btfer("--data-dir", "demo/data", "explain", "happy-001.png", cwd=demo[0])
    assert "by sample for '" in told.stdout
    assert "CC0" in told.stdout
    assert "released in btfer-" in told.stdout
