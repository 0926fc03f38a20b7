"""Files that other people trained: Keras with classes in another order, ONNX as PyTorch writes it."""

import json
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
from tests.bench.conftest import draw_release

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
    with pytest.raises(UsageError, match="cannot be read"):
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
    softened = as_probabilities(sums_to_1, "logits")
    assert softened[0, 1] == pytest.approx(1 / (1 + np.exp(-0.6)))
    with pytest.raises(ValueError, match='needs outputs = "logits"'):
        as_probabilities(sums_to_1 * 5, "probabilities")


def test_a_row_that_is_all_contempt_is_no_answer() -> None:
    network = OpenNetwork("net", "", ORDER, Runnable((3, 8, 8), lambda values: values))
    rows = np.eye(8)[[ORDER.index("contempt"), ORDER.index("fear")]]
    found = probabilities_of(rows, network)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [float(name == "fear") for name in EXPRESSIONS]
    with pytest.raises(UsageError, match=r"numbers that are none \(NaN or infinite\)"):
        probabilities_of(rows * np.nan, network)
