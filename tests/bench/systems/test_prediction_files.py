import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.report import results_table
from btfer.bench.runs.store import RunStore
from btfer.bench.systems.prediction_files import (
    AnswerSource,
    by_class,
    keep_run,
    read_predictions,
    score_file,
)
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import draw_release

SHUFFLED = ("Happiness", "sadness", "Fearful", "anger", "Neutral", "surprised", "DISGUST")
MEANT = ("happy", "sad", "fear", "angry", "neutral", "surprise", "disgust")


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return load_release(draw_release(tmp_path / "release", 2))


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def probabilities(images: ImageSet) -> list[dict[str, Any]]:
    """Right for the first picture of each class, `sad` for the second; the last row first."""
    rows = []
    for number, file in enumerate(images.files):
        said = EXPRESSIONS[images.labels[number]] if number % 2 == 0 else "sad"
        numbers = {
            name: 0.7 if meant == said else 0.05
            for name, meant in zip(SHUFFLED, MEANT, strict=True)
        }
        rows.append({"Contempt": 9.0, **numbers, "image": file})
    return rows[::-1]


def test_classes_are_mapped_by_name_and_names_of_no_class_left_out() -> None:
    named = dict.fromkeys(SHUFFLED, 0.1) | {"Happiness": 0.2, "contempt": 5.0}
    assert by_class(named) == pytest.approx([0.125, 0.125, 0.125, 0.25, 0.125, 0.125, 0.125])


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"happy": 1.0}, "means angry, disgust"),
        (dict.fromkeys((*EXPRESSIONS, "anger"), 0.1), "two of the names"),
        (dict.fromkeys(EXPRESSIONS, 0.0), "not probabilities"),
        (dict.fromkeys(EXPRESSIONS, 1.0) | {"sad": -1.0}, "not probabilities"),
    ],
    ids=["missing", "twice", "zero", "negative"],
)
def test_names_that_do_not_fit_are_refused(named: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        by_class(named)


def test_a_csv_of_any_framework_is_scored_and_reported_like_a_run(
    images: ImageSet, tmp_path: Path
) -> None:
    file = write(tmp_path / "theirs.csv", probabilities(images))
    record = score_file(tmp_path / "runs", file, "theirs", images)
    assert record.metrics["cross_domain"]["accuracy"] == pytest.approx(8 / 14, abs=1e-6)
    [row] = results_table(RunStore(tmp_path / "runs").all())
    assert (row.architecture, row.train_set, row.state) == ("theirs", "external", "done")
    assert row.cross_accuracy == record.metrics["cross_domain"]["accuracy"]
    assert row.val_accuracy is None
    table = pd.read_parquet(tmp_path / "runs" / record.id / "predictions_btfer.parquet")
    assert list(table["file"]) == list(images.files)
    assert table["p_sad"].iloc[1] == pytest.approx(0.7)
    assert score_file(tmp_path / "runs", file, "theirs", images).id == record.id


def test_pictures_may_be_named_in_any_way_and_labels_are_enough(
    images: ImageSet, tmp_path: Path
) -> None:
    forms = [
        lambda file: file,
        lambda file: Path(file).name,
        lambda file: Path(file).stem,
        lambda file: "C:\\faces\\" + Path(file).name,
    ]
    # Two pictures of a class have names of their own in a release; the drawn ones have not.
    unique = ImageSet(
        images.name,
        images.root,
        tuple(f"images/x/{n}.png" for n in range(14)),
        images.labels,
        {},
        images.digest,
    )
    rows = [
        {"File_Name": forms[n % 4](file), "emotion": "Joy" if n else "fearful"}
        for n, file in enumerate(unique.files)
    ]
    found = read_predictions(write(tmp_path / "p.csv", rows), unique)
    assert found[:, EXPRESSIONS.index("happy")].tolist() == [0.0] + [1.0] * 13
    assert found[0, EXPRESSIONS.index("fear")] == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[:-1], "13 of the 14 images"),
        (lambda rows: [*rows, rows[0]], "line 16: .*twice"),
        (lambda rows: [rows[0] | {"image": "other.png"}, *rows[1:]], "line 2: .*does not have"),
        (lambda rows: [rows[0] | {"anger": "much"}, *rows[1:]], "line 2: .*much"),
        (lambda rows: [{"image": row["image"]} for row in rows], "a column for each class"),
        (lambda rows: [{"x": n} for n, _ in enumerate(rows)], "names the image"),
    ],
    ids=["missing", "twice", "unknown", "no number", "no answer column", "no picture column"],
)
def test_a_csv_that_cannot_be_right_names_the_line(
    change: Any, words: str, images: ImageSet, tmp_path: Path
) -> None:
    unique = tuple(f"{n}.png" for n in range(len(images)))
    images = ImageSet(images.name, images.root, unique, images.labels, {}, images.digest)
    file = write(tmp_path / "p.csv", change(probabilities(images)))
    with pytest.raises(UsageError, match=words):
        read_predictions(file, images)


def test_a_picture_without_an_answer_counts_as_wrong_and_is_told(
    images: ImageSet, tmp_path: Path
) -> None:
    said = np.eye(7)[images.labels]
    said[3] = np.nan
    source = AnswerSource("test", "0")
    record = keep_run(tmp_path, "theirs", said, images, source)
    assert record.unanswered == 1
    scores = record.metrics["cross_domain"]
    assert scores["images"] == 14
    assert scores["accuracy"] == scores["coverage"] == pytest.approx(13 / 14, abs=1e-6)
    assert scores["accuracy_answered"] == 1
    with pytest.raises(UsageError, match="no answer for any"):
        keep_run(tmp_path, "theirs", np.full((14, 7), np.nan), images, source)
