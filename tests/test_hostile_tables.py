"""Tables as strangers send them: each is read rightly, or refused in one line that names it; nothing changes."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer

from btfer import cli
from btfer.bench.datasets import affectnet, read_source
from btfer.catalogue import Catalogue, photos, verdicts
from btfer.errors import UsageError
from btfer.files import write_atomic
from btfer.leaks.training import read_training
from btfer.queries import Query
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in
from tests.test_cli import run

EXTERNAL = "bench external --release {release}"
FER = ("emotion,pixels,Usage", "3,0 9 9 0,Training")
COMMANDS = {  # what reads it, its header, and a row that is right
    "labels": ("import {folder} --labels {table}", "file,expression", "a.jpg,happy"),
    "pairs": ("dedup calibrate --pairs {table}", "a,b,same", "{photo},{photo},yes"),
    "verdicts": ("review import {table}", "sha256,label", "{photo},happy"),
    "gold": ("app --gold {table}", "sha256,label", "{photo},happy"),
    "predictions": (f"{EXTERNAL} --predictions {{table}}", "image,predicted", "happy/a.png,happy"),
    "against": ("leaks {release} --against fer={table}", *FER),
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


def a_release(folder: Path) -> Path:
    """A folder in the form of a release, with one image."""
    write_atomic(folder / "images" / "happy" / "a.png", as_bytes(draw_photo(5), "PNG"))
    (folder / "metadata.csv").write_text("file_name,label\nimages/happy/a.png,happy\n")
    return folder


class Reader:
    """A command that reads a table, in this process, on a catalogue with one photo and beside a release."""

    def __init__(
        self, name: str, photo: str, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.command, self.header, row = COMMANDS[name]
        self.row = row.format(photo=photo)
        self._monkeypatch = monkeypatch
        self._places = {"folder": folder / "photos", "release": a_release(folder / "release")}
        write_atomic(folder / "photos" / "a.jpg", as_bytes(draw_photo(4)))

    def table(self, form: bytes) -> bytes:
        """A form with the command's own header and row in it."""
        words = {"{header}": self.header, "{row}": self.row}
        words["{nan}"] = f"{self.row.rpartition(',')[0]},NaN"
        for place, text in words.items():
            form = form.replace(place.encode(), text.encode())
        return form

    def read(self, table: Path) -> int:
        """Its exit code."""
        words = self.command.format(table=table, **self._places).split()
        return run(self._monkeypatch, *words)


@pytest.fixture
def photo(cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BTFER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("BTFER_ENGINE", "serial")
    monkeypatch.setattr(os, "execve", lambda *_: None)  # the app would take this process's place
    asked = Query("happy person")
    data = as_bytes(draw_photo(3))
    return take_in(cat, settings.data_dir, data, asked, "https://a.example/3.jpg")


@pytest.mark.parametrize("reader", COMMANDS)
def test_a_table_is_refused_in_one_line_or_changes_nothing(
    cat: Catalogue,
    settings: Settings,
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reader: str,
) -> None:
    command, file = Reader(reader, photo, tmp_path, monkeypatch), tmp_path / "theirs.csv"

    def state() -> object:
        return (
            photos.count(cat),
            verdicts.of_photo(cat, photo),
            sorted(settings.data_dir.glob("*/*")),
        )

    for hostile, form in (WRONG | ODD).items():
        file.write_bytes(command.table(form))
        before = state()
        code, said = command.read(file), capsys.readouterr()
        assert code == 2 or (code in (0, 1) and hostile in ODD), hostile
        if code == 2:
            assert said.err.strip().count("\n") == 0, hostile
            assert file.name in said.err, hostile
            assert len(said.err) < 600, hostile
        assert not any(character in said.out + said.err for character in "\x1b\0"), hostile
        if hostile in WRONG:
            assert state() == before, hostile


@pytest.mark.parametrize("reader", COMMANDS)
def test_a_table_that_is_no_file_is_refused_in_one_line(
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reader: str,
) -> None:
    command = Reader(reader, photo, tmp_path, monkeypatch)
    monkeypatch.setattr("btfer.csv_reader.MAX_PIPED_BYTES", 1_000_000)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    for name in ("folder.csv", "loop.csv", "gone.csv", "/dev/zero", "/dev/null"):
        code, said = command.read(tmp_path / name), capsys.readouterr()
        assert code == 2, name
        assert name in said.err
        usage = said.err.strip().splitlines()  # a missing file is found before the command begins
        assert len(usage) == 1 or usage[0].startswith("Usage: btfer")
        assert "Traceback" not in said.err


MEASURED = pytest.param("pairs", marks=pytest.mark.slow)  # each time by every hash


@pytest.mark.parametrize("reader", [MEASURED, *(one for one in COMMANDS if one != "pairs")])
def test_a_table_is_read_whatever_program_wrote_it(
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reader: str,
) -> None:
    command, file = Reader(reader, photo, tmp_path, monkeypatch), tmp_path / "theirs.csv"
    plain = command.table(b"{header}\n{row}\n").decode()

    def read(data: bytes) -> tuple[int, str]:
        file.write_bytes(data)
        code = command.read(file)
        return code, capsys.readouterr().err

    read(plain.encode())  # what it changes, it has changed now
    expected = read(plain.encode())
    assert expected[0] in (0, 1)  # 1: there are too few pairs to measure, or faces to search
    windows = plain.replace("\n", "\r\n")
    forms = {
        "a byte order mark": plain.encode("utf-8-sig"),
        "UTF-16": windows.encode("utf-16"),
        "semicolons": windows.replace(",", ";").encode("cp1252"),
        "semicolons, marked": plain.replace(",", ";").encode("utf-8-sig"),
        "tabs in UTF-16, as a spreadsheet's Unicode text": windows.replace(",", "\t").encode(
            "utf-16"
        ),
        "Windows": windows.encode(),
        "an old Mac": plain.replace("\n", "\r").encode(),
        "an odd mix": plain.replace("\n", "\n\r\n").encode(),
        "no line end": plain.rstrip().encode(),
    }
    for name, data in forms.items():
        assert read(data) == expected, name


@pytest.mark.reliability("pipes, sockets, devices and links as files")
def test_a_row_that_names_a_device_is_refused_and_not_read_for_ever(
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("/dev/zero", str(tmp_path / "pipe"), str(tmp_path)):
        (tmp_path / "theirs.csv").write_text(f"file,label\n{name},happy\n")
        assert run(monkeypatch, "review", "import", str(tmp_path / "theirs.csv")) == 2
        assert "it is not a file" in capsys.readouterr().err


@pytest.mark.parametrize("reader", COMMANDS)
def test_a_table_that_comes_through_a_pipe_is_read_once_or_refused(
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reader: str,
) -> None:
    command, pipe = Reader(reader, photo, tmp_path, monkeypatch), tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with suppress(BrokenPipeError):
            pipe.write_bytes(command.table(b"{header}\n{row}\n"))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    code, said = command.read(pipe), capsys.readouterr().err
    assert code in (0, 1) or (code == 2 and said.strip().count("\n") == 0 and "pipe" in said)
    writer.join(2)
    if writer.is_alive():  # it was refused unread
        pipe.read_bytes()
    writer.join()


NO_TABLES = {  # options and arguments that name something else which exists already
    "a folder": {
        "import FOLDER", "init FOLDER", "demo --folder", "sample render --assets",
        "bench edge --calibration", "export --calibration", "leaderboard FOLDER",
        "bench merge DIR...",
    },
    "a network, its card, its weights": {
        "bench --weights-file", "bench plan --weights-file", "bench external --model-file",
        "bench external --card", "bench external --weights",
    },
    "a picture or a bundle": {"predict IMAGE", "report --with"},
    "a secret": {"publish --token-file"},
    "what is written": {
        "btfer --log-file", "queries --csv", "review export FILE", "review export --gold",
        "bench submit --out", "export --out", "predict --out", "leaderboard --out", "sample render OUT",
    },
    "a training set: a folder, whose tables are tried below": {"bench --train", "bench plan --train"},
    "a training set, read as leaks --against reads it": {"build --against"},
}  # fmt: skip
TABLES = {
    "labels": "import --labels",
    "pairs": "dedup calibrate --pairs",
    "verdicts": "review import FILE",
    "gold": "app --gold",
    "predictions": "bench external --predictions",
    "against": "leaks --against",
}


def _parameters(command: Any, words: str = "") -> Iterator[str]:
    """Each option and argument that takes the place of something on disk."""
    for one in command.params:
        kind, metavar = str(getattr(one, "type_descriptor", "")), one.metavar or ""
        if "path" in kind.lower() or "=PATH" in metavar or "=FOLDER" in metavar:
            name = one.opts[0] if one.opts[0].startswith("-") else (one.metavar or one.name).upper()
            yield f"{words or 'btfer'} {name.strip('[]')}"
    for name, below in getattr(command, "commands", {}).items():
        yield from _parameters(below, f"{words} {name}".strip())


def test_every_option_that_may_take_a_table_is_tried_here() -> None:
    others = set().union(*NO_TABLES.values())
    assert set(TABLES) == set(COMMANDS)
    assert set(_parameters(typer.main.get_command(cli.app))) == others | set(TABLES.values())


def _without_its_last_cell(row: str, cell: str) -> str:
    return f"{row.rpartition(',')[0]},{cell}"


def _affectnet(folder: Path) -> None:
    read_source(folder, "mine")


def _leaks(folder: Path) -> None:
    read_training(folder / "fer2013.csv", "mine", folder / "cache")


def _fer2013(folder: Path) -> None:
    read_source(folder, "mine", folder / "cache")


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
