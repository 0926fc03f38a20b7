"""Tables that other people hand in: the truth beside the answer, row numbers, foreign classes, odd numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.systems.prediction_files import read_predictions, score_file
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import KeptLines, draw_release

Row = dict[str, object]


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """Four pictures a class, each with a name of its own, as in a release."""
    found = load_release(draw_release(tmp_path / "release", 4))
    names = tuple(f"images/{n:02d}.png" for n in range(len(found)))
    return ImageSet("release", found.root, names, found.labels, {}, found.digest)


def truth(images: ImageSet, n: int) -> str:
    return EXPRESSIONS[images.labels[n]]


@pytest.fixture
def table(images: ImageSet, tmp_path: Path) -> Callable[[Callable[[str, str, int], Row]], Path]:
    """A CSV with a row for each picture. row: file, label, number -> cells by column."""

    def write(row: Callable[[str, str, int], Row]) -> Path:
        rows = [row(file, truth(images, n), n) for n, file in enumerate(images.files)]
        lines = [list(rows[0]), *(one.values() for one in rows)]
        path = tmp_path / "theirs.csv"
        path.write_text("".join(",".join(map(str, line)) + "\n" for line in lines))
        return path

    return write


def sevenths(said: str, much: object = 0.4) -> Row:
    return {f"p_{name}": much if name == said else 0.1 for name in EXPRESSIONS}


TRUTH_BESIDE = {
    "label": lambda f, c, n: {"file": f, "label": c, "pred": "sad"},
    "emotion, under a name of one's own": lambda f, c, n: {"file": f, "emotion": c, "vgg": "sad"},
    "two answers": lambda f, c, n: {"file": f, "pred": "happy", "answer": "sad"},
}


@pytest.mark.parametrize("row", TRUTH_BESIDE.values(), ids=TRUTH_BESIDE)
def test_where_two_columns_may_be_the_answer_the_user_says_which(
    row: Callable[[str, str, int], Row], images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(row)
    with pytest.raises(UsageError, match=r"may be the answer; say which with --column"):
        read_predictions(file, images)
    last = file.read_text().splitlines()[0].split(",")[-1]
    found = read_predictions(file, images, last.upper())
    assert found.argmax(axis=1).tolist() == [EXPRESSIONS.index("sad")] * len(images)
    with pytest.raises(UsageError, match=f"'sadly'; choose one of .*{last}"):
        read_predictions(file, images, "sadly")


OWN_LABELS = {
    "the release's metadata.csv": lambda f, c, n: {"file_name": f, "label": c, "gender": "woman"},
    "all but one": lambda f, c, n: {"file": f, "emotion": c if n else ""},
    "as 0 and 1": lambda f, c, n: {"file": f} | {name: int(name == c) for name in EXPRESSIONS},
    "as 0 and 100 %": lambda f, c, n: (
        {"file": f} | {name: "100%" if name == c else "0%" for name in EXPRESSIONS}
    ),
}


@pytest.mark.parametrize("row", OWN_LABELS.values(), ids=OWN_LABELS)
def test_the_releases_own_labels_are_no_answers(
    row: Callable[[str, str, int], Row], images: ImageSet, table: Callable[..., Path]
) -> None:
    with pytest.raises(UsageError, match="the release's own labels"):
        read_predictions(table(row), images)


def test_a_column_that_is_named_for_truth_is_not_looked_at(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(lambda f, c, n: {"file": f, "y_true": c, "y_pred": "fear"})
    assert set(read_predictions(file, images).argmax(axis=1)) == {EXPRESSIONS.index("fear")}


@pytest.mark.parametrize("cell", ["0.9", "90 %", "0,9", "9.3"], ids=str)
def test_smoothed_labels_are_labels_too(cell: str, images: ImageSet, tmp_path: Path) -> None:
    per_class, low = 15, "0" if "%" in cell else "0.0166667"
    names = tuple(f"images/{n:03d}.png" for n in range(7 * per_class))
    labels = np.repeat(np.arange(7), per_class)
    many = ImageSet("release", images.root, names, labels, {}, images.digest)
    file, right = tmp_path / "theirs.csv", list(labels)

    def write() -> None:
        lines = [";".join(["file", *EXPRESSIONS])]
        for name, place in zip(names, right, strict=True):
            lines.append(";".join([name, *(cell if n == place else low for n in range(7))]))
        file.write_text("\n".join(lines))

    write()
    with pytest.raises(UsageError, match="the release's own labels, with the same numbers for"):
        read_predictions(file, many)
    found = read_predictions(file, many, "probabilities")
    assert found.argmax(axis=1).tolist() == labels.tolist()
    right[0], right[20] = right[20], right[0]  # hard answers of a network, not all of them right
    write()
    assert read_predictions(file, many).argmax(axis=1).tolist() == right


IMAGE_COLUMNS = {
    "row number": lambda f, c, n: {"id": n + 500, "filename": f, "predicted": c},
    "name without a folder": lambda f, c, n: {"path": "/data/x", "image": f[7:], "predicted": c},
}


@pytest.mark.parametrize("row", IMAGE_COLUMNS.values(), ids=IMAGE_COLUMNS)
def test_the_column_that_names_images_of_the_release_is_taken(
    row: Callable[[str, str, int], Row], images: ImageSet, table: Callable[..., Path]
) -> None:
    assert read_predictions(table(row), images).argmax(axis=1).tolist() == images.labels.tolist()


def test_two_columns_that_name_different_images_are_refused(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    last = len(images) - 1
    file = table(lambda f, c, n: {"id": f"{last - n:02d}", "file": f, "predicted": c})
    with pytest.raises(UsageError, match=r"columns file and id both|columns id and file both"):
        read_predictions(file, images)


def test_an_answer_that_is_no_class_of_ours_is_wrong_or_left_out_and_told(
    images: ImageSet, table: Callable[..., Path], tmp_path: Path
) -> None:
    file = table(lambda f, c, n: {"file": f, "predicted": "Contempt" if n % 4 == 0 else c})
    told = KeptLines()
    wrong = score_file(tmp_path / "runs", file, "one", images, progress=told)
    assert told.lines == [
        "7 answers are no class of angry, disgust, fear, happy, neutral, sad, surprise: "
        "counted as wrong (--other-classes)"
    ]
    assert wrong.metrics["cross_domain"]["accuracy"] == pytest.approx(0.75)
    assert wrong.metrics["cross_domain"]["recall_per_class"]["sad"] == pytest.approx(0.75)
    assert wrong.coverage == 1
    dropped = score_file(tmp_path / "runs", file, "one", images, others="drop")
    assert dropped.metrics["cross_domain"]["accuracy"] == 1
    assert dropped.metrics["cross_domain"]["images"] == 21
    assert dropped.id != wrong.id
    with pytest.raises(UsageError, match="line 2: unknown expression class 'hapy'"):
        read_predictions(table(lambda f, c, n: {"file": f, "predicted": "hapy"}), images)


def test_no_answer_is_a_wrong_one_with_coverage_beside(
    images: ImageSet, table: Callable[..., Path], tmp_path: Path
) -> None:
    file = table(
        lambda f, c, n: {"file": f, "predicted": c if n % 4 else ("", "no face")[n % 8 > 0]}
    )
    told = KeptLines()
    record = score_file(tmp_path / "runs", file, "one", images, progress=told)
    scores = record.metrics["cross_domain"]
    assert (scores["accuracy"], scores["coverage"], scores["accuracy_answered"]) == (0.75, 0.75, 1)
    assert record.unanswered == 7
    assert "7 of 28 images have no answer" in told.lines[0]


@pytest.mark.parametrize("cell", ["inf", "1e308", "nan", "", "-0.1", "4 euro"])
def test_a_cell_that_is_no_probability_is_refused_with_its_row(
    cell: str, images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(lambda f, c, n: {"file": f} | sevenths("sad", cell if n == 3 else 0.4))
    with pytest.raises(UsageError, match=r"line 5: .*(not a|not prob)"):
        read_predictions(file, images)


def test_an_answer_in_words_must_agree_with_the_probabilities_beside(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(lambda f, c, n: {"file": f, "label": c, "predicted": "sad"} | sevenths("sad"))
    assert set(read_predictions(file, images).argmax(axis=1)) == {EXPRESSIONS.index("sad")}
    file = table(lambda f, c, n: {"file": f, "predicted": "happy"} | sevenths("sad"))
    with pytest.raises(UsageError, match=r"line 2: predicted is 'happy', and the .* say sad"):
        read_predictions(file, images)
    assert np.ptp(read_predictions(file, images, "predicted").argmax(axis=1)) == 0
    assert read_predictions(file, images, "probabilities")[0].max() == pytest.approx(0.4)


def named(how: str) -> Callable[[str, str, int], Row]:
    return lambda f, c, n: {"image": f} | {how.format(name): v for name, v in shares(c).items()}


def shares(said: str) -> dict[str, float]:
    return {name: 0.4 if name == said else 0.1 for name in EXPRESSIONS}


OF_OTHER_TOOLS: dict[str, Callable[[str, str, int], Row]] = {
    "py-feat: the image is its input": lambda f, c, n: {"AU01": 0.3} | shares(c) | {"input": f},
    "pandas: the image is an index without a name": lambda f, c, n: {"": f} | shares(c),
    "deepface, flattened by pandas": named("emotion.{}"),
    "names around": named("prob_{}"),
    "names behind": named("{}_score"),
    "percentages": lambda f, c, n: {"file": f} | {k: f"{v:.2%}" for k, v in shares(c).items()},
}


@pytest.mark.parametrize("row", OF_OTHER_TOOLS.values(), ids=OF_OTHER_TOOLS)
def test_probabilities_are_read_as_other_tools_write_them(
    row: Callable[[str, str, int], Row], images: ImageSet, table: Callable[..., Path]
) -> None:
    found = read_predictions(table(row), images)
    assert found.argmax(axis=1).tolist() == images.labels.tolist()
    assert found.max(axis=1) == pytest.approx(0.4)


def test_a_german_spreadsheet_is_read(images: ImageSet, table: Callable[..., Path]) -> None:
    file = table(lambda f, c, n: {"Bild": n, "image": f} | shares(c))
    text = file.read_text().replace(",", ";").replace(";0.", ";0,")
    file.write_bytes(text.encode("utf-8-sig"))
    found = read_predictions(file, images)
    assert found.max(axis=1) == pytest.approx(0.4)


def test_numbers_that_are_rather_scores_are_told(
    images: ImageSet, table: Callable[..., Path], tmp_path: Path
) -> None:
    file = table(lambda f, c, n: {"f": f} | {k: v * (1 + n) for k, v in shares(c).items()})
    said = KeptLines()
    score_file(tmp_path / "runs", file, "", images, progress=said)
    assert any("sum to between 1 and 28" in line for line in said.lines)
    plain = KeptLines()
    file = table(lambda f, c, n: {"f": f} | shares(c) | {"contempt": 0.0})
    score_file(tmp_path / "runs", file, "", images, progress=plain)
    assert plain.lines == []


ONE_LINE: dict[str, tuple[Callable[[str, str, int], Row], str]] = {
    "a row for each class": (lambda f, c, n: {"file": "images/00.png", "label": c}, r"pivot\("),
    "numbers": (lambda f, c, n: {"file": f, "pred": n % 7}, "'0' is a number"),
    "numbers with a point": (lambda f, c, n: {"file": f, "pred": float(n % 7)}, "is a number"),
    "as transformers writes it": (
        lambda f, c, n: {"file": f, "label": f"LABEL_{n % 7}"},
        "'LABEL_0' is a number",
    ),
    "no image": (lambda f, c, n: {"frame": n, "AU01_r": 1}, "its columns are: frame, AU01_r"),
}


@pytest.mark.parametrize(("row", "words"), ONE_LINE.values(), ids=ONE_LINE)
def test_what_cannot_be_scored_says_what_to_do(
    row: Callable[[str, str, int], Row], words: str, images: ImageSet, table: Callable[..., Path]
) -> None:
    with pytest.raises(UsageError, match=words):
        read_predictions(table(row), images)


def test_a_column_is_asked_for_as_it_is_written(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(lambda f, c, n: {"file": f, "label": c, "Label": "sad"})
    assert read_predictions(file, images, "Label").argmax(axis=1).tolist() == [5] * len(images)
    with pytest.raises(UsageError, match="may be any of label, Label"):
        read_predictions(file, images, "LABEL")


def test_a_row_of_nan_is_an_image_without_an_answer(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(
        lambda f, c, n: {"file": f} | (shares(c) if n else dict.fromkeys(shares(c), "nan"))
    )
    assert np.isnan(read_predictions(file, images)).any(axis=1).sum() == 1


SPELLINGS = {
    "a word before": "pred_{}",
    "words before": "prediction.scores.{}",
    "a number before": "0_{}",
    "a number and a dash before": "3 - {}",
    "softmax": "softmax_{}",
    "percent behind": "{} (%)",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_what_tools_write_around_the_name_of_a_class_is_read_past(
    spelling: str, images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(
        lambda f, c, n: (
            {"file": f} | {spelling.format(one): 0.4 if one == c else 0.1 for one in EXPRESSIONS}
        )
    )
    assert read_predictions(file, images).argmax(axis=1).tolist() == images.labels.tolist()


def test_logits_beside_probabilities_are_left_alone(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    def row(file: str, label: str, n: int) -> Row:
        return {"file": file} | sevenths(label) | {f"logit_{one}": -n for one in EXPRESSIONS}

    found = read_predictions(table(row), images)
    assert found.argmax(axis=1).tolist() == images.labels.tolist()


NOT_SEVEN = {
    "two sets": (
        lambda f, c, n: {"file": f} | sevenths(c) | dict.fromkeys(EXPRESSIONS, n),
        "p_angry and angry both mean angry: leave one set",
    ),
    "a name of nobody's": (
        lambda f, c, n: (
            {"file": f} | {one if one != "neutral" else "neutrality": 1 for one in EXPRESSIONS}
        ),
        "none names neutral; the other columns are: neutrality$",
    ),
    "parted by a bar": (lambda f, c, n: {"file|pred": f"{f}|{c}"}, r"one column.*not by '\|'"),
    "a dictionary in a cell": (
        lambda f, c, n: {"file": f, "emotion": f"{{'{c}': 0.4}}"},
        "line 2: .*holds a list.*json_normalize",
    ),
    "logits": (
        lambda f, c, n: {"file": f} | sevenths(c, -1),
        "angry -1, disgust 0.1, .*take the softmax first",
    ),
    "zeros": (
        lambda f, c, n: {"file": f} | dict.fromkeys(EXPRESSIONS, 0),
        "without an answer is a row with empty cells",
    ),
    "a word of nobody's": (
        lambda f, c, n: {"file": f, "pred": "Wut"},
        "unknown expression class 'Wut'.*an empty cell where there is no answer",
    ),
}


@pytest.mark.parametrize(("row", "words"), NOT_SEVEN.values(), ids=NOT_SEVEN)
def test_columns_and_cells_that_cannot_be_right_say_what_to_do(
    row: Callable[[str, str, int], Row], words: str, images: ImageSet, table: Callable[..., Path]
) -> None:
    with pytest.raises(UsageError, match=words):
        read_predictions(table(row), images)


def test_a_table_without_a_header_is_said_to_have_none(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(lambda f, c, n: {"file": f, "pred": c})
    file.write_text(file.read_text().partition("\n")[2])
    with pytest.raises(UsageError, match=r"has no header: its first line is the image 'images/00"):
        read_predictions(file, images)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.xlsx", r"read_excel\('a.xlsx'\).to_csv\('answers.csv', index=False\)"),
        ("a.jsonl", r"read_json\('a.jsonl', lines=True\)"),
        ("a.parquet", "read_parquet"),
        ("a.csv.gz", "is packed: unpack it first"),
    ],
)
def test_other_formats_are_named_with_what_makes_a_csv_of_them(
    name: str, words: str, images: ImageSet, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b\0")
    with pytest.raises(UsageError, match=words):
        read_predictions(tmp_path / name, images)


def test_equal_highest_numbers_are_told(images: ImageSet, table: Callable[..., Path]) -> None:
    file = table(lambda f, c, n: {"file": f} | sevenths(c, 0.4 if n else 0.1))
    progress = KeptLines()
    read_predictions(file, images, progress=progress)
    assert any(one.startswith("1 of 28 images have the same highest") for one in progress.lines)


def test_images_are_found_by_the_end_of_a_path_and_by_an_address(tmp_path: Path) -> None:
    """The drawn release has `000.png` in every class: a name alone says nothing there."""
    images = load_release(draw_release(tmp_path / "release", 2))
    forms = (
        "/rel/{}".format,
        lambda f: "C:\\rel\\" + f.replace("/", "\\"),
        lambda f: "file:///a%20b/" + f.replace("/", "%2F"),
        lambda f: "/".join(f.split("/")[-2:]),
    )
    lines = [
        f"{forms[n % 4](file)},{EXPRESSIONS[images.labels[n]]}"
        for n, file in enumerate(images.files)
    ]
    (tmp_path / "p.csv").write_text("\n".join(["file,pred", *lines]))
    found = read_predictions(tmp_path / "p.csv", images)
    assert found.argmax(axis=1).tolist() == images.labels.tolist()
    (tmp_path / "p.csv").write_text("file,pred\n100.png,sad\n")
    with pytest.raises(UsageError, match=r"called as images/angry/100.png"):
        read_predictions(tmp_path / "p.csv", images)


@pytest.mark.parametrize("answer", ["3", "LABEL_3", "[sad happy]", "frightened"])
@pytest.mark.parametrize("name", ["pred", "pred_idx", "Predicted class", "prediction"])
def test_names_beside_an_answer_that_cannot_be_read_are_not_taken_for_it(
    name: str, answer: str, images: ImageSet, table: Callable[..., Path]
) -> None:
    """What was searched for, say, which is right more often than any network."""
    file = table(lambda f, c, n: {"file": f, "emotion": "sad" if n % 5 == 0 else c, name: answer})
    with pytest.raises(UsageError, match=rf"any of emotion, {name} may be the answer; say which"):
        read_predictions(file, images)


def test_how_sure_an_answer_is_makes_it_no_other_answer(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    file = table(lambda f, c, n: {"file": f, "emotion": "sad", "pred_score": 0.5, "prob": 0.5})
    assert (read_predictions(file, images).argmax(axis=1) == EXPRESSIONS.index("sad")).all()


@pytest.mark.parametrize("text", ['[[{"label": "sad"}]]', '{"file": "a.png"}\n', "\ufeff[\n {}]"])
def test_json_under_another_name_is_called_json(
    text: str, images: ImageSet, tmp_path: Path
) -> None:
    (tmp_path / "answers.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"answers.csv holds JSON, whatever it is called"):
        read_predictions(tmp_path / "answers.csv", images)


def test_a_face_that_was_not_found_does_not_make_scores_of_probabilities(
    images: ImageSet, table: Callable[..., Path]
) -> None:
    said = KeptLines()
    rows = table(lambda f, c, n: {"file": f, **(sevenths(c) if n else sevenths("", "no face"))})
    rows.write_text(
        rows.read_text().replace("0.1,0.1,0.1,0.1,0.1,0.1,0.1", ",".join(["no face"] * 7))
    )
    found = read_predictions(rows, images, progress=said)
    assert np.isnan(found[0]).all()
    assert said.lines == []


def test_a_number_with_underscores_is_none(images: ImageSet, table: Callable[..., Path]) -> None:
    file = table(lambda f, c, n: {"file": f, **sevenths(c, "1_000")})
    with pytest.raises(UsageError, match="'1_000', not a number"):
        read_predictions(file, images)


def lowest_is_best(file: str, label: str, number: int) -> Row:
    """Distances, of a network that is right of six in seven."""
    nearest = EXPRESSIONS[number % 7] if number % 7 == 0 else label
    return {"file": file, **{name: 1 if name == nearest else 6 for name in EXPRESSIONS}}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (lowest_is_best, "guessing gives 14.3%: are the classes in another order, or are low"),
        (lambda f, c, n: {"file": f, "answer": "sad"}, "all 280 answers are sad: look at how"),
        (lambda f, c, n: {"file": f, "answer": EXPRESSIONS[n % 7]}, ""),
        (lambda f, c, n: {"file": f, "answer": c if n % 4 else "sad"}, ""),
    ],
    ids=["distances", "one class for all", "a guesser", "a good one"],
)
def test_answers_that_can_hardly_be_meant_are_told(
    row: Callable[[str, str, int], Row], words: str, tmp_path: Path
) -> None:
    labels = np.arange(280) // 40
    images = ImageSet(
        "r", tmp_path, tuple(f"{n:03d}.png" for n in range(280)), labels, {}, "ab" * 32
    )
    rows = [row(file, EXPRESSIONS[labels[n]], n) for n, file in enumerate(images.files)]
    lines = [list(rows[0]), *(one.values() for one in rows)]
    (tmp_path / "a.csv").write_text("".join(",".join(map(str, line)) + "\n" for line in lines))
    said = KeptLines()
    score_file(tmp_path / "runs", tmp_path / "a.csv", "", images, progress=said)
    odd = [line for line in said.lines if "guessing" in line or "answers are" in line]
    assert (len(odd), words in "".join(odd)) == (bool(words), True)


@pytest.mark.parametrize("name", ["net\x1b[31m", "two\nlines", "net\u202egnp", "x" * 256])
def test_a_name_that_would_steer_a_terminal_is_refused(
    name: str, images: ImageSet, table: Callable[..., Path], tmp_path: Path
) -> None:
    file = table(lambda f, c, n: {"file": f, "answer": "sad"})
    with pytest.raises(UsageError, match=r"is no name for reports: .* with --name"):
        score_file(tmp_path / "runs", file, name, images)
    assert not (tmp_path / "runs").exists()
