"""Files that other people trained: Keras with classes in another order, ONNX as PyTorch writes it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.edge.runtimes import Runnable
from btfer.bench.systems.input_card import InputCard
from btfer.bench.systems.model_file import (
    answers_of,
    as_probabilities,
    card_of_labels,
    probabilities_of,
    score_network,
)
from btfer.bench.systems.networks import AskedNetwork, OpenNetwork, open_network
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import KeptLines, draw_release

ORDER = ("surprise", "sadness", "contempt", "neutral", "happiness", "fear", "disgust", "anger")


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return load_release(draw_release(tmp_path / "release", 2))


def keras_file(path: Path, channels: int = 3) -> Path:
    """Says happiness, the fifth of ORDER, of every picture."""
    inputs = keras.Input((32, 32, channels))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(8, activation="softmax")(x))
    bias = np.zeros(8)
    bias[4] = 3
    model.layers[-1].set_weights([np.zeros((channels, 8)), bias])
    model.save(path)
    return path


def onnx_file(path: Path) -> Path:
    """Colours first, logits: each class has a channel's mean times a number."""
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weight = np.zeros((3, 7), np.float32)
    weight[0, 3] = 10  # red speaks for the fourth
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["said"]),
    ]
    number = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("picture", number, [1, 3, 24, 24])],
        [helper.make_tensor_value_info("said", number, [1, 7])],
        [numpy_helper.from_array(weight, "weight")],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


def said(file: Path, card: InputCard | None, images: ImageSet, cache: Path) -> np.ndarray[Any, Any]:
    """Probabilities in label order."""
    return answers_of(open_network(AskedNetwork(file, card)), images, cache).probabilities


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "RGB"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore")
def test_outputs_of_a_keras_file_go_by_name(
    channels: int, ending: str, images: ImageSet, tmp_path: Path
) -> None:
    file = keras_file(tmp_path / f"m.{ending}", channels)
    found = said(file, InputCard(classes=ORDER), images, tmp_path / "cache")
    assert {EXPRESSIONS[n] for n in found.argmax(axis=1)} == {"happy"}
    assert np.allclose(found.sum(axis=1), 1)


def test_an_onnx_file_with_colours_first_and_logits_is_read(
    images: ImageSet, tmp_path: Path
) -> None:
    file = onnx_file(tmp_path / "m.onnx")
    names = tuple(reversed(EXPRESSIONS))  # the fourth is neutral nonetheless: happy
    claimed = {"accuracy": 0.9, "on": "RAF-DB test"}
    card = InputCard.model_validate({"classes": names, "claimed": claimed, "licence": "MIT"})
    record = score_network(tmp_path / "runs", AskedNetwork(file, card), "", images)
    recall = record.metrics["cross_domain"]["recall_per_class"]
    assert recall == {name: float(name == "happy") for name in EXPRESSIONS}
    assert (record.definition.architecture, record.definition.resolution) == ("m", 24)
    kept = json.loads((record.folder / "run.json").read_text())["card"]
    assert kept["claimed"] == claimed | {"source": ""}
    assert (kept["licence"], kept["input"]["classes"]) == ("MIT", list(names))
    again = score_network(tmp_path / "runs", AskedNetwork(file, card), "", images)
    assert (again.id, len(list((tmp_path / "runs").glob("*/run.json")))) == (record.id, 1)


def test_another_card_is_another_run_and_another_claim_is_not(
    images: ImageSet, tmp_path: Path
) -> None:
    file = onnx_file(tmp_path / "m.onnx")
    ids = {}
    for name, more in {
        "plain": {},
        "BGR": {"channels": "BGR"},
        "mean": {"mean": (0.5,)},
        "licence": {"licence": "MIT"},
    }.items():
        card = InputCard.model_validate({"classes": EXPRESSIONS} | more)
        ids[name] = score_network(tmp_path / "runs", AskedNetwork(file, card), "", images).id
    assert len(set(ids.values())) == 3
    assert ids["licence"] == ids["plain"]


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (None, "--labels angry,disgust"),
        (InputCard(classes=EXPRESSIONS), "8 outputs, and 7 names"),
        (InputCard(classes=ORDER, size=48), "takes images of 32 px, and its card says size = 48"),
        (InputCard(classes=ORDER, channels="grey"), "which is not grey"),
        (InputCard(classes=ORDER, layout="NCHW"), "which is not RGB channels first"),
    ],
    ids=["no names", "too few", "size", "grey", "layout"],
)
def test_a_card_that_does_not_fit_the_network_is_refused(
    card: InputCard | None, words: str, images: ImageSet, tmp_path: Path
) -> None:
    file = keras_file(tmp_path / "m.keras")
    with pytest.raises(UsageError, match=words):
        said(file, card, images, tmp_path / "cache")


def test_a_file_that_is_no_network_is_told(images: ImageSet, tmp_path: Path) -> None:
    card = InputCard(classes=ORDER)
    for name in ("m.onnx", "m.tflite", "m.keras", "m.txt"):
        (tmp_path / name).write_bytes(b"no network")
        with pytest.raises(UsageError, match=name):
            open_network(AskedNetwork(tmp_path / name, card))
    with pytest.raises(UsageError, match="is not a file"):
        open_network(AskedNetwork(tmp_path / "none.onnx", card))
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="is no network's folder: config"):
        open_network(AskedNetwork(tmp_path / "folder", card))
    with pytest.raises(UsageError, match="--weights is for --model-file timm:NAME"):
        open_network(AskedNetwork(tmp_path / "m.onnx", card, weights=tmp_path / "w.pt"))
    with pytest.raises(UsageError, match="needs --weights"):
        open_network(AskedNetwork(Path("timm:resnet18"), card))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_keras_file_that_would_run_code_is_refused(ending: str, tmp_path: Path) -> None:
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Lambda(lambda v: v * 2)(inputs)
    x = keras.layers.Dense(7)(keras.layers.GlobalAveragePooling2D()(x))
    file = tmp_path / f"m.{ending}"
    keras.Model(inputs, x).save(file)
    with pytest.raises(UsageError, match="has a Lambda layer, whose code could do anything"):
        open_network(AskedNetwork(file, InputCard(classes=EXPRESSIONS)))


def test_the_range_of_pixels_is_read_or_refused() -> None:
    assert card_of_labels("", "0,1") is None
    card = card_of_labels(",".join(EXPRESSIONS), "-1,1", bgr=True)
    assert card == InputCard(classes=EXPRESSIONS, range=(-1, 1), channels="BGR")
    with pytest.raises(UsageError, match="is not a range; write LOW"):
        card_of_labels("a", "255")
    with pytest.raises(UsageError, match="must be a finite number, got inf"):
        card_of_labels(",".join(EXPRESSIONS), "0,inf")


def test_what_outputs_are_goes_by_the_card() -> None:
    sums_to_1 = np.array([[0.2, 0.8], [0.5, 0.5]])
    assert as_probabilities(sums_to_1).tolist() == sums_to_1.tolist()
    softened = as_probabilities(sums_to_1 + 1, "logits")
    assert softened[0, 1] == pytest.approx(1 / (1 + np.exp(-0.6)))
    with pytest.raises(ValueError, match='already: its card needs outputs = "probabilities"'):
        as_probabilities(sums_to_1, "logits")
    with pytest.raises(ValueError, match='needs outputs = "logits"'):
        as_probabilities(sums_to_1 * 5, "probabilities")


def test_what_a_sigmoid_says_is_divided_by_its_sum_and_told() -> None:
    network = OpenNetwork("net", "", ORDER, Runnable((3, 8, 8), lambda values: values))
    rows = np.full((2, 8), 0.1)
    rows[0, ORDER.index("fear")] = rows[1, ORDER.index("sadness")] = 0.9
    lines = KeptLines()
    found = probabilities_of(rows, network, lines)
    assert found.max(axis=1).tolist() == pytest.approx([0.9 / 1.5] * 2)
    [line] = lines.lines
    assert "as those of a sigmoid: they were divided by their sum; if they are logits, " in line
    for kind, highest in (("sigmoid", 0.9 / 1.5), ("logits", 1 / (1 + 6 * np.exp(-0.8)))):
        card = InputCard(classes=ORDER, outputs=kind)
        found = probabilities_of(rows, replace(network, card=card), lines)
        assert found.max(axis=1).tolist() == pytest.approx([highest] * 2)
    assert lines.lines == [line]
    for kind, given, needed in (
        ("probabilities", rows, "sigmoid"),
        ("sigmoid", rows * 5, "logits"),
        ("sigmoid", rows - 1, "logits"),
    ):
        card = InputCard(classes=ORDER, outputs=kind)
        with pytest.raises(UsageError, match=f'its card needs outputs = "{needed}"'):
            probabilities_of(given, replace(network, card=card))
    nothing = probabilities_of(rows * np.array([[0], [1]]), network)  # as a rounded sigmoid may say
    assert np.isnan(nothing[0]).all()


def test_a_network_that_says_the_same_of_every_face_is_told() -> None:
    network = OpenNetwork("net", "", ORDER, Runnable((3, 8, 8), lambda values: values))
    lines = KeptLines()
    probabilities_of(np.tile(np.arange(8.0), (3, 1)), network, lines)
    assert "net says the same of every face" in lines.lines[0]


def test_a_row_that_is_all_contempt_is_no_answer() -> None:
    network = OpenNetwork("net", "", ORDER, Runnable((3, 8, 8), lambda values: values))
    rows = np.eye(8)[[ORDER.index("contempt"), ORDER.index("fear")]]
    found = probabilities_of(rows, network)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [float(name == "fear") for name in EXPRESSIONS]
    with pytest.raises(UsageError, match=r"numbers that are none \(NaN or infinite\)"):
        probabilities_of(rows * np.nan, network)


def onnx_of(
    path: Path, shape: list[Any], kind: str = "FLOAT", *, inputs: int = 1, layout: str = "NCHW"
) -> Path:
    """Logits: the mean of each colour, three times over; takes the type `kind`."""
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    places = [2, 3] if layout == "NCHW" else [1, 2]
    weight = np.eye(3, 7, dtype=np.float32)
    nodes = [
        helper.make_node("Cast", ["x0"], ["real"], to=types.FLOAT),
        helper.make_node("ReduceMean", ["real"], ["mean"], axes=places, keepdims=0),
        helper.make_node("MatMul", ["mean", "weight"], ["said"]),
    ]
    given = [
        helper.make_tensor_value_info(f"x{n}", getattr(types, kind), shape) for n in range(inputs)
    ]
    out = [helper.make_tensor_value_info("said", types.FLOAT, [shape[0], 7])]
    kept = [onnx.numpy_helper.from_array(weight, "weight")]
    graph = helper.make_graph(nodes, "g", given, out, kept)
    opset = [helper.make_opsetid("", 11)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


ONNX_KINDS: dict[str, dict[str, Any]] = {
    "a batch of 5": {"shape": [5, 3, 24, 24]},
    "a batch of 64": {"shape": [64, 3, 24, 24]},
    "half precision": {"shape": ["N", 3, 24, 24], "kind": "FLOAT16"},
    "double precision": {"shape": ["N", 3, 24, 24], "kind": "DOUBLE"},
    "bytes": {"shape": ["N", 3, 24, 24], "kind": "UINT8"},
    "colours last": {"shape": ["N", 24, 24, 3], "layout": "NHWC"},
}


@pytest.mark.parametrize("options", ONNX_KINDS.values(), ids=ONNX_KINDS)
def test_an_onnx_file_of_another_kind_says_the_same(
    options: dict[str, Any], images: ImageSet, tmp_path: Path
) -> None:
    card = InputCard(classes=EXPRESSIONS, range=(0, 255))
    plain = onnx_of(tmp_path / "plain.onnx", ["N", 3, 24, 24])
    wanted = said(plain, card, images, tmp_path / "cache")
    found = said(onnx_of(tmp_path / "m.onnx", **options), card, images, tmp_path / "cache")
    assert np.allclose(found, wanted, atol=0.01)


ONNX_ODD: dict[str, tuple[dict[str, Any], str]] = {
    "not square": ({"shape": ["N", 3, 24, 32]}, "takes images of 32 x 24 px"),
    "two inputs": ({"shape": ["N", 3, 24, 24], "inputs": 2}, "takes 2 inputs"),
    "bytes as shares": (
        {"shape": ["N", 3, 24, 24], "kind": "UINT8"},
        r"its card needs range = \[0, 255\]",
    ),
}


@pytest.mark.parametrize("what", ONNX_ODD)
def test_an_onnx_file_that_takes_something_else_is_refused(
    what: str, images: ImageSet, tmp_path: Path
) -> None:
    options, words = ONNX_ODD[what]
    file = onnx_of(tmp_path / "m.onnx", **options)
    with pytest.raises(UsageError, match=words):
        said(file, InputCard(classes=EXPRESSIONS), images, tmp_path / "cache")


def test_what_a_runtime_refuses_is_one_line(images: ImageSet, tmp_path: Path) -> None:
    """The layer takes 3 colours of any size, and the one behind it 24 pixels only."""
    file = tmp_path / "m.keras"
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.Reshape((1728,))(inputs)).save(file)
    card = InputCard(classes=EXPRESSIONS, size=32)
    with pytest.raises(UsageError, match=r"m.keras cannot be run on images of \(32, 32, 3\)") as e:
        said(file, card, images, tmp_path / "cache")
    assert len(str(e.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["net.onnx", "net.keras", "net.tflite"])
def test_a_pointer_of_git_lfs_is_named(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    with pytest.raises(UsageError, match="is only a pointer of Git LFS"):
        open_network(AskedNetwork(file, InputCard(classes=EXPRESSIONS)))


class OwnLayer(keras.layers.Layer):
    """One that btfer does not know."""

    def call(self, values: Any) -> Any:
        return values


@pytest.mark.filterwarnings("ignore")
def test_a_keras_file_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    inputs = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    rows = keras.layers.Dense(7)(pooled)
    keras.Model(inputs, [rows, pooled]).save(tmp_path / "two.keras")
    keras.Model(inputs, OwnLayer()(rows)).save(tmp_path / "own.keras")
    keras.Model(inputs, OwnLayer()(rows)).save(tmp_path / "own.h5")
    keras.Model(inputs, keras.layers.Lambda(lambda x: x)(rows)).save(tmp_path / "lambda.keras")
    keras.Model(inputs, rows).save_weights(tmp_path / "net.weights.h5")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"x")
    for name, words in {
        "two.keras": "gives 2 tables of numbers",
        "own.keras": "has a layer 'OwnLayer' whose code is not in the file: export it as ONNX",
        "own.h5": "has a layer 'OwnLayer' whose code is not in the file: export it as ONNX",
        "lambda.keras": "has a Lambda layer",
        "net.weights.h5": "holds weights alone",
        "saved": "is a SavedModel of TensorFlow: convert it to TFLite",
    }.items():
        with pytest.raises(UsageError, match=words):
            open_network(AskedNetwork(tmp_path / name, InputCard(classes=EXPRESSIONS)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_tensorflow_says_nothing_of_its_own_when_a_keras_file_is_read(tmp_path: Path) -> None:
    file = keras_file(tmp_path / "m.keras")
    code = f"from btfer.bench.edge.runtimes import load_keras; load_keras({str(file)!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
