"""Tables as strangers send them: each is read rightly, or refused in one line that names it; nothing changes."""

import os
from pathlib import Path

import pytest

from btfer.bench.datasets.fer2013 import read_fer2013
from btfer.catalogue import Catalogue, photos, verdicts
from btfer.errors import UsageError
from btfer.files import write_atomic
from btfer.leaks.training import read_training
from btfer.queries import Query
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in
from tests.test_cli import run

COMMANDS = {  # what reads it, its header, and a row that is right
    "labels": ("import {folder} --labels {table}", "file,expression", "a.jpg,happy"),
    "pairs": ("dedup calibrate --pairs {table}", "a,b,same", "{photo},{photo},yes"),
    "verdicts": ("review import {table}", "sha256,label", "{photo},happy"),
    "gold": ("app --gold {table}", "sha256,label", "{photo},happy"),
}
WRONG = {
    "nothing": b"",
    "zero bytes": b"\0" * 600,
    "a picture": as_bytes(draw_photo(1)),
    "an open quote": b'{header}\n{row}\n"{row}\n{row}\n',
    "a zero byte in a cell": b"{header}\n{row}\n\0{row}\n",
    "every column twice": b"{header},{header}\n{row},{row}\n",
    "a row too long": b"{header}\n{row},,,x\n",
    "a row too short": b"{header}\n{row}\nx\n",
    "other columns": b"one,two,three\n{row}\n",
}
ODD = {  # well formed: what it names is not there, or nothing is lost by reading it
    "a cell of 10 MB": b"{header}\n" + b"x" * 10_000_000 + b"{row}\n",
    "a control character": b"{header}\n\x1b[2J{row}\n",
    "a formula": b"{header}\n=HYPERLINK(0)!{row}\n",
    "a thousand empty columns": b"{header}" + b"," * 1000 + b"\n{row}" + b"," * 1000 + b"\n",
    "the earliest day as a label": b"{header}\n{row}0001-01-01T00:00:00+14:00\n",
    "a number out of range as a label": b"{header}\n{row}1e999\n",
}


@pytest.mark.parametrize("hostile", [*WRONG, *ODD])
@pytest.mark.parametrize("reader", COMMANDS)
def test_a_table_is_refused_in_one_line_or_changes_nothing(
    cat: Catalogue,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reader: str,
    hostile: str,
) -> None:
    command, header, row = COMMANDS[reader]
    photo = take_in(
        cat,
        settings.data_dir,
        as_bytes(draw_photo(3)),
        Query("happy person"),
        "https://a.example/3.jpg",
    )
    words = {b"{header}": header, b"{row}": row.format(photo=photo)}
    table = (WRONG | ODD)[hostile]
    for place, text in words.items():
        table = table.replace(place, text.encode())
    file, folder = tmp_path / "theirs.csv", tmp_path / "photos"
    file.write_bytes(table)
    write_atomic(folder / "a.jpg", as_bytes(draw_photo(4)))
    monkeypatch.setenv("BTFER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("BTFER_ENGINE", "serial")
    monkeypatch.setattr(os, "execve", lambda *_: None)  # the app would take this process's place
    before = (photos.count(cat), verdicts.of_photo(cat, photo))
    code = run(monkeypatch, *command.format(table=file, folder=folder).split())
    said = capsys.readouterr()
    assert code == 2 or (code in (0, 1) and hostile in ODD)
    if code == 2:
        assert said.err.strip().count("\n") == 0
        assert file.name in said.err or "gold pictures, line" in said.err
        assert len(said.err) < 600
    assert not any(character in said.out + said.err for character in "\x1b\0")
    if hostile in WRONG:
        assert (photos.count(cat), verdicts.of_photo(cat, photo)) == before


@pytest.mark.parametrize("hostile", WRONG)
def test_a_training_table_is_refused_and_named(tmp_path: Path, hostile: str) -> None:
    table = WRONG[hostile].replace(b"{header}", b"emotion,pixels,Usage")
    file = tmp_path / "fer2013.csv"
    file.write_bytes(table.replace(b"{row}", b"3,0 9 9 0,Training"))
    for read in (read_training, read_fer2013):
        with pytest.raises(UsageError, match=r"fer2013\.csv") as refused:
            read(file, "mine", tmp_path / "cache")
        assert "\n" not in str(refused.value)
    assert not list(tmp_path.rglob("*.npz"))
