"""What lies in a folder and is no file, and what a list means by the names it writes."""

import os
import unicodedata
from pathlib import Path

import pytest

from btfer.catalogue.journal import Fetched
from btfer.errors import UsageError
from btfer.sources.folder import list_folder, read_file
from tests.conftest import as_bytes, draw_photo


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("a.jpg", "Sub Folder/B.JPG", "sad/é.jpg", "100%25.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(as_bytes(draw_photo(1)))
    return root


def reason_of(path: Path) -> str:
    _, data, result = read_file(path)
    assert isinstance(result, Fetched)
    assert data == b""
    return result.reason


@pytest.mark.reliability("pipes, sockets, devices and links as files")
def test_what_is_no_file_has_a_reason_and_is_not_read(photos: Path) -> None:
    os.mkfifo(photos / "pipe.jpg")
    (photos / "zero.jpg").symlink_to("/dev/zero")
    (photos / "loop.jpg").symlink_to("loop.jpg")
    (photos / "gone.jpg").symlink_to("nowhere.jpg")
    (photos / "link.jpg").symlink_to("a.jpg")
    listed = {one.path.name for one in list_folder(photos)}
    assert listed >= {"pipe.jpg", "zero.jpg", "loop.jpg", "gone.jpg", "link.jpg"}
    assert reason_of(photos / "pipe.jpg") == "not a file"
    assert reason_of(photos / "zero.jpg") == "not a file"
    assert reason_of(photos / "loop.jpg") == "a loop of links"
    assert reason_of(photos / "gone.jpg") == "no such file"
    assert read_file(photos / "link.jpg")[1] == (photos / "a.jpg").read_bytes()


@pytest.mark.reliability("pipes, sockets, devices and links as files")
def test_a_link_to_a_folder_above_is_left_out_and_said(photos: Path) -> None:
    (photos / "again").symlink_to(photos)
    table = photos / "labels.csv"
    table.write_text("file,expression\na.jpg,sad\n")
    listed = list_folder(photos, table)
    assert len(list(listed)) == 4
    [note] = listed.notes
    assert note.startswith("links to folders, which are not followed")
    assert note.endswith("again")


def test_the_data_folder_is_not_imported_into_itself(tmp_path: Path, photos: Path) -> None:
    data = tmp_path / "data"
    for name in ("photos/ab/x.jpg", "own/y.jpg"):
        (data / name).parent.mkdir(parents=True)
        (data / name).write_bytes(b"x")
    for folder in (data, data / "photos", data / "photos" / "ab"):
        with pytest.raises(UsageError, match="is btfer's own"):
            list_folder(folder, data_dir=data)
    assert len(list(list_folder(data / "own", data_dir=data))) == 1
    above = list_folder(tmp_path, data_dir=data)
    assert {one.path.name for one in above} == {path.name for path in photos.rglob("*.*")}
    assert above.notes == ("btfer's data folder, which is left out: data",)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        (".\\a.jpg", "a.jpg"),
        ("A.JPG", "a.jpg"),
        ("photos/a.jpg", "a.jpg"),
        ("photos\\a.jpg", "a.jpg"),
        ("sub folder\\b.jpg", "Sub Folder/B.JPG"),
        ("Sub%20Folder/B.JPG", "Sub Folder/B.JPG"),
        ("Sub Folder//B.JPG", "Sub Folder/B.JPG"),
        ("sad/" + unicodedata.normalize("NFD", "é") + ".jpg", "sad/é.jpg"),
        ("SAD/" + unicodedata.normalize("NFC", "É") + ".jpg", "sad/é.jpg"),
        ("100%25.jpg", "100%25.jpg"),
        ("{root}/a.jpg", "a.jpg"),
        ("file://{root}/sad/%C3%A9.jpg", "sad/é.jpg"),
    ],
)
def test_a_name_is_found_however_it_was_typed(photos: Path, written: str, name: str) -> None:
    table = photos.parent / "labels.csv"
    table.write_text(f"file,expression\n{written.format(root=photos)},surprise\n", encoding="utf-8")
    listed = list(list_folder(photos, table))
    assert len(listed) == 4
    [one] = [one for one in listed if one.query.expression == "surprise"]
    assert one.path == photos.resolve() / name


def test_a_name_that_two_files_have_is_refused(photos: Path) -> None:
    (photos / "A.jpg").write_bytes(b"x")
    if (photos / "a.jpg").read_bytes() == b"x":
        pytest.skip("this file system knows no capitals")
    table = photos.parent / "labels.csv"
    table.write_text("file,expression\nA.JPG,sad\n")
    with pytest.raises(UsageError, match=r"line 2: 'A.JPG' could be any of A.jpg, a.jpg"):
        list_folder(photos, table)
    table.write_text("file,expression\nA.jpg,sad\na.jpg,happy\n")
    assert {one.query.expression for one in list_folder(photos, table)} >= {"sad", "happy"}


@pytest.mark.parametrize(
    "text",
    [
        'file,expression,title\na.jpg,sad,"open\n100%25.jpg,sad,x\n"sad/é.jpg",sad,x\n',
        'file,expression,title\na.jpg,sad,"open\n100%25.jpg,sad,"\nsad/é.jpg,sad,x\n',
        'file,expression\n"a.jpg,sad\n100%25.jpg,sad",sad\n',
        'file,expression\na.jpg,sad\n"100%25.jpg,sad\n',
        "file,expression\na.jpg,sad\0\n",
        "file,expression\na.jpg;sad\n",
        "file|expression\na.jpg|sad\n",
        "file,expression\na.jpg,sad,happy\n",
        "file,expression\na.jpg\n",
    ],
)
def test_a_csv_that_would_lose_rows_is_refused(photos: Path, text: str) -> None:
    table = photos.parent / "labels.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        list_folder(photos, table)


def test_a_title_of_several_lines_is_a_title(photos: Path) -> None:
    table = photos.parent / "labels.csv"
    table.write_text('file,expression,title\na.jpg,sad,"Rain, wind\nand snow, too, x"\n')
    titles = {one.sighting.title for one in list_folder(photos, table)}
    assert "Rain, wind\nand snow, too, x" in titles
