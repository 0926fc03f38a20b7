import json
from pathlib import Path

import numpy as np
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.predict.drawing import LONGEST_PX, PANEL_PX, draw
from btfer.bench.predict.predictor import PredictedFace, Predictor, crop_of, nearest
from btfer.bench.runs.store import RunStore
from btfer.expressions import EXPRESSIONS
from btfer.faces import Box
from btfer.images import decode_rgb
from btfer.settings import Settings
from tests.bench.conftest import draw_release
from tests.bench.stored_runs import store


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return load_release(draw_release(tmp_path / "releases" / "r1", 3))


@pytest.mark.parametrize("plain", [False, True], ids=["functional", "sequential"])
@pytest.mark.filterwarnings("error:The structure of")
def test_a_released_face_is_nearest_to_itself_within_each_class(
    plain: bool, images: ImageSet, tmp_path: Path
) -> None:
    store(tmp_path / "runs", images, plain=plain)
    predictor = Predictor(RunStore(tmp_path / "runs").find("abcd"))
    index = predictor.index(images, tmp_path / "cache")
    assert index.shape == (21, 16)  # the layer before the classes
    made = list((tmp_path / "cache").glob("features-*"))
    assert len(made) == 1
    stamp = made[0].stat().st_mtime_ns
    face = decode_rgb((images.root / images.files[4]).read_bytes())
    said, features = predictor.read(predictor.input_spec.images([face]))
    assert said.shape == (1, 7)
    near = nearest(features[0], predictor.index(images, tmp_path / "cache"), images, 2)
    assert made[0].stat().st_mtime_ns == stamp
    label = EXPRESSIONS[images.labels[4]]
    assert near[label][0].file == images.files[4]
    assert near[label][0].likeness == pytest.approx(1, abs=1e-4)
    assert [len(near[name]) for name in EXPRESSIONS] == [2] * 7
    assert all(one.label == name for name, faces in near.items() for one in faces)


def test_faces_are_cut_as_the_release_says(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, faces="single")
    assert crop_of(settings, None).name == "paper"
    told = {"settings": {"crop": {"name": "square", "shape": "square", "unknown": 1}}}
    (tmp_path / "release.json").write_text(json.dumps(told))
    chosen = crop_of(settings, tmp_path)
    assert (chosen.name, chosen.shape, chosen.faces) == ("square", "square", "all")


def test_a_drawing_shows_every_face_beside_the_picture() -> None:
    pixels = np.full((900, 2400, 3), 200, np.uint8)
    box = Box(1000, 300, 300, 300, 0.99, {})
    crop = np.zeros((256, 256, 3), np.uint8)
    said = (0.01, 0.01, 0.01, 0.9, 0.05, 0.01, 0.01)
    seen = [PredictedFace(box, crop, said, np.zeros(4))] * 5
    sheet = draw(pixels, seen)
    assert sheet.shape[1] == LONGEST_PX + PANEL_PX
    assert sheet.shape[0] > 450  # five faces need more than the picture
    assert (sheet[300, 500] != 200).any()  # the box's left side, at half the size
    assert (draw(pixels, [])[:450, :LONGEST_PX] == 200).all()
