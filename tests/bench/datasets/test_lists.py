"""Images beside a CSV that says their classes, and lists beside class folders."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from btfer.bench.datasets import TrainingSource, read_source, split_source
from btfer.bench.datasets.folders import labels_in
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.datasets.shared import assert_refused_in_one_line, table
from tests.bench.datasets.test_public_sets import RAFDB_ORDER, classes, rafdb, save

__all__ = ["rafdb"]  # the fixture
PARTS = ("train", "test")
RES_EMOTE_NET = ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")


def of_classes(source: TrainingSource) -> dict[str, list[str]]:
    return {part: classes(source, part) for part in source.parts}


def listed(root: Path, names: list[object], header: tuple[str, ...] = ("image", "label")) -> Path:
    """A list for each part beside its folder of images."""
    for part in PARTS:
        for number in range(len(names)):
            save(root / part / f"{part}_{number}.png")
        rows = [(f"{part}_{number}.png", name) for number, name in enumerate(names)]
        table(root / f"{part}_labels.csv", [header, *rows] if header else rows)
    return root


def test_images_go_by_the_lists_of_their_parts(tmp_path: Path) -> None:
    source = read_source(listed(tmp_path / "x", list(EXPRESSIONS)))
    assert of_classes(source) == {part: list(EXPRESSIONS) for part in ("test", "train")}
    assert source.how == "images by test_labels.csv and train_labels.csv"


def test_a_list_without_header_whose_numbers_are_its_own_asks_what_they_mean(
    tmp_path: Path,
) -> None:
    """As data_csv.py of ResEmoteNet writes it, in an order of its own, whichever the set: its issue #36."""
    root = listed(tmp_path / "fer2013", list(range(7)), ())
    with pytest.raises(
        UsageError, match=r"test_labels.csv, line 1 says .* number 0, .* --labels .*fer2013 0=angry"
    ):
        read_source(root, "fer2013")
    said = ",".join(f"{n}={one.replace('anger', 'angry')}" for n, one in enumerate(RES_EMOTE_NET))
    source = read_source(root, "fer2013", labels=said)
    assert of_classes(source)["train"][:4] == ["happy", "surprise", "sad", "angry"]
    assert labels_in(split_source(source, "strict").how) == said


def test_rafdbs_own_names_and_numbers_need_no_word(tmp_path: Path) -> None:
    for part in PARTS:
        rows = [(f"{part}_{n:05d}_aligned.jpg", n) for n in range(1, 8)]
        for name, _ in rows:
            save(tmp_path / "x" / "faces" / name)
        table(tmp_path / "x" / f"{part}_labels.csv", [("image", "label"), *rows])
    source = read_source(tmp_path / "x", "mine")
    assert of_classes(source)["train"] == list(RAFDB_ORDER)
    table(
        tmp_path / "x" / "test_labels.csv", [("image", "label"), *[(one, n - 1) for one, n in rows]]
    )
    with pytest.raises(UsageError, match="--labels"):
        read_source(tmp_path / "x", "rafdb")


def one_list(root: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """images/a.png to images/g.png with a labels.csv."""
    for letter in "abcdefg":
        save(root / "images" / f"{letter}.png")
    table(root / "labels.csv", [header, *rows])


def rows_of(*, more: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    return [
        (f"{letter}.png", name, *more) for letter, name in zip("abcdefg", EXPRESSIONS, strict=True)
    ]


def test_one_list_is_parted_by_its_column_by_its_folders_or_not_at_all(tmp_path: Path) -> None:
    one_list(tmp_path / "a", ("filename", "emotion"), rows_of())
    assert of_classes(read_source(tmp_path / "a")) == {"all": list(EXPRESSIONS)}
    usages = ["Training"] * 5 + ["PublicTest", "PrivateTest"]
    parted = [(*row, part) for row, part in zip(rows_of(), usages, strict=True)]
    one_list(tmp_path / "b", ("filename", "emotion", "Usage"), parted)
    assert {part: len(one) for part, one in read_source(tmp_path / "b").parts.items()} == {
        "train": 5,
        "validation": 1,
        "test": 1,
    }
    root = listed(tmp_path / "c", list(EXPRESSIONS))
    rows = [
        (f"{part}/{part}_{n}.png", name) for part in PARTS for n, name in enumerate(EXPRESSIONS)
    ]
    table(root / "labels.csv", [("path", "label"), *rows])
    for part in PARTS:
        (root / f"{part}_labels.csv").unlink()
    assert of_classes(read_source(root)) == {part: list(EXPRESSIONS) for part in ("test", "train")}


def test_names_in_one_column_and_numbers_in_another_agree(tmp_path: Path) -> None:
    rows = [(file, n, name) for n, (file, name) in enumerate(rows_of())]
    one_list(tmp_path / "a", ("ImageName", "Class", "ClassName"), rows)
    assert of_classes(read_source(tmp_path / "a")) == {"all": list(EXPRESSIONS)}
    one_list(
        tmp_path / "a", ("ImageName", "Class", "ClassName"), [*rows[:6], ("g.png", 0, "surprise")]
    )
    with pytest.raises(UsageError, match="line 8: Class 0 is surprise here and angry further up"):
        read_source(tmp_path / "a")


def stray(root: Path) -> None:
    one_list(root, ("image", "label"), rows_of())
    save(root / "more" / "h.png")


def same_name(root: Path) -> None:
    one_list(root, ("image", "label"), rows_of())
    save(root / "more" / "a.png")


def other_folder(root: Path) -> None:
    listed(root, list(EXPRESSIONS))
    (root / "train/train_0.png").rename(root / "test/train_0.png")


def some_parted(root: Path) -> None:
    one_list(root, ("image", "label"), rows_of())
    save(root / "test" / "h.png")
    table(root / "labels.csv", [("image", "label"), *rows_of(), ("h.png", "sad")])


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "an image without a row": (stray, "has 1 images that labels.csv does not name, such as more/h.png"),
    "a row without an image": (
        lambda root: one_list(root, ("image", "label"), [*rows_of(), ("h.png", "sad")]),
        "lacks 1 images of its lists, such as h.png of .*line 9",
    ),
    "a row twice": (
        lambda root: one_list(root, ("image", "label"), [*rows_of(), ("images/a.png", "angry")]),
        "line 9: images/a.png is images/a.png, which .*line 2 names already",
    ),
    "two images of a name": (same_name, r"line 2: a.png may be images/a.png or more/a.png: write their folders"),
    "empty": (lambda root: one_list(root, ("image", "label"), [("a.png", "")]), "line 2: its label is empty"),
    "a decimal": (
        lambda root: one_list(root, ("image", "label"), [(f"{one}.png", "1.0") for one in "abcdefg"]),
        "line 2: its class is 1.0, and a whole number",
    ),
    "out of the folder": (
        lambda root: one_list(root, ("image", "label"), [("../a.png", "sad")]),
        "line 2: '../a.png' is not a path inside",
    ),
    "a path of a machine": (
        lambda root: one_list(root, ("image", "label"), [("/elsewhere/a.png", "sad")]),
        "'/elsewhere/a.png' is not a path inside",
    ),
    "another part": (
        lambda root: one_list(root, ("image", "label", "split"), rows_of(more=("extra",))),
        "line 2: its split is 'extra', and train, validation or test is expected",
    ),
    "a folder of another part": (other_folder, r"puts test/train_0.png into the part train, and it lies in test"),
    "a part for some": (some_parted, r"others without one, such as images/a.png"),
    "two classes": (
        lambda root: one_list(root, ("image", "label", "emotion"), [("a.png", "sad", "happy")]),
        "line 2: its class is not clear: label says sad, emotion says happy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_list_that_would_be_misread_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    write, words = BAD[what]
    write(tmp_path / "set")
    assert_refused_in_one_line(lambda: read_source(tmp_path / "set"), words)


def kaggle_rafdb(root: Path, number: int = 1) -> Path:
    """DATASET with numbered folders, and a list for each part beside it, as RAF-DB is shared on Kaggle."""
    for part in PARTS:
        rows = [(f"{part}_{n:05d}_aligned.jpg", n) for n in range(1, 8)]
        for name, n in rows:
            save(root / "DATASET" / part / str(n) / name)
        rows[2] = (rows[2][0], rows[2][1] if part == "train" else number)
        table(root / f"{part}_labels.csv", [("image", "label"), *rows])
    return root


def test_class_folders_beside_a_list_must_say_the_same(tmp_path: Path) -> None:
    assert of_classes(read_source(kaggle_rafdb(tmp_path / "x", 3)))["test"] == list(RAFDB_ORDER)
    with pytest.raises(
        UsageError,
        match=r"test_labels.csv, line 4 says 1 of test/3/test_00003_aligned.jpg, .* folder of disgust, and of "
        "test/1/.* too: move the list away",
    ):
        read_source(kaggle_rafdb(tmp_path / "y", 1))


def test_a_list_of_names_beside_class_folders_must_name_the_same_class(tmp_path: Path) -> None:
    for name in EXPRESSIONS:
        save(tmp_path / "x" / name / f"{name}.png")
    rows = [(f"{name}.png", name) for name in EXPRESSIONS]
    table(tmp_path / "x" / "train.csv", [("filename", "class"), *rows])
    assert len(read_source(tmp_path / "x").images) == 7
    table(tmp_path / "x" / "train.csv", [("filename", "class"), *rows[:6], ("surprise.png", "sad")])
    with pytest.raises(
        UsageError,
        match=r"line 8 says sad of surprise/surprise.png, which lies in a folder of surprise",
    ):
        read_source(tmp_path / "x")


def beside_its_list(root: Path) -> Path:
    """RAF-DB by its list, and the same images in DATASET."""
    [aligned] = root.rglob("aligned")
    for line in next(root.rglob("list_patition_label.txt")).read_text().splitlines():
        name, number = line.split()
        file = root / "DATASET" / name.split("_")[0] / number / name.replace(".jpg", "_aligned.jpg")
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(aligned / file.name, file)
    return root


def test_rafdbs_list_and_its_folders_say_the_same_or_are_refused(rafdb: Path) -> None:
    alone = read_source(rafdb)
    source = read_source(beside_its_list(rafdb))
    assert source.how == "RAF-DB by list_patition_label.txt, the same as in its folder DATASET"
    assert source.images.digest == alone.images.digest
    file = rafdb / "DATASET/train/1/train_00000_aligned.jpg"
    file.rename(rafdb / "DATASET/train/2" / file.name)
    with pytest.raises(
        UsageError,
        match=r"says train, surprise of train_00000, and .*DATASET has it in train, fear",
    ):
        read_source(rafdb)
    (rafdb / "DATASET/train/2" / file.name).unlink()
    with pytest.raises(
        UsageError,
        match=r"list_patition_label.txt names train_00000, and the other of the two has not",
    ):
        read_source(rafdb)


def test_rafdbs_folders_are_read_where_its_list_has_no_faces(rafdb: Path) -> None:
    beside_its_list(rafdb)
    shutil.rmtree(rafdb / "basic" / "Image")
    source = read_source(rafdb, "mine")
    assert source.how == "folders test and train, the same as in list_patition_label.txt"
    assert (source.kind, source.images.name) == ("rafdb", "mine")
    assert of_classes(source)["test"] == list(RAFDB_ORDER)


def test_a_csv_beside_rafdbs_list_must_say_the_same(rafdb: Path) -> None:
    rows = [
        line.split()
        for line in next(rafdb.rglob("list_patition_label.txt")).read_text().splitlines()
    ]
    rows = [(name.replace(".jpg", "_aligned.jpg"), number) for name, number in rows]
    table(rafdb / "labels.csv", [("image", "label"), *rows])
    assert read_source(rafdb).how == "RAF-DB by list_patition_label.txt"
    table(rafdb / "labels.csv", [("image", "label"), (rows[0][0], 2), *rows[1:]])
    with pytest.raises(UsageError, match=r"labels.csv, line 3 says 2 of .*train_00001_aligned.jpg"):
        read_source(rafdb)


def test_no_image_is_left_out_by_a_list_of_affectnet_that_was_cut_off(tmp_path: Path) -> None:
    rows = [(f"{name}/{name}.png", name) for name in EXPRESSIONS]
    for file, _ in rows:
        save(tmp_path / "x" / file)
    table(tmp_path / "x" / "labels.csv", [("pth", "label"), *rows[:6]])
    with pytest.raises(
        UsageError, match=r"names 6 images, and .* has 1 more, such as surprise/surprise.png"
    ):
        read_source(tmp_path / "x")
    table(tmp_path / "x" / "labels.csv", [("pth", "label"), *rows])
    assert len(read_source(tmp_path / "x").images) == 7


def test_a_metadata_csv_of_numbers_is_a_list_and_no_release(tmp_path: Path) -> None:
    """As Hugging Face's imagefolder has it."""
    rows = [(f"images/{number}.png", number) for number in range(7)]
    for file, _ in rows:
        save(tmp_path / "x" / file)
    table(tmp_path / "x" / "metadata.csv", [("file_name", "label"), *rows])
    with pytest.raises(
        UsageError, match=r"metadata.csv, line 2 says the class by the number 0, .*--labels"
    ):
        read_source(tmp_path / "x")
    said = ",".join(f"{number}={name}" for number, name in enumerate(EXPRESSIONS))
    assert read_source(tmp_path / "x", labels=said).kind == "folders"
    table(
        tmp_path / "x" / "metadata.csv",
        [("file_name", "label"), *[(one, EXPRESSIONS[n]) for one, n in rows]],
    )
    assert read_source(tmp_path / "x").kind == "release"


def json_lines(path: Path, rows: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")


def test_json_lines_say_the_classes_as_hugging_faces_imagefolder_has_them(tmp_path: Path) -> None:
    """Its `metadata.jsonl`, one beside the images of each part."""
    for part in PARTS:
        rows: list[object] = []
        for number, name in enumerate(EXPRESSIONS):
            save(tmp_path / "x" / part / f"{part}_{number}.png")
            rows.append({"file_name": f"{part}_{number}.png", "label": name, "box": [1, 2]})
        json_lines(tmp_path / "x" / part / "metadata.jsonl", rows)
    assert of_classes(read_source(tmp_path / "x")) == {one: list(EXPRESSIONS) for one in PARTS}
    json_lines(
        tmp_path / "x" / "test" / "metadata.jsonl", [{"file_name": "test_0.png", "label": 0}]
    )
    assert_refused_in_one_line(
        lambda: read_source(tmp_path / "x"), "images that .*metadata.jsonl does not name"
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "metadata.jsonl, line 2 is no JSON"),
        ("[" * 100_000, "metadata.jsonl, line 2 is no JSON"),
        ("[1]", "metadata.jsonl, line 2 is no JSON object"),
        ('{"file_name": "a.png"}', "metadata.jsonl, line 2 has no label"),
        ('{"file_name": "a.png", "label": {"name": "sad"}}', "line 2 has no label"),
        ('{"file_name": "../a.png", "label": "sad"}', "not a path inside"),
        ('{"file_name": "a.png", "label": ""}', "line 2: its label is empty"),
        ("\ufffe\udcff", "metadata.jsonl, line 2 is no JSON"),
    ],
)
def test_a_line_of_json_that_says_no_class_is_refused_in_one_line(
    tmp_path: Path, line: str, words: str
) -> None:
    save(tmp_path / "x" / "a.png")
    save(tmp_path / "x" / "b.png")
    text = '{"file_name": "b.png", "label": "sad"}\n' + line + "\n"
    (tmp_path / "x" / "metadata.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert_refused_in_one_line(lambda: read_source(tmp_path / "x"), words)


def marks(*rows: str) -> list[tuple[str, ...]]:
    return [tuple(row.split(",")) for row in rows]


def test_a_column_for_each_class_with_a_one_in_it_says_the_class(tmp_path: Path) -> None:
    """`_classes.csv` of each part, as Roboflow exports a set with several labels; get_dummies of pandas writes True."""
    for part, yes, no in (("train", "1", "0"), ("test", "True", "False")):
        rows = [("filename", *(f" {one}" for one in EXPRESSIONS))]
        for number in range(len(EXPRESSIONS)):
            save(tmp_path / "x" / part / f"{part}_{number}.png")
            cells = (yes if place == number else no for place in range(len(EXPRESSIONS)))
            rows.append((f"{part}_{number}.png", *cells))
        table(tmp_path / "x" / part / "_classes.csv", rows)
    assert of_classes(read_source(tmp_path / "x")) == {one: list(EXPRESSIONS) for one in PARTS}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("b.png,1,1", "line 3: its class is not clear: sad and happy has a 1"),
        ("b.png,0,0", "line 3: its class is not clear: none of its columns has a 1"),
        ("b.png,0.4,0.6", "line 3: its sad is '0.4', and 1 or 0 is expected"),
        ("b.png,,1", "line 3: its sad is ''"),
    ],
)
def test_marks_that_are_no_class_are_refused_in_one_line(
    tmp_path: Path, row: str, words: str
) -> None:
    for name in "ab":
        save(tmp_path / "x" / f"{name}.png")
    table(tmp_path / "x" / "labels.csv", marks("image,sad,happy", "a.png,1,0", row))
    assert_refused_in_one_line(lambda: read_source(tmp_path / "x"), words)


@pytest.mark.parametrize("header", [("image", *EXPRESSIONS), ("image", "filename", "label")])
def test_a_table_that_is_nearly_a_list_is_named(tmp_path: Path, header: tuple[str, ...]) -> None:
    """Votes and probabilities are no classes."""
    save(tmp_path / "x" / "images" / "a.png")
    table(tmp_path / "x" / "labels.csv", [header, ("a.png", *"4" * (len(header) - 1))])
    with pytest.raises(
        UsageError, match=rf"labels.csv has no column .* its columns are {', '.join(header)}"
    ):
        read_source(tmp_path / "x")
