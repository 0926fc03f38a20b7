"""Public sets as others share them: numbered anew, parted anew, two in one folder, with files that mean nothing."""

from pathlib import Path

import numpy as np
import pytest

from btfer.bench.datasets import read_source, split_source
from btfer.bench.datasets.folders import labels_in
from btfer.bench.datasets.numbering import CONTEMPT, NUMBERINGS
from btfer.bench.datasets.renumbered import IMAGES, alphabetical
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


NAMED = {
    "numbers before names": [f"{n}_{name}" for n, name in enumerate(EXPRESSIONS)],
    "numbers and spaces": [f"{n} {name}" for n, name in enumerate(EXPRESSIONS)],
    "a spelling of FER+": ["angry", "contempt", *EXPRESSIONS[1:6], "suprise"],
}


@pytest.mark.parametrize("names", NAMED.values(), ids=NAMED)
def test_names_of_classes_are_read_as_re_uploads_write_them(
    tmp_path: Path, names: list[str]
) -> None:
    for part in ("Training", "PublicTest", "PrivateTest"):
        for name in names:
            save(tmp_path / "x" / part / name / "a.png")
    source = read_source(tmp_path / "x")
    assert [classes(source, one) for one in ("train", "validation", "test")] == [
        list(EXPRESSIONS)
    ] * 3


def test_the_name_of_a_set_is_asked_for_its_whole_folder(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for number in range(7):
            save(tmp_path / "x" / part / str(number) / "a.png")
    with pytest.raises(UsageError, match=rf"--train rafdb={tmp_path}/x, or say"):
        read_source(tmp_path / "x")


def test_hidden_files_of_a_mac_are_no_images(tmp_path: Path) -> None:
    for name in EXPRESSIONS:
        save(tmp_path / "x" / name / "a.png")
    (tmp_path / "x" / "angry" / "._a.png").write_bytes(b"\0\5\x16\7")
    save(tmp_path / "x" / "__MACOSX" / "x" / "sad" / "._a.png")
    (tmp_path / "x" / "__MACOSX").rename(tmp_path / "__MACOSX")
    assert len(read_source(tmp_path / "x").images) == 7


def test_two_folders_of_a_class_are_not_pooled(tmp_path: Path) -> None:
    for name in (*EXPRESSIONS, "calm"):
        save(tmp_path / "x" / name / "a.png")
    with pytest.raises(UsageError, match="two folders for neutral, calm and neutral"):
        read_source(tmp_path / "x")


def test_a_part_in_a_folder_deeper_is_not_hidden_but_a_copy_may_be(tmp_path: Path) -> None:
    for root in (tmp_path / "x", tmp_path / "x" / "images"):
        for number, part in enumerate(("train", "test")):
            for name in EXPRESSIONS:
                save(root / part / name / f"{number}-{name}.png")
    assert len(read_source(tmp_path / "x").images) == 14
    save(tmp_path / "x" / "images" / "test" / "sad" / "another.png")
    with pytest.raises(UsageError, match="has images in images beside its parts"):
        read_source(tmp_path / "x")


def test_faces_of_rafdbs_compound_part_are_not_taken_for_the_others(
    rafdb: Path, tmp_path: Path
) -> None:
    (rafdb / "basic" / "Image").rename(rafdb / "compound")
    with pytest.raises(UsageError, match="no folder aligned"):
        read_source(rafdb)
    (rafdb / "compound").rename(rafdb / "basic" / "Image")
    copy = rafdb / "copy" / "EmoLabel"
    copy.mkdir(parents=True)
    (copy / "list_patition_label.txt").write_text("train_00001.jpg 1\n")
    with pytest.raises(UsageError, match=r"basic/EmoLabel/.*, copy/EmoLabel/.* is needed"):
        read_source(rafdb)
    copy.parent.rename(rafdb / "compound")
    assert read_source(rafdb).kind == "rafdb"


OTHER_FORMS = {
    "metadata.jsonl": (b'{"file_name": "a.png", "lab', "metadata.jsonl, line 1 is no JSON"),
    "train/metadata.jsonl": (b"\n", "metadata.jsonl is empty"),
    "labels.csv": (b'\xef\xbb\xbfimage;"label\na.png;happy\n', "labels.csv.* quote"),
    "empty.csv": (b"", "empty.csv is empty"),
    "label/label.lst": (b"a.jpg 0 1 2 3 4 5.0 6\n", "cut the faces out"),
    "ckextended.csv": (b'emotion,pixels\n0,"1 2"\n', "has pixels, and is none of fer2013.csv"),
    "test.csv": (b'pixels\n"1 2"\n', "has pixels and no emotion, the class of each"),
}


@pytest.mark.parametrize("file", OTHER_FORMS)
def test_what_holds_no_class_folders_says_what_to_do(tmp_path: Path, file: str) -> None:
    content, words = OTHER_FORMS[file]
    (tmp_path / "x" / file).parent.mkdir(parents=True)
    (tmp_path / "x" / file).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_source(tmp_path / "x")


def test_class_folders_beside_a_list_without_images_are_named(tmp_path: Path) -> None:
    for part in ("Train", "Test"):
        for name in EXPRESSIONS:
            save(tmp_path / "x" / part / name / "a.png")
    (tmp_path / "x" / "labels.csv").write_text("pth,label\nanger/image1.jpg,anger\n")
    with pytest.raises(
        UsageError, match=r"move labels.csv away to read the class folders in Test, Train"
    ):
        read_source(tmp_path / "x")


def save_classes(folder: Path) -> None:
    for name in EXPRESSIONS:
        save(folder / name / "a.png")


def test_what_a_mac_or_a_nas_adds_beside_a_set_is_no_part_of_it(tmp_path: Path) -> None:
    for part in ("train", "test"):
        save_classes(tmp_path / "fer" / part)
        (tmp_path / "fer" / part / "@eaDir").mkdir()
    (tmp_path / "__MACOSX" / "fer").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "fer" / "._train").write_bytes(b"x")
    assert len(read_source(tmp_path).images) == 14


def test_a_part_that_was_unpacked_into_a_folder_of_its_name_is_read(tmp_path: Path) -> None:
    save_classes(tmp_path / "train" / "train")
    save_classes(tmp_path / "test" / "test")
    source = read_source(tmp_path)
    assert {name: len(part) for name, part in source.parts.items()} == {"train": 7, "test": 7}


def test_no_image_of_a_class_folder_is_left_out_without_a_word(tmp_path: Path) -> None:
    save_classes(tmp_path)
    for name in ("Thumbs.db", "a.pts", "a.npy"):
        (tmp_path / "sad" / name).write_bytes(b"x")
    (tmp_path / "sad" / "a.png").rename(tmp_path / "sad" / "a.JFIF")
    assert read_source(tmp_path).images.counts == [1] * 7
    (tmp_path / "sad" / "3f2a").write_bytes((tmp_path / "happy" / "a.png").read_bytes())
    with pytest.raises(UsageError, match=r"sad has images .* as 3f2a \(1 of them\)"):
        read_source(tmp_path)


@pytest.mark.parametrize("link", ["happy", "sad/b.png"])
def test_a_link_to_nothing_is_no_missing_image(tmp_path: Path, link: str) -> None:
    save_classes(tmp_path / "set")
    (tmp_path / "set" / "happy").rename(tmp_path / "away")
    (tmp_path / "set" / link).symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match=f"{link} is a link to a file or folder that is missing"):
        read_source(tmp_path / "set")


def test_what_is_given_instead_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "fer.zip").write_bytes(b"PK")
    (tmp_path / "fer.txt").write_text("x")
    for name, words in (
        ("fer.zip", "is packed: unpack it"),
        ("fer.txt", "is a file, and a folder is needed"),
        ("fer", "there is no folder"),
    ):
        with pytest.raises(UsageError, match=words):
            read_source(tmp_path / name)


def test_a_set_of_yolo_and_a_lone_train_part_say_what_to_do(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        save(tmp_path / "yolo" / part / "images" / "a.png")
    (tmp_path / "yolo" / "data.yaml").write_text("nc: 8\n")
    with pytest.raises(UsageError, match=r"data.yaml: that is of YOLO"):
        read_source(tmp_path / "yolo")
    save_classes(tmp_path / "one" / "train")
    with pytest.raises(UsageError, match=r"to part it by chance, give the folder .*train itself"):
        read_source(tmp_path / "one")


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ("Training", "has the part train alone, and nothing to test on"),
        ("PrivateTest", "has the part test alone, and nothing to learn from"),
    ],
)
@pytest.mark.parametrize("how", ["official", "authors", "strict"])
def test_a_part_alone_is_not_split_and_no_crash(
    tmp_path: Path, usage: str, words: str, how: str
) -> None:
    folder = write_fer2013(tmp_path / "set")
    table = folder / "fer2013.csv"
    header, *rows = table.read_text().splitlines()
    rows = [row.rpartition(",")[0] + "," + usage for row in rows]
    table.write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(UsageError, match=words):
        split_source(read_source(folder, cache=tmp_path / "cache"), how)


def write_votes(table: Path, votes: str, before: str = "") -> None:
    """before: cells that begin the header and each row."""
    columns = (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    )
    lines = [f"{before and n},Training,fer{n:07d}.png,{votes}" for n in range(14)]
    head = f"{before},{columns}" if before else columns
    lines = lines if before else [line.removeprefix(",") for line in lines]
    table.write_text("\n".join([head, *lines]) + "\n")


def test_row_numbers_that_pandas_adds_are_no_votes(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set")
    for before in ("Unnamed: 0", '""'):
        write_votes(folder / "fer2013new.csv", "0,8,0,0,0,0,0,0,2,0", before)
        source = read_source(folder, cache=tmp_path / "cache")
        assert source.images.counts == [0, 0, 0, 14, 0, 0, 0]


def test_votes_without_any_majority_leave_no_set(tmp_path: Path) -> None:
    folder = write_fer2013(tmp_path / "set")
    write_votes(folder / "fer2013new.csv", "1,1,0,0,0,0,0,0,0,0")
    with pytest.raises(UsageError, match=r"votes of fer2013new.csv. has no image of the seven"):
        read_source(folder, cache=tmp_path / "cache")


def test_two_csv_files_and_votes_in_another_folder_are_not_chosen_between(tmp_path: Path) -> None:
    write_fer2013(tmp_path / "a")
    (tmp_path / "FERPlus").mkdir()
    write_votes(tmp_path / "FERPlus" / "fer2013new.csv", "0,8,0,0,0,0,0,0,2,0")
    with pytest.raises(UsageError, match="lies in another folder than"):
        read_source(tmp_path, cache=tmp_path / "cache")
    write_fer2013(tmp_path / "b")
    with pytest.raises(UsageError, match=r"has a/fer2013.csv and b/fer2013.csv"):
        read_source(tmp_path, cache=tmp_path / "cache")


def test_a_list_of_rafdb_that_was_cut_off_is_refused(rafdb: Path) -> None:
    [table] = rafdb.rglob("list_patition_label.txt")
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(UsageError, match=r"has 1 more, such as .*fetch the list again"):
        read_source(rafdb)


def copies(folder: Path, n: int) -> None:
    """So many files that are called images."""
    folder.mkdir(parents=True)
    for number in range(n):
        (folder / f"{number}.png").touch()


BY_THE_ALPHABET = ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def test_numbers_that_follow_the_alphabet_by_their_counts_are_refused(tmp_path: Path) -> None:
    own = NUMBERINGS["affectnet"] | {"7": CONTEMPT}
    for name, order in (("own", own), ("anew", dict(enumerate(BY_THE_ALPHABET)))):
        for number, label in order.items():
            n = round(IMAGES["affectnet"][label] / 500)
            copies(tmp_path / name / "train" / str(number), n)
            copies(tmp_path / name / "val" / str(number), 2)
    assert classes(read_source(tmp_path / "own", "affectnet"), "train").count("happy") > 50
    with pytest.raises(UsageError, match=r"by the alphabet, .* --labels 0=angry,1=contempt,2=disg"):
        read_source(tmp_path / "anew", "affectnet")
    said = ",".join(f"{n}={label}" for n, label in enumerate(BY_THE_ALPHABET))
    assert labels_in(read_source(tmp_path / "anew", "affectnet", labels=said).how)


@pytest.mark.parametrize("most", [20_000, 5_000])
def test_the_alphabet_is_seen_where_large_classes_were_cut(most: int) -> None:
    images = {label: min(most, n) for label, n in IMAGES["affectnet"].items()}
    own = NUMBERINGS["affectnet"] | {"7": CONTEMPT}
    assert alphabetical({n: images[label] for n, label in own.items()}, "affectnet") == {}
    anew = {str(n): label for n, label in enumerate(BY_THE_ALPHABET)}
    assert alphabetical({n: images[one] for n, one in anew.items()}, "affectnet") == anew


@pytest.mark.parametrize("kind", ["rafdb", "fer2013", "affectnet"])
@pytest.mark.parametrize("share", [1.0, 0.1])
def test_the_own_numbers_of_a_set_are_never_taken_for_the_alphabet(kind: str, share: float) -> None:
    rng = np.random.default_rng(1)
    images = {label: rng.binomial(n, share) for label, n in IMAGES[kind].items()}
    numbers = sorted(NUMBERINGS[kind], key=int)
    own = {number: images[NUMBERINGS[kind][number]] for number in numbers}
    anew = {number: images[label] for number, label in zip(numbers, EXPRESSIONS, strict=True)}
    assert alphabetical(own, kind) == {}
    assert alphabetical(anew, kind) == dict(zip(numbers, EXPRESSIONS, strict=True))
    assert alphabetical(dict.fromkeys(numbers, 500), kind) == {}


def test_a_table_of_fer2013_that_was_numbered_by_the_alphabet_is_refused(tmp_path: Path) -> None:
    pixels = " ".join(["7"] * 48 * 48)
    for name, order in (("own", FER2013_ORDER), ("anew", EXPRESSIONS)):
        rows = [
            f"{number},{pixels},Training\n"
            for number, label in enumerate(order)
            for _ in range(round(IMAGES["fer2013"][label] / 100))
        ]
        (tmp_path / name).mkdir()
        (tmp_path / name / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "".join(rows))
    assert classes(read_source(tmp_path / "own"), "train").count("happy") == 90
    with pytest.raises(UsageError, match=r"FER2013 has by the alphabet, 0=angry"):
        read_source(tmp_path / "anew")


def test_a_list_of_affectnet_that_corrects_its_folders_says_how_often(tmp_path: Path) -> None:
    rows = []
    for n, label in enumerate(EXPRESSIONS):
        save(tmp_path / "x" / label / f"{n}.png")
        rows.append(f"{n},{label}/{n}.png,{'sad' if label == 'angry' else label},0.8\n")
    table = tmp_path / "x" / "labels.csv"
    table.write_text(",pth,label,relFCs\n" + "".join(rows))
    source = read_source(tmp_path / "x")
    assert classes(source, "all").count("sad") == 2
    assert source.how.endswith(", 1 of 7 images in the folder of another class")
    table.write_text(table.read_text().replace("angry/0.png,sad", "angry/0.png,angry"))
    assert "folder of another" not in read_source(tmp_path / "x").how
