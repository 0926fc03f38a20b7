"""On the command line: exit codes, one line for what cannot be read, and the newest release that has images."""

import hashlib
import shutil
import sys
from pathlib import Path

import pytest

from btfer import cli
from btfer.catalogue import Catalogue
from btfer.cli import context
from btfer.errors import Incomplete
from btfer.pipeline import build
from btfer.release_record import ONLY
from btfer.settings import Settings
from tests.pipeline.test_release import full

__all__ = ["full"]  # the fixture


@pytest.fixture
def made(full: Catalogue, settings: Settings) -> Path:
    return build.run(full, settings, build.Plan(per_class=2)).path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["btfer", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_findings_end_with_1_what_is_no_release_with_2_and_a_renamed_folder_with_0(
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert run(monkeypatch, "verify", made.name) == 0
    renamed = shutil.copytree(made, tmp_path / "renamed")
    assert run(monkeypatch, "verify", str(renamed)) == 0
    assert "note: the folder was renamed" in capsys.readouterr().out
    (renamed / "metadata.csv").write_bytes(b"\xff\xfe\x00")
    assert run(monkeypatch, "verify", str(renamed)) == 1
    assert "metadata.csv is not text in UTF-8" in capsys.readouterr().out
    assert run(monkeypatch, "verify", str(tmp_path)) == 2
    assert "is not a release" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("metadata.csv", b"\xff\xfe\x00"),
        ("metadata.csv", b'file_name,label\n"x,y\n'),
        ("metadata.csv", b"file_name,label\n../x.png,sad\n"),
        ("SHA256SUMS", b"\xff"),
        ("SHA256SUMS", b"abc ../x\n"),
        ("release.json", b"[1]"),
        ("release.json", b'{"settings": NaN}'),
        ("release.json", b"\xff"),
    ],
)
def test_every_command_says_in_one_line_what_it_cannot_read(
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    file: str,
    data: bytes,
) -> None:
    other, training = shutil.copytree(made, tmp_path / "other"), tmp_path / "training.csv"
    training.write_text("emotion,pixels,Usage\n3," + "9 " * 2304 + ",Training\n")
    (made / file).write_bytes(data)
    commands = [
        ["diff", str(other), str(made)],
        ["rebuild", str(made)],
        ["leaks", str(made), "--against", f"x={training}"],
        ["publish", str(made), "--to", "zenodo", "--dry-run"],
        ["bench", "plan", "--release", str(made), "--train", f"x={made}"],
        ["bench", "external", "--predictions", str(training), "--release", str(made)],
        ["explain", "happy-001.png"],
    ]
    for words in commands:
        capsys.readouterr()
        code = run(monkeypatch, *words)
        said = capsys.readouterr().err
        assert code in (0, 1, 2, 3), words
        assert "Traceback" not in said
        assert "Usage:" not in said, said
        errors = [line for line in said.splitlines() if line.startswith("btfer:")]
        assert len(errors) == (code != 0 and words[0] != "explain"), (words, code, said)


def test_one_replaced_image_is_one_image(
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    other = shutil.copytree(made, tmp_path / "other")
    image = min(other.glob("images/**/*.png"))
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    image.write_bytes(image.read_bytes() + b"x")
    after = hashlib.sha256(image.read_bytes()).hexdigest()
    sums = other / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(before, after))
    assert run(monkeypatch, "diff", str(made), str(other)) == 1
    assert "\n1 image was replaced\n" in capsys.readouterr().out


def test_the_newest_release_that_has_images(
    full: Catalogue, settings: Settings, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "settings", lambda **_: settings)
    listed = build.run(full, settings, build.Plan(per_class=2, sources=ONLY)).path
    assert context.release_folder(None, any_kind=True) == listed
    assert context.release_folder(None) == made
    shutil.rmtree(made)
    with pytest.raises(Incomplete, match="no release has images here"):
        context.release_folder(None)
