from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.sources.folder import FolderListing, list_folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("a.jpg", "Happy/b.jpg", "sadness/2020/c.jpg", "other/d.jpg", ".cache/e.jpg", ".f"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def labels(listed: FolderListing) -> dict[str, str]:
    return {one.path.name: one.query.expression for one in listed}


def test_a_folder_named_after_a_class_labels_its_pictures(photos: Path) -> None:
    expected = {"a.jpg": "", "b.jpg": "happy", "c.jpg": "sad", "d.jpg": ""}
    assert labels(list_folder(photos)) == expected


def test_the_csv_goes_before_the_folder_and_gives_people_and_rights(photos: Path) -> None:
    table = photos / "labels.csv"
    table.write_text(
        "\ufefffile,Label,gender,licence,author,camera\n"
        "Happy/b.jpg,Surprised,female,CC0,Ana Pérez,X100\n"
        "other\\d.jpg,unlabelled,,,,\n",
        encoding="utf-8",
    )
    listed = list_folder(photos, table)
    assert labels(listed) == {"a.jpg": "", "b.jpg": "surprise", "c.jpg": "sad", "d.jpg": ""}
    [one] = [one for one in listed if one.path.name == "b.jpg"]
    assert one.query.gender == "female"
    assert (one.sighting.licence, one.sighting.author) == ("CC0", "Ana Pérez")
    assert one.sighting.url == (photos.resolve() / "Happy" / "b.jpg").as_uri()


def test_a_file_that_only_the_csv_names_is_listed_so_that_it_fails_visibly(photos: Path) -> None:
    table = photos.parent / "labels.csv"
    table.write_text("file,expression\na.jpg,sad\ngone.jpg,sad\n", encoding="utf-8")
    assert labels(list_folder(photos, table))["gone.jpg"] == "sad"


def test_a_table_that_lies_with_the_photos_is_named_where_it_is(photos: Path) -> None:
    (photos / "labels.csv").write_text("file,expression\na.jpg,sad\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"there is no labels.csv here: pass --labels {photos}"):
        list_folder(photos, Path("labels.csv"))


BROKEN = [
    (
        "file,expression\na.jpg,sad\nb.jpg,grumpy\n",
        r"labels.csv, line 3: unknown expression class 'grumpy'",
    ),
    (
        "file,expression\na.jpg,mixed\nb.jpg,junk\nc.jpg,mixed\nd.jpg,Unlabelled\n",
        r"line 2: unknown expression class 'mixed'.* for no label \(also 'junk' in line 3\)",
    ),
    ("file,expression\na.jpg,sad\na.jpg,happy\n", r"labels.csv, line 3: 'a.jpg' has other values"),
    (
        "file,expression\n../a.jpg,sad\n",
        r"labels.csv, line 2: 'file' must be a path inside the folder",
    ),
    (
        "name,expression\na.jpg,sad\n",
        r"labels.csv, line 1: no column names the file: call one of name, expression 'file'",
    ),
    (
        "file,mood\na.jpg,sad\n",
        r"labels.csv, line 1: no column names the expression .* 'expression' .*label, emotion",
    ),
    (
        "file,path,label\na.jpg,a.jpg,sad\n",
        r"labels.csv, line 1: the columns file, path may all name the file",
    ),
    ("file,label,label\na.jpg,sad,sad\n", r"has the column 'label' more than once"),
    ('file,expression\na.jpg,"sad\nb.jpg,sad\n', r"labels.csv, line 2: .*is a quote left open"),
    ("file,expression\na.jpg\n", r"labels.csv, line 2: 1 fields, and the header has 2"),
    ("file,expression\n", r"labels.csv has a header and no rows"),
    ("sep=;\nfile;expression\na.jpg;mad\nb.jpg;x\n", r"labels.csv, line 4: unknown"),
    ("file,expression\n,sad\n", r"labels.csv, line 2: 'file' must be a path"),
    (
        "file,label,expression\na.jpg,sad,sad\n",
        r"labels.csv, line 1: the columns expression, label may all name",
    ),
    ("", r"labels.csv is empty"),
    ("file,expression\nx/a.jpg,sad\n", r"names no file in .*: its column 'file' must be relative"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=[row[1] for row in BROKEN])
def test_a_broken_csv_is_refused_with_its_line(photos: Path, text: str, message: str) -> None:
    table = photos.parent / "labels.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        list_folder(photos, table)


def test_a_csv_that_is_no_text_is_refused(photos: Path) -> None:
    table = photos.parent / "labels.csv"
    table.write_bytes(b"PK\x03\x04\0\0file,expression\na.jpg,sad\n")
    with pytest.raises(UsageError, match=r"labels.csv is not a text file"):
        list_folder(photos, table)


EXPORTS = {
    "a spreadsheet in Germany": (
        "Image;Emotion;Author;;\r\nHappy\\b.jpg;Sad;Jörg Müller;;\r\n".encode("cp1252"),
        "Jörg Müller",
    ),
    "a spreadsheet in Japan": (
        "filename,class,author\nHappy/b.jpg,sad,山田\n".encode("utf-16"),
        "山田",
    ),
    "a notebook": (b"path\tlabel\tauthor\nHappy/b.jpg\tsad\tAna\n", "Ana"),
    "a byte order mark": ("\ufefffile,expression,author\nHappy/b.jpg,sad,Ana\n".encode(), "Ana"),
}


@pytest.mark.parametrize("who", EXPORTS)
def test_what_other_programs_write_is_read(photos: Path, who: str) -> None:
    table = photos.parent / "labels.csv"
    data, author = EXPORTS[who]
    table.write_bytes(data)
    [one] = [one for one in list_folder(photos, table) if one.path.name == "b.jpg"]
    assert (one.query.expression, one.sighting.author) == ("sad", author)


def test_rights_are_taken_and_what_is_not_is_said(photos: Path) -> None:
    table = photos.parent / "labels.csv"
    head = "path,label,licence,licence_url,author,title,page_url,country,camera"
    row = "a.jpg,sad,CC BY 4.0,https://creativecommons.org/licenses/by/4.0/,Ann,A,https://x.example/a,FR,X100"
    table.write_text(f"{head}\n{row}\nHappy/b.jpg,,ask me,,,,,,\n", encoding="utf-8")
    found = list_folder(photos, table)
    [one] = [one.sighting for one in found if one.path.name == "a.jpg"]
    assert one.licence_url == "https://creativecommons.org/licenses/by/4.0/"
    assert (one.licence, one.author, one.title) == ("CC BY 4.0", "Ann", "A")
    assert one.page_url == "https://x.example/a"
    assert labels(found)["b.jpg"] == "happy"
    assert list(found.notes) == [
        "labels.csv: the column 'path' was read as 'file'",
        "labels.csv: the column 'label' was read as 'expression'",
        "labels.csv: unknown columns, which are not used: country, camera",
        "labels.csv: licences that are not understood, which count as not free: 'ask me' 1",
    ]


def test_rights_are_read_by_the_names_that_other_tools_give_them(photos: Path) -> None:
    table = photos.parent / "labels.csv"
    head = "path,label,License,license_url,creator,title,foreign_landing_url"
    row = "a.jpg,sad,,https://creativecommons.org/licenses/by-nd/2.0/,Ann,A,https://x.example/a"
    table.write_text(f"{head}\n{row}\nHappy/b.jpg,,ask me,,,,\n", encoding="utf-8")
    found = list_folder(photos, table)
    [one] = [one.sighting for one in found if one.path.name == "a.jpg"]
    assert one.licence_url == "https://creativecommons.org/licenses/by-nd/2.0/"
    assert (one.licence, one.author, one.page_url) == ("", "Ann", "https://x.example/a")
    assert "labels.csv: the column 'license' was read as 'licence'" in found.notes
    assert [note for note in found.notes if "unknown columns" in note] == []
    assert [note for note in found.notes if "'ask me' 1" in note]


def test_two_columns_for_the_licence_are_refused(photos: Path) -> None:
    table = photos.parent / "labels.csv"
    table.write_text("path,label,licence,rights\na.jpg,sad,CC0,All rights reserved\n")
    with pytest.raises(UsageError, match="licence, rights may all name the licence"):
        list_folder(photos, table)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no files"):
        list_folder(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        list_folder(tmp_path / "nowhere")
