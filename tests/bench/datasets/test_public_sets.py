"""RAF-DB, FER2013 and AffectNet in the layouts that they are given out in, drawn small."""

import csv
import errno
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from btfer.bench.datasets import (
    TABLE_1,
    Split,
    TrainingSource,
    beside_table_1,
    limited,
    load_training,
    read_source,
    split_source,
)
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.datasets.sets import ImageSet
from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import draw_face, draw_folder

RAFDB_ORDER = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")  # from 1
FER2013_ORDER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # from 0
AFFECTNET_ORDER = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")


def save(path: Path, label: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_face(label, 1, 20).save(path)


def classes(source: TrainingSource, part: str) -> list[str]:
    return [EXPRESSIONS[label] for label in source.images.labels[source.parts[part]]]


@pytest.fixture
def rafdb(tmp_path: Path) -> Path:
    root = tmp_path / "set" / "basic"
    lines = []
    for part, per_class in (("train", 2), ("test", 1)):
        for number in range(7 * per_class):
            lines.append(f"{part}_{number:05d}.jpg {number % 7 + 1}")
            save(root / "Image" / "aligned" / f"{part}_{number:05d}_aligned.jpg")
    (root / "EmoLabel").mkdir()
    (root / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "set"


def test_rafdb_is_read_by_its_list_and_its_numbers(rafdb: Path) -> None:
    source = read_source(rafdb, "anything")
    assert source.kind == "rafdb"
    assert classes(source, "train") == [*RAFDB_ORDER, *RAFDB_ORDER]
    assert classes(source, "test") == list(RAFDB_ORDER)


def test_a_partly_unpacked_rafdb_shows_the_layout(rafdb: Path) -> None:
    aligned = rafdb / "basic" / "Image" / "aligned"
    (aligned / "train_00003_aligned.jpg").unlink()
    with pytest.raises(UsageError, match=r"lacks 1 of the 21 .*train_00003\.jpg.*expected RAF-DB"):
        read_source(rafdb)
    aligned.rename(rafdb / "elsewhere")
    with pytest.raises(UsageError, match=r"no folder aligned: expected RAF-DB"):
        read_source(rafdb)
    (rafdb / "basic" / "EmoLabel" / "list_patition_label.txt").write_text("train_00001.jpg 9\n")
    with pytest.raises(UsageError, match=r"line 1: expected 'train_00001.jpg 5'"):
        read_source(rafdb)


@pytest.mark.parametrize("wrapper", ["", "DATASET"])
def test_rafdb_in_numbered_folders_is_known_by_its_file_names(tmp_path: Path, wrapper: str) -> None:
    for part in ("train", "test"):
        for number in range(1, 8):
            save(tmp_path / "x" / wrapper / part / str(number) / f"{part}_0000{number}_aligned.jpg")
    source = read_source(tmp_path / "x")
    by_file = dict(zip(source.images.files, source.images.labels, strict=True))
    assert EXPRESSIONS[by_file["train/1/train_00001_aligned.jpg"]] == "surprise"
    assert EXPRESSIONS[by_file["test/6/test_00006_aligned.jpg"]] == "angry"


def test_numbered_folders_of_nobody_are_not_guessed_but_may_be_named(tmp_path: Path) -> None:
    for number in range(7):
        save(tmp_path / "x" / "train" / str(number) / "a.png")
        save(tmp_path / "x" / "test" / str(number) / "b.png")
    with pytest.raises(UsageError, match="name the set"):
        read_source(tmp_path / "x")
    assert classes(read_source(tmp_path / "x", "my-FER-2013"), "train") == list(FER2013_ORDER)
    named = read_source(tmp_path / "x", "AffectNet_small")
    assert classes(named, "test") == list(AFFECTNET_ORDER[:7])


def write_fer2013(folder: Path, rows: int = 14) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    usages = ["Training"] * (rows - 4) + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    with (folder / "fer2013.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["emotion", "pixels", "Usage"])
        for number, usage in enumerate(usages):
            table.writerow([number % 7, " ".join([str(number * 10 % 256)] * 48 * 48), usage])
    return folder


def test_fer2013_is_read_from_its_csv_and_unpacked_once(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set")
    source = read_source(folder, cache=tmp_path / "cache")
    assert classes(source, "train") == [*FER2013_ORDER, *FER2013_ORDER[:3]]
    assert {name: len(part) for name, part in source.parts.items()} == {
        "train": 10,
        "validation": 2,
        "test": 2,
    }
    pixels = load_pixels(source.images, 48, tmp_path / "cache")
    assert pixels[5].min() == pixels[5].max() == 50
    [unpacked] = (tmp_path / "cache").glob("fer2013-*")
    before = unpacked.stat().st_mtime_ns
    again = read_source(folder / "fer2013.csv", "set", tmp_path / "cache")
    assert again.images.digest == source.images.digest
    assert unpacked.stat().st_mtime_ns == before


def write_parts(folder: Path, **parts: Sequence[int | None]) -> Path:
    """A table for each part, as Kaggle's challenge has them: the classes of its rows, None for one without."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, labels in parts.items():
        with (folder / f"{part}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["pixels"] if None in labels else ["emotion", "pixels"])
            for number, label in enumerate(labels):
                pixels = " ".join([str(number)] * 48 * 48)
                table.writerow([pixels] if label is None else [label, pixels])
    return folder


def test_fer2013_is_read_from_a_csv_for_each_part(tmp_path: Path) -> None:
    """As those are named who split Kaggle's file: train.csv, val.csv, test.csv without the column Usage."""
    folder = write_parts(tmp_path / "fer", train=range(7), val=[3, 3], test=[4])
    source = read_source(folder, cache=tmp_path / "cache")
    assert (source.kind, source.how) == ("fer2013", "FER2013 by test.csv and train.csv and val.csv")
    assert [classes(source, part) for part in ("train", "validation", "test")] == [
        list(FER2013_ORDER),
        ["happy", "happy"],
        ["sad"],
    ]
    alone = read_source(folder / "val.csv", cache=tmp_path / "cache")
    assert classes(alone, "validation") == ["happy", "happy"]
    write_parts(folder / "old", train=[0])
    with pytest.raises(UsageError, match=r"has test.csv and train.csv .*old/train.csv: give the"):
        read_source(folder, cache=tmp_path / "cache")


def test_the_challenges_train_csv_alone_says_that_there_is_nothing_to_test_on(
    tmp_path: Path,
) -> None:
    """Kaggle's test.csv has no classes; the same archive has icml_face_data.csv, which has all of them."""
    folder = write_parts(tmp_path / "fer", train=range(7), test=[None, None])
    source = read_source(folder, cache=tmp_path / "cache")
    assert source.how == "FER2013 by train.csv, without test.csv, which has no classes"
    with pytest.raises(UsageError, match=r"test.csv, which has no classes.* nothing to test on"):
        split_source(source, "strict")
    write_fer2013(folder).joinpath("fer2013.csv").rename(folder / "icml_face_data.csv")
    source = read_source(folder, cache=tmp_path / "cache")
    assert source.how == "FER2013 by icml_face_data.csv"
    assert len(source.images) == 14


def test_fer2013_without_its_column_of_parts_was_never_parted(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "fer", fer2013=[*range(7)] * 3)
    source = read_source(folder, cache=tmp_path / "cache")
    assert list(source.parts) == ["all"]
    assert "30% untouched" in split_source(source, "strict").how


def test_fer2013_with_votes_takes_the_majority_and_drops_what_has_none(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set")
    columns = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"]
    columns += ["contempt", "unknown", "NF"]
    votes: list[dict[str, int]] = [{"happiness": 10} for _ in range(14)]
    votes[0] = {"neutral": 6, "sadness": 3, "anger": 1}  # a single vote is left out: 6 of 9
    votes[1] = {"neutral": 5, "sadness": 5}
    votes[2] = {"contempt": 9, "neutral": 1}
    votes[3] = {"NF": 10}
    with (folder / "fer2013new.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["Usage", "Image name", *columns], restval=0)
        table.writeheader()
        for number, row in enumerate(votes):
            table.writerow({"Usage": "Training", "Image name": f"fer{number:07d}.png"} | row)
    source = read_source(folder, cache=tmp_path / "cache")
    assert "fer2013new.csv" in source.how
    by_file = dict(zip(source.images.files, source.images.labels, strict=True))
    assert EXPRESSIONS[by_file["fer0000000.png"]] == "neutral"
    assert not {f"fer000000{n}.png" for n in (1, 2, 3)} & set(by_file)
    assert Counter(by_file.values())[EXPRESSIONS.index("happy")] == 10


def test_a_cut_off_fer2013_names_the_row_and_leaves_nothing(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set")
    text = (folder / "fer2013.csv").read_text().splitlines()
    text[3] = '2,"1 2 3",Training'
    (folder / "fer2013.csv").write_text("\n".join(text))
    with pytest.raises(UsageError, match="line 4: 3 pixels, not 2304"):
        read_source(folder, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    (folder / "fer2013.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="expected FER2013 as NAME"):
        read_source(folder, cache=tmp_path / "cache")


def test_fer2013_on_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_fer2013(tmp_path / "set")

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BtferError, match="No space left"):
        read_source(folder, "set", tmp_path / "cache")
    monkeypatch.undo()
    assert list((tmp_path / "cache").iterdir()) == []
    assert len(read_source(folder, "set", tmp_path / "cache").images) == 14


def test_fer2013_is_unpacked_by_one_of_many_processes(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set", 700)
    with ThreadPoolExecutor(4) as pool:  # each with a lock of its own, as processes
        jobs = [pool.submit(read_source, folder, "set", tmp_path / "cache") for _ in range(4)]
    assert {job.result().images.digest for job in jobs} == {jobs[0].result().images.digest}


@pytest.mark.parametrize(
    "head", [b"{'descr': '<U1'\0, }", b"{'descr':", b"{", b"[1]", b"{'descr': '<U9'}"], ids=str
)  # numpy reads it as Python: SyntaxError, TokenError and others
def test_an_annotation_whose_head_is_damaged_is_named(tmp_path: Path, head: bytes) -> None:
    folder = tmp_path / "set" / "train_set"
    (folder / "annotations").mkdir(parents=True)
    save(folder / "images" / "1.jpg")
    padded = head.ljust(53) + b"\n"
    whole = b"\x93NUMPY\1\0" + len(padded).to_bytes(2, "little") + padded + b"3\0\0\0"
    (folder / "annotations" / "1_exp.npy").write_bytes(whole)
    with pytest.raises(UsageError, match=r"1_exp\.npy holds no whole number"):
        read_source(tmp_path / "set")


@pytest.mark.parametrize("stored", [str, int])
def test_affectnet_is_read_by_its_annotations_without_contempt(
    tmp_path: Path, stored: type
) -> None:
    for part in ("train_set", "val_set"):
        (tmp_path / "set" / part / "annotations").mkdir(parents=True)
        for number in range(8):
            save(tmp_path / "set" / part / "images" / f"{number}.jpg")
            np.save(tmp_path / "set" / part / "annotations" / f"{number}_exp.npy", stored(number))
    source = read_source(tmp_path / "set")
    assert source.kind == "affectnet"
    assert classes(source, "train") == classes(source, "validation") == list(AFFECTNET_ORDER[:7])
    (tmp_path / "set" / "val_set" / "annotations" / "2_exp.npy").unlink()
    with pytest.raises(UsageError, match=r"no annotation .*2_exp.npy.*expected AffectNet"):
        read_source(tmp_path / "set")


@pytest.mark.parametrize("headed", [True, False])
def test_affectnet_is_read_by_its_lists(tmp_path: Path, headed: bool) -> None:
    header = (
        "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression"
    )
    for name, part in (("training.csv", "a"), ("validation.csv", "b")):
        lines = [header + ",valence,arousal"] if headed or name == "training.csv" else []
        for number in range(11):
            lines.append(f"{part}/{number}.jpg,0,0,9,9,1;2,{number},0.1,0.2")
            if number < 7:
                save(tmp_path / "set" / "Manually_Annotated_Images" / part / f"{number}.jpg")
        (tmp_path / "set" / name).write_text("\n".join(lines) + "\n")
    source = read_source(tmp_path / "set")
    assert classes(source, "train") == classes(source, "validation") == list(AFFECTNET_ORDER[:7])


def test_affectnet_with_one_list_believes_the_list_and_not_the_folder(tmp_path: Path) -> None:
    save(tmp_path / "set" / "anger" / "1.png")
    save(tmp_path / "set" / "anger" / "2.png")
    (tmp_path / "set" / "labels.csv").write_text(
        ",pth,label,relFCs\n0,anger/1.png,surprise,0.9\n1,anger/2.png,contempt,0.9\n"
    )
    source = read_source(tmp_path / "set")
    assert classes(source, "all") == ["surprise"]
    (tmp_path / "set" / "anger" / "1.png").unlink()
    with pytest.raises(UsageError, match=r"lacks 1 images of labels.csv, such as anger/1.png"):
        read_source(tmp_path / "set")


def test_contempt_among_class_folders_is_dropped_and_a_foreign_list_ignored(tmp_path: Path) -> None:
    draw_folder(tmp_path / "set", 2)
    (tmp_path / "set" / "labels.csv").write_text("file,emotion\n1.png,happy\n")
    save(tmp_path / "set" / "Contempt" / "1.png")
    assert len(read_source(tmp_path / "set").images) == 14


def test_an_archive_that_was_not_unpacked_is_named(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "archive.zip").touch()
    with pytest.raises(UsageError, match=r"holds archive.zip: unpack it; expected"):
        read_source(tmp_path / "set")


def source_of(counts: tuple[int, ...], kind: str, **parts: np.ndarray) -> TrainingSource:
    labels = np.repeat(np.arange(7), counts)
    files = tuple(map(str, range(len(labels))))
    images = ImageSet(kind, Path(), files, labels, {}, "digest")
    return TrainingSource(kind, "the makers' list", images, parts)


def test_the_authors_split_of_rafdb_has_the_counts_of_their_notebooks() -> None:
    source = source_of(
        TABLE_1["rafdb"], "rafdb", train=np.arange(12271), test=np.arange(12271, 15339)
    )
    split = split_source(source, "authors")
    counts = [np.bincount(split.train.labels[part]) for part in (split.train_indices,)]
    assert counts[0].tolist() == [606, 613, 248, 4169, 2242, 1722, 1133]
    checked = split.validation.labels[split.validation_indices]
    assert np.bincount(checked).tolist() == [261, 264, 107, 1788, 962, 738, 486]


def test_splits_by_name_part_the_same_set_differently(rafdb: Path, tmp_path: Path) -> None:
    def sizes(split: Split) -> tuple[int, int, int]:
        return len(split.train_indices), len(split.validation_indices), len(split.test_indices)

    assert sizes(load_training(rafdb, split="official")) == (14, 7, 0)
    assert sizes(load_training(rafdb, split="authors")) == (14, 7, 0)
    assert sizes(load_training(rafdb, split="strict")) == (7, 7, 7)
    fer = write_fer2013(tmp_path / "fer")
    cache = tmp_path / "cache"
    assert sizes(load_training(fer, split="official", cache=cache)) == (10, 2, 2)
    assert sizes(load_training(fer, split="authors", cache=cache)) == (10, 4, 0)
    assert sizes(load_training(fer, split="strict", cache=cache)) == (10, 2, 2)
    digests = {load_training(rafdb, split=how).digest for how in ("official", "authors", "strict")}
    assert len(digests) == 3
    with pytest.raises(UsageError, match="official, authors, strict"):
        load_training(rafdb, split="best")


def test_the_strict_test_part_is_the_makers_own_and_nothing_else_looks_at_it(rafdb: Path) -> None:
    split = load_training(rafdb, split="strict")
    tested = {split.test.files[index] for index in split.test_indices}
    assert all("test_" in file for file in tested)
    others = [*split.train_indices, *split.validation_indices]
    assert not tested & {split.train.files[index] for index in others}


def test_plain_folders_have_no_official_split(tmp_path: Path) -> None:
    draw_folder(tmp_path / "set", 10)
    with pytest.raises(UsageError, match="no official parts: use --split authors or strict"):
        load_training(tmp_path / "set", split="official")
    split = load_training(tmp_path / "set", split="strict")
    assert len(split.test_indices) == 21
    every = np.concatenate([split.train_indices, split.validation_indices, split.test_indices])
    assert sorted(every) == list(range(70))


def test_a_limit_takes_some_of_each_class_and_leaves_the_test_alone(tmp_path: Path) -> None:
    draw_folder(tmp_path / "set", 10)
    split = limited(load_training(tmp_path / "set", split="strict"), 3)
    assert np.bincount(split.train.labels[split.train_indices]).tolist() == [3] * 7
    assert len(split.test_indices) == 21
    assert "at most 3 of a class" in split.how


def test_counts_stand_beside_table_1() -> None:
    lines = beside_table_1(split_source(source_of((1,) * 7, "fer2013"), "authors"))
    assert lines[0].split() == ["train", "validation", "test", "all", "paper"]
    assert lines[2].split() == ["disgust", "1", "0", "0", "1", "547"]
    assert lines[-1].split()[-1] == "35,887"


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("rafdb", range(7)),
        ("fer2013", range(1, 8)),
        ("affectnet", range(1, 8)),
        ("rafdb", range(9)),
        ("affectnet", range(12)),
    ],
)
def test_classes_that_were_numbered_anew_are_refused(
    tmp_path: Path, name: str, numbers: range
) -> None:
    for number in numbers:
        save(tmp_path / name / "train" / str(number) / "a.png")
        save(tmp_path / name / "test" / str(number) / "b.png")
    with pytest.raises(UsageError, match=f"the classes of {name} are numbered"):
        read_source(tmp_path / name)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        ("0 " * 2303 + "300", "line 2: a pixel is 300"),
        ("0 " * 2303 + "1.5", "line 2: its pixels are not whole numbers"),
        ("0 " * 2303 + "-1", "line 2: its pixels are not whole numbers"),
        ("0 " * 2303 + "9" * 30, "line 2: a pixel is"),
        ("0 " * 2304 + "x", "line 2: its pixels are not whole numbers"),
        ("0 " * 2305, "line 2: 2305 pixels, not 2304"),
        ("", "line 2: its pixels are not whole numbers"),
    ],
    ids=["over", "fraction", "negative", "huge", "a word behind", "too many", "none"],
)
def test_a_fer2013_row_that_is_no_image_is_named(tmp_path: Path, pixels: str, words: str) -> None:
    folder = tmp_path / "fer2013"
    folder.mkdir()
    (folder / "fer2013.csv").write_text(f"emotion,pixels,Usage\n3,{pixels},Training\n")
    with pytest.raises(UsageError, match=words):
        read_source(folder, cache=tmp_path / "cache")


def test_fer2013_is_read_from_a_spreadsheet_and_its_votes_must_be_numbers(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set")
    text = (folder / "fer2013.csv").read_text()
    (folder / "fer2013.csv").write_text(text.replace(",", ";"), encoding="utf-8-sig")
    assert len(read_source(folder, cache=tmp_path / "cache").images) == 14
    head = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt\n"
    for votes in (",,,,,,,", "x,0,0,0,0,0,0,0", "-3,0,0,0,0,0,0,0", "1e9,0,0,0,0,0,0,0"):
        (folder / "fer2013new.csv").write_text(head + f"Training,fer0.png,{votes}\n" * 14)
        with pytest.raises(
            UsageError, match=r"fer2013new\.csv, line 2: '.*' is not a number of votes"
        ):
            read_source(folder, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("../train_00001.jpg 1", "not a path inside|expected 'train"),
        ("train_/../../x.jpg 1", "not a path inside"),
        ("train_a/b.jpg 1", "is not the name of a file"),
        ("train_00000.jpg 2", "train_00000.jpg stands in line 1 already"),
    ],
)
def test_a_list_of_rafdb_names_files_of_its_folder_once(rafdb: Path, line: str, words: str) -> None:
    table = rafdb / "basic" / "EmoLabel" / "list_patition_label.txt"
    table.write_text(table.read_text() + line + "\n")
    with pytest.raises(UsageError, match=words):
        read_source(rafdb)
    table.write_bytes(b"\xff\xf0\x81")
    with pytest.raises(UsageError, match="is not a text file"):
        read_source(rafdb)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("../outside.png,happy", r"line 9: '\.\./outside\.png' is not a path inside"),
        ("/etc/passwd,happy", "line 9: '/etc/passwd' is not a path inside"),
        ("0.png,sad", "line 9: 0.png has another label further up"),
        ("0.png", "line 9: 1 fields"),
    ],
)
def test_a_list_of_affectnet_stays_in_its_folder(tmp_path: Path, row: str, words: str) -> None:
    folder = tmp_path / "set"
    lines = ["pth,label"]
    for number, label in enumerate(FER2013_ORDER):
        save(folder / f"{number}.png", number)
        lines.append(f"{number}.png,{label}")
    save(tmp_path / "outside.png")
    table = folder / "labels.csv"
    table.write_text("\n".join([*lines, lines[1], ""]))
    assert len(read_source(folder).images) == 7, "the same row twice is one image"
    table.write_text("\n".join([*lines, row, ""]))
    with pytest.raises(UsageError, match=words):
        read_source(folder)


def test_an_annotation_that_is_no_number_is_named(tmp_path: Path) -> None:
    part = tmp_path / "set" / "train_set"
    save(part / "images" / "0.jpg")
    (part / "annotations").mkdir()
    for odd in (np.array("x"), np.array(1.5), np.array([1, 2]), np.array((1, 2), "i4,i4")):
        np.save(part / "annotations" / "0_exp.npy", odd)
        with pytest.raises(UsageError, match=r"0_exp\.npy holds no whole number"):
            read_source(tmp_path / "set")
