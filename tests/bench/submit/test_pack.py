"""A run becomes a bundle when it is complete, and nothing of this machine goes with it."""

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from btfer import cli
from btfer.bench.datasets import ImageSet
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.bench.submit import check_bundle, pack, read_bundle, write_bundle
from btfer.bench.systems.prediction_files import AnswerSource, keep_run
from btfer.errors import BtferError, Incomplete, UsageError
from btfer.settings import Settings
from tests.bench.drawn_bundles import draw_scored_run, drawn_answers, speck_release


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return speck_release(tmp_path_factory.mktemp("release") / "specks-1")


def test_a_run_comes_out_as_it_is_and_twice_the_same(tmp_path: Path, images: ImageSet) -> None:
    answers = drawn_answers(images, 0.6, 1)
    record = draw_scored_run(tmp_path / "runs", images, answers)
    bundle, data = pack(record, images, by="Lab", link="https://example.org/net")
    path, checked = write_bundle(tmp_path / "out", bundle, data, images)
    before = path.stat().st_mtime_ns
    assert (
        write_bundle(
            tmp_path / "out",
            *pack(record, images, by="Lab", link="https://example.org/net"),
            images,
        )[0]
        == path
    )
    assert path.stat().st_mtime_ns == before
    assert path.name == f"lenet5-{record.id}-{images.digest[:6]}.zip"
    assert checked.differences == ()
    assert np.allclose(checked.probabilities, answers, atol=1e-9)
    card = read_bundle(path).card
    assert card.release == {"name": "specks-1", "digest": images.digest}
    assert card.stated["leaks"] == 2
    assert card.stated["parameters"] == 61_000
    assert (card.by, card.link) == ("Lab", "https://example.org/net")
    assert card.versions["keras"] == "3.15.0"


def test_nothing_of_the_machine_is_in_it(tmp_path: Path, images: ImageSet) -> None:
    answers = drawn_answers(images, 0.6, 1)
    answers[:5] = np.nan
    source = AnswerSource(f"{getpass.getuser()}-{socket.gethostname()}.csv", "d" * 64)
    record = keep_run(tmp_path / "runs", "their net", answers, images, source)
    bundle, data = pack(record, images)
    text = data.decode("latin-1")
    for private in (str(tmp_path), str(Path.home()) + "/", source.name, str(images.root)):
        assert private not in text
    assert b"PNG" not in data
    found = check_bundle(bundle, images)
    assert found.scores["coverage"] == pytest.approx(1 - 5 / len(images), abs=1e-6)
    with pytest.raises(UsageError, match=r"'--by' holds a path of a machine: '[^']+'$"):
        pack(record, images, by="see /data/nets")
    named = keep_run(tmp_path / "runs", str(tmp_path / "net.onnx"), answers, images, source)
    with pytest.raises(UsageError, match=r"'name' holds a path of a machine.*--name"):
        pack(named, images)


def _broken(column: str, value: object) -> object:
    def change(record: RunRecord) -> None:
        path = record.folder / "predictions_btfer.parquet"
        table = pd.read_parquet(path)
        table.loc[3, column] = value
        table.to_parquet(path, index=False)

    return change


def _shorter(record: RunRecord) -> None:
    path = record.folder / "predictions_btfer.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path, index=False)


REFUSED = {
    "not finished": ({"state": "running"}, None, Incomplete, "its state is running"),
    "failed": ({"state": "failed", "error": "out of memory"}, None, Incomplete, "out of memory"),
    "scored on nothing": ({"metrics": {}}, None, UsageError, "was scored on no release"),
    "no predictions": (
        {},
        lambda r: (r.folder / "predictions_btfer.parquet").unlink(),
        Incomplete,
        "no predictions",
    ),
    "damaged predictions": (
        {},
        lambda r: (r.folder / "predictions_btfer.parquet").write_bytes(b"PAR1"),
        UsageError,
        "is not a table",
    ),
    "an image missing": ({}, _shorter, UsageError, "lacks 1 images of specks-1"),
    "an image too many": ({}, _broken("file", "images/x.png"), UsageError, "lacks 1 images"),
    "NaN": ({}, _broken("p_sad", np.nan), UsageError, "1 predictions that are no numbers"),
    "infinity": ({}, _broken("p_sad", np.inf), UsageError, "1 predictions that are no numbers"),
    "no probabilities": ({}, _broken("p_sad", 7.0), UsageError, "are not probabilities"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_whole_is_refused(what: str, tmp_path: Path, images: ImageSet) -> None:
    fields, damage, kind, words = REFUSED[what]
    record = draw_scored_run(tmp_path, images, drawn_answers(images, 0.6, 1), **fields)
    if damage:
        damage(record)
    with pytest.raises(kind, match=words) as refused:
        pack(record, images)
    assert isinstance(refused.value, BtferError)
    assert len(str(refused.value).splitlines()) == 1


def test_a_release_that_changed_since_is_refused(tmp_path: Path, images: ImageSet) -> None:
    record = draw_scored_run(tmp_path / "runs", images, drawn_answers(images, 0.6, 1))
    other = speck_release(tmp_path / "specks-1", first=5)
    with pytest.raises(UsageError, match=r"was scored on specks-1 \(.*run btfer bench again on it"):
        pack(record, other)


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["btfer", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


@pytest.mark.slow
def test_submit_report_with_and_leaderboard_as_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    images = speck_release(settings.data_dir / "releases" / "specks-1")
    runs = settings.data_dir / "runs"
    record = draw_scored_run(runs, images, drawn_answers(images, 0.6, 1))
    assert typed(monkeypatch, "bench", "submit", record.id[:6], "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    path = Path(facts["file"])
    assert path.parent.resolve() == settings.data_dir / "bundles"
    with zipfile.ZipFile(path) as archive:
        card = json.loads(archive.read("card.json"))
    card["claimed"]["accuracy"], card["name"] = 0.92, "<b>boaster</b>"
    with zipfile.ZipFile(path.with_name("boast.zip"), "w") as archive:
        archive.writestr("card.json", json.dumps(card))
        with zipfile.ZipFile(path) as honest:
            archive.writestr("predictions.csv", honest.read("predictions.csv"))
    assert typed(monkeypatch, "report", "--with", str(path.parent)) == 0
    said = capsys.readouterr()
    assert "boast.zip claims accuracy 0.92, and its predictions give" in said.err
    page = Path(said.out.splitlines()[0])
    html = page.read_text()
    assert "&lt;b&gt;boaster" in html
    assert "<b>boaster" not in html
    assert html.index('id="ranking"') < html.index('id="questions"') < html.index('id="tables"')
    others = pd.read_csv(page.parent / "others.csv")
    assert sorted(others["claimed_accuracy"]) == [pytest.approx(facts["accuracy"]), 0.92]
    assert typed(monkeypatch, "leaderboard", str(path.parent), "--release", "specks-1") == 0
    assert "2 ranked on specks-1, 0 left out" in capsys.readouterr().out
    assert typed(monkeypatch, "leaderboard", "nowhere", "--release", "specks-1") == 2
    assert typed(monkeypatch, "report", "--with", "nothing.zip") == 2
    assert "there is no such file" in capsys.readouterr().err
    with zipfile.ZipFile(path) as archive:
        archive.extractall(settings.data_dir / "more" / "theirs")
    assert typed(monkeypatch, "report", "--with", str(settings.data_dir / "more")) == 3
    assert "left out theirs: it was unpacked: pack its two" in capsys.readouterr().err
    (settings.data_dir / "empty").mkdir()
    empty = str(settings.data_dir / "empty")
    assert typed(monkeypatch, "leaderboard", empty, "--release", "specks-1") == 3
    assert typed(monkeypatch, "report", "--with", empty) == 2
    assert typed(monkeypatch, "bench", "submit", "ffff") == 2
    assert "unknown run 'ffff'; choose one of" in capsys.readouterr().err


def test_a_bad_bundle_in_a_folder_keeps_no_good_one_out_of_report_or_leaderboard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    images = speck_release(settings.data_dir / "releases" / "specks-1")
    record = draw_scored_run(settings.data_dir / "runs", images, drawn_answers(images, 0.6, 1))
    elsewhere = speck_release(settings.data_dir / "elsewhere", first=7)
    other = draw_scored_run(
        settings.data_dir / "other", elsewhere, drawn_answers(elsewhere, 0.6, 1)
    )
    folder = settings.data_dir / "theirs"
    good, _ = write_bundle(folder, *pack(record, images), images)
    write_bundle(folder, *pack(other, elsewhere, name="other"), elsewhere)
    (folder / "a.zip").write_bytes(good.read_bytes()[:500])
    (folder / "copy.zip").write_bytes(good.read_bytes())
    said = {}
    for command in (
        ["report", "--with", str(folder)],
        ["leaderboard", str(folder), "--release", "specks-1"],
    ):
        assert typed(monkeypatch, *command, "--json") == 0
        out = capsys.readouterr()
        said[command[0]] = json.loads(out.out)["left_out"]
        assert "left out a.zip: " in out.err
    assert said["report"].keys() == said["leaderboard"].keys()
    assert len(said["report"]) == 3
    [page] = (settings.data_dir / "reports").glob("*/others.csv")
    assert len(pd.read_csv(page)) == 1
    good.unlink()
    (folder / "copy.zip").unlink()
    for command in (
        ["report", "--with", str(folder)],
        ["leaderboard", str(folder), "--release", "specks-1"],
    ):
        assert typed(monkeypatch, *command) == 3
        assert "2 left out: make one with" in capsys.readouterr().err


def test_a_bundle_of_a_release_that_is_not_here_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: Settings,
    images: ImageSet,
) -> None:
    speck_release(settings.data_dir / "releases" / "other-1", first=3)
    record = draw_scored_run(settings.data_dir / "runs", images, drawn_answers(images, 0.6, 1))
    path, _ = write_bundle(settings.data_dir, *pack(record, images), images)
    assert typed(monkeypatch, "report", "--with", str(path)) == 2
    assert "which is not here; here: other-1 (" in capsys.readouterr().err


def test_a_writer_that_is_killed_leaves_nothing_half(tmp_path: Path, images: ImageSet) -> None:
    record = draw_scored_run(tmp_path / "runs", images, drawn_answers(images, 0.6, 1))
    code = f"""
from pathlib import Path
from btfer.bench.datasets import load_release
from btfer.bench.runs.store import RunStore
from btfer.bench.submit import pack, write_bundle
images = load_release(Path({str(images.root)!r}))
[record] = RunStore(Path({str(tmp_path / "runs")!r})).all()
out = Path({str(tmp_path / "out")!r})
while True:
    for name in ("one", "two"):
        path, _ = write_bundle(out, *pack(record, images, name=name), images)
        print(path, flush=True)
        path.unlink()
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ)
    assert child.stdout
    child.stdout.readline()
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    for file in (tmp_path / "out").glob("*.zip"):
        assert check_bundle(read_bundle(file), images).differences == ()
    [kept] = RunStore(tmp_path / "runs").all()
    assert kept.to_json() == record.to_json()
