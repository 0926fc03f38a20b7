"""What the benchmark counts as matched, the scenes it draws, and that a peer that is missing says so."""

import dataclasses
import os
from pathlib import Path
from threading import Barrier

import pytest
from PIL import Image

from benchmarks.faces_agreement import BoxAgreement
from benchmarks.faces_detectors import DETECTORS, in_own_processes, pass_over
from benchmarks.faces_scenes import SIZES, draw_scenes
from tests.engine.dying import die
from tests.faces.drawn_boxes import face_box


def compared(theirs: list, ours: list, least_px: int = 0) -> BoxAgreement:
    total = BoxAgreement()
    total.add(theirs, ours, least_px)
    return total


def test_the_same_boxes_agree_and_none_agree_with_none() -> None:
    boxes = [face_box(), face_box(x=400)]
    assert compared(boxes, boxes[::-1]).holds
    assert compared([], []).matched == 1


def test_a_box_that_only_one_of_them_has_is_not_matched() -> None:
    both = compared([face_box(), face_box(x=400)], [face_box(), face_box(x=417)])
    assert (both.theirs, both.ours, both.matched) == (2, 2, 0.5)
    assert not both.holds


def test_a_pair_on_either_side_of_the_least_size_is_one_pair() -> None:
    theirs, ours = face_box(width=39, height=50), face_box(width=40, height=50)
    lonely = face_box(x=400, width=30, height=39)
    both = compared([theirs, lonely], [ours], least_px=40)
    assert (both.theirs, both.ours, both.matched) == (1, 1, 1.0)


def test_how_far_probabilities_and_landmarks_are_apart_is_told() -> None:
    moved = dataclasses.replace(face_box(), probability=0.98)
    x, y = moved.landmarks["nose"]
    moved = dataclasses.replace(moved, landmarks=moved.landmarks | {"nose": (x + 6.5, y)})
    both = compared([face_box()], [moved])
    assert both.probability_p95 == pytest.approx(0.019)
    assert both.landmarks_median == pytest.approx(0.01)  # 6.5 of 130 pixels, in one of five points
    assert not both.holds


def test_scenes_have_the_sizes_of_web_photos_and_are_the_same_again(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = (draw_scenes(tmp_path / name, 2) for name in ("one", "other"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert {Image.open(path).size for path in one} <= {*SIZES, *(size[::-1] for size in SIZES)}


def test_a_peer_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare() -> None:
        raise ImportError("no module", name="mtcnn_other")

    monkeypatch.setitem(DETECTORS, "mtcnn-other", prepare)
    assert pass_over(Barrier(1), "mtcnn-other", [], []) == "not installed (mtcnn_other)"


def test_a_process_that_dies_is_told_and_waited_for_no_longer() -> None:
    assert in_own_processes(die, [()], [os.sched_getaffinity(0)]) == [
        "its process died (out of memory?)"
    ]
