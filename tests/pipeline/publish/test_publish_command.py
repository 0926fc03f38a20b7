"""btfer publish, as a person types it."""

import json
import sys
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from btfer import cli
from tests.pipeline.publish.fake_hub import TOKEN, Hub


@pytest.fixture
def hub(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", httpserver.url_for(""))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return Hub(httpserver)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command line in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["btfer", "publish", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_a_dry_run_prints_the_plan(
    hub: Hub, release: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, release, "--to", "hf://lab/faces", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "visibility  private" in shown
    assert "dry run: nothing was sent" in shown
    assert hub.server.log == []


def test_it_sends_and_says_where_it_is(
    hub: Hub, release: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, release, "--to", "hf://lab/faces", "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["version"]) == ("sent", "1.0.0")
    assert run(monkeypatch, release, "--to", "hf://lab/faces", "--yes") == 0
    assert f"already published: {hub.url}/datasets/lab/faces" in capsys.readouterr().out


def test_a_token_may_come_from_a_file(
    hub: Hub, release: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "wrong")
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert run(monkeypatch, release, "--to", "hf://lab/faces", "--yes", "--token-file", file) == 0
    assert "lab/faces" in hub.repos


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--to is missing; choose one of hf://ORG/NAME"),
        (["--to", "ftp"], "unknown target 'ftp'; choose one of"),
        (["--to", "hf://lab/faces", "--no-gated"], "add --public"),
        (["--to", "hf://lab/faces"], "add --yes"),
        (["--to", "hf://lab/faces", "--token-file", "nowhere"], "nowhere cannot be read"),
        (["--to", "zenodo", "--token-file", "token"], "--creator"),
    ],
)
def test_what_cannot_be_right_is_one_line(
    hub: Hub,
    release: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    Path("token").write_text("x")
    assert run(monkeypatch, release, *arguments) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert len(shown.strip().splitlines()) == 1
    assert hub.server.log == []


def test_without_the_extra_it_says_what_to_install(
    hub: Hub, release: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert run(monkeypatch, release, "--to", "hf://lab/faces", "--yes") == 1
    assert "pip install 'btfer[publish]'" in capsys.readouterr().err
    assert run(monkeypatch, release, "--to", "hf://lab/faces", "--dry-run") == 0
