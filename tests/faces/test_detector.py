"""What the detector promises beside the package's boxes: any shape, no TensorFlow, an error with a reason."""

import subprocess
import sys

import numpy as np
import pytest

from btfer.errors import ImageError
from btfer.faces import LANDMARKS, detect, networks
from btfer.faces.networks import Network
from btfer.images import Pixels, decode_rgb
from btfer.sample import picture_path

WITHOUT_TENSORFLOW = """
import sys, numpy as np
from btfer.faces import detect
assert not {"numba", "openvino"} & set(sys.modules), "the door is light"
detect(np.zeros((100, 100, 3), np.uint8))
print(sorted({"tensorflow", "keras", "mtcnn"} & set(sys.modules)))
"""


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def group() -> Pixels:
    return decode_rgb(picture_path("group_01.jpg").read_bytes())


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (1, 900), (12, 12), (13, 12), (24, 24), (25, 31), (20, 3000), (3000, 20), (41, 999)],
)
@pytest.mark.parametrize("min_face_px", [1, 20, 40, 5000])
def test_any_shape_has_a_result(height: int, width: int, min_face_px: int) -> None:
    assert detect(noise(height, width), min_face_px=min_face_px) == []


def test_faces_come_from_left_to_right_in_whole_pixels_with_five_landmarks(group: Pixels) -> None:
    boxes = detect(group)
    assert len(boxes) >= 2
    assert [box.x for box in boxes] == sorted(box.x for box in boxes)
    for box in boxes:
        assert tuple(box.landmarks) == LANDMARKS
        assert box.x == int(box.x)
        assert 0.8 < box.probability <= 1


def test_a_view_that_is_not_contiguous_gives_the_boxes_of_its_copy(group: Pixels) -> None:
    mirrored = group[:, ::-1]
    assert detect(mirrored) == detect(mirrored.copy())


def test_only_large_faces_are_looked_for_where_asked(group: Pixels) -> None:
    assert detect(group, min_face_px=20)
    assert detect(group, min_face_px=10 * max(group.shape)) == []


def test_a_worker_needs_no_tensorflow() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW], capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


class Full:
    """Stands for OpenVINO's request on a machine without memory."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def infer(self, *_: object, **__: object) -> None:
        raise self.error


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("Exception: std::bad_alloc")])
def test_out_of_memory_is_a_reason(
    error: Exception, group: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks.networks().pnet._others, "_request", Full(error))
    with pytest.raises(ImageError, match="out of memory") as caught:
        detect(group)
    assert caught.value.reason == "out of memory"


def test_sizes_that_are_forgotten_give_the_same_again(
    group: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, compiled = detect(group), []
    compile_again = Network._compile
    monkeypatch.setattr(networks, "MAX_SHAPES", 1)
    monkeypatch.setattr(Network, "_compile", lambda net: (compiled.append(1), compile_again(net)))
    detect(noise(300, 200))
    assert detect(group) == before
    assert compiled
