from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.report.suspects import (
    TILE_PX,
    doubt_labels,
    find_suspects,
    read_suspects,
    write_suspects,
)
from btfer.bench.runs.store import RunStore
from btfer.bench.systems.prediction_files import AnswerSource, keep_run
from btfer.errors import Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import draw_release

WRONG = (5, 40, 77)  # places of labels that are wrong: the models know the true ones


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return load_release(draw_release(tmp_path / "releases" / "r1", 12))


def keep(runs_dir: Path, images: ImageSet, name: str, seed: int, skill: float = 4) -> None:
    """A run that is right but for noise, on the true labels."""
    true = images.labels.copy()
    true[list(WRONG)] = (true[list(WRONG)] + 3) % 7
    logits = np.random.default_rng(seed).normal(0, 0.7, (len(true), 7)) + skill * np.eye(7)[true]
    said = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    keep_run(runs_dir, name, said, images, AnswerSource(name, name))


def test_wrong_labels_are_found_and_a_poor_model_does_not_speak(
    images: ImageSet, tmp_path: Path
) -> None:
    for seed, name in enumerate("ab"):
        keep(tmp_path / "runs", images, name, seed)
    keep(tmp_path / "runs", images, "poor", 9, skill=-3)
    told = find_suspects(RunStore(tmp_path / "runs"), images)
    found = told.suspects
    assert (told.release, told.models) == ("r1", 1)
    assert told.accuracy > 0.9
    assert {one.file for one in found} == {images.files[place] for place in WRONG}
    assert all(one.agree == one.models == 1 for one in found)  # the better half of two
    assert [one.p_label for one in found] == sorted(one.p_label for one in found)
    of = {images.files[place]: images.labels[place] for place in WRONG}
    assert all(one.suggested == EXPRESSIONS[(of[one.file] + 3) % 7] for one in found)


def test_the_same_answers_under_many_names_speak_once(images: ImageSet, tmp_path: Path) -> None:
    for seed, name in enumerate("abcd"):
        keep(tmp_path / "runs", images, name, seed)
    for number in range(6):
        keep(tmp_path / "runs", images, f"d under name {number}", 3)
    told = find_suspects(RunStore(tmp_path / "runs"), images)
    assert told.models == 2  # the better half of four
    assert {one.file for one in told.suspects} == {images.files[place] for place in WRONG}


def test_the_table_and_the_sheet_are_written_and_read_again(
    images: ImageSet, tmp_path: Path
) -> None:
    keep(tmp_path / "runs", images, "a", 1)
    folder = tmp_path / "reports" / "2026-01-01"
    told = doubt_labels(tmp_path, folder)
    found, at = read_suspects(tmp_path / "reports")
    assert found == told.suspects
    assert len(found) == 3
    assert at > 1e9
    with Image.open(folder / "suspects.png") as sheet:
        assert sheet.size == (7 * TILE_PX, TILE_PX + 40)


def test_nothing_in_doubt_is_a_sheet_that_says_so(images: ImageSet, tmp_path: Path) -> None:
    write_suspects([], images, tmp_path / "reports" / "x")
    assert read_suspects(tmp_path / "reports")[0] == []


def test_without_a_good_run_or_a_report_the_next_command_is_named(
    images: ImageSet, tmp_path: Path
) -> None:
    with pytest.raises(Incomplete, match="no run was scored"):
        doubt_labels(tmp_path, tmp_path)
    keep(tmp_path / "runs", images, "poor", 9, skill=-3)
    with pytest.raises(Incomplete, match="twice chance"):
        find_suspects(RunStore(tmp_path / "runs"), images)
    with pytest.raises(Incomplete, match="run btfer report"):
        read_suspects(tmp_path / "reports")


def test_a_table_of_other_images_is_named(images: ImageSet, tmp_path: Path) -> None:
    keep(tmp_path / "runs", images, "a", 0)
    (table,) = (tmp_path / "runs").glob("*/predictions_*.parquet")
    pd.read_parquet(table).iloc[1:].to_parquet(table)
    with pytest.raises(UsageError) as refused:
        find_suspects(RunStore(tmp_path / "runs"), images)
    assert f"{table} has no prediction of {images.files[0]}" in str(refused.value)
