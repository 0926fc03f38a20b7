"""What a newcomer reads: each command names the one that comes next."""

from pathlib import Path

import pytest

from tests.drawn_catalogue import draw_face
from tests.test_cli import run


def test_each_command_names_the_next_until_there_is_something_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "one.png").write_bytes(draw_face(1))
    monkeypatch.chdir(tmp_path)
    after = {
        ("init", "."): "next: btfer crawl, or btfer import PHOTOS; then btfer dedup, and btfer app",
        (
            "import",
            "mine",
        ): "next: btfer dedup, which looks for copies; then btfer app, to judge the photos",
        ("dedup",): "next: btfer app, to judge the photos",
    }
    for command, last in after.items():
        assert run(monkeypatch, *command) == 0
        assert capsys.readouterr().out.rstrip().endswith(last)
    assert run(monkeypatch, "import", "mine") == 0  # nothing is new, so nothing is next
    assert "next:" not in capsys.readouterr().out
