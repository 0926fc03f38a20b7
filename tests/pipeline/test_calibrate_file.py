"""Labelled pairs from a CSV: how it names photos, and what it says of a line that cannot be right."""

from pathlib import Path

import pytest

from btfer.catalogue import Catalogue
from btfer.errors import UsageError
from btfer.pipeline.calibrate_file import read_pairs
from tests.pipeline.known_hashes import add_hash, write_pairs


def test_a_file_names_photos_by_sha256_url_or_the_end_of_a_path(
    cat: Catalogue, tmp_path: Path
) -> None:
    a = add_hash(cat, "aaaaaaa", 1, 2, url="file:///photos/se%C3%B1al%201/x.jpg")
    b = add_hash(cat, "bbbbbbb", 1, 2, url="https://example.org/b.jpg?size=2")
    c = add_hash(cat, "ccccccc", 1, 2, url="file:///photos/other/x.jpg")
    file = write_pairs(
        tmp_path,
        "A, b ,same,kind",
        "aaaaaa,https://example.org/b.jpg?size=2,Yes,resized",
        "b.jpg?size=2,se\u00f1al 1/x.jpg,1,once more",
        f"/photos/other/x.jpg,{a},no,",
        "./other/x.jpg,ccccccc,TRUE,exact",
    )
    found = [(one.one, one.other, one.same, one.kind) for one in read_pairs(cat, file)]
    assert found == [(a, b, True, "resized"), (a, c, False, ""), (c, c, True, "exact")]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a,b", "1,2"], "csv has no column same; its columns are: a, b"),
        ([""], "csv is empty: a header line"),
        (["a,b,same"], "contains no pairs"),
        (["a,b,same", "aaaaaaa,bbbbbbb,maybe"], "csv:2: 'same' must be one of yes"),
        (["a,b,same", "aaaaaaa,bbbbbbb,yes", "aaaaaaa,b,yes"], "csv:3: b 'b' is not a photo"),
        (["a,b,same", "abcdef,bbbbbbb,yes"], "csv:2: a 'abcdef' means 2 photos"),
        (["a,b,same", "x.jpg,bbbbbbb,yes"], "csv:2: a 'x.jpg' means 2 photos"),
        (["a,b,same", "aaaaaaa,aaaaaaa,no"], "csv:2: a and b have the same bytes"),
        (["a,b,same", "aaaaaaa,bbbbbbb,1", "bbbbbbb,aaaaaaa,0"], "csv:3.*otherwise in line 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_that_cannot_be_right_is_named(
    cat: Catalogue, tmp_path: Path, lines: list[str], words: str
) -> None:
    add_hash(cat, "aaaaaaa", 1, 2)
    add_hash(cat, "bbbbbbb", 1, 2)
    for name in ("abcdef1", "abcdef2"):
        add_hash(cat, name, 1, 2, url=f"file:///{name}/x.jpg")
    with pytest.raises(UsageError, match=words):
        read_pairs(cat, write_pairs(tmp_path, *lines))


def test_a_file_that_is_none_is_a_usage_error(cat: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_pairs(cat, tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"a,b,same\n\xff\xfe,x,1\n")
    with pytest.raises(UsageError, match=r"csv:2: a .* is not a photo"):
        read_pairs(cat, tmp_path / "bytes.csv")
