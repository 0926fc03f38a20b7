"""Faces cut anew by their landmarks, found by the real detector in crops of the synthetic sample."""

from pathlib import Path

import numpy as np
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.systems.alignment import (
    ARCFACE,
    aligned,
    found_faces,
    similarity,
    template_points,
)
from btfer.bench.systems.feeding import missed, pictures, values
from btfer.bench.systems.input_card import Crop, InputCard
from btfer.expressions import EXPRESSIONS
from btfer.faces import LANDMARKS
from btfer.faces.cut import in_crop
from btfer.faces.find import find_faces
from btfer.faces.modes import MODES
from btfer.images import decode_rgb
from btfer.sample import load_manifest, picture_path

Points = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageSet, Points]:
    """Six crops and a grey picture as a release, and where the landmarks lie in the crops."""
    root, known = tmp_path_factory.mktemp("release"), {}
    lines = ["file_name,label"]
    singles = [one for one in load_manifest() if one.kind == "single"][:6]
    for number, label in enumerate(EXPRESSIONS):
        (root / "images" / label).mkdir(parents=True)
        name = f"images/{label}/{label}-1.png"
        lines.append(f"{name},{label}")
        if number == 6:
            from PIL import Image

            Image.new("RGB", (256, 256), "grey").save(root / name)
            continue
        photo = decode_rgb(picture_path(singles[number].file).read_bytes())
        [face] = find_faces(photo, MODES["paper"])
        assert face.cut is not None
        (root / name).write_bytes(face.png)
        points = [in_crop(face.box.landmarks[one], face.cut, 256) for one in LANDMARKS]
        known[name] = np.array(points)
    (root / "metadata.csv").write_text("\n".join(lines))
    return load_release(root), known


def card(crop: Crop, **more: object) -> InputCard:
    return InputCard.model_validate({"classes": EXPRESSIONS, "crop": crop} | more)


def test_a_similarity_is_found_again_and_never_mirrors() -> None:
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    found = similarity(ARCFACE, ARCFACE @ turn.T + [5, -2])
    assert np.allclose(found, np.column_stack([turn, [5, -2]]))
    assert np.linalg.det(similarity(ARCFACE, ARCFACE * [-1, 1])[:, :2]) > 0


def test_landmarks_come_to_lie_on_the_template() -> None:
    turn = 2 * np.array([[0.96, 0.28], [-0.28, 0.96]])
    points = ARCFACE @ turn.T + [10, 70]
    face = np.zeros((300, 300, 3), np.uint8)
    for x, y in points.round().astype(int):
        face[y - 3 : y + 4, x - 3 : x + 4] = 255
    row = np.concatenate([[0, 0, 300, 300], points.ravel()])
    for side in (112, 224):
        made = aligned(face, row, template_points("arcface"), side)
        assert made.shape == (side, side, 3)
        for x, y in (ARCFACE * side / 112).round().astype(int):
            assert made[y, x, 0] == 255
        assert 4 < (made[:, :, 0] > 127).sum() * (112 / side) ** 2 < 5 * 16


def test_landmarks_are_found_in_the_crops_once(
    faces: tuple[ImageSet, Points], tmp_path: Path
) -> None:
    images, known = faces
    rows = found_faces(images, tmp_path)
    for name, points in known.items():
        row = rows[images.files.index(name)]
        assert np.abs(row[4:].reshape(5, 2) - points).max() < 0.08 * 256
    assert np.isnan(rows[images.files.index("images/surprise/surprise-1.png")]).all()
    [kept] = tmp_path.glob("landmarks-*.npy")
    before = kept.stat().st_mtime_ns
    assert np.array_equal(found_faces(images, tmp_path), rows, equal_nan=True)
    assert kept.stat().st_mtime_ns == before


def test_every_cut_is_another_picture_of_the_side_that_was_asked(
    faces: tuple[ImageSet, Points], tmp_path: Path
) -> None:
    images, _ = faces
    made = {}
    for crop in ("release", "tight", "aligned-5pt"):
        made[crop] = pictures(images, card(crop, resize="bilinear"), 64, tmp_path)
        assert made[crop].shape == (7, 64, 64, 3)
    assert missed(images, card("aligned-5pt"), tmp_path) == 1
    assert missed(images, card("release"), tmp_path) == 0
    for crop in ("tight", "aligned-5pt"):
        change = np.abs(made[crop].astype(int) - made["release"]).mean(axis=(1, 2, 3))
        assert (change > 3).tolist() == [True] * 6 + [
            False
        ]  # the last has no face: it is as it was


def test_the_middle_is_cut_out_of_a_larger_picture(
    faces: tuple[ImageSet, Points], tmp_path: Path
) -> None:
    images, _ = faces
    whole = pictures(images, card("release", resize="bicubic"), 80, tmp_path)
    middle = pictures(images, card("release", resize="bicubic", resize_to=80), 64, tmp_path)
    assert np.array_equal(middle, whole[:, 8:72, 8:72])


def test_numbers_are_in_the_order_and_range_of_the_card() -> None:
    face = np.zeros((1, 8, 8, 3), np.uint8) + np.array([255, 51, 0], np.uint8)
    for more, planar, wanted in (
        ({}, False, [1, 0.2, 0]),
        ({"channels": "BGR", "range": (-1, 1)}, False, [-1, -0.6, 1]),
        ({"range": (0, 255), "mean": (5, 1, 2), "std": (10,)}, True, [25, 5, -0.2]),
        ({"channels": "grey", "range": (0, 255)}, True, [0.299 * 255 + 0.587 * 51]),
    ):
        made = values(face, card("release", **more), planar=planar)
        pixel = made[0, :, 0, 0] if planar else made[0, 0, 0]
        assert made.dtype == np.float32
        assert np.allclose(pixel, wanted, atol=0.6 if len(wanted) == 1 else 1e-4)
