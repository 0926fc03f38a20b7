import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from btfer import cli
from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.cli import choices, context, groups, output
from btfer.errors import UsageError
from btfer.settings import Settings
from tests.bench.conftest import draw_release
from tests.conftest import as_bytes, draw_photo, take_in

ROOT = Path(__file__).parent.parent
ONLY_GROUPS = {"review", "sample", "catalogue"}  # nothing happens without a subcommand


def commands(group: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and subcommand."""
    group = group or typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        if (*words, name)[0] not in ONLY_GROUPS or words:
            yield (*words, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))


COMMANDS = [list(words) for words in commands()]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command line in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["btfer", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


@cache
def documents() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    return "\n".join(one.read_text() for one in pages if one.name != "commands.md")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_and_stands_in_the_documents(
    words: list[str],
) -> None:
    shown = CliRunner().invoke(cli.app, [*words, "--help"])
    assert shown.exit_code == 0
    assert f"Example: btfer {' '.join(words)}" in shown.output
    assert "\b" not in shown.output
    assert any(f"{word} {' '.join(words)}" in documents() for word in ("btfer", "make"))


def test_the_help_of_no_command_imports_what_is_slow() -> None:
    code = (
        "import sys; from btfer.cli import app; from typer.testing import CliRunner\n"
        f"for words in {[[], *COMMANDS]}:\n"
        "    assert CliRunner().invoke(app, [*words, '--help']).exit_code == 0\n"
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
        (["verify", "."], 2, "is not a release"),
        (["import", "nowhere"], 2, "nowhere"),
        (["explain", "abc"], 2, "there is no catalogue at"),
        (["--workers", "-3", "dedup"], 2, "workers"),
        (["--catalogue", "mysql://x", "status"], 2, "mysql"),
        (["build", "--unreviewed", "maybe"], 2, "'drop'"),
        (["build", "--name", "../x"], 2, "letters, digits"),
        (["bench", "--train", "rafdb"], 2, "write NAME=PATH"),
        (["bench", "--grid", "all"], 2, "'quick', 'paper'"),
        (["bench", "runs"], 3, "no run in"),
        (["build", "--format", "folder,zip"], 2, "unknown --format 'zip'; choose one of folder"),
        (["rebuild", "."], 2, "has no sources.csv"),
        (["bench", "edge"], 2, "RUN"),
        (["bench", "submit", "3f2a"], 2, "unknown run '3f2a'"),
        (["bench", "--expect", "--model", "vgg16"], 2, "no number is expected of 'vgg16'"),
        (["report", "--with", "no.zip"], 2, "no.zip is not a bundle"),
        (["leaderboard", "nowhere", "--release", "x"], 2, "unknown release 'x'"),
        (["bench", "3f2a"], 2, "No such command '3f2a'"),
        (["bench", "external", "--system", "affdex"], 2, "'emotiefflib'"),
        (["bench", "external", "--system", "fer", "--predictions", "a.csv"], 2, "one of"),
        (["bench", "external"], 2, "give one of --predictions, --system and --model-file"),
        (["bench", "external", "--predictions", "a.csv"], 2, "there is no catalogue at"),
        (["verify", "btfer-0"], 2, "unknown release 'btfer-0'"),
        (["catalogue", "upgrade"], 2, "there is no catalogue at"),
        (["--set", "min_face_px", "status"], 2, "write NAME=VALUE"),
        (["--set", "min_face=30", "status"], 2, "did you mean 'min_face_px'?"),
        (["--set", "workers=2", "--workers", "2", "status"], 2, "contradict"),
        (["--quiet", "--verbose", "status"], 2, "contradict"),
        (["--log-file", "/dev/null/log", "status"], 2, "--log-file"),
        (["crawl", "--source", "altavista"], 2, "'commons'"),
        (["crawl", "--class", "contempt"], 2, "contempt"),
        (
            ["crawl", "--retry", "nonsense"],
            2,
            "unknown reason 'nonsense' in --retry; choose of failed",
        ),
        (["export", "3f2a"], 2, "unknown run '3f2a'"),
        (["predict", "3f2a", "a.jpg"], 2, "unknown run '3f2a'"),
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


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        ("build --against a=b", "--against"),
        ("build --with-sources --sources-only", "--with-sources"),
        ("build --format parquet --sources-only", "--format"),
        ("build --redistributable --commercial", "--redistributable"),
        ("forget a.png --dry-run --yes", "--yes"),
        ("forget a.png --dry-run --wait 5", "--wait"),
        ("crop repair --mode square", "--mode"),
        ("crop --mode square repair", "--mode"),
        ("verify . --catalogue", "--catalogue"),
        ("dedup --per-distance 3", "--per-distance"),
        ("dedup --pairs a.csv", "--pairs"),
        ("dedup --json calibrate", "--json"),
        ("dedup calibrate --pairs a.csv --per-distance 3", "--per-distance"),
        ("dedup calibrate --pairs a.csv --redraw", "--redraw"),
        ("crawl --limit -3", "--limit"),
        ("crawl --limit 0", "--limit"),
        ("crawl --per-query 0", "--per-query"),
        ("crawl --target-per-class 0", "--target-per-class"),
        ("crawl --doctor --limit 3", "--limit"),
        ("crawl --doctor --language es", "--language"),
        ("crawl doctor --retry failed", "--retry"),
        ("crawl --source bing doctor", "--source"),
        ("bench runs --grid nonsense", "--grid"),
        ("bench --grid paper runs", "--grid"),
        ("bench --seed 1 plan", "--seed"),
        ("bench networks --model vgg16", "--model"),
        ("bench --expect --seed 3", "--seed"),
        ("bench edge 3f2a --model vgg16", "--model"),
        ("bench external --system fer --labels happy", "--labels"),
        ("bench external --predictions a.csv --bgr", "--bgr"),
        ("bench external --model-file a.onnx --pixels=-1,1", "--pixels"),
        ("bench --train a=b --folds 4", "--folds"),
        ("bench plan --grid paper --folds 4", "--folds"),
        ("bench --weights-file x.h5", "--weights-file"),
        ("export 3f2a --calibration photos", "--calibration"),
        ("review queue --from-report --reviewer ann", "--reviewer"),
        ("--data-dir x demo", "data_dir"),
        ("demo --review --epochs 3", "--epochs"),
        ("demo --port 8502", "--port"),
        ("--workers 2 init", "workers"),
        ("bench --dry-run", "--dry-run"),
        ("bench --edge 3f2a", "--edge"),
        ("crop --rebuild", "--rebuild"),
        ("build --per-place 3", "--per-place"),
    ],
)
def test_an_option_that_would_be_ignored_is_named(
    arguments: str,
    flag: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *arguments.split()) == 2
    assert flag in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("import photos -q", "'btfer -q import ...'"),
        ("bench plan -v", "'btfer -v bench plan ...'"),
        ("import photos --data-dir=x", "'btfer --data-dir PLACE import ...'"),
        ("review queue --set a=b", "'btfer --set NAME=VALUE review queue ...'"),
        ("dedup --workers 3", "'btfer --workers WORKERS dedup ...'"),
    ],
)
def test_an_option_of_btfer_itself_after_a_command_is_told_where_it_goes(
    arguments: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *arguments.split()) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"write it before the command, as in {said}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workers", "abc", "status"), "'--workers': 'abc' should be a whole number"),
        (("build", "--per-class", "1.5"), "'--per-class': '1.5' should be a whole number"),
        (("build", "--per-class", "0"), "'--per-class': '0' should be greater than or equal to 1"),
        (
            ("bench", "--grid", "papre"),
            "'--grid': 'papre' is not one of 'quick', 'paper', 'modern'",
        ),
        (
            ("crawl", "--per-query", "x\x1b[2J"),
            "'--per-query': 'x\\x1b[2J' should be a whole number",
        ),
        (("crawl", "--per-query", "7" * 300 + "x"), f"'{'7' * 40}...' should be a whole number"),
    ],
)
def test_an_option_with_what_it_cannot_be_says_what_came_in(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    assert run(monkeypatch, *words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("import photos --lables x", "No such option: --lables"),
        ("bench --address", "Option '--address' requires an argument"),
        ("--no-such-option import", "No such option: --no-such-option"),
    ],
)
def test_an_option_of_nobody_or_without_its_value_is_said_as_before(
    arguments: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *arguments.split()) == 2
    assert said in capsys.readouterr().err


def test_the_package_is_the_command_too() -> None:
    words = [sys.executable, "-m", "btfer", "import", "photos", "-q"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.rstrip().endswith("as in 'btfer -q import ...'")


def test_help_lists_every_command_under_the_line_and_cuts_nothing_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    shown = CliRunner().invoke(cli.app, ["--help"]).output
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.replace("[ARGS]...", "")
    roots = [words[0] for words in COMMANDS if len(words) == 1] + sorted(ONLY_GROUPS)
    listed = [name for names in groups.LINE.values() for name in names]
    assert sorted(roots) == sorted(listed)
    places = [shown.index(f"\n  {name} ") for name in listed]
    assert places == sorted(places)


def test_choices_are_those_of_the_registries() -> None:
    from btfer.bench.architectures import ARCHITECTURES
    from btfer.bench.datasets import SPLITS
    from btfer.bench.edge.export import FORMATS, QUANTIZED
    from btfer.bench.experiments.cells import GRIDS
    from btfer.bench.systems import SYSTEMS
    from btfer.bench.train.devices import AUGMENT
    from btfer.bench.train.protocol import BALANCES, PROTOCOLS
    from btfer.engine import ENGINES
    from btfer.licences import RULES
    from btfer.pipeline import formats, sample
    from btfer.sources import SOURCES

    weights = {name for one in ARCHITECTURES.values() for name in one.weights}
    for choice, names in {
        choices.Grid: GRIDS,
        choices.Split: SPLITS,
        choices.ModelFormat: FORMATS,
        choices.Quantize: QUANTIZED,
        choices.SystemName: SYSTEMS,
        choices.Augment: AUGMENT,
        choices.Balance: BALANCES,
        choices.Protocol: PROTOCOLS,
        choices.Weights: weights,
        choices.Engine: ENGINES,
        choices.Licences: RULES,
        choices.Strategy: sample.STRATEGIES,
        choices.Source: SOURCES,
        choices.CropMode: get_args(Settings.model_fields["crop"].annotation),
        choices.Faces: get_args(Settings.model_fields["faces"].annotation),
    }.items():
        assert {one.value for one in choice} == set(names), choice
    assert (formats.FOLDER, *formats.FORMATS) == choices.RELEASE_FORMATS


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("btfer bench --grid ", {"quick", "paper", "modern"}),
        ("btfer bench --model vgg1", {"vgg16", "vgg19"}),
        ("btfer bench edge 3f", {"3f2a00000000"}),
        ("btfer verify btfer-", {"btfer-0a0a"}),
        ("btfer leaks --against raf", {"rafdb"}),
        ("btfer crawl --language e", {"en", "es"}),
        ("btfer crawl --class s", {"sad", "surprise"}),
        ("btfer build --format folder,t", {"folder,tfrecord"}),
        ("btfer --set min_", {"min_face_px=", "min_probability="}),
    ],
)
def test_the_shell_completes_choices_names_and_ids(
    typed: str, offered: set[str], settings: Settings
) -> None:
    for folder in ("runs/3f2a00000000", "runs/_cache", "releases/btfer-0a0a", "training/rafdb"):
        (settings.data_dir / folder).mkdir(parents=True)
    (settings.data_dir / "runs/3f2a00000000/run.json").write_text("{}")
    asked = {
        "_BTFER_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
    }
    code = "import sys; sys.argv = ['btfer']; from btfer.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split()) == offered, done.stderr


def test_a_release_goes_by_its_name_or_the_beginning_of_it(settings: Settings) -> None:
    home = settings.data_dir / "releases"
    for name in ("btfer-0a0a", "btfer-0b0b"):
        (home / name).mkdir(parents=True)
    for asked in ("btfer-0a0a", "btfer-0a", str(home / "btfer-0a0a")):
        assert context.release_folder(asked).resolve() == home / "btfer-0a0a"
    with pytest.raises(UsageError, match="several releases: choose one of btfer-0a0a, btfer-0b0b"):
        context.release_folder("btfer-0")


def test_a_catalogue_is_upgraded_and_says_its_revision(
    cat: Catalogue,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "catalogue", "upgrade", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["before"] == told["after"] != ""
    assert run(monkeypatch, "--data-dir", "elsewhere", "catalogue", "upgrade") == 2
    assert not Path("elsewhere").exists()


def test_quiet_shows_results_only_and_the_log_file_has_all(
    cat: Catalogue,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "--quiet", "--log-file", "logs/btfer.log", "status") == 0
    output.ConsoleProgress().say("a line of progress")
    output.ConsoleProgress().update("dedup", 3, 3)
    shown = capsys.readouterr()
    assert "stage" in shown.out
    assert shown.err == ""
    log = Path("logs/btfer.log").read_text()
    assert "INFO a line of progress" in log
    assert "DEBUG dedup: 3 of 3" in log
    assert run(monkeypatch, "--verbose", "status") == 0
    output.ConsoleProgress().update("crop", 3, 3)
    assert "crop: 3 of 3" in capsys.readouterr().err


@pytest.mark.usefixtures("cat", "settings")
def test_an_unknown_variable_is_told_once_with_the_nearest_name() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from btfer.cli import main; main()", "status"],
        env=os.environ | {"BTFER_MIN_FACE": "50", "BTFER_TRACEBACK": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "btfer: warning: unknown variable BTFER_MIN_FACE is ignored; did you mean 'BTFER_MIN_FACE_PX'?"
    ]


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


def test_status_asks_to_review_conflicting_labels_until_it_was_done(
    cat: Catalogue, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    data, asked = as_bytes(draw_photo(1)), "found by queries of different classes: review"
    for expression in ("sad", "happy"):
        one = take_in(cat, settings.data_dir, data, Query(expression, expression), expression)
    verdicts.add(cat, [Verdict("dedup", one, "keep", "dedup")])
    read: list[str] = []
    sa.event.listen(sa.Engine, "before_cursor_execute", note := lambda *args: read.append(args[2]))
    cli.app(["status"], standalone_mode=False)
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert f"1 photo was {asked}" in capsys.readouterr().out
    assert not [one for one in read if "hints" in one]  # of a million photos they take a gigabyte
    verdicts.add(cat, [Verdict("photos", one, "keep", "ann")])
    cli.app(["status"], standalone_mode=False)
    assert asked not in capsys.readouterr().out


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


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "explain abcdef0123",
        "verify",
        "leaks",
        "publish --to zenodo --dry-run --creator Lab",
        "forget --dry-run",
        "forget https://example.org/a.jpg --dry-run",
        "forget https://example.org/a.jpg --yes",
        "catalogue verify",
        "catalogue upgrade",
        "review export verdicts.csv",
        "review agreement",
    ],
)
def test_a_command_that_looks_creates_nothing_in_a_data_folder_that_is_mistyped(
    words: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "--data-dir", "dta", *words.split()) == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1
    assert "there is no catalogue at" in captured.err
    assert captured.out == ""
    assert list(settings.data_dir.parent.iterdir()) == []


def test_without_a_catalogue_the_one_release_that_lies_there_is_meant(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "settings", lambda: settings)
    first = draw_release(settings.data_dir / "releases" / "faces-1", 1)
    assert context.release_folder(None) == first
    draw_release(settings.data_dir / "releases" / "faces-2", 1)
    with pytest.raises(UsageError, match="choose one with --release: faces-1, faces-2"):
        context.release_folder(None)
    assert not (settings.data_dir / "catalogue.db").exists()


def test_a_database_without_a_catalogue_is_called_empty_and_stays_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "catalogue.db").write_bytes(b"")
    assert run(monkeypatch, "status") == 2
    assert "is empty: it holds no catalogue" in capsys.readouterr().err


def test_what_a_stranger_wrote_is_shown_and_never_obeyed_by_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts = {"n": 1234, "share": 0.25, "file": "{n}.csv"}
    output.report(facts, "{n:,} of {file}: {share:.1%}, '\x1b[2J\u202e', folder {x} {0} {", False)
    assert (
        capsys.readouterr().out == "1,234 of {n}.csv: 25.0%, '\\x1b[2J\\u202e', folder {x} {0} {\n"
    )
    output.table(["name"], [["a\x07\x1b]0;x"]])
    assert capsys.readouterr().out.split() == ["name", "a\\x07\\x1b]0;x"]
    assert output.plain("tab\tand\nline, ü, 张伟, \u200c") == "tab\tand\nline, ü, 张伟, \u200c"


def test_a_long_message_is_shortened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text(f"{', '.join(f'column {n}' for n in range(9_000))}\n")
    assert run(monkeypatch, "--log-file", str(tmp_path / "log"), "app", "--gold", str(wide)) == 2
    said = capsys.readouterr().err
    assert len(said) < 3_500
    assert str(wide) in said
    assert (tmp_path / "log").stat().st_size < 4_000
