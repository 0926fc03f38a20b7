"""Files that other people trained: Keras with classes in another order, ONNX as PyTorch writes it."""

from pathlib import Path

import keras
import numpy as np
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.systems.model_file import Reading, ask_file, reading_of, score_model_file
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


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "RGB"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore")
def test_outputs_of_a_keras_file_go_by_name(
    channels: int, ending: str, images: ImageSet, tmp_path: Path
) -> None:
    file = keras_file(tmp_path / f"m.{ending}", channels)
    said, side = ask_file(file, Reading(ORDER), images, tmp_path / "cache")
    assert side == 32
    assert {EXPRESSIONS[n] for n in said.argmax(axis=1)} == {"happy"}
    assert np.allclose(said.sum(axis=1), 1)


def test_an_onnx_file_with_colours_first_and_logits_is_read(
    images: ImageSet, tmp_path: Path
) -> None:
    file = onnx_file(tmp_path / "m.onnx")
    names = tuple(reversed(EXPRESSIONS))  # the fourth is neutral nonetheless: happy
    record = score_model_file(tmp_path / "runs", file, "", Reading(names), images)
    recall = record.metrics["cross_domain"]["recall_per_class"]
    assert recall == {name: float(name == "happy") for name in EXPRESSIONS}
    assert (record.definition.architecture, record.definition.resolution) == ("m", 24)


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (None, "--labels angry,disgust"),
        (Reading(ORDER[:-1]), "8 outputs, and 7 names"),
        (Reading((*ORDER[:-1], "boredom")), "means angry"),
    ],
    ids=["no names", "too few", "a class is missing"],
)
def test_names_that_do_not_fit_the_outputs_are_refused(
    reading: Reading | None, words: str, images: ImageSet, tmp_path: Path
) -> None:
    file = keras_file(tmp_path / "m.keras")
    with pytest.raises(UsageError, match=words):
        ask_file(file, reading, images, tmp_path / "cache")


def test_a_file_that_is_no_network_is_told(images: ImageSet, tmp_path: Path) -> None:
    for name in ("m.onnx", "m.tflite", "m.keras", "m.txt"):
        (tmp_path / name).write_bytes(b"no network")
        with pytest.raises(UsageError, match=name):
            ask_file(tmp_path / name, Reading(ORDER), images, tmp_path / "cache")
    with pytest.raises(UsageError, match="is not a file"):
        ask_file(tmp_path / "none.onnx", Reading(ORDER), images, tmp_path / "cache")


def test_the_range_of_pixels_is_read_or_refused() -> None:
    assert reading_of("", "0,1") is None
    assert reading_of("a, b", "-1,1", bgr=True) == Reading(("a", "b"), -1, 1, True)
    with pytest.raises(UsageError, match="is not a range; write LOW,HIGH"):
        reading_of("a", "255")
