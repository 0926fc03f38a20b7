import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from btfer import cli
from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in

ROOT = Path(__file__).parent.parent
COMMANDS = [name for name, _ in typer.main.get_command(cli.app).commands.items()]  # type: ignore[attr-defined]
GROUPS = {
    "review": ["plan", "queue", "agreement", "export", "import", "keep-single"],
    "sample": ["render", "serve"],
}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command line in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["btfer", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


@pytest.mark.parametrize(
    "words",
    [[name] for name in COMMANDS if name not in GROUPS]
    + [[group, name] for group, names in GROUPS.items() for name in names],
    ids=" ".join,
)
def test_every_command_has_help_with_an_example_and_stands_in_the_readme(words: list[str]) -> None:
    shown = CliRunner().invoke(cli.app, [*words, "--help"])
    assert shown.exit_code == 0
    assert f"Example: btfer {' '.join(words)}" in shown.output
    readme = (ROOT / "README.md").read_text()
    assert any(f"{word} {' '.join(words)}" in readme for word in ("btfer", "make"))


def test_help_does_not_import_what_is_slow() -> None:
    code = (
        "import sys; from btfer.cli import app; from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "slow = {'tensorflow', 'keras', 'pandas', 'numpy', 'sqlalchemy', 'cv2', 'streamlit', 'icrawler'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["build"], 3, "there are no photos yet"),
        (["bench"], 3, "no training set: looked for rafdb, fer2013, affectnet"),
        (["verify", "."], 2, "is no release"),
        (["import", "nowhere"], 2, "nowhere"),
        (["explain", "abc"], 2, "names no picture"),
        (["--workers", "-3", "dedup"], 2, "workers"),
        (["--catalogue", "mysql://x", "status"], 2, "mysql"),
        (["build", "--unreviewed", "maybe"], 2, "drop or keep"),
        (["build", "--name", "../x"], 2, "letters, digits"),
        (["bench", "--train", "rafdb"], 2, "write NAME=PATH"),
        (["bench", "--grid", "all"], 2, "quick or paper"),
        (["bench", "--runs"], 3, "no run in"),
        (["build", "--format", "folder,zip"], 2, "use folder, tfrecord"),
        (["rebuild", "."], 2, "has no sources.csv"),
        (["bench", "--edge"], 2, "--edge RUN"),
        (["bench", "3f2a"], 2, "runs are named with --edge"),
        (["bench", "--system", "affdex"], 2, "no known system"),
        (["bench", "--system", "fer", "--predictions", "a.csv"], 2, "at a time"),
        (["bench", "--predictions", "a.csv"], 3, "there is no release yet"),
        (["export", "3f2a"], 2, "names 0 runs"),
        (["demo-model", "3f2a", "a.jpg"], 2, "names 0 runs"),
        (["review", "queue"], 2, "--from-report"),
        (["review", "queue", "--from-report", "--reopen"], 2, "--reviewer"),
        (["review", "queue", "--from-report"], 3, "run btfer report"),
        (["review", "import", "no.csv"], 2, "no.csv"),
        (["nonsense"], 2, "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_work_is_one_line_and_the_right_exit_code(
    arguments: list[str],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *arguments) == code
    shown = capsys.readouterr().err
    assert words in shown
    assert "Traceback" not in shown


def test_a_catalogue_of_another_version_is_left_alone(
    cat: Catalogue,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with sqlite3.connect(settings.data_dir / "catalogue.db") as connection:
        connection.execute("update alembic_version set version_num = '7777'")
    assert run(monkeypatch, "status") == 1
    assert "version 7777" in capsys.readouterr().err


def test_status_prints_the_funnel_and_json(
    cat: Catalogue,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sha256 = take_in(cat, settings.data_dir, as_bytes(draw_photo(1)), Query("sad man", "sad"), "u")
    verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
    verdicts.add(cat, [Verdict("photos", sha256, "drop", "ann", reason="text")])
    assert run(monkeypatch, "status") == 0
    assert "- text" in capsys.readouterr().out
    assert run(monkeypatch, "status", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {line["what"] for line in told["funnel"]} >= {"photos", "- text"}
    assert run(monkeypatch, "explain", sha256[:10], "--json") == 0
    assert any("'sad man'" in line for line in json.loads(capsys.readouterr().out))


def test_verdicts_travel_as_csv(
    cat: Catalogue,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sha256 = take_in(cat, settings.data_dir, as_bytes(draw_photo(1)), Query("sad man", "sad"), "u")
    verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
    (given,) = verdicts.add(cat, [Verdict("photos", sha256, "drop", "ann", reason="text")])
    assert run(monkeypatch, "review", "export", "v.csv") == 0
    verdicts.undo(cat, [given], "ann")
    capsys.readouterr()
    assert run(monkeypatch, "review", "import", "v.csv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"added": 0, "known": 1, "unknown": 0, "taken_back": 0}
    assert verdicts.current_in(cat, "photos") == []  # what was taken back stays so


def test_ctrl_c_ends_with_130_and_a_second_run_goes_on(settings: Settings) -> None:
    """A real process, a real SIGINT, in the middle of taking photos in."""
    folder = settings.data_dir.parent / "photos"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number}.jpg").write_bytes(as_bytes(draw_photo(number, (400, 300))))
    command = [sys.executable, "-c", "from btfer.cli import main; main()"]
    command += ["--workers", "1", "import", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stored = settings.data_dir / "photos"
    while process.poll() is None and len(list(stored.rglob("*.jpg"))) < 20:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "run the same command again" in told
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    outcome = json.loads(again.stdout)
    assert 0 < outcome["kept"] < 400
    assert len(list(stored.rglob("*.jpg"))) == 400
