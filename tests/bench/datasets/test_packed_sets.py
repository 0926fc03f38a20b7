"""Parquet and WebDataset tars, as FER2013, RAF-DB, AffectNet and ExpW are shared on Hugging Face."""

import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from btfer.bench.datasets import TrainingSource, read_source, split_source
from btfer.bench.datasets.folders import labels_in
from btfer.bench.datasets.pixels import load_pixels
from btfer.engine import SERIAL
from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.leaks.training import read_training
from btfer.packed import packed_files
from tests.bench.datasets.shared import assert_refused_in_one_line, parquet, picture, tar
from tests.bench.datasets.test_public_sets import classes, save

ALPHABETIC = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
OF_CLIP = ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
SHORT = ("anger", "surprise", "contempt", "happy", "neutral", "fear", "sad", "disgust")
OF_FER2013 = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")


def read(path: Path, name: str = "set", labels: str = "") -> TrainingSource:
    return read_source(path, name, path.parent / "cache", labels)


def rows(n: int = 7, first: int = 0) -> list[tuple[int, bytes]]:
    return [(number % n, picture(first + number)) for number in range(n)]


def of_classes(source: TrainingSource) -> dict[str, list[str]]:
    return {part: classes(source, part) for part in source.parts}


def test_parquet_goes_by_the_names_in_its_schema_and_by_the_parts_of_its_files(
    tmp_path: Path,
) -> None:
    """As `push_to_hub` writes: data/SPLIT-00000-of-00002.parquet."""
    root = tmp_path / "fer"
    parquet(root / "data/train-00000-of-00002.parquet", rows(), OF_FER2013)
    parquet(root / "data/train-00001-of-00002.parquet", rows(first=7), OF_FER2013)
    parquet(
        root / "data/publicTest-00000-of-00001-f41bb7384b8aad6e.parquet", rows(first=14), OF_FER2013
    )
    parquet(
        root / "data/privateTest-00000-of-00001-4b8a0715cf1b7560.parquet",
        rows(first=21),
        OF_FER2013,
    )
    source = read(root)
    order = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert of_classes(source) == {"train": order * 2, "validation": order, "test": order}
    file = "test/privateTest-00000-of-00001-4b8a0715cf1b7560-000002.png"
    assert file in source.images.files
    assert (source.images.root / file).read_bytes() == picture(23)
    assert load_pixels(source.images, 20, tmp_path / "cache").shape == (28, 20, 20, 3)
    again = read(root)
    assert again.images.digest == source.images.digest


def test_the_order_of_the_names_is_each_files_own(tmp_path: Path) -> None:
    """Piro17/affectnethq and Mauregato/affectnet_short number the classes differently; the second has contempt."""
    parquet(tmp_path / "a" / "data/train-00000-of-00001.parquet", rows(8), SHORT)
    source = read(tmp_path / "a", "affectnet")
    expected = ["angry", "surprise", "happy", "neutral", "fear", "sad", "disgust"]
    assert of_classes(source) == {"all": expected}
    assert (source.kind, source.how) == ("affectnet", "parquet files, contempt dropped")
    assert len(split_source(source, "strict").train_indices)


def test_layouts_of_hugging_faces_converter_are_read(tmp_path: Path) -> None:
    """Jeneral/fer-2013: default/train/0000.parquet with img_bytes and labels; and clip-benchmark/wds_fer2013."""
    for part, first in (("train", 0), ("test", 7)):
        parquet(
            tmp_path / "j" / "default" / part / "0000.parquet",
            rows(first=first),
            ALPHABETIC,
            label="labels",
            image="img_bytes",
        )
    assert of_classes(read(tmp_path / "j")) == {
        "train": list(EXPRESSIONS),
        "test": list(EXPRESSIONS),
    }


def test_names_beside_numbers_are_taken_and_must_agree(tmp_path: Path) -> None:
    """abhilash88/fer2013-enhanced has emotion and emotion_name."""
    names = [one.title() for one in OF_FER2013]
    file = tmp_path / "a" / "train.parquet"
    parquet(file, rows(), label="emotion", more={"emotion_name": names, "quality_score": [0.5] * 7})
    assert of_classes(read(tmp_path / "a"))["train"][4:6] == ["sad", "surprise"]
    parquet(file, rows() * 2, label="emotion", more={"emotion_name": names + names[::-1]})
    with pytest.raises(
        UsageError, match=r"train.parquet, row 8: emotion 0 is Neutral here and Angry further up"
    ):
        read(tmp_path / "a")


def test_raw_bytes_and_words_are_read_too(tmp_path: Path) -> None:
    table = pa.table(
        {
            "image": [picture(n) for n in range(7)],
            "label": ["anger", "disgust", "fear", "joy", "calm", "sadness", "surprised"],
        }
    )
    (tmp_path / "a").mkdir()
    pq.write_table(table, tmp_path / "a" / "faces.parquet")
    assert of_classes(read(tmp_path / "a")) == {"all": list(EXPRESSIONS)}
    assert of_classes(read(tmp_path / "a" / "faces.parquet")) == {"all": list(EXPRESSIONS)}


def test_numbers_without_names_are_refused_with_what_each_would_mean_until_the_user_says(
    tmp_path: Path,
) -> None:
    """The names are lost when pandas writes the file again: huggingface/datasets #3578. Not by the set's name either:
    Piro17/fer2013test numbers FER2013 by the alphabet."""
    parquet(tmp_path / "fer2013" / "train.parquet", rows())
    parquet(tmp_path / "fer2013" / "test.parquet", rows(first=7))
    with pytest.raises(
        UsageError,
        match=r"row 1 says .* by the number 0, .*--labels .*; affectnet 0=neutral,1=happy",
    ):
        read(tmp_path / "fer2013", "fer2013")
    said = ",".join(f"{n}={one}" for n, one in enumerate(EXPRESSIONS))
    source = read(tmp_path / "fer2013", "fer2013", said)
    assert of_classes(source)["train"] == list(EXPRESSIONS)
    assert labels_in(split_source(source, "official").how) == said
    with pytest.raises(UsageError, match=r"says the class 6, of which --labels says nothing"):
        read(tmp_path / "fer2013", "fer2013", said.replace("6=", "7="))


def saved(folder: Path, **parts: list[tuple[int, bytes]]) -> Path:
    """A set of several parts as `save_to_disk` of Hugging Face's datasets writes it."""
    of_parts = {}
    for part, found in parts.items():
        file = parquet(folder.parent / "made" / f"{part}.parquet", found, OF_FER2013)
        of_parts[part] = datasets.Dataset.from_parquet(
            str(file), cache_dir=str(folder.parent / "made")
        )
    datasets.DatasetDict(of_parts).save_to_disk(folder, num_shards=dict.fromkeys(parts, 2))
    return folder


def test_what_save_to_disk_wrote_is_read_and_what_was_left_beside_it_is_not(tmp_path: Path) -> None:
    """huggingface/datasets #5044; a file `cache-...` appears beside the set where it is opened and shuffled
    (allenai/open-instruct #638).
    """
    folder = saved(tmp_path / "set", train=rows(), test=rows(first=7))
    opened = datasets.load_from_disk(folder)
    assert isinstance(opened, datasets.DatasetDict)
    opened["train"].shuffle(seed=1)
    opened["train"].map(lambda row: {"label": row["label"]})
    assert len(list((folder / "train").glob("cache-*.arrow"))) == 2
    source = read(folder)
    assert (source.kind, source.how) == ("folders", "arrow files")
    order = [one.lower() for one in OF_FER2013]
    assert of_classes(source) == {"train": order, "test": order}
    file = source.images.files[-1]
    assert (file, (source.images.root / file).read_bytes()) == (
        "train/data-00001-of-00002-000002.png",
        picture(6),
    )
    found, _ = read_training(folder, "set", tmp_path / "leaks", engine=SERIAL)
    assert len(found) == 14
    named = folder / "test" / "state.json"  # as in 2021: huggingface/datasets #1993
    (folder / "test" / "data-00000-of-00002.arrow").rename(folder / "test" / "cache-00ff.arrow")
    named.write_text(named.read_text().replace("data-00000-of-00002", "cache-00ff"))
    (folder / "test" / "data-00001-of-00002.arrow").unlink()
    assert len(packed_files(folder)) == 3
    (folder / "train" / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(UsageError, match=r"train/data has 1 files, .* should have 2"):
        read(folder)


def test_an_arrow_file_with_an_index_of_its_batches_is_read(tmp_path: Path) -> None:
    """As pyarrow and pandas (Feather) write it."""
    table = pa.table({"image": [picture(n) for n in range(7)], "label": list(EXPRESSIONS)})
    file = tmp_path / "faces.arrow"
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    assert of_classes(read(file)) == {"all": list(EXPRESSIONS)}


def with_column(
    name: str, values: list[object], kind: pa.DataType | None = None
) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        columns = {"image": pa.array([picture(n) for n in range(len(values))], pa.binary())}
        root.mkdir()
        pq.write_table(pa.table(columns | {name: pa.array(values, kind)}), root / "train.parquet")

    return write


def with_rows(
    found: list[tuple[object, bytes]], names: tuple[str, ...] = ()
) -> Callable[[Path], object]:
    return lambda root: parquet(root / "train.parquet", found, names)


def without_bytes(root: Path) -> None:
    root.mkdir()
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([{"bytes": None, "path": "/elsewhere/happy/1.png"}], kind)
    pq.write_table(pa.table({"image": images, "label": ["happy"]}), root / "a.parquet")


def file_of(name: str, data: bytes) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(data)

    return write


def twice(root: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002"):
        parquet(root / f"{name}.parquet", rows(), ALPHABETIC)
    (root / "train-00001-of-00002.parquet").write_bytes(
        (root / "train-00000-of-00002.parquet").read_bytes()
    )


def files(*names: str) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        for number, name in enumerate(names):
            parquet(root / f"{name}.parquet", rows(first=7 * number), ALPHABETIC)

    return write


def beside_class_folders(root: Path) -> None:
    parquet(root / "data/train.parquet", rows(), ALPHABETIC)
    for name in EXPRESSIONS:
        save(root / name / "a.png")


BAD_PARQUET: dict[str, tuple[Callable[[Path], object], str]] = {
    "damaged": (file_of("train.parquet", b"PAR1 and no more PAR1"), "train.parquet cannot be read as parquet"),
    "Git LFS": (
        file_of("data/a.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:2e5a\n"),
        "is a pointer of Git LFS .*git lfs pull",
    ),
    "no rows": (with_column("label", [], pa.string()), "has no images"),
    "no classes": (with_column("conversations", ["what is it?"]), "no column of classes; .* are image, conversations"),
    "decimals": (with_column("label", [0.5, 1.0]), "label as double; .* with whole numbers or names"),
    "votes": (with_column("emotion", [[1, 0], [0, 1]]), "emotion as list<"),
    "empty": (with_column("label", ["happy", None]), "row 2: its label is empty"),
    "out of range": (with_rows([(7, picture(1))]), r"row 1 says the class by the number 7"),
    "no class at all": (with_column("label", [-1]), "row 1: its class is -1, and a whole number"),
    "a word of no class": (with_column("label", ["happy", "awe"]), "row 2: unknown expression class 'awe'"),
    "control characters": (with_column("label", ["a\n\x1b[2Jb"]), "row 1: unknown expression class 'a "),
    "numbers and names": (with_column("label", ["happy", "3"]), "row 1 says happy, and .*row 2 the number 3"),
    "two names of a class": (with_column("label", ["happy", "joy"]), "row 2 says joy, and others happy"),
    "no image": (with_rows([(0, picture(1)), (1, b"")], ALPHABETIC), "row 2 has no image"),
    "an image elsewhere": (without_bytes, "row 1 has no image, only the path /elsewhere/happy/1.png"),
    "no picture": (with_rows([(0, b"<html>")], ALPHABETIC), "row 1: its image is no JPEG"),
    "a part that is missing": (files("train-00000-of-00002"), "has 1 files, numbered 0, and should have 2"),
    "a part of another upload": (
        files("train-00000-of-00001-0123456789abcdef", "train-00000-of-00001-fedcba9876543210"),
        "has 2 files, numbered 0, 0, and should have 1",
    ),
    "the same file twice": (twice, "has the same file twice"),
    "two forms of a set": (files("raw/train", "aligned/train"), r"more than one train \(aligned/train, raw/train\)"),
    "another part": (files("train", "extra"), r"parts that are no train, val or test"),
    "two others": (files("indoor", "outdoor"), r"parts that are no train, val or test \(indoor, outdoor\)"),
    "a name of two parts": (files("train_test"), "called after the parts test and train"),
    "class folders": (beside_class_folders, "holds train.parquet and class folders: give"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_PARQUET)
def test_parquet_that_would_be_misread_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    write, words = BAD_PARQUET[what]
    write(tmp_path / "set")
    assert_refused_in_one_line(lambda: read(tmp_path / "set"), words)


def test_a_row_that_is_there_twice_is_refused_and_a_picture_that_is_there_twice_is_not(
    tmp_path: Path,
) -> None:
    file = parquet(tmp_path / "a" / "train.parquet", [(0, picture(1)), (1, picture(1))], ALPHABETIC)
    assert len(read(tmp_path / "a").images) == 2
    found = pq.read_table(file)
    pq.write_table(pa.concat_tables([found, found]), file)
    with pytest.raises(UsageError, match=r"row 3 is the image train_0.png of .*row 1 again"):
        read(tmp_path / "a")


def samples(n: int = 7, first: int = 0, kind: str = "webp") -> list[dict[str, object]]:
    return [
        {kind: picture(first + one, kind.replace("jpg", "jpeg")), "cls": str(one % n)}
        for one in range(n)
    ]


def wds(root: Path) -> Path:
    """clip-benchmark/wds_fer2013, by the builder of CLIP_benchmark."""
    for part, first in (("train", 0), ("test", 14)):
        tar(root / part / "0.tar", samples(first=first))
        (root / part / "nshards.txt").write_text("1\n")
    (root / "classnames.txt").write_text("\n".join(OF_CLIP) + "\n")
    (root / "zeroshot_classification_templates.txt").write_text("a photo of a {c} looking face.\n")
    return root


def test_webdataset_tars_go_by_their_file_of_names(tmp_path: Path) -> None:
    root = wds(tmp_path / "wds_fer2013")
    source = read(root, "wds_fer2013")
    assert of_classes(source) == {"train": list(EXPRESSIONS), "test": list(EXPRESSIONS)}
    assert (source.kind, source.how) == ("fer2013", "tar files")
    assert source.images.files[0] == "test/0-000000.webp"
    assert of_classes(read(root / "train")) == {"all": list(EXPRESSIONS)}
    (root / "classnames.txt").write_text("\n".join(OF_FER2013) + "\n")
    assert of_classes(read(root, "wds_fer2013"))["test"][4:] == ["sad", "surprise", "neutral"]
    (root / "classnames.txt").unlink()
    with pytest.raises(
        UsageError, match=r"0.tar, s0000000 says the class by the number 0, .*--labels"
    ):
        read(root, "wds_fer2013")


def test_files_of_a_sample_may_lie_apart(tmp_path: Path) -> None:
    """As `tar` packs a folder without --sort=name: webdataset/webdataset #407."""
    root = tmp_path / "a"
    for number, name in enumerate(EXPRESSIONS):
        save(root / "in" / f"{name}.face.png", number)
        (root / "in" / f"{name}.cls").write_text(f"{name}\n")
    order = [*sorted(root.glob("in/*.png")), *sorted(root.glob("in/*.cls"), reverse=True)]
    with tarfile.open(root / "faces.tar", "w") as packed:
        for one in order:
            packed.add(one, one.name)
    for one in order:
        one.unlink()
    (root / "in").rmdir()
    assert of_classes(read(root)) == {"all": list(EXPRESSIONS)}


def test_a_json_beside_each_image_says_its_class(tmp_path: Path) -> None:
    found = [
        {"png": picture(n), "json": {"label": name, "age": 3}, "cls": n}
        for n, name in enumerate(EXPRESSIONS)
    ]
    tar(tmp_path / "a" / "test-000.tar", found)
    tar(
        tmp_path / "a" / "train-000.tar",
        [one | {"png": picture(n + 9)} for n, one in enumerate(found)],
    )
    assert of_classes(read(tmp_path / "a"))["train"] == list(EXPRESSIONS)


def cut_off(root: Path) -> None:
    tar(root / "train" / "0.tar", samples())
    with tarfile.open(root / "train" / "0.tar") as packed:
        end = packed.getmembers()[6].offset
    data = (root / "train" / "0.tar").read_bytes()
    (root / "train" / "0.tar").write_bytes(data[:end])


def beside(
    name: str, text: str, found: list[dict[str, object]] | None = None
) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        tar(root / "train" / "0.tar", samples() if found is None else found)
        (root / name).write_text(text)

    return write


def beside_bytes(name: str, data: bytes) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        tar(root / "train" / "0.tar", samples())
        (root / name).write_bytes(data)

    return write


def doubled_key(root: Path) -> None:
    root.mkdir()
    with tarfile.open(root / "0.tar", "w") as packed:
        for name in ("a.png", "a.cls", "a.png"):
            save(root / "x.png")
            packed.add(root / "x.png", name)
    (root / "x.png").unlink()


BAD_TARS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut off between two files": (cut_off, "cannot be read as a tar: it was cut off"),
    "a shard that is missing": (beside("train/nshards.txt", "2"), "has 1 of 2 files, by nshards.txt"),
    "too few names": (beside("classnames.txt", "angry\nhappy\n"), "s0000002: its class is 2, .* names for 0 to 1"),
    "an empty name": (beside("classnames.txt", "angry\n\nhappy\n"), "has an empty line"),
    "no text": (beside_bytes("classnames.txt", b"\xff\xfe\xff"), "classnames.txt is not a text file"),
    "an image without a class": (
        beside("x", "", [{"png": picture(0), "cls": "happy"}, {"png": picture(1)}]),
        "s0000001 has 1 images and 0 files of its class",
    ),
    "a class without an image": (
        beside("x", "", [{"png": picture(0), "cls": "happy"}, {"cls": "sad"}]),
        "s0000001 has 0 images and 1",
    ),
    "a key twice": (doubled_key, "a has 2 images and 1"),
    "a decimal": (beside("x", "", [{"png": picture(0), "cls": "1.5"}]), "its class is 1.5, and a whole number"),
    "captions": (beside("x", "", [{"png": picture(0), "json": {"caption": "a"}}]), "its .json has no label"),
    "a list": (beside("x", "", [{"png": picture(0), "json": [1]}]), "its .json has no label"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_TARS)
def test_tars_that_would_be_misread_are_refused_in_one_line(tmp_path: Path, what: str) -> None:
    write, words = BAD_TARS[what]
    write(tmp_path / "set")
    assert_refused_in_one_line(lambda: read(tmp_path / "set"), words)


def test_an_archive_of_folders_is_no_webdataset(tmp_path: Path) -> None:
    for name in EXPRESSIONS:
        save(tmp_path / "a" / name / "1.png")
    with tarfile.open(tmp_path / "a" / "faces.tar", "w") as packed:
        packed.add(tmp_path / "a" / "happy", "happy")
    assert len(read(tmp_path / "a").images) == 7
    (tmp_path / "b" / "data").mkdir(parents=True)
    (tmp_path / "a" / "faces.tar").rename(tmp_path / "b" / "data" / "faces.tar")
    with pytest.raises(UsageError, match=r"data/faces.tar: that is an archive and no webdataset"):
        read(tmp_path / "b")


def test_the_leak_search_sees_the_same_pictures(tmp_path: Path) -> None:
    root = wds(tmp_path / "wds")
    parquet(tmp_path / "fer" / "data/train-00000-of-00001.parquet", rows(), ALPHABETIC)
    save(tmp_path / "loose" / "happy" / "a.png")
    for path, n in ((root, 14), (tmp_path / "fer", 7), (root / "train/0.tar", 7)):
        found, _ = read_training(path, "set", tmp_path / "leaks", engine=SERIAL)
        source = read(path)
        assert len(found) == n == len(source.images)
        unpacked, _ = read_training(source.images.root, "set", tmp_path / "leaks", engine=SERIAL)
        assert np.array_equal(np.sort(found.hashes, 0), np.sort(unpacked.hashes, 0))
    assert found.files[3] == "0.tar, s0000003"
    assert found.classes[3] == "happy"
    before = found.digest
    assert (
        read_training(root / "train/0.tar", "set", tmp_path / "leaks", engine=SERIAL)[0].digest
        == before
    )


@pytest.mark.parametrize(
    ("name", "words"), [("rafdb", "70% and 30% of all"), ("affectnet", "train and the rest")]
)
def test_a_re_upload_is_split_as_its_class_folders_would_be(
    tmp_path: Path, name: str, words: str
) -> None:
    for part, first in (("train", 0), ("test", 28)):
        parquet(
            tmp_path / name / f"{part}.parquet",
            [(n % 7, picture(first + n)) for n in range(28)],
            ALPHABETIC,
        )
        for number, expression in enumerate(EXPRESSIONS):
            for one in range(4):
                save(
                    tmp_path / f"{name}-folders" / part / expression / f"{part}-{number}-{one}.png"
                )
    assert words in split_source(read(tmp_path / name), "authors").how
    assert words in split_source(read(tmp_path / f"{name}-folders"), "authors").how


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes with some changed, left out or added; half of it near the end, where parquet says what is in it."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at = rng.choice(
            [
                rng.randrange(len(changed)),
                len(changed) - 1 - rng.randrange(min(2_000, len(changed))),
            ]
        )
        kind = rng.randrange(4)
        if kind == 0:
            del changed[at : at + rng.randrange(1, 200)]
        elif kind == 1:
            changed[at:at] = rng.randbytes(rng.randrange(1, 30))
        else:
            changed[at] = rng.randrange(256)
        changed = changed or bytearray(b"x")
    return bytes(changed)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "tar"])
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    root, rng = tmp_path / "set", random.Random(7)
    if kind == "parquet":
        file = parquet(
            root / "train.parquet", rows(), ALPHABETIC, more={"label_name": list(ALPHABETIC)}
        )
    elif kind == "arrow":
        saved(root, train=[*rows(), *rows(first=7)])
        file = root / "train" / "data-00000-of-00002.arrow"
    else:
        file = wds(root) / "train" / "0.tar"
    good = file.read_bytes()
    refused = list[str]()
    for _ in range(150):
        file.write_bytes(damaged(good, rng))
        try:
            read(root)
        except BtferError as error:
            refused.append(str(error))
    assert 50 < len(refused) < 150
    assert not [one for one in refused if "\n" in one]
