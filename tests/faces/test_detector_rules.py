"""Which of overlapping boxes is kept, what is cut out for the later networks, and where the weights are."""

import importlib.util

import numpy as np
import pytest

from btfer.errors import BtferError
from btfer.faces.overlap import best_first, nms_mask
from btfer.faces.patches import cut_patches
from btfer.faces.weights import read_weights

# Each covers the next by three fifths of what both cover, and the one after next by a third.
CHAIN = np.array([[0, 0, 10, 10], [2.5, 0, 12.5, 10], [5, 0, 15, 10]], float)


def test_a_box_falls_to_a_better_one_that_has_itself_fallen() -> None:
    assert nms_mask(CHAIN, max_overlap=0.5).tolist() == [True, False, False]


def test_boxes_that_share_less_are_all_kept() -> None:
    assert nms_mask(CHAIN, max_overlap=0.6).tolist() == [True, True, True]


def test_a_small_box_within_a_large_one_falls_by_the_smaller_ones_measure() -> None:
    corners = np.array([[0, 0, 100, 100], [40, 40, 60, 60]], float)
    assert nms_mask(corners, max_overlap=0.7).tolist() == [True, True]
    assert nms_mask(corners, max_overlap=0.7, relative_to_smaller=True).tolist() == [True, False]


def test_boxes_beside_each_other_and_boxes_without_area_are_kept() -> None:
    corners = np.array([[0, 0, 5, 5], [5, 0, 9, 5], [0, 9, 5, 12], [2, 2, 2, 2]], float)
    assert nms_mask(corners, max_overlap=0.1).all()


def test_nothing_covers_nothing() -> None:
    assert nms_mask(np.empty((0, 4)), max_overlap=0.5).shape == (0,)


def test_the_best_comes_first() -> None:
    assert best_first(np.array([0.7, 0.9, 0.8], np.float32)).tolist() == [1, 2, 0]


def test_a_patch_outside_the_photo_is_mid_grey_and_inside_it_is_the_photo() -> None:
    pixels = np.full((40, 40, 3), 255, np.uint8)
    patches = cut_patches(pixels, np.array([[-40, 0, 40, 40], [10, 10, 30, 30.0]]), size_px=24)
    assert patches.shape == (2, 3, 24, 24)
    assert (patches[0, :, :, :11] == 0).all()
    assert patches[1] == pytest.approx(127.5 / 128)


def test_a_patch_of_a_slope_is_a_slope() -> None:
    pixels = np.zeros((50, 101, 3), np.uint8)
    pixels[..., 1] = np.arange(101)
    (patch,) = cut_patches(pixels, np.array([[0, 0, 101.0, 50.0]]), size_px=48)
    expected = (np.linspace(0, 100, 48) - 127.5) / 128
    assert patch[1] == pytest.approx(np.tile(expected, (48, 1)), abs=1e-5)


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BtferError, match="xnet"):
        read_weights("xnet")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BtferError, match="pip install mtcnn"):
        read_weights("pnet")
