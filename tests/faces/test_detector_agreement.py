"""Held to the mtcnn package itself: the same pixels, the same boxes."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.faces_agreement import BoxAgreement
from benchmarks.faces_detectors import box_of_package
from btfer.faces import Box, detect
from btfer.images import Pixels, decode_rgb
from btfer.sample import load_manifest, picture_path

READABLE = [one.file for one in load_manifest() if one.kind != "junk"]
GROUPS = [name for name in READABLE if name.startswith("group")]


@cache
def package() -> Any:
    from mtcnn import MTCNN

    return MTCNN()


@cache
def package_boxes(shape: tuple[int, ...], data: bytes) -> list[Box]:
    """The package as users call it, each picture once."""
    pixels = np.frombuffer(data, np.uint8).reshape(shape)
    return [box_of_package(one) for one in package().detect_faces(pixels)]


def read(name: str) -> Pixels:
    return decode_rgb(picture_path(name).read_bytes())


def resized(pixels: Pixels, longer_px: int) -> Pixels:
    height, width = pixels.shape[:2]
    factor = longer_px / max(height, width)
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((round(width * factor), round(height * factor))))


def crowd(across: int, down: int, side_px: int) -> Pixels:
    """The sample's people in rows and columns, each of another brightness."""
    people = [resized(read(name), side_px) for name in READABLE if "group" not in name]
    tiles = [one[:side_px, :side_px] for one in people if one.shape[0] == one.shape[1]]
    picture = np.zeros((down * side_px, across * side_px, 3), np.uint8)
    for n in range(across * down):
        y, x = divmod(n, across)
        light = 0.6 + 0.4 * (n % 7) / 6
        tile = (tiles[n % len(tiles)] * light).astype(np.uint8)
        picture[y * side_px :, x * side_px :][: tile.shape[0], : tile.shape[1]] = tile
    return picture


def agreement(pictures: Iterable[Pixels], min_face_px: int) -> BoxAgreement:
    total = BoxAgreement()
    for pixels in pictures:
        theirs = package_boxes(pixels.shape, pixels.tobytes())
        ours = detect(pixels, min_face_px=min_face_px)
        total.add(theirs, ours, min_face_px if min_face_px > 20 else 0)
    return total


def assert_same(total: BoxAgreement, least_boxes: int) -> None:
    assert total.theirs >= least_boxes
    assert total.holds, total


@pytest.mark.parametrize("min_face_px", [20, 40])
def test_a_few_pictures_have_the_packages_boxes(min_face_px: int) -> None:
    pictures = [*map(read, GROUPS[:3]), resized(read(GROUPS[3]), 1001), crowd(6, 3, 161)]
    assert_same(agreement(pictures, min_face_px), least_boxes=15)


def test_faces_hardly_larger_than_the_smallest_have_the_packages_boxes() -> None:
    assert_same(agreement([crowd(6, 3, 133)], 40), least_boxes=15)


def test_where_the_package_sees_nothing_nothing_is_found() -> None:
    pictures = [np.full((200, 300, 3), 128, np.uint8), np.zeros((31, 31, 3), np.uint8)]
    pictures.append(np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8))
    total = agreement(pictures, 20)
    assert (total.theirs, total.ours) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("min_face_px", [20, 40])
def test_pictures_of_the_whole_sample_have_the_packages_boxes(min_face_px: int) -> None:
    assert_same(agreement(map(read, READABLE[::9]), min_face_px), least_boxes=14)


@pytest.mark.slow
@pytest.mark.parametrize(("longer_px", "pictures"), [(200, 6), (333, 6), (1601, 1), (2200, 1)])
def test_pictures_of_any_size_have_the_packages_boxes(longer_px: int, pictures: int) -> None:
    resized_to = (resized(read(name), longer_px) for name in GROUPS[:pictures])
    assert_same(agreement(resized_to, 20), least_boxes=2 * pictures)


@pytest.mark.slow
@pytest.mark.parametrize(("min_face_px", "side_px"), [(20, 56), (40, 131)])
def test_a_crowd_of_two_hundred_has_the_packages_boxes(min_face_px: int, side_px: int) -> None:
    total = agreement([crowd(20, 10, side_px)], min_face_px)
    assert_same(total, least_boxes=150)
    assert total.matched == 1  # not so, if ties between levels went in another order
