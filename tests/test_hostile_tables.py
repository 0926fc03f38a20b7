"""Tables as strangers send them: each is read rightly, or refused in one line that names it; nothing changes."""

import os
from pathlib import Path

import pytest

from btfer.bench.datasets import affectnet, read_source
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
    "a byte order mark": b"\xef\xbb\xbf",
    "UTF-16 without its mark": "{header}\n{row}\n".encode("utf-16-le"),
    "a page of a website": b"<!DOCTYPE html><html><body>not found</body></html>\n",
    "a line of a megabyte": b"x" * 1_000_000,
    "a cell of a megabyte": b"{header}\n" + b"x" * 1_000_000 + b"{row}\n",
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
    "a header": b"{header}\n",
    "a header twice": b"{header}\n{header}\n{row}\n",
    "a column of NaN": b"{header}\n{nan}\n",
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
    row = row.format(photo=photo)
    words = {b"{header}": header, b"{row}": row, b"{nan}": _without_its_last_cell(row, "NaN")}
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
        assert file.name in said.err
        assert len(said.err) < 600
    assert not any(character in said.out + said.err for character in "\x1b\0")
    if hostile in WRONG:
        assert (photos.count(cat), verdicts.of_photo(cat, photo)) == before


def _without_its_last_cell(row: str, cell: str) -> str:
    return f"{row.rpartition(',')[0]},{cell}"


def _affectnet(folder: Path) -> None:
    read_source(folder, "mine")


def _leaks(folder: Path) -> None:
    read_training(folder / "fer2013.csv", "mine", folder / "cache")


def _fer2013(folder: Path) -> None:
    read_fer2013(folder, "mine", folder / "cache")


LANDMARKS = ";".join(["1.5"] * 136)
TRAINING = {  # the table's name, who reads it, its header, and a row that is right
    "AffectNet": (
        "training.csv",
        _affectnet,
        ",".join(affectnet.COLUMNS),
        f"a.jpg,1,1,9,9,{LANDMARKS},0.1,0.1,1",
    ),
    "leaks": ("fer2013.csv", _leaks, "pixels,Usage,emotion", "0 9 9 0,Training,3"),
    "FER2013": ("fer2013.csv", _fer2013, "pixels,Usage,emotion", "0 9 9 0,Training,3"),
}


@pytest.mark.parametrize("hostile", [*WRONG, "a header", "a column of NaN"])
@pytest.mark.parametrize("reader", TRAINING)
def test_a_training_table_is_refused_and_named(tmp_path: Path, reader: str, hostile: str) -> None:
    name, read, header, row = TRAINING[reader]
    table = (WRONG | ODD)[hostile].replace(b"{nan}", _without_its_last_cell(row, "NaN").encode())
    (tmp_path / name).write_bytes(
        table.replace(b"{header}", header.encode()).replace(b"{row}", row.encode())
    )
    write_atomic(tmp_path / "a.jpg", as_bytes(draw_photo(4)))
    named = name if (reader, hostile) not in UNKNOWN else "class"
    with pytest.raises(UsageError, match=named) as refused:
        read(tmp_path)
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.rglob("*.npz"))


# A training.csv with other columns is somebody else's, so that the folder is read without it.
UNKNOWN = {("AffectNet", one) for one in ("other columns", "a page of a website")}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_with_and_without_its_header_is_read(tmp_path: Path, encoding: str) -> None:
    write_atomic(tmp_path / "a" / "a.jpg", as_bytes(draw_photo(4)))
    columns = ",".join(affectnet.COLUMNS)
    row = f"a/a.jpg,1,1,9,9,{LANDMARKS},1,0.1,0.1"
    for header in ("", f"{columns}\n"):
        (tmp_path / "validation.csv").write_text(f"{header}{row}\n", encoding=encoding)
        assert read_source(tmp_path, "mine").images.files == ("a/a.jpg",)


@pytest.mark.parametrize("name", ["training.csv", "labels.csv", "fer2013.csv"])
def test_a_folder_that_is_named_like_a_table_is_no_table(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError):
        read_source(tmp_path, "mine")
