"""A stored network as TFLite and ONNX: the same answers, a card in the file, an example that runs."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from btfer.bench.datasets import load_release, load_training
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.edge.card import read_card
from btfer.bench.edge.export import ExportSpec, calibration_images, export
from btfer.bench.edge.measure import (
    EdgeRequest,
    EdgeRow,
    exported,
    loss_interval,
    measure_run,
)
from btfer.bench.edge.report import TITLES, keep_row, kept_rows, printed, write_edge
from btfer.bench.edge.runtimes import load_file
from btfer.bench.runs.inputs import input_spec
from btfer.bench.runs.record import RunDefinition
from btfer.bench.runs.store import RunStore, TrainedRun
from btfer.errors import MissingExtra, UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import KeptLines, draw_folder, draw_release
from tests.bench.stored_runs import DEFINITION, store


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a release, a training set and one run."""
    folder = tmp_path_factory.mktemp("data")
    release = load_release(draw_release(folder / "releases" / "r1", 3))
    draw_folder(folder / "training" / "faces", 4)
    store(folder / "runs", release)
    return folder


@pytest.fixture(scope="module")
def run(data_dir: Path) -> TrainedRun:
    return RunStore(data_dir / "runs").find("abcd")


def answers(file: Path, data_dir: Path) -> tuple[np.ndarray, np.ndarray]:
    """What a file says of the release, and what the run's network said."""
    images = load_release(data_dir / "releases" / "r1")
    pixels = load_pixels(images, 48, data_dir / "runs" / "_cache")
    table = pd.read_parquet(data_dir / "runs" / "abcd12345678" / "predictions_btfer.parquet")
    columns = [f"p_{name}" for name in EXPRESSIONS]
    return load_file(file, threads=1).run(pixels.astype(np.float32)), table[columns].to_numpy()


@pytest.mark.parametrize(
    ("spec", "tolerance"),
    [(ExportSpec(), 1e-4), (ExportSpec(quantize="int8"), 0.12), (ExportSpec("onnx"), 1e-4)],
    ids=lambda value: value.name if isinstance(value, ExportSpec) else "",
)
def test_a_file_says_the_same_and_tells_what_it_is(
    spec: ExportSpec, tolerance: float, run: TrainedRun, data_dir: Path, tmp_path: Path
) -> None:
    file = export(run, spec, tmp_path, lambda: calibration_images(run, data_dir))
    said, before = answers(file, data_dir)
    assert np.abs(said - before).max() < tolerance
    card = read_card(file)
    assert card is not None
    assert card["classes"] == list(EXPRESSIONS)
    assert card["input"]["width_px"] == 48
    assert card["input"]["dtype"] == ("uint8" if spec.quantize == "int8" else "float32")
    picture = data_dir / "releases" / "r1" / "images" / "happy" / "100.png"
    done = subprocess.run(
        [sys.executable, tmp_path / "example.py", picture], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shown = dict(line.split() for line in done.stdout.splitlines())
    assert list(shown) == list(EXPRESSIONS)
    place = load_release(data_dir / "releases" / "r1").files.index("images/happy/100.png")
    assert [float(one) for one in shown.values()] == pytest.approx(said[place], abs=0.0006)


def test_bytes_are_bytes_for_int8_whatever_it_was_calibrated_with(
    run: TrainedRun, tmp_path: Path
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    dull = np.full((3, 48, 48, 3), 120, np.uint8)
    file = export(run, ExportSpec(quantize="int8"), tmp_path, lambda: dull)
    network = Interpreter(str(file))
    scale, zero = network.get_input_details()[0]["quantization"]
    assert (scale, zero) == (pytest.approx(1, abs=1e-6), 0)
    assert load_file(file).run(dull[:1].astype(np.float32)).shape == (1, 7)


@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_the_example_resizes_as_the_network_was_trained(
    name: str, run: TrainedRun, data_dir: Path, tmp_path: Path
) -> None:
    near = {**DEFINITION, "protocol": DEFINITION["protocol"] | {"resize": "nearest"}}
    trained = replace(run, record=run.record.changed(definition=RunDefinition(near)))
    file = export(trained, ExportSpec(name), tmp_path, lambda: None)
    picture = tmp_path / "striped.png"
    stripes = np.zeros((200, 150, 3), np.uint8)
    stripes[::3, :, 1] = 255
    Image.fromarray(stripes).save(picture)
    script = tmp_path / "example.py"
    done = subprocess.run([sys.executable, script, picture], capture_output=True, text=True)
    said = [float(line.split()[1]) for line in done.stdout.splitlines()]
    expected = load_file(file).run(trained.input_spec.images([stripes]).astype(np.float32))[0]
    area = load_file(file).run(run.input_spec.images([stripes]).astype(np.float32))[0]
    assert said == pytest.approx(expected, abs=0.0006)
    assert np.abs(area - expected).max() > 0.01
    for words, told in ((["none.png"], "none.png is no image file"), ([], "nothing is no image")):
        done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
        assert done.returncode == 1
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_pictures_for_int8_are_of_the_training_set_and_none_is_an_error(
    run: TrainedRun, data_dir: Path, tmp_path: Path
) -> None:
    pictures = calibration_images(run, data_dir)
    learnt = len(load_training(data_dir / "training" / "faces").train_indices)
    assert (pictures.shape, pictures.dtype) == ((learnt, 48, 48, 3), np.uint8)
    assert 0 < learnt < 28  # what validates is not among them
    with pytest.raises(UsageError, match="--calibration FOLDER"):
        calibration_images(run, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"--calibration .*empty holds no image"):
        calibration_images(run, tmp_path, tmp_path / "empty")


def test_pictures_for_int8_need_no_classes(run: TrainedRun, tmp_path: Path) -> None:
    folder = tmp_path / "of my camera ? 1"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (9, 7), (80 * number, 0, 0)).save(folder / f"{number}.png")
    pictures = calibration_images(run, tmp_path, folder)
    assert pictures[:, 0, 0, 0].tolist() == [0, 80, 160]
    (folder / "2.png").write_bytes(b"no image")
    with pytest.raises(UsageError, match=r"--calibration: .*2\.png cannot be read"):
        calibration_images(run, tmp_path, folder)


@pytest.mark.parametrize(
    ("format_", "quantize", "words"),
    [("pb", "none", "tflite, onnx"), ("tflite", "int4", "int8"), ("onnx", "int8", "tflite")],
)
def test_what_cannot_be_exported_is_told(format_: str, quantize: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ExportSpec(format_, quantize)


def test_without_the_runtime_the_extra_is_named(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.tflite").write_bytes(b"TFL3")
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtra, match=r"btfer\[bench\]"):
        load_file(tmp_path / "model.tflite")


def test_a_run_is_named_by_id_folder_or_network(data_dir: Path, run: TrainedRun) -> None:
    runs = RunStore(data_dir / "runs")
    for text in ("abcd", "abcd12345678", "sequential_4conv", str(run.folder)):
        assert runs.find(text).folder == run.folder
    with pytest.raises(
        UsageError, match=r"unknown run 'ab'; choose one of sequential_4conv 48 \(abcd12345678\)"
    ):
        runs.find("ab")
    assert [one.record.id for one in runs.with_network()] == ["abcd12345678"]


@pytest.mark.parametrize("spec", [ExportSpec(), ExportSpec("onnx")], ids=lambda spec: spec.name)
def test_a_network_that_learnt_in_half_precision_is_exported_in_full(
    spec: ExportSpec, data_dir: Path, tmp_path: Path
) -> None:
    store(tmp_path / "runs", load_release(data_dir / "releases" / "r1"), half=True)
    half = RunStore(tmp_path / "runs").find("abcd")
    file = export(half, spec, tmp_path / "out", lambda: calibration_images(half, data_dir))
    said, _ = answers(file, data_dir)
    spread = np.random.default_rng(1).random((4, 48, 48, 3)).astype(np.float32)
    assert half.network()(spread).dtype == "float32"
    before = pd.read_parquet(half.folder / "predictions_btfer.parquet")
    columns = [f"p_{name}" for name in EXPRESSIONS]
    assert np.abs(said - before[columns].to_numpy()).max() < 0.05


def test_a_grey_network_gets_grey_pixels_in_its_own_range() -> None:
    spec = input_spec(RunDefinition(DEFINITION | {"architecture": "mediapipe_vggnet"}))
    green = np.zeros((2, 48, 48, 3), np.uint8)
    green[..., 1] = 200
    values = spec.values(green)
    assert values.shape == (2, 48, 48, 1)
    assert values == pytest.approx(0.587 * 200, abs=0.01)


def test_the_interval_of_a_loss_holds_it_and_is_narrow_for_many_pictures() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 7, 2000)
    before = rng.random(2000) < 0.6
    after = before & (rng.random(2000) < 0.95)
    low, high = loss_interval(labels, before, after)
    assert low < before.mean() - after.mean() < high < low + 0.03
    assert loss_interval(labels, before, before) == (0, 0)


def test_another_calibration_makes_another_file(
    run: TrainedRun, data_dir: Path, tmp_path: Path
) -> None:
    spec = ExportSpec(quantize="int8")
    own = exported(run, spec, EdgeRequest(data_dir))
    first = own.read_bytes()
    stamp = own.stat().st_mtime_ns
    assert exported(run, spec, EdgeRequest(data_dir)).stat().st_mtime_ns == stamp
    other = draw_folder(tmp_path / "other", 3, first=50)
    exported(run, spec, EdgeRequest(data_dir, calibration=other))
    assert own.read_bytes() != first
    stamp = own.stat().st_mtime_ns
    elsewhere = EdgeRequest(tmp_path)  # without the training set, what is there is used
    assert exported(run, spec, elsewhere).stat().st_mtime_ns == stamp


def test_measurements_of_other_forms_runs_and_days_stay(tmp_path: Path) -> None:
    row = EdgeRow("a", "lenet5", 48, "tflite", 1, 1, 1, 5, 9, 1, "r1", 100, 0.4, digest="d")
    for folder in ("a", "b", "cv/fold-1"):
        (tmp_path / folder).mkdir(parents=True)
        keep_row(replace(row, run=folder), tmp_path / folder)
    keep_row(replace(row, form="onnx"), tmp_path / "a")
    keep_row(replace(row, median_ms=4), tmp_path / "a")
    kept = [(one.run, one.form, one.median_ms) for one in kept_rows(tmp_path)]
    assert kept == [
        ("a", "tflite", 4),
        ("a", "onnx", 5),
        ("b", "tflite", 5),
        ("cv/fold-1", "tflite", 5),
    ]
    folder = write_edge(kept_rows(tmp_path), tmp_path / "reports")
    assert (folder / "edge.csv").read_text().count("\n") == 5
    (tmp_path / "a" / "edge.json").write_text("{")
    with pytest.raises(UsageError, match=r"edge.json is damaged"):
        kept_rows(tmp_path)


@pytest.mark.slow  # a process with TensorFlow
def test_edge_measures_the_trained_network_and_each_form(
    run: TrainedRun, data_dir: Path, tmp_path: Path
) -> None:
    told = KeptLines()
    request = EdgeRequest(data_dir, seconds=0.02, specs=(ExportSpec(),))
    table = pd.read_parquet(run.record.predictions_path)
    table.loc[table.index < 2, "counts"] = False
    table.to_parquet(run.record.predictions_path)
    trained, small = measure_run(run, request, told)
    assert (trained.form, small.form, small.images) == ("keras", "tflite", 19)
    assert trained.accuracy == small.accuracy
    assert (small.loss, small.loss_low, small.loss_high, small.remark) == (0, 0, 0, "")
    for row in (trained, small):
        assert 0 < row.median_ms <= row.p95_ms
        assert row.memory_mb > 1
    assert small.memory_mb < trained.memory_mb  # TensorFlow is not in it
    folder = write_edge([trained, small], tmp_path)
    assert (folder / "edge.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "edge.csv").read_text().count("\n") == 3
    assert all(len(row) == len(TITLES) for row in printed([trained, small]))


def test_a_loss_of_two_hundredths_is_pointed_out(run: TrainedRun) -> None:
    row = EdgeRow("a", "lenet5", 48, "tflite-int8", 1, 1, 1, 1, 1, 1, "r1", 100, 0.4, 0.019)
    assert row.remark == ""
    assert "loses 0.020 accuracy" in replace(row, loss=0.02).remark
