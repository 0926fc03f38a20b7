"""Paths from outside never leave their folder."""

from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.safe_paths import FilesInside, is_digest, is_face_id, path_inside


@pytest.mark.parametrize(
    "name",
    [
        *("../x.png", "a/../../x.png", "/etc/passwd", "C:/x.png", "C:x.png", "..", ".", "", "a//b"),
        *("a\\..\\x.png", "\\\\host\\x.png", "a/\0.png", "a\n.png", "a/./b.png", "x" * 2_000),
        *("x" * 256, "ü" * 128, "9" * 400 + "/a.png"),
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


def test_many_names_are_checked_as_one_is(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "link.png").symlink_to(tmp_path)
    (folder / "out").symlink_to(tmp_path)
    (folder / "in").symlink_to(folder / "images")
    inside = FilesInside(folder)
    assert inside.path("images/x.png", where="x") == folder / "images/x.png"
    assert inside.path("in/x.png", where="x") == folder / "in/x.png"
    for name in ("images/link.png", "out/x.png", "../x.png"):
        with pytest.raises(UsageError):
            inside.path(name, where="x")


def test_digests_and_face_ids_have_a_form() -> None:
    photo = "ab" * 32
    face = f"{photo[:24]}-01234567-00"
    assert is_digest(photo)
    assert is_face_id(face)
    assert is_face_id(face, photo=photo)
    for text in ("", "../x", photo.upper(), photo[:-1], f"{photo}\n"):
        assert not is_digest(text)
    odd = (
        f"{face}/x",
        f"../{face}",
        face[:-2],
        f"{face[:-2]}²",
        face.upper(),
        f"{face}\n",
        "a-b-c",
    )
    assert not any(map(is_face_id, odd))
    assert not is_face_id(face, photo="cd" * 32)
