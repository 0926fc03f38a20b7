"""`btfer bench external --model-file` from the command line."""

import json
import sys
from pathlib import Path

import pytest

from btfer import cli
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import draw_release
from tests.bench.systems.test_model_file import onnx_file

CARD = f"""
classes = {json.dumps(EXPRESSIONS)}
channels = "BGR"
[claimed]
accuracy = 0.92
on = "RAF-DB test"
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network and a release, which is the current one."""
    monkeypatch.chdir(tmp_path)
    draw_release(tmp_path / "r", 10)
    onnx_file(tmp_path / "net.onnx")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, line: str) -> int:
    words = ["btfer", "bench", "external", "--release", "r", "--model-file", *line.split()]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_the_claim_stands_beside_what_was_measured(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "net.toml").write_text(CARD)
    assert run(monkeypatch, "net.onnx") == 0
    assert "claimed 0.920 on RAF-DB test; measured 0.143 on r" in capsys.readouterr().out
    assert run(monkeypatch, "net.onnx --json --card net.toml") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["card"]["claimed"]["accuracy"] == 0.92
    assert row["card"]["input"]["channels"] == "BGR"
    assert len(list((work / "data/runs").glob("*/run.json"))) == 1


def test_ways_to_feed_are_shown_and_no_run_is_kept(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "net.toml").write_text(CARD)
    assert run(monkeypatch, "net.onnx --try-preprocessing") == 0
    shown = capsys.readouterr().out
    for words in ("as its card says", "BGR, minus the mean (caffe)", "7 faces: differences below"):
        assert words in shown
    assert run(monkeypatch, "net.onnx --try-preprocessing --json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], len(found["rows"])) == (7, 12)
    assert not list(work.rglob("run.json"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("net.onnx", "put a card net.toml beside it"),
        ("net.onnx --card no.toml", "no.toml cannot be read: No such file"),
        ("net.onnx --card bad.toml", "unknown key 'sizes'"),
        ("net.onnx --card bad.toml --labels a,b", "give --card or --labels, not both"),
        ("net.onnx --labels happy,bored", "'classes' must be a list of at least 7, not 2"),
        (f"net.onnx --labels {','.join(EXPRESSIONS)} --language de", "--language is for networks"),
        (f"net.onnx --labels {','.join(EXPRESSIONS)} --weights w", "--weights is for"),
        ("net.onnx --try-preprocessing --name me", "--name has no effect here"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    line: str,
    words: str,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (work / "bad.toml").write_text(CARD.replace("channels", "sizes"))
    assert run(monkeypatch, line) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert len(shown.strip().splitlines()) == 1
