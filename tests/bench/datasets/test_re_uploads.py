"""Public sets as others share them: numbered anew, parted anew, two in one folder, with files that mean nothing."""

from pathlib import Path

import numpy as np
import pytest

from btfer.bench.datasets import read_source, split_source
from btfer.bench.datasets.folders import labels_in
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.datasets.test_public_sets import (
    FER2013_ORDER,
    classes,
    rafdb,
    save,
    write_fer2013,
)

__all__ = ["rafdb"]  # the fixture


@pytest.mark.parametrize(
    ("name", "numbers"), [("rafdb", range(1, 7)), ("fer2013", range(6)), ("affectnet", range(1, 7))]
)
def test_numbers_that_are_not_all_there_are_refused_with_what_each_would_mean(
    tmp_path: Path, name: str, numbers: range
) -> None:
    for number in numbers:
        save(tmp_path / name / str(number) / "a.png")
    with pytest.raises(UsageError, match=r"say with --labels .*; fer2013 .*1=disgust,2=fear"):
        read_source(tmp_path / name)


def test_the_user_may_say_what_numbers_mean(tmp_path: Path) -> None:
    for number in range(8):
        save(tmp_path / "x" / "train" / str(number) / "a.png")
        save(tmp_path / "x" / "test" / str(number) / "b.png")
    order = ("angry", "", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    said = ",".join(f"{number}={name}" for number, name in enumerate(order))
    source = read_source(tmp_path / "x", labels=said)
    assert classes(source, "train") == list(EXPRESSIONS)
    assert labels_in(split_source(source, "official").how) == said
    save(tmp_path / "y" / "happy" / "a.png")
    assert labels_in(read_source(tmp_path / "y", labels=said).how) == ""
    with pytest.raises(UsageError, match="the folder 1, of which --labels says nothing"):
        read_source(tmp_path / "x", labels=said.replace("1=,", ""))
    for wrong in (said.replace("fear", "sad"), said.replace("7=", "6="), "angry", "0=angry"):
        with pytest.raises(UsageError, match="--labels"):
            read_source(tmp_path / "x", labels=wrong)


def test_fer_plus_numbers_the_images_of_fer2013_in_its_own_order(tmp_path: Path) -> None:
    for number in range(8):
        save(tmp_path / "FER2013Plus" / str(number) / "a.png")
    by_file = read_source(tmp_path / "FER2013Plus")
    order = ["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear"]
    assert [EXPRESSIONS[label] for label in by_file.images.labels] == order


def test_votes_are_matched_by_the_names_of_the_images(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set")
    columns = (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    )
    lines = [f"Training,fer{n:07d}.png,{'0,' * (n % 7)}10{',0' * (9 - n % 7)}" for n in range(14)]
    lines[5] = "Training,," + ",".join("0" * 10)
    (folder / "fer2013new.csv").write_text("\n".join([columns, *lines[::-1]]) + "\n")
    source = read_source(folder, cache=tmp_path / "cache")
    by_file = dict(zip(source.images.files, source.images.labels, strict=True))
    order = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
    for number in range(14):
        expected = None if number == 5 else EXPRESSIONS.index(order[number % 7])
        assert by_file.get(f"fer{number:07d}.png") == expected
    for wrong, words in (("0000099", "is no row of"), ("0000003", "stands further up")):
        text = "\n".join([columns, *lines]).replace("fer0000007", f"fer{wrong}")
        (folder / "fer2013new.csv").write_text(text + "\n")
        with pytest.raises(UsageError, match=words):
            read_source(folder, cache=tmp_path / "cache")


# Folders of public re-uploads, as their READMEs and notebooks show them: files, parts that are read, kind.
RE_UPLOADS = {
    "RAF-DB, DATASET with tables beside": (
        [f"DATASET/{p}/{n}/{p}_1_aligned.jpg" for p in ("train", "test") for n in range(1, 8)],
        ["DATASET/train_labels.csv", "DATASET/test_labels.csv"],
        ("rafdb", {"train": 7, "test": 7}),
    ),
    "RAF-DB, train_set and val_set": (
        [f"{p}/{n}/{p[:3]}_{n}.jpg" for p in ("train_set", "val_set") for n in range(1, 8)],
        [],
        ("rafdb", {"train": 7, "validation": 7}),
    ),
    "AffectNet, three parts of numbers": (
        [f"{p}/{n}/a.jpg" for p in ("train", "val", "test") for n in range(8)],
        ["README.md"],
        ("affectnet", {"train": 7, "validation": 7, "test": 7}),
    ),
    "FER2013, train and test of names": (
        [f"archive/{p}/{n}/a.jpg" for p in ("train", "test") for n in FER2013_ORDER],
        [],
        ("fer2013", {"train": 7, "test": 7}),
    ),
    "ExpW, sorted into numbers": (
        [f"{n}/a.jpg" for n in range(7)],
        ["readme.txt"],
        ("expw", {"all": 7}),
    ),
    "class folders with a metadata.csv of something else": (
        [f"{n}/a.jpg" for n in EXPRESSIONS],
        ["metadata.csv", "training.csv"],
        ("fer2013", {"all": 7}),
    ),
}


@pytest.mark.parametrize("what", RE_UPLOADS)
def test_a_re_upload_is_read_whole_and_as_what_it_is(tmp_path: Path, what: str) -> None:
    pictures, texts, (kind, parts) = RE_UPLOADS[what]
    for picture in pictures:
        save(tmp_path / kind / picture)
    for text in texts:
        (tmp_path / kind / text).write_text("who,what,pixels\nme,this,1 2 3\n")
    source = read_source(tmp_path / kind)
    assert source.kind == kind
    assert {name: len(places) for name, places in source.parts.items()} == parts


def ferplus(root: Path) -> Path:
    """FER+ with three images a part: happy by all votes, sad by most of them, and contempt."""
    for number, part in enumerate(("Train", "Valid", "Test")):
        lines = []
        for place, votes in enumerate(
            ("0,10,0,0,0,0,0,0,0,0", "3,0,0,6,1,0,0,0,0,0", "0,1,0,0,0,0,0,9,0,0")
        ):
            file = f"fer{number}00{place}.png"
            save(root / f"FER2013{part}" / file)
            lines.append(f'{file},"(0, 0, 48, 48)",{votes}')
        (root / f"FER2013{part}" / "label.csv").write_text("\r\n".join(lines) + "\r\n")
    return root


@pytest.mark.parametrize("inside", ["", "data"])
def test_ferplus_is_read_by_the_votes_of_its_parts(tmp_path: Path, inside: str) -> None:
    ferplus(tmp_path / inside)
    source = read_source(tmp_path)
    assert (source.kind, {name: len(one) for name, one in source.parts.items()}) == (
        "fer2013",
        {"train": 2, "validation": 2, "test": 2},
    )
    assert [EXPRESSIONS[one] for one in source.images.labels] == ["happy", "sad"] * 3
    assert source.images.votes is not None
    first, second = source.images.votes[:2]
    assert first[EXPRESSIONS.index("happy")] == 10
    assert {name: int(n) for name, n in zip(EXPRESSIONS, second, strict=True) if n} == {
        "sad": 6,
        "neutral": 3,
    }  # the single vote is left out


def test_ferplus_that_is_not_whole_or_not_votes_is_refused(tmp_path: Path) -> None:
    root = ferplus(tmp_path)
    table = root / "FER2013Test/label.csv"
    good = table.read_text()
    for text, words in (
        (good.replace(",10,", ",ten,"), r"line 1: 'ten' is not a number of votes"),
        (good.replace("fer2000", "../fer2000"), r"line 1"),
        (good + good, r"line 4: fer2000\.png stands further up already"),
        (good.replace("fer2001", "fer2009"), r"lacks 1 of the 3 images .*fer2009\.png"),
        ("", r"label\.csv"),
    ):
        table.write_text(text)
        with pytest.raises(UsageError, match=words):
            read_source(root)
    table.unlink()
    with pytest.raises(UsageError, match=r"FER2013Train, FER2013Valid: expected FER\+"):
        read_source(root)


NOT_WHOLE = {
    "a part that no split has": (
        [f"{p}/{n}/a.jpg" for p in ("train", "test", "private") for n in EXPRESSIONS],
        "private",
    ),
    "images deeper than the class": (
        [f"{n}/more/a.jpg" for n in EXPRESSIONS],
        "folders of its own",
    ),
    "FER+ by its own folders, without their lists": (
        [f"images/FER2013{p}/fer0.png" for p in ("Train", "Test")],
        "FER2013Test",
    ),
    "YOLO": ([f"{p}/images/a.jpg" for p in ("train", "valid", "test")], "folder .*images"),
}


@pytest.mark.parametrize("what", NOT_WHOLE)
def test_what_would_be_left_out_or_mistaken_is_refused(tmp_path: Path, what: str) -> None:
    pictures, words = NOT_WHOLE[what]
    for picture in pictures:
        save(tmp_path / "set" / picture)
    with pytest.raises(UsageError, match=words):
        read_source(tmp_path / "set")


def test_two_sets_in_one_folder_are_told_apart_by_the_user(rafdb: Path) -> None:
    write_fer2013(rafdb / "fer")
    with pytest.raises(UsageError, match=r"holds RAF-DB's list and FER2013's csv: give the folder"):
        read_source(rafdb)
    assert read_source(rafdb / "fer" / "fer2013.csv").kind == "fer2013"
    for label in EXPRESSIONS:
        save(rafdb / "fer" / "train" / label / "a.png")
    with pytest.raises(UsageError, match="FER2013's csv and class folders in train"):
        read_source(rafdb / "fer")
    assert len(read_source(rafdb / "fer" / "fer2013.csv").images) == 14


def test_the_test_part_of_affectnet_is_not_hidden(tmp_path: Path) -> None:
    for part in ("train_set", "val_set", "test_set"):
        save(tmp_path / "a" / part / "images" / "1.jpg")
        (tmp_path / "a" / part / "annotations").mkdir()
        np.save(tmp_path / "a" / part / "annotations" / "1_exp.npy", np.array("3"))
    assert set(read_source(tmp_path / "a").parts) == {"train", "validation", "test"}
