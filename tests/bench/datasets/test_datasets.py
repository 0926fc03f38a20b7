from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from btfer.bench.datasets import (
    find_training,
    load_folder,
    load_release,
    load_training,
    stratified_folds,
    stratified_split,
)
from btfer.bench.datasets.pixels import load_pixels, shrink
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.release_record import read_crop_settings
from tests.bench.conftest import draw_face, draw_folder, draw_release


def test_class_folders_are_read_by_meaning(tmp_path: Path) -> None:
    for folder in ("Surprised", "Anger"):
        (tmp_path / folder).mkdir()
        draw_face(1, 1).save(tmp_path / folder / "x.png")
    found = load_folder(tmp_path)
    assert [EXPRESSIONS[label] for label in found.labels] == ["angry", "surprise"]


def test_the_digest_follows_names_and_bytes(tmp_path: Path) -> None:
    before = load_folder(draw_folder(tmp_path / "a", 2)).digest
    assert load_folder(draw_folder(tmp_path / "b", 2)).digest == before
    draw_face(5, 99).save(tmp_path / "b" / "sad" / "001.png")
    assert load_folder(tmp_path / "b").digest != before


@pytest.mark.parametrize("validation", ["test", "val", "valid", "validation"])
def test_train_and_validation_folders_are_taken_as_they_are(
    tmp_path: Path, validation: str
) -> None:
    draw_folder(tmp_path / "train", 3)
    draw_folder(tmp_path / validation, 1)
    split = load_training(tmp_path)
    assert (len(split.train_indices), len(split.validation_indices)) == (21, 7)
    assert split.how.startswith("folders ")


def test_plain_class_folders_are_split_70_30_by_the_seed(tmp_path: Path) -> None:
    split = load_training(draw_folder(tmp_path / "set", 10), seed=5)
    assert np.bincount(split.train.labels[split.train_indices]).tolist() == [7] * 7
    assert not set(split.train_indices) & set(split.validation_indices)
    again, other = (load_training(tmp_path / "set", seed=seed) for seed in (5, 6))
    assert np.array_equal(split.train_indices, again.train_indices)
    assert not np.array_equal(split.train_indices, other.train_indices)


def test_a_missing_or_empty_or_strange_folder_shows_the_expected_layout(tmp_path: Path) -> None:
    (tmp_path / "empty" / "happy").mkdir(parents=True)
    (tmp_path / "strange" / "contempt").mkdir(parents=True)
    (tmp_path / "half" / "train").mkdir(parents=True)
    for name in ("missing", "empty", "strange", "half"):
        with pytest.raises(UsageError, match=r"expected NAME/train/<class>"):
            load_training(tmp_path / name)


def test_training_sets_are_the_sub_folders(tmp_path: Path) -> None:
    assert find_training(tmp_path / "none") == {}
    (tmp_path / "rafdb").mkdir()
    (tmp_path / "README.md").touch()
    assert list(find_training(tmp_path)) == ["rafdb"]


def test_a_release_is_read_with_its_strata(tmp_path: Path) -> None:
    release = load_release(draw_release(tmp_path / "r", 2))
    assert release.counts == [2] * 7
    assert release.files[0] == "images/angry/100.png"
    assert set(release.strata["gender"]) == {"woman"}
    (tmp_path / "r" / release.files[3]).unlink()
    with pytest.raises(UsageError, match="lacks 1 images"):
        load_release(tmp_path / "r")
    with pytest.raises(UsageError, match="is not a release"):
        load_release(tmp_path)


def test_folds_cover_everything_once_and_keep_the_balance() -> None:
    labels = np.repeat(np.arange(7), 6)
    folds = stratified_folds(labels, 3, seed=1)
    assert sorted(np.concatenate(folds)) == list(range(42))
    assert all(np.bincount(labels[fold]).tolist() == [2] * 7 for fold in folds)
    with pytest.raises(UsageError, match="too few for 9 folds"):
        stratified_folds(labels, 9, seed=1)


def test_a_class_of_one_stays_in_the_first_part_of_a_split() -> None:
    rest, chosen = stratified_split(np.array([0, 1, 1, 1, 1]), 0.25, seed=0)
    assert 0 in rest
    assert len(chosen) == 1


def test_unreadable_images_are_named_and_leave_no_cache(tmp_path: Path) -> None:
    draw_folder(tmp_path / "set", 1)
    (tmp_path / "set" / "sad" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"sad/broken.jpg \(not an image\)"):
        load_pixels(load_folder(tmp_path / "set"), 48, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_pixels_are_cached_as_uint8_rgb(tmp_path: Path) -> None:
    (tmp_path / "set" / "happy").mkdir(parents=True)
    Image.new("RGB", (60, 30), (250, 20, 10)).save(tmp_path / "set" / "happy" / "red.png")
    images = load_folder(tmp_path / "set")
    pixels = load_pixels(images, 48, tmp_path / "cache")
    assert (pixels.shape, pixels.dtype) == ((1, 48, 48, 3), np.uint8)
    assert pixels[0, 24, 24].tolist() == [250, 20, 10]
    (tmp_path / "set" / "happy" / "red.png").unlink()
    assert load_pixels(images, 48, tmp_path / "cache").shape == (1, 48, 48, 3)


def test_area_averages_and_nearest_picks() -> None:
    checks = np.kron(np.indices((4, 4)).sum(axis=0) % 2, np.ones((1, 1)))
    image = np.repeat((checks * 200).astype(np.uint8)[:, :, None], 3, axis=2)
    assert set(np.unique(shrink(image, 2, "area"))) == {100}
    assert set(np.unique(shrink(image, 2, "nearest"))) <= {0, 200}


@pytest.mark.parametrize(("before", "after"), [(256, 48), (100, 48), (256, 224), (48, 224)])
def test_nearest_is_the_pixel_that_keras_takes(before: int, after: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (before, before, 3), np.uint8)
    expected = Image.fromarray(pixels).resize((after, after), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(shrink(pixels, after, "nearest"), np.asarray(expected))


def test_the_table_of_a_release_is_read_strictly(tmp_path: Path) -> None:
    release = draw_release(tmp_path / "r", 2)
    table = release / "metadata.csv"
    text = table.read_text()
    row = text.splitlines()[1]
    table.write_text(text, encoding="utf-8-sig")
    assert len(load_release(release)) == 14
    (tmp_path / "outside.png").write_bytes((release / "images/sad/100.png").read_bytes())
    (release / "images/sad/link.png").symlink_to(tmp_path / "outside.png")
    for more, words in (
        (row, "line 16: images/angry/100.png stands in line 2 already"),
        ("../outside.png,sad,,,", r"line 16: '\.\./outside\.png' is not a path inside"),
        ("images/sad/link.png,sad,,,", "line 16: .* by a symbolic link"),
        ("images/sad/100.png", "line 16: 1 fields"),
        (row.replace(",angry,", ",joyous,").replace("angry/100", "angry/101"), "line 3|line 16"),
        ("images/angry/100.png,x,,,", "line 16"),
    ):
        table.write_text(f"{text}{more}\n")
        with pytest.raises(UsageError, match=words):
            load_release(release)
    (release / "images/sad/round.png").symlink_to("round.png")
    table.write_text(f"{text}images/sad/round.png,sad,,,\n")
    with pytest.raises(UsageError, match=r"line 16: .* leads nowhere"):
        load_release(release)
    table.write_bytes(text.encode("utf-16"))
    with pytest.raises(UsageError, match="is not text in UTF-8"):
        load_release(release)


@pytest.mark.parametrize("file", ["metadata.csv", "images/sad/100.png", "release.json"])
def test_what_is_far_too_large_for_a_release_is_not_read(tmp_path: Path, file: str) -> None:
    release = draw_release(tmp_path / "r", 2)
    with (release / file).open("ab") as large:
        large.truncate(8 << 30)  # takes no space on the disk
    with pytest.raises(UsageError, match=r"has 8,589,934,592 bytes, more than the 67,108,864"):
        read_crop_settings(release) if file == "release.json" else load_release(release)
