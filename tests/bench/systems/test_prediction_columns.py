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


@pytest.mark.parametrize("cell", ["inf", "1e308", "nan", "", "-0.1", "4 %"])
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
