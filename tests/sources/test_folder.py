from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.sources.folder import FolderPhoto, list_folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("a.jpg", "Happy/b.jpg", "sadness/2020/c.jpg", "other/d.jpg", ".cache/e.jpg", ".f"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def labels(listed: list[FolderPhoto]) -> dict[str, str]:
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


BROKEN = [
    (
        "file,expression\na.jpg,sad\nb.jpg,grumpy\n",
        r"labels.csv:3: unknown expression class 'grumpy'",
    ),
    ("file,expression\na.jpg,sad\na.jpg,happy\n", r"labels.csv:3: 'a.jpg' has another label"),
    ("file,expression\n../a.jpg,sad\n", r"labels.csv:2: 'file' must be a path inside the folder"),
    ("name,expression\na.jpg,sad\n", r"labels.csv:1: .*'file' and 'expression'"),
    ("file,label,expression\na.jpg,sad,sad\n", r"labels.csv:1: a column is named twice"),
    ("", r"labels.csv:1: .*an empty file"),
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
    table.write_bytes(b"file,expression\n\xff\xfe,sad\n")
    with pytest.raises(UsageError, match="is not a CSV file in UTF-8"):
        list_folder(photos, table)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no files"):
        list_folder(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        list_folder(tmp_path / "nowhere")
