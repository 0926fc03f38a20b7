"""`btfer bench` as it is typed, but for training."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from btfer import cli
from btfer.expressions import EXPRESSIONS
from btfer.settings import Settings
from tests.bench.conftest import draw_folder, draw_release

pytestmark = pytest.mark.usefixtures("settings")


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["btfer", "bench", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_the_list_has_every_network_with_what_it_costs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "networks", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 35
    assert {tuple(row) for row in rows} == {("name", "family", "parameters", "weights")}
    assert {"48": 33_625_927, "224": 134_289_223} in [row["parameters"] for row in rows]
    assert typed(monkeypatch, "networks") == 0
    shown = capsys.readouterr().out
    assert "sequential_4conv" in shown
    assert "24,146,055" in shown
    assert "vggface (at 224: 24,119,495)" in shown


def test_a_dry_run_lists_cells_with_parameters_and_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    draw_folder(settings.data_dir / "training" / "faces", 4)
    words = ("plan", "--balance", "none", "--balance", "simple", "--seeds", "2")
    assert typed(monkeypatch, *words, "--json") == 0
    out = capsys.readouterr()
    rows = json.loads(out.out)
    assert [row["architecture"] for row in rows] == ["resnet18"] * 4 + ["sequential_4conv"] * 4
    assert {row["seed"] for row in rows} == {2024, 2025}
    assert rows[0]["parameters"] == 11_710_919
    assert "class folders; authors: 70% and 30% of all" in out.err
    assert typed(monkeypatch, *words, "--shard", "2/4", "--train", "faces") == 0
    assert "2 cells; about" in capsys.readouterr().out


def test_more_epochs_than_the_protocol_has_are_said_not_to_be_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    draw_folder(settings.data_dir / "training" / "faces", 4)
    words = ("plan", "--model", "lenet5", "--protocol", "short", "--epochs")
    assert typed(monkeypatch, *words, "151") == 0
    assert "the protocol short has 150 at most" in capsys.readouterr().err
    assert typed(monkeypatch, *words, "150") == 0
    assert "at most" not in capsys.readouterr().err


def test_the_paper_grid_can_be_seen_without_its_training_sets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "plan", "--grid", "paper", "--json") == 0
    out = capsys.readouterr()
    rows = json.loads(out.out)
    assert len(rows) == 258
    assert {row["state"] for row in rows} == {"no set"}
    assert "no training set rafdb, fer2013, affectnet: looked for" in out.err


def test_a_set_that_is_not_there_shows_the_layout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert typed(monkeypatch, "--train", f"rafdb={tmp_path / 'none'}") == 2
    assert "expected NAME/train/<class>/*.jpg" in capsys.readouterr().err


def test_labels_of_folders_that_are_not_numbered_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    draw_folder(tmp_path / "named", 2)
    said = ",".join(f"{number}={name}" for number, name in enumerate(EXPRESSIONS))
    assert typed(monkeypatch, "--train", f"x={tmp_path / 'named'}", "--labels", said) == 2
    assert "--labels has no effect here" in capsys.readouterr().err


def _record_is_a_pipe(release: Path) -> None:
    os.mkfifo(release / "release.json")


def _record_is_no_json(release: Path) -> None:
    (release / "release.json").write_bytes(b"\xff\xfe{")


def _no_image(release: Path) -> None:
    next(release.glob("images/sad/*")).write_bytes(b"hello")


HOSTILE = {
    "a pipe in place of release.json": (_record_is_a_pipe, ("it is not a file",)),
    "a release.json that is no JSON": (_record_is_no_json, ("it is not JSON",)),
    "text in place of an image": (_no_image, ("1 images in", "not an image")),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_damaged_release_is_refused_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, what: str
) -> None:
    release = draw_release(tmp_path / "release", 3)
    damage, words = HOSTILE[what]
    damage(release)
    assert typed(monkeypatch, "--release", str(release), "--model", "sequential_4conv") == 2
    err = capsys.readouterr().err
    assert [word for word in words if word not in err.splitlines()[-1]] == []
    assert "failed" not in err


@pytest.mark.parametrize(("per_class", "folds"), [(3, 4), (2, 2)])
def test_too_few_images_for_the_folds_are_told_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    per_class: int,
    folds: int,
) -> None:
    release = draw_release(tmp_path / "release", per_class)
    words = ("--release", str(release), "--model", "sequential_4conv", "--folds", str(folds))
    assert typed(monkeypatch, *words) == 2
    assert f"too few for {folds} folds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--engine", "serial", "--workers", "2"), "--workers has no effect with --engine serial"),
        (("--address", "auto"), "--address has no effect with the engine 'processes'"),
        (("--engine", "ray", "--address", "nowhere"), "setting 'address'"),
        (("--engine", "spark"), "'processes'"),
        (("--shard", "5/4", "--train", "faces"), "--shard '5/4' is not a share; write I/N"),
        (("--shard", "", "--train", "faces"), "--shard is empty: write I/N"),
        (
            ("--seed", "-1"),
            "--seed -1: seeds of training are whole numbers from 0 to 4,294,967,295",
        ),
        (("--seed", "4294967295", "--seeds", "2"), "the last of --seeds 2 too"),
        (("--workers", "2", "--replicas", "2"), "--replicas 2 shares each batch among GPUs"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: Settings,
    words: tuple[str, ...],
    said: str,
) -> None:
    draw_folder(settings.data_dir / "training" / "faces", 2)
    assert typed(monkeypatch, *words) == 2
    assert said in capsys.readouterr().err
    assert not (settings.data_dir / "runs").exists()


def test_runs_run_where_it_is_asked_else_where_the_settings_say_else_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from btfer.cli import bench, context

    def engine(*asked: Any, **flags: Any) -> tuple[str, int, str]:
        monkeypatch.setattr(context, "flags", flags)
        found = bench._engine(*asked)
        return found.name, found.workers, found.address

    assert engine("", None, None) == ("serial", 0, "local")
    assert engine("", None, None, workers=2) == ("serial", 0, "local")
    assert engine("", 2, None) == ("processes", 2, "local")
    assert engine("ray", None, "auto") == ("ray", 0, "auto")
    assert engine("ray", None, None, address="auto", workers=3) == ("ray", 3, "auto")
    assert engine("", 4, None, engine="ray") == ("ray", 4, "local")
    monkeypatch.setenv("BTFER_ENGINE", "processes")
    assert engine("", None, None) == ("processes", 0, "local")
