"""Other people's networks give here what they give in a few lines of their own framework, within 1e-5.

Each tiny network has random weights; its own lines read the pictures with Pillow and prepare them as the
framework's users do.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.systems.input_card import InputCard
from btfer.bench.systems.model_file import answers_of
from btfer.bench.systems.networks import AskedNetwork, open_network
from tests.bench.conftest import draw_release

CLASSES = ("surprise", "sadness", "contempt", "neutral", "happiness", "fear", "disgust", "anger")
LABELS = [CLASSES.index(name) for name in
          ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")]  # fmt: skip
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Array = np.ndarray[Any, Any]


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return load_release(draw_release(tmp_path / "release", 2))


def opened(images: ImageSet) -> list[Image.Image]:
    return [Image.open(images.root / file).convert("RGB") for file in images.files]


def standardised(images: ImageSet, side: int) -> Array:
    """float32 [N, side, side, 3], as torchvision's Resize, ToTensor and Normalize make it."""
    small = [one.resize((side, side), Image.Resampling.BILINEAR) for one in opened(images)]
    numbers = np.stack([np.asarray(one, np.float32) for one in small]) / 255
    return np.asarray((numbers - np.float32(MEAN)) / np.float32(STD), np.float32)


def of_classes(logits: Array) -> Array:
    """Softmax, without contempt, in label order."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))[:, LABELS]
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def check(asked: AskedNetwork, images: ImageSet, cache: Path, own: Array) -> None:
    said = answers_of(open_network(asked), images, cache)
    assert np.ptp(own, axis=0).max() > 1e-3  # the pictures make a difference
    assert np.abs(said.probabilities - own).max() < 1e-5


def tiny_keras() -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((24, 24, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(inputs)
    x = keras.layers.Dense(8)(keras.layers.Flatten()(x))
    return keras.Model(inputs, x)


CARD = InputCard(classes=CLASSES, size=24, mean=MEAN, std=STD, resize="bilinear", outputs="logits")


def test_a_keras_network(images: ImageSet, tmp_path: Path) -> None:
    model = tiny_keras()
    model.save(tmp_path / "m.keras")
    own = of_classes(model.predict(standardised(images, 24), verbose=0))
    check(AskedNetwork(tmp_path / "m.keras", CARD), images, tmp_path / "cache", own)


def test_a_tflite_network(images: ImageSet, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    converter = tf.lite.TFLiteConverter.from_keras_model(tiny_keras())
    (tmp_path / "m.tflite").write_bytes(converter.convert())
    network = interpreter.Interpreter(str(tmp_path / "m.tflite"))
    network.allocate_tensors()
    rows = []
    for one in standardised(images, 24):
        network.set_tensor(network.get_input_details()[0]["index"], one[None])
        network.invoke()
        rows.append(network.get_tensor(network.get_output_details()[0]["index"])[0])
    own = of_classes(np.stack(rows))
    check(AskedNetwork(tmp_path / "m.tflite", CARD), images, tmp_path / "cache", own)


def test_an_onnx_network(images: ImageSet, tmp_path: Path) -> None:
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.random.default_rng(5).normal(0, 0.05, (3 * 24 * 24, 8)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["picture"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["said"]),
        ],
        "g",
        [helper.make_tensor_value_info("picture", number, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("said", number, ["n", 8])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    planar = standardised(images, 24).transpose(0, 3, 1, 2)[:, ::-1]  # BGR
    own = of_classes(session.run(None, {"picture": np.ascontiguousarray(planar)})[0])
    turned = {"channels": "BGR", "mean": MEAN[::-1], "std": STD[::-1]}
    card = CARD.model_copy(update=turned)
    check(AskedNetwork(tmp_path / "m.onnx", card), images, tmp_path / "cache", own)


def need_torch() -> None:
    """PyTorch and no triton: the CUDA build brings it, and beside TensorFlow in one process it ends that process."""
    pytest.importorskip("torch")
    if importlib.util.find_spec("triton"):
        pytest.skip("triton is installed, which Keras on TensorFlow in this process does not bear")


def torch_network() -> Any:
    import torch

    torch.manual_seed(3)
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 11 * 11, 8)
    ).eval()


def export(network: Any, path: Path) -> Path:
    """As its users do: for one picture alone, or for any number."""
    import torch

    free = {} if "one" in path.stem else {"dynamic_shapes": ({0: torch.export.Dim("n", max=512)},)}
    example = torch.rand(1 if "one" in path.stem else 2, 3, 24, 24)
    torch.export.save(torch.export.export(network, (example,), **free), str(path))
    return path


def script(network: Any, path: Path) -> Path:
    import torch

    torch.jit.script(network).save(str(path))
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("save", "name"),
    [(export, "any.pt2"), (export, "one.pt2"), (script, "scripted.pt")],
    ids=["pt2", "pt2 of one picture", "TorchScript"],
)
def test_a_torch_network(
    save: Callable[[Any, Path], Path], name: str, images: ImageSet, tmp_path: Path
) -> None:
    need_torch()
    import torch

    network = torch_network()
    file = save(network, tmp_path / name)
    planar = np.ascontiguousarray(standardised(images, 24).transpose(0, 3, 1, 2))
    with torch.inference_mode():
        own = of_classes(network(torch.from_numpy(planar)).numpy())
    check(AskedNetwork(file, CARD), images, tmp_path / "cache", own)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["one.pt2", "scripted.pt"])
@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_a_torch_network_of_half_precision(
    kind: str, name: str, images: ImageSet, tmp_path: Path
) -> None:
    need_torch()
    import torch

    network = torch_network().to(getattr(torch, kind))
    example = torch.rand(1, 3, 24, 24).to(getattr(torch, kind))
    file = tmp_path / name
    if name == "one.pt2":
        torch.export.save(torch.export.export(network, (example,)), str(file))
    else:
        torch.jit.trace(network, example).save(str(file))
    planar = np.ascontiguousarray(standardised(images, 24).transpose(0, 3, 1, 2))
    with torch.inference_mode():
        given = torch.from_numpy(planar).to(example.dtype)
        parts = [network(one[None]) for one in given] if name == "one.pt2" else [network(given)]
        own = of_classes(torch.cat(parts).float().numpy())
    check(AskedNetwork(file, CARD), images, tmp_path / "cache", own)


@pytest.mark.filterwarnings("ignore")
def test_a_torch_network_that_takes_bytes(images: ImageSet, tmp_path: Path) -> None:
    need_torch()
    import torch

    class OfBytes(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch_network()

        def forward(self, picture: Any) -> Any:
            return self.inner(picture.float() / 255)

    network, file = OfBytes().eval(), tmp_path / "bytes.pt2"
    example = torch.zeros(1, 3, 24, 24, dtype=torch.uint8)
    torch.export.save(torch.export.export(network, (example,)), str(file))
    small = [np.asarray(one.resize((24, 24), Image.Resampling.BILINEAR)) for one in opened(images)]
    given = torch.from_numpy(np.stack(small).transpose(0, 3, 1, 2).copy())
    with torch.inference_mode():
        own = of_classes(network(given).numpy())
    card = InputCard(classes=CLASSES, range=(0.0, 255.0), resize="bilinear")
    check(AskedNetwork(file, card), images, tmp_path / "cache", own)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_timm_network(ending: str, images: ImageSet, tmp_path: Path) -> None:
    need_torch()
    timm = pytest.importorskip("timm")
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(3)
    network = timm.create_model("test_resnet", num_classes=8).eval()
    file = tmp_path / f"w.{ending}"
    if ending == "safetensors":
        save_file(network.state_dict(), file)
    else:  # as a training script's checkpoint has them
        table = {f"module.{name}": value for name, value in network.state_dict().items()}
        torch.save({"epoch": 3, "state_dict": table}, file)
    transform = timm.data.create_transform(**timm.data.resolve_data_config(model=network))
    with torch.inference_mode():
        given = torch.stack([transform(one) for one in opened(images)])
        own = of_classes(network(given).numpy())
    asked = AskedNetwork(Path("timm:test_resnet"), InputCard(classes=CLASSES), weights=file)
    assert asked.name == "test_resnet"
    check(asked, images, tmp_path / "cache", own)


def vit_folder(folder: Path, **options: Any) -> tuple[Any, Any]:
    """A tiny ViT and its processor, as transformers save them. options: of its config."""
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(3)
    given = {"id2label": dict(enumerate(CLASSES)), "image_size": 32} | options
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        patch_size=16, initializer_range=1.0, **given,
    )  # fmt: skip
    network = transformers.ViTForImageClassification(config).eval()
    size = {"height": config.image_size, "width": config.image_size}
    processor = transformers.ViTImageProcessor(size=size, image_mean=MEAN, image_std=STD)
    for one in (network, processor):
        one.save_pretrained(folder)
    return network, processor


@pytest.mark.filterwarnings("ignore")
def test_a_hugging_face_classifier(images: ImageSet, tmp_path: Path) -> None:
    need_torch()
    folder = tmp_path / "vit-fer"
    network, processor = vit_folder(folder)
    import torch

    with torch.inference_mode():
        given = processor(images=opened(images), return_tensors="pt")
        own = of_classes(network(**given).logits.numpy())
    check(AskedNetwork(folder), images, tmp_path / "cache", own)
    check(AskedNetwork(folder, InputCard(classes=CLASSES, licence="MIT")), images, tmp_path, own)
