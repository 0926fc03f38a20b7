"""CSV files as other programs write them."""

from pathlib import Path

import pytest

from btfer.csv_reader import iterate_csv, read_csv
from btfer.errors import UsageError

ROWS = [("bä.jpg", "happy"), ("c, d.jpg", "sad")]
PLAIN = 'file,label\nbä.jpg,happy\n"c, d.jpg",sad\n'


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PLAIN.encode(), id="utf-8"),
        pytest.param(PLAIN.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(PLAIN.encode("utf-16"), id="utf-16, as a spreadsheet's Unicode text"),
        pytest.param(PLAIN.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(PLAIN.replace("\n", "\r").encode(), id="old Mac line ends"),
        pytest.param("file;label\nbä.jpg;happy\nc, d.jpg;sad\n".encode("cp1252"), id="German"),
        pytest.param("sep=;\nfile;label\nbä.jpg;happy\nc, d.jpg;sad\n".encode(), id="sep= line"),
        pytest.param("file\tlabel\nbä.jpg\thappy\nc, d.jpg\tsad\n".encode(), id="tabs"),
        pytest.param(
            'File , LABEL\nbä.jpg, happy\n\n"c, d.jpg",sad\n\n'.encode(), id="spaces, case"
        ),
        pytest.param('file,label,,\nbä.jpg,happy,,\n"c, d.jpg",sad,,\n'.encode(), id="empty ends"),
    ],
)
def test_what_programs_write_is_read_alike(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a b?.csv"
    path.write_bytes(data)
    table = read_csv(path, required=["file", "label"])
    assert [(row["file"], row["label"]) for row in table] == ROWS
    assert table.columns[:2] == ("file", "label")


def test_rows_know_their_line_after_quoted_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('file,label\n"two\nlines",sad\n\nb,happy\n', encoding="utf-8")
    assert [row.line for row in read_csv(path)] == [2, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("file,label\n", "a header and no rows"),
        ("file,label\na,happy\nb\n", "line 3: 1 fields, and the header has 2"),
        ("file,label\na,happy,sad\n", "line 2: 3 fields, and the header has 2"),
        ('file,label\na,happy\n"b,sad\nc,sad\n', "line 3: .*quote"),
        ("file,label,file\na,happy,b\n", "column 'file' more than once"),
        ("file,Label,label\na,happy,b\n", "column 'label' more than once"),
        ("name,label\na,happy\n", "has no column file; its columns are: name, label"),
        ("file,label\na\0,happy\n", "zero byte"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    with pytest.raises(UsageError, match=message) as caught:
        read_csv(path, required=["file", "label"])
    assert str(path) in str(caught.value)


def test_a_folder_or_an_absent_file_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_csv(path)


def test_columns_that_nobody_knows_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("file,mood,licence\na,x,cc0\n", encoding="utf-8")
    assert read_csv(path, required=["file"], known=["licence"]).unknown == ("mood",)
    assert read_csv(path).unknown == ()


def test_an_empty_table_may_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("file,label\n", encoding="utf-8")
    assert len(read_csv(path, may_be_empty=True)) == 0


def test_our_own_files_are_utf_8_with_commas_and_keep_their_spaces(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('file,title\na, b \nc,"two\r\nlines"\n'.encode("utf-8-sig"))
    rows = [dict(row.values) for row in read_csv(path, own=True)]
    assert rows == [{"file": "a", "title": " b "}, {"file": "c", "title": "two\r\nlines"}]
    for data, words in (
        (PLAIN.encode("utf-16"), "is not text in UTF-8: it is UTF-16"),
        (PLAIN.encode("latin-1"), "is not text in UTF-8"),
        (b"file;label\na;b\n", "has no column file"),
        (b"File,label\na,b\n", "has no column file"),
    ):
        path.write_bytes(data)
        with pytest.raises(UsageError, match=words):
            read_csv(path, required=["file"], own=True)


def test_rows_come_one_by_one_and_an_error_when_it_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a.jpg,sad\nb.jpg,happy\nc.jpg\n", encoding="utf-8")
    columns, rows = iterate_csv(path, header=("file", "label"))
    assert columns == ("file", "label")
    assert [next(rows)["label"], next(rows)["label"]] == ["sad", "happy"]
    with pytest.raises(UsageError, match="line 3: 1 fields"):
        next(rows)


def test_a_late_accent_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """The first megabyte is plain, so that only the end tells the encoding."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"file,label\n" + b"a.jpg,sad\n" * 150_000 + "bä.jpg,happy\n".encode("cp1252"))
    assert read_csv(path).rows[-1]["file"] == "bä.jpg"


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n1,"2\n3,4\n5,6"\n',
        'a,b,c\n1,2,"x\n3,4,y\n5,6,z"\n7,8,w\n',
        'a,b,c\n"1,2,x\n3",4,y\n',
        'a;b;c\n1;"2\n3;4;y\n5";z\n',
    ],
)
def test_rows_that_an_open_quote_swallowed_are_not_lost(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"line 2: .*\(is a quote left open\?\)"):
        read_csv(path)


def test_a_text_of_several_lines_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('file,title,author\na.jpg,"Rain,\nwind\n",Ana\nb.jpg,"\n",Bo\n')
    assert [row["title"] for row in read_csv(path)] == ["Rain,\nwind", ""]


def test_a_device_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btfer.csv_reader.MAX_PIPED_BYTES", 1_000_000)
    with pytest.raises(
        UsageError, match="/dev/zero is no file and gives more than 1,000,000 bytes"
    ):
        read_csv(Path("/dev/zero"))


def test_half_a_million_columns_are_compared_in_a_moment(tmp_path: Path) -> None:
    # Each with each, that would be 10^11 comparisons.
    names = ",".join(f"{number:x}" for number in range(500_000))
    (tmp_path / "wide.csv").write_text(f"{names}\n{names}\n")
    with pytest.raises(
        UsageError, match=r"has no column file; its columns are: 0, 1, 2, .*\.\.\.$"
    ):
        read_csv(tmp_path / "wide.csv", required=["file"])
    (tmp_path / "twice.csv").write_text(f"{names},7a\n{names},x\n")
    with pytest.raises(UsageError, match=r"has the column '7a' more than once"):
        read_csv(tmp_path / "twice.csv")
