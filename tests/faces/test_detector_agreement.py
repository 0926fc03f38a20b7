"""Held to the mtcnn package itself: the same pixels, the same boxes."""

from collections.abc import Iterable

import numpy as np
import pytest
from PIL import Image

from btfer.faces import detect
from btfer.images import Pixels, decode_rgb
from btfer.sample import load_manifest, picture_path
from tests.faces.package_agreement import Agreement, of_least_side, package_boxes

READABLE = [one.file for one in load_manifest() if one.kind != "junk"]
GROUPS = [name for name in READABLE if name.startswith("group")]


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


def agreement(pictures: Iterable[Pixels], min_face_px: int) -> Agreement:
    total = Agreement()
    for pixels in pictures:
        theirs, ours = package_boxes(pixels), detect(pixels, min_face_px=min_face_px)
        least = min_face_px if min_face_px > 20 else 0
        total.add(of_least_side(theirs, least), of_least_side(ours, least))
    return total


def assert_same(total: Agreement, least_boxes: int) -> None:
    assert total.theirs >= least_boxes
    assert total.matched >= 0.99
    assert np.percentile(total.probability, 95) <= 0.005
    assert np.median(total.landmarks) <= 0.001


@pytest.mark.parametrize("min_face_px", [20, 40])
def test_a_few_pictures_have_the_packages_boxes(min_face_px: int) -> None:
    pictures = [*map(read, GROUPS[:3]), resized(read(GROUPS[3]), 1601), crowd(6, 3, 161)]
    assert_same(agreement(pictures, min_face_px), least_boxes=15)


def test_where_the_package_sees_nothing_nothing_is_found() -> None:
    pictures = [np.full((200, 300, 3), 128, np.uint8), np.zeros((31, 31, 3), np.uint8)]
    pictures.append(np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8))
    total = agreement(pictures, 20)
    assert (total.theirs, total.ours) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("min_face_px", [20, 40])
def test_the_whole_sample_has_the_packages_boxes(min_face_px: int) -> None:
    assert_same(agreement(map(read, READABLE), min_face_px), least_boxes=140)


@pytest.mark.slow
@pytest.mark.parametrize("longer_px", [200, 333, 1000, 3000])
def test_pictures_of_any_size_have_the_packages_boxes(longer_px: int) -> None:
    assert_same(agreement((resized(read(name), longer_px) for name in GROUPS[:6]), 20), 15)


@pytest.mark.slow
def test_a_crowd_of_two_hundred_has_the_packages_boxes() -> None:
    assert_same(agreement([crowd(20, 10, 64)], 20), least_boxes=150)
