"""Copies of our faces in a training set: which are found, and that no other picture is taken for one."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from btfer.engine import SERIAL
from btfer.leaks.search import LeakSearch, search
from btfer.leaks.training import read_training
from btfer.leaks.views import Grey, LeakSubject, grey_of
from tests.leaks.pictures import cut, save, subjects


def look(ours: list[LeakSubject], folder: Path) -> LeakSearch:
    _, kept = read_training(folder, "set", folder.parent / "cache", engine=SERIAL)
    return search(ours, kept, "set", engine=SERIAL)


def whole(subject: LeakSubject) -> Grey:
    grey = grey_of(subject.picture.read_bytes())
    return np.asarray(cv2.resize(grey, (100, 100), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize(
    ("high", "down", "size"),
    [(0.7, 0.03, 48), (1.0, 0.0, 48), (1.3, 0.05, 48), (1.7, -0.07, 100), (2.4, 0.05, 100)],
    ids=[
        "much tighter, 48 px",
        "as the box, 48 px",
        "looser and lower, 48 px",
        "much looser and higher, 100 px",
        "head and shoulders, 100 px",
    ],
)
def test_another_crop_of_the_same_photo_is_found(
    tmp_path: Path, high: float, down: float, size: int
) -> None:
    ours = subjects(6)
    for number, one in enumerate(ours):
        save(tmp_path / "set", f"happy/{number}.jpg", cut(one, high=high, down=down, size=size))
    found = look(ours, tmp_path / "set").leaks
    assert {(leak.ours, leak.file) for leak in found} == {
        (one.name, f"happy/{number}.jpg") for number, one in enumerate(ours)
    }
    assert {(leak.mirrored, leak.label) for leak in found} == {(False, "happy")}


def test_a_mirrored_and_badly_compressed_copy_is_found_and_called_mirrored(tmp_path: Path) -> None:
    ours = subjects(4)
    for one in ours:
        save(tmp_path / "set", f"sad/{one.name[:8]}.jpg", cut(one, high=1.2)[:, ::-1], quality=40)
    found = look(ours, tmp_path / "set").leaks
    assert [leak.ours for leak in found] == sorted(one.name for one in ours)
    assert all(leak.mirrored and leak.shows_in_words == "face, mirrored" for leak in found)


def test_the_whole_photo_is_found_as_such(tmp_path: Path) -> None:
    [one] = subjects(1)
    save(tmp_path / "set", "fear/a.jpg", whole(one))
    [leak] = look([one], tmp_path / "set").leaks
    assert leak.shows == "photo"
    assert leak.bits <= 2


def test_a_tilted_face_is_found_in_a_levelled_picture(tmp_path: Path) -> None:
    [upright] = subjects(1)
    grey = grey_of(upright.picture.read_bytes())
    x, y, width, height = upright.box
    middle = (x + width / 2, y + height / 2)
    turn = cv2.getRotationMatrix2D(middle, -12, 1.0)
    tilted = cv2.warpAffine(grey, turn, grey.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    save(tmp_path, "tilted.jpg", tilted, quality=95)
    save(tmp_path / "set", "happy/level.jpg", cut(upright, high=1.1))
    ours = LeakSubject("tilted", tmp_path / "tilted.jpg", upright.box, tilt_deg=12.0)
    [leak] = look([ours], tmp_path / "set").leaks
    assert leak.shows == "levelled face"
    assert look([ours._replace(tilt_deg=0.0)], tmp_path / "set").leaks == ()


def test_other_faces_are_not_taken_for_ours(tmp_path: Path) -> None:
    for one in subjects(40, first=20):
        for high in (1.0, 1.4):
            save(tmp_path / "set", f"happy/{one.name[:-4]}-{high}.jpg", cut(one, high=high))
    assert look(subjects(20), tmp_path / "set").leaks == ()


def test_the_same_shot_with_another_mouth_is_no_leak(tmp_path: Path) -> None:
    ours = subjects(6)
    for number, one in enumerate(ours):
        changed = LeakSubject("changed", tmp_path / f"{number}.png", one.box)
        cv2.imwrite(str(changed.picture), with_another_mouth(one))
        for high in (0.9, 1.4):
            save(tmp_path / "set", f"sad/{number}-{high}.jpg", cut(changed, high=high, size=48))
    assert [leak for leak in look(ours, tmp_path / "set").leaks if leak.sure] == []


def with_another_mouth(subject: LeakSubject) -> Grey:
    """The corners of the mouth pulled down, and nothing else changed."""
    grey = grey_of(subject.picture.read_bytes())
    left, top, wide, high = subject.box
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    for corner in (0.3, 0.7):
        away = ((x - left - corner * wide) ** 2 + (y - top - 0.78 * high) ** 2) / (0.1 * high) ** 2
        y = y - 0.12 * high * np.exp(-away / 2)
    return np.asarray(cv2.remap(grey, x, y, cv2.INTER_LINEAR), np.uint8)


@pytest.mark.parametrize("gamma", [0.6, 1.6])
def test_a_copy_in_other_tones_is_found(tmp_path: Path, gamma: float) -> None:
    ours = subjects(4)
    for number, one in enumerate(ours):
        toned = 255 * (cut(one, high=1.3, size=100) / 255.0) ** gamma
        save(tmp_path / "set", f"happy/{number}.jpg", toned.round().astype(np.uint8))
    found = look(ours, tmp_path / "set").leaks
    assert len(found) == len(ours)
    assert all(leak.sure for leak in found)


def test_blank_pictures_are_no_leak_and_a_lost_photo_is_told(tmp_path: Path) -> None:
    save(tmp_path / "set", "happy/blank.jpg", np.full((48, 48), 128, np.uint8))
    save(tmp_path, "grey.jpg", np.full((120, 120), 90, np.uint8))
    flat = LeakSubject("flat", tmp_path / "grey.jpg", (20, 20, 60, 60))
    lost = LeakSubject("lost", tmp_path / "gone.jpg", (20, 20, 60, 60))
    found = look([flat, lost], tmp_path / "set")
    assert found == LeakSearch((), {"lost": "unreadable"})


def test_a_box_at_the_border_and_a_tiny_photo_are_looked_for(tmp_path: Path) -> None:
    [one] = subjects(1)
    small = cv2.resize(cut(one, high=1.2, size=64), (40, 40))
    save(tmp_path, "small.jpg", small, quality=95)
    save(tmp_path / "set", "happy/a.jpg", cut(one, high=1.2, size=100))
    tiny = LeakSubject("tiny", tmp_path / "small.jpg", (-3, -2, 46, 44))
    [leak] = look([tiny], tmp_path / "set").leaks
    assert leak.ours == "tiny"
