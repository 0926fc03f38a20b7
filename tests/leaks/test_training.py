"""Training sets: layouts, what cannot be read, and the cache."""

from pathlib import Path

import numpy as np
import pytest

from btfer.engine import SERIAL
from btfer.errors import UsageError
from btfer.leaks import training
from btfer.leaks.training import TrainingSet, read_training
from tests.leaks.pictures import cut, save, subjects


def read(path: Path, tmp_path: Path) -> TrainingSet:
    return read_training(path, "set", tmp_path / "cache", engine=SERIAL)[0]


def fer_csv(path: Path, header: str = "emotion,pixels,Usage") -> Path:
    """Two faces as FER2013 has them, one line that is broken, one without a class."""
    pixels = [" ".join(map(str, cut(one).ravel())) for one in subjects(2)]
    lines = [f"3,{pixels[0]},Training", f"2,{pixels[1]},PublicTest", "1,12 13 14,Training"]
    path.write_text("\n".join([header, *lines, f"9,{pixels[0]},Training"]) + "\n")
    return path


def test_class_folders_are_read_with_and_without_train_and_test(tmp_path: Path) -> None:
    one, other = subjects(2)
    save(tmp_path / "a", "train/happy/1.jpg", cut(one))
    save(tmp_path / "a", "test/Anger/2.png", cut(other))
    found = read(tmp_path / "a", tmp_path)
    assert found.files == ("test/Anger/2.png", "train/happy/1.jpg")
    assert found.classes == ("Anger", "happy")
    assert (found.hashes.shape, found.greys.shape) == ((2, 2), (2, 48, 48))


@pytest.mark.parametrize("inside", [False, True], ids=["the csv", "its folder"])
def test_fer2013_is_read_with_its_classes_and_its_broken_lines_are_named(
    tmp_path: Path, inside: bool
) -> None:
    (tmp_path / "fer").mkdir()
    table = fer_csv(tmp_path / "fer" / "fer2013.csv")
    found = read(table.parent if inside else table, tmp_path)
    assert found.files == ("fear/line 3", "happy/line 2")
    assert found.classes == ("fear", "happy")
    assert [one.split(" (")[0] for one in found.unread] == ["line 4", "line 5"]
    assert np.array_equal(found.greys[1], cut(subjects(1)[0]))


def test_columns_in_another_order_and_with_blanks_are_fer2013_too(tmp_path: Path) -> None:
    pixels = " ".join(map(str, cut(subjects(1)[0]).ravel()))
    table = tmp_path / "icml.csv"
    table.write_text(f"emotion, Usage, pixels\n0, Training, {pixels}\n")
    assert read(table, tmp_path).files == ("angry/line 2",)


@pytest.mark.parametrize("wrong", ["nowhere", "empty", "other.csv", "unreadable"])
def test_what_is_no_training_set_is_refused_with_the_layout_that_is_expected(
    tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.csv").write_text("name,age\nann,3\n")
    (tmp_path / "unreadable" / "happy").mkdir(parents=True)
    (tmp_path / "unreadable" / "happy" / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"NAME/<class>/\*\.jpg.*emotion, pixels as FER2013"):
        read(tmp_path / wrong, tmp_path)


def test_pictures_that_cannot_be_read_are_told_and_the_rest_is_taken(tmp_path: Path) -> None:
    save(tmp_path / "a", "sad/1.jpg", cut(subjects(1)[0]))
    (tmp_path / "a" / "sad" / "2.jpg").write_bytes(b"GIF89a and no more")
    found = read(tmp_path / "a", tmp_path)
    assert found.files == ("sad/1.jpg",)
    assert len(found.unread) == 1
    assert found.unread[0].startswith("sad/2.jpg (")


def test_pictures_are_decoded_once_and_again_when_one_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = subjects(2)
    save(tmp_path / "a", "happy/1.jpg", cut(one))
    first = read(tmp_path / "a", tmp_path)
    decoded: list[str] = []
    plainly = training._read
    monkeypatch.setattr(
        training, "_read", lambda one, root: decoded.append(one.file) or plainly(one, root)
    )
    again = read(tmp_path / "a", tmp_path)
    assert (again.digest, decoded) == (first.digest, [])
    save(tmp_path / "a", "happy/1.jpg", cut(other))
    assert read(tmp_path / "a", tmp_path).digest != first.digest
    assert decoded == ["happy/1.jpg"]
