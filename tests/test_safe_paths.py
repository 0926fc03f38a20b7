"""Paths from outside never leave their folder."""

from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.safe_paths import path_inside


@pytest.mark.parametrize(
    "name",
    [
        *("../x.png", "a/../../x.png", "/etc/passwd", "C:/x.png", "C:x.png", "..", ".", "", "a//b"),
        *("a\\..\\x.png", "\\\\host\\x.png", "a/\0.png", "a\n.png", "a/./b.png", "x" * 2_000),
    ],
)
def test_names_that_may_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"metadata.csv, line 3: .* not a path inside the folder"):
        path_inside(tmp_path, name, where="metadata.csv, line 3")


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "images").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="symbolic link"):
        path_inside(folder, "images/x.png", where="metadata.csv")


@pytest.mark.parametrize(
    "name", ["images/sad/sad-001.png", "a b/ü?.png", "..a/b..png", "a:b/c"[2:]]
)
def test_honest_names_stay_as_they_are(tmp_path: Path, name: str) -> None:
    assert path_inside(tmp_path, name, where="x") == tmp_path / name
