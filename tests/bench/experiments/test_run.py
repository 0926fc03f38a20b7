import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from btfer.bench.architectures import BACKBONE
from btfer.bench.datasets import load_training
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.experiments import grid
from btfer.bench.experiments.run import predict
from btfer.bench.report import results_table
from btfer.bench.report.crossings import crossings, matrix
from btfer.bench.report.results import results_frame
from btfer.bench.report.seed_groups import read_groups
from btfer.bench.runs.listing import run_rows
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.checkpoint import TrainingState, best_weights, set_weights
from btfer.bench.train.phases import ALL, HEAD, TrainingPlan, prepare, train
from btfer.bench.train.protocol import PAPER, Augmentation
from btfer.errors import BtferError, Busy, Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import only_one
from tests.bench.conftest import (
    draw_folder,
    draw_release,
    put_tiny,
    run_tiny,
    tiny_network,
)

Bench = Callable[..., list[dict[str, Any]]]


class Killed(BaseException):
    """Ends a training as a kill would: nothing catches it."""


def draw_faces(folder: Path) -> Path:
    draw_folder(folder / "train", 6)
    draw_folder(folder / "test", 2, first=50)
    return folder


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return draw_faces(tmp_path / "faces")


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one run of one epoch on `faces`."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as monkeypatch:
        put_tiny(monkeypatch)
        [run] = run_tiny(
            folder / "data", training={"faces": draw_faces(folder / "faces")}, epochs=1
        )
    assert run["state"] == "done"
    return folder / "data"


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path) -> dict[str, Any]:
    """That run, in the data folder of `bench_tiny`."""
    shutil.copytree(trained_once, tmp_path / "data")
    [record] = (tmp_path / "data" / "runs").glob("*/run.json")
    kept: dict[str, Any] = json.loads(record.read_text())
    return kept


def feeds(faces: Path, cache: Path) -> tuple[ImageBatches, ImageBatches]:
    split = load_training(faces)
    pixels = [load_pixels(one, 48, cache) for one in (split.train, split.validation)]
    learn = ImageBatches(
        pixels[0],
        split.train.labels,
        split.train_indices,
        classes=7,
        batch_size=16,
        augmentation=Augmentation(),
    )
    check = ImageBatches(pixels[1], split.validation.labels, split.validation_indices, classes=7)
    return learn, check


def fit(
    folder: Path, faces: Path, *, epochs: int = 2, kill_at: int = 0
) -> tuple[Any, TrainingState]:
    import keras

    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(1)
    model = tiny_network((48, 48, 3), 7)

    def tell(row: dict[str, float]) -> None:
        if row["epoch"] == kill_at:
            raise Killed

    learn, check = feeds(faces, folder / "cache")
    plan = TrainingPlan(PAPER, dict.fromkeys(range(7), 1.0), two_phases=True, epochs=epochs)
    return model, train(model, learn, check, plan, folder, tell)


@pytest.mark.slow
def test_phase_1_trains_the_head_only_and_phase_2_everything(tmp_path: Path, faces: Path) -> None:
    import keras

    keras.utils.set_random_seed(1)
    start = tiny_network((48, 48, 3), 7)
    model, progress = fit(tmp_path / "run", faces)
    after_1 = tiny_network((48, 48, 3), 7)
    set_weights(after_1, best_weights(tmp_path / "run", HEAD))

    def backbone(one: Any) -> list[Any]:
        return list(one.get_layer(BACKBONE).get_weights())

    assert all(map(np.array_equal, backbone(start), backbone(after_1)))
    assert not np.array_equal(start.get_weights()[-2], after_1.get_weights()[-2])
    assert not any(map(np.array_equal, backbone(after_1), backbone(model)))
    assert [row["phase"] for row in progress.history] == [HEAD, HEAD, ALL, ALL]


def test_freezing_reaches_every_variable_of_the_backbone() -> None:
    model = tiny_network((48, 48, 3), 7)
    every = len(model.trainable_variables)
    prepare(model, PAPER, HEAD)
    assert model.get_layer(BACKBONE).trainable_variables == []
    prepare(model, PAPER, ALL)
    assert len(model.trainable_variables) == every


@pytest.mark.parametrize(
    "kill_at",
    [
        pytest.param(2, id="at the end of phase 1", marks=pytest.mark.slow),
        pytest.param(3, id="in phase 2", marks=pytest.mark.slow),
    ],
)
def test_a_killed_training_ends_as_one_that_was_not(
    tmp_path: Path, faces: Path, kill_at: int
) -> None:
    whole, expected = fit(tmp_path / "whole", faces)
    with pytest.raises(Killed):
        fit(tmp_path / "cut", faces, kill_at=kill_at)
    resumed, progress = fit(tmp_path / "cut", faces)
    assert [row["epoch"] for row in progress.history] == [1, 2, 3, 4]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert progress.history[-1]["loss"] == pytest.approx(expected.history[-1]["loss"], abs=1e-4)


@pytest.mark.slow
def test_a_killed_training_keeps_count_of_epochs_without_progress(
    tmp_path: Path, faces: Path
) -> None:
    """Steered by wrong labels, no epoch is better than the first: three more, and it stops."""
    import keras

    impatient = replace(PAPER, plateau_patience=1, stop_patience=3)
    plan = TrainingPlan(impatient, dict.fromkeys(range(7), 1.0), False, epochs=9, rate=0.01)

    def run(name: str, kill_at: int = 0) -> list[tuple[float, float]]:
        def tell(row: dict[str, float]) -> None:
            if row["epoch"] == kill_at:
                raise Killed

        (tmp_path / name).mkdir(exist_ok=True)
        keras.utils.set_random_seed(1)
        learn, check = feeds(faces, tmp_path / "cache")
        check.labels = (check.labels + 1) % 7
        done = train(tiny_network((48, 48, 3), 7), learn, check, plan, tmp_path / name, tell)
        return [(row["epoch"], row["learning_rate"]) for row in done.history]

    whole = run("whole")
    assert 3 < len(whole) < 9
    assert whole[-1][1] < whole[0][1]
    with pytest.raises(Killed):
        run("cut", kill_at=len(whole) - 1)
    assert run("cut") == whole


def test_a_run_leaves_its_files_and_is_not_repeated(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    release = draw_release(tmp_path / "r1")
    [run] = bench_tiny(training={"faces": faces}, release=release)
    folder = tmp_path / "data" / "runs" / run["id"]
    names = {one.name for one in folder.iterdir() if not one.name.startswith(".")}
    assert names == {
        "run.json",
        "history.csv",
        "model.keras",
        "curves.png",
        "confusion.png",
        "predictions_val.parquet",
        "predictions_btfer.parquet",
    }
    assert json.loads((folder / "run.json").read_text()) == run
    assert run["state"] == "done"
    table = pd.read_parquet(folder / "predictions_btfer.parquet")
    assert len(table) == 28
    assert table[[f"p_{name}" for name in EXPRESSIONS]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert set(table["age"]) == {"adult"}

    told: list[str] = []
    assert bench_tiny(training={"faces": faces}, release=release, on_progress=told.append) == [run]
    assert not any("epoch" in text for text in told)


@pytest.mark.slow
def test_another_release_is_only_predicted_and_the_first_one_kept(
    bench_tiny: Bench, faces: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    told: list[str] = []
    options: dict[str, Any] = {"training": {"faces": faces}, "epochs": 1}
    options["on_progress"] = told.append
    first_release = draw_release(tmp_path / "r1")
    [first] = bench_tiny(release=first_release, **options)
    second_release = draw_release(tmp_path / "r2", 5, first=300)
    [second] = bench_tiny(release=second_release, **options)
    assert first["id"] == trained["id"]
    assert (first["id"], second["release"]["name"]) == (second["id"], "r2")
    assert second["metrics"]["cross_domain"]["images"] == 35
    assert not any("epoch" in text for text in told)
    told.clear()
    [again] = bench_tiny(release=first_release, **options)
    assert again["release"] == first["release"]
    assert again["metrics"] == first["metrics"]
    assert not any("scoring" in text for text in told)
    folder = tmp_path / "data" / "runs" / first["id"]
    assert sorted(len(pd.read_parquet(one)) for one in folder.glob("predictions_btfer*")) == [
        28,
        35,
    ]


@pytest.mark.slow
def test_a_run_is_scored_on_the_held_out_part_of_every_other_set_once(
    bench_tiny: Bench, faces: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    other = draw_folder(tmp_path / "other", 4, first=200)
    sets = {"faces": faces, "other": other, "again": faces}
    told: list[str] = []
    options: dict[str, Any] = {"training": sets, "epochs": 1, "on_progress": told.append}
    first, learnt_other, _ = bench_tiny(cross=True, **options)
    assert first["id"] == trained["id"]  # what a network is tested on does not change what it is
    assert list(learnt_other["other_sets"]) == ["faces", "again"]
    [scored] = first["other_sets"].values()
    assert (list(first["other_sets"]), scored["scores"]["images"]) == (["other"], 14)
    folder = tmp_path / "data" / "runs"
    table = pd.read_parquet(folder / first["id"] / scored["predictions"])
    right = (table["label"] == table["predicted"]).mean()
    assert scored["scores"]["accuracy"] == pytest.approx(right)
    store = RunStore(folder)
    shown = matrix(crossings(results_frame(read_groups(store.all()))))
    assert set(shown.tested) == {"faces, held out", "other, held out", "again, held out"}
    assert {one.training_set: one.cells.count(None) for one in shown.lines}["other"] == 0
    told.clear()
    bench_tiny(cross=True, **options)
    assert not any("scoring" in text or "epoch" in text for text in told)


@pytest.mark.slow
def test_what_a_training_set_holds_of_the_release_is_told_and_recorded(
    bench_tiny: Bench, faces: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    asked: list[str] = []
    told: list[str] = []

    def leaks(name: str) -> dict[str, Any]:
        asked.append(name)
        return {"faces": 3, "images": 28, "digest": "0" * 64}

    runs = bench_tiny(
        training={"mine": faces},
        release=draw_release(tmp_path / "r"),
        epochs=1,
        seeds=[1, 2],
        leaks=leaks,
        on_progress=told.append,
    )
    assert asked == ["mine"]
    assert "mine: 3 of the release's 28 faces are also in it" in told
    assert runs[0]["id"] == trained["id"]
    for run in runs:
        stored = json.loads((tmp_path / "data" / "runs" / run["id"] / "run.json").read_text())
        assert stored["leaks"] == {"faces": 3, "images": 28, "digest": "0" * 64}
    assert [
        row.leaks for row in results_table(RunRecord.from_json(one, Path()) for one in runs)
    ] == [3, 3]


def test_the_same_pictures_by_another_name_are_the_same_run_by_that_name(
    bench_tiny: Bench, faces: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    def leaks(name: str) -> dict[str, Any]:
        return {"faces": len(name), "images": 28, "digest": "0" * 64}

    options: dict[str, Any] = {"release": draw_release(tmp_path / "r"), "leaks": leaks}
    [first] = bench_tiny(training={"mine": faces}, epochs=1, **options)
    [second] = bench_tiny(training={"yours": faces}, epochs=1, **options)
    assert (first["id"], first["training"]) == (trained["id"], "mine")
    assert second["id"] == first["id"]
    assert (second["training"], second["leaks"]["faces"]) == ("yours", 5)


def test_leaks_are_not_written_over_what_another_process_scored_since(
    bench_tiny: Bench, faces: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"training": {"faces": faces}, "epochs": 1}

    def leaks(name: str) -> dict[str, Any]:
        bench_tiny(release=newer, **options)
        return {"faces": 1, "images": 28, "digest": "0" * 64}

    newer = draw_release(tmp_path / "r2", 5, first=300)
    [old] = bench_tiny(release=draw_release(tmp_path / "r1"), leaks=leaks, **options)
    stored = json.loads((tmp_path / "data" / "runs" / old["id"] / "run.json").read_text())
    assert (old["release"]["name"], stored["release"]["name"]) == ("r1", "r2")
    assert "leaks" not in stored


def test_leaks_that_another_process_searches_are_waited_for(
    bench_tiny: Bench,
    faces: Path,
    trained: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grid, "WAIT_SECONDS", 0.01)
    answers: list[Any] = [Busy("busy"), Busy("busy"), {"faces": 2, "images": 28, "digest": "0"}]

    def leaks(name: str) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Busy):
            raise answer
        return answer

    told: list[str] = []
    release = draw_release(tmp_path / "r")
    options: dict[str, Any] = {"release": release, "leaks": leaks, "on_progress": told.append}
    [run] = bench_tiny(training={"faces": faces}, epochs=1, **options)
    assert run["leaks"]["faces"] == 2
    assert told.count("busy; waiting for it") == 1


@pytest.mark.slow
def test_a_cell_that_was_busy_is_looked_at_again_at_the_end(
    bench_tiny: Bench, faces: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"training": {"faces": faces}, "epochs": 1}
    lock = ExitStack()
    lock.enter_context(only_one(tmp_path / "data" / "runs" / trained["id"], "run"))

    def let_go(text: str) -> None:
        if text.startswith("[2/2]"):
            lock.close()

    told: list[str] = []

    def hear(text: str) -> None:
        told.append(text)
        let_go(text)

    first, _ = bench_tiny(balances=["conservative", "simple"], on_progress=hear, **options)
    assert told.count("left out: another process is running it") == 1
    assert first == trained


def test_what_a_killed_run_left_is_cleared_away(
    bench_tiny: Bench, faces: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "runs" / trained["id"]
    for name in (".part-1a2b", "best-phase2.npz", "training.npz"):
        (folder / name).write_bytes(b"x")
    before = {one.name for one in folder.iterdir()}
    assert bench_tiny(training={"faces": faces}, epochs=1) == [trained]
    assert before - {one.name for one in folder.iterdir()} == {
        ".part-1a2b",
        "best-phase2.npz",
        "training.npz",
    }


def test_a_network_that_diverged_is_a_clear_error(faces: Path, tmp_path: Path) -> None:
    _, check = feeds(faces, tmp_path / "cache")
    model = tiny_network((48, 48, 3), 7)
    model.set_weights([np.full_like(one, np.nan) for one in model.get_weights()])
    with pytest.raises(BtferError, match="diverged"):
        predict(model, check)


def test_a_backend_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from btfer.bench import _load_keras; _load_keras()"],
        env=os.environ | {"KERAS_BACKEND": "bogus"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
    )
    assert "UsageError: KERAS_BACKEND=bogus cannot be used" in done.stderr


@pytest.mark.slow
def test_a_run_killed_after_an_epoch_goes_on_from_it_to_the_same_end(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    def kill(text: str) -> None:
        if "epoch 2" in text:
            raise Killed

    options: dict[str, Any] = {"training": {"faces": faces}, "epochs": 3, "protocol": "strict"}
    with pytest.raises(Killed):
        bench_tiny(**options, on_progress=kill)
    told: list[str] = []
    [run] = bench_tiny(**options, on_progress=told.append)
    assert [text for text in told if "epoch 1" in text or "epoch 2" in text] == []
    with (tmp_path / "data" / "runs" / run["id"] / "history.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]
    [whole] = bench_tiny(**options, data_dir=tmp_path / "uncut")
    assert (whole["id"], whole["metrics"]) == (run["id"], run["metrics"])
    tables = [
        pd.read_parquet(folder / "runs" / run["id"] / "predictions_test.parquet")
        for folder in (tmp_path / "data", tmp_path / "uncut")
    ]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.slow
def test_a_grey_network_is_fed_grey_pictures(bench_tiny: Bench, faces: Path) -> None:
    [run] = bench_tiny(training={"faces": faces}, architectures=["mediapipe_vggnet"], epochs=1)
    assert run["state"] == "done", run["error"]


@pytest.mark.slow
def test_a_failed_cell_is_recorded_and_the_grid_goes_on(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    for file in (faces / "train" / "fear").iterdir():
        file.unlink()
    failed, done = bench_tiny(training={"faces": faces}, balances=["simple", "none"], epochs=1)
    assert (failed["state"], done["state"]) == ("failed", "done")
    assert "no training image of fear" in failed["error"]
    stored = tmp_path / "data" / "runs" / failed["id"] / "run.json"
    assert json.loads(stored.read_text()) == failed


@pytest.mark.slow
def test_without_a_training_set_the_release_is_cross_validated(
    bench_tiny: Bench, tmp_path: Path
) -> None:
    release = draw_release(tmp_path / "r", 4)
    [run] = bench_tiny(release=release, epochs=1)
    assert run["training"] == "in-domain (k-fold)"
    assert list(run["metrics"]) == ["in_domain"]
    table = pd.read_parquet(tmp_path / "data" / "runs" / run["id"] / "predictions_btfer.parquet")
    assert sorted(table["file"]) == sorted(set(table["file"]))
    assert len(table) == run["metrics"]["in_domain"]["images"] == 28
    assert bench_tiny(release=release, epochs=1) == [run]


def test_options_that_cannot_be_right_stop_before_training(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    only = draw_release(tmp_path / "only", 2)
    for about_sets in ({"limit": 2}, {"split": "strict"}):
        with pytest.raises(UsageError, match="need a training set"):
            bench_tiny(release=only, **about_sets)
    for wrong in (
        {"weights": ["none", "imagenett"]},
        {"architectures": ["resnet19"]},
        {"balances": ["even"]},
        {"resolutions": [64]},
        {"weights": ["imagenet"]},
        {"protocol": "mine"},
        {"training": {}},
        {"cross": True},
    ):
        with pytest.raises(UsageError):
            bench_tiny(**{"training": {"faces": faces}} | wrong)
    assert not (tmp_path / "data" / "runs").exists()


@pytest.mark.slow
def test_a_strict_run_scores_a_test_part_that_it_never_saw(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    [run] = bench_tiny(training={"faces": faces}, protocol="strict", epochs=1)
    assert list(run["metrics"]) == ["validation", "test"]
    assert run["metrics"]["test"]["images"] == 14
    folder = tmp_path / "data" / "runs" / run["id"]
    tested = pd.read_parquet(folder / "predictions_test.parquet")
    steered = pd.read_parquet(folder / "predictions_val.parquet")
    assert all(file.startswith("test/") for file in tested["file"])
    assert all(file.startswith("train/") for file in steered["file"])
    assert sum(run["training_counts"]) + len(steered) == 42
    assert run["memory"]["process_mib"] > 10
    assert {"keras", "backend", "btfer"} <= run["definition"]["versions"].keys()
    [failed] = bench_tiny(training={"faces": faces}, protocol="strict", split="official")
    assert "no untouched test part" in failed["error"]


def test_a_dry_run_lists_cells_and_leaves_no_run(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    rows = bench_tiny(
        training={"RAF-DB": faces},
        grid="paper",
        architectures=["vgg16"],
        resolutions=[],
        balances=["simple"],
        weights=[],
        dry=True,
        limit=2,
        on_progress=told.append,
    )
    assert [row["training"] for row in rows[::6]] == ["fer2013", "affectnet", "RAF-DB"]
    assert {row["state"] for row in rows} == {"no set", "to do"}
    assert all(row["seconds"] > 0 for row in rows[12:])
    assert rows[0]["parameters"] == 14_879_815
    assert any("no training set fer2013, affectnet: looked for" in text for text in told)
    assert not list((tmp_path / "data" / "runs").glob("*/run.json"))


def test_a_release_is_not_trained_on_and_scored(bench_tiny: Bench, tmp_path: Path) -> None:
    release = draw_release(tmp_path / "r")
    with pytest.raises(UsageError, match="is the release r that is scored"):
        bench_tiny(training={"mine": release}, release=release)


@pytest.mark.slow
def test_runs_are_listed_with_their_state_and_scores_and_never_run_twice_at_once(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    with pytest.raises(Incomplete, match="no run in"):
        run_rows(RunStore(tmp_path / "data" / "runs"))

    def kill(text: str) -> None:
        if "epoch 1" in text:
            raise Killed

    with pytest.raises(Killed):
        bench_tiny(training={"faces": faces}, balances=["none"], on_progress=kill)
    [record] = (tmp_path / "data" / "runs").glob("*/run.json")
    with only_one(record.parent, "run"):  # as another job of an array
        [left] = bench_tiny(training={"faces": faces}, balances=["none"])
    assert left["state"] == "running"
    for file in (faces / "train" / "fear").iterdir():
        file.unlink()
    bench_tiny(training={"faces": faces}, balances=["simple"])
    rows = {row.balance: row for row in run_rows(RunStore(tmp_path / "data" / "runs"))}
    assert (rows["none"].state, rows["none"].epochs) == ("running", 1)
    assert rows["simple"].state == "failed"
    assert rows["simple"].validation is None


@pytest.mark.slow
def test_everything_of_a_recipe_at_once_is_trained_recorded_and_resumed(
    bench_tiny: Bench, faces: Path, tmp_path: Path
) -> None:
    recipe = {"label_smoothing": 0.1, "mixup": 0.2, "focal_gamma": 2.0, "sam_rho": 0.05}
    options: dict[str, Any] = {"training": {"faces": faces}, "epochs": 2}
    [run] = bench_tiny(recipe=recipe, **options)
    assert run["state"] == "done", run["error"]
    assert run["definition"]["recipe"] == recipe
    [plain] = bench_tiny(**options)
    assert (plain["id"] != run["id"], "recipe" in plain["definition"]) == (True, False)

    def kill(text: str) -> None:
        if "epoch 1 " in text:
            raise Killed

    again = options | {"data_dir": tmp_path / "other", "recipe": recipe}
    with pytest.raises(Killed):
        bench_tiny(**again, on_progress=kill)
    [resumed] = bench_tiny(**again)
    assert resumed["id"] == run["id"]
    with pytest.raises(UsageError, match="--soft-labels needs votes, and faces has none"):
        bench_tiny(recipe={"soft_labels": True}, **options)
