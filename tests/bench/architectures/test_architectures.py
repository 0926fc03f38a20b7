import importlib.util
import math
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import applications

from btfer.bench import list_architectures
from btfer.bench.architectures import ARCHITECTURES, BACKBONE, Shape, architecture, network
from btfer.bench.architectures.inception import googlenet_szegedy
from btfer.bench.architectures.modern import dan
from btfer.bench.architectures.repvgg import repvgg, repvgg_a0
from btfer.bench.experiments.cost import multiply_adds
from btfer.errors import UsageError

TABLE = {  # side: total, as printed by the authors' notebooks (seven classes)
    "vgg16": {48: 14_879_815, 224: 14_879_815},
    "vgg19": {48: 20_189_511, 224: 20_189_511},
    "vggnet": {48: 33_625_927, 224: 134_289_223},
    "repvgg": {48: 26_454_023, 224: 26_454_023},
    "mobilenet": {48: 3_525_063, 224: 3_525_063},
    "mobilenetv2": {48: 2_619_719, 224: 2_619_719},
    "efficientnetv2b0": {48: 6_281_047, 224: 6_281_047},
    "resnet50": {48: 24_146_055, 224: 24_146_055},
    "resnet18": {48: 11_710_919, 224: 11_718_599},
    "senet50": {224: 26_650_487},
    "nasnetmobile": {48: 4_574_107, 224: 4_574_107},
    "densenet121": {48: 7_333_703, 224: 7_333_703},
    "googlenet": {48: 5_909_319, 224: 5_916_999},
    "inceptionv3": {224: 22_361_127},
    "xception": {224: 21_419_823},
    "lenet5": {48: 169_271},
    "alexnet": {48: 21_612_295, 224: 21_612_295},
    "zfnet": {48: 21_589_127},
    "sequential_3conv": {48: 1_365_703, 224: 1_365_703},
    "sequential_4conv": {48: 2_840_775, 224: 2_840_775},
    "sequential_simple": {48: 2_489_671, 224: 88_997_191},
    "ensemble": {48: 2_001_045, 224: 2_001_045},
    "modular": {48: 5_337_735, 224: 103_379_591},
    "smmb": {48: 5_512_455},
    "mediapipe_vggnet": {48: 7_054_279, 224: 93_561_799},
}
PUBLISHED = {  # 1000 classes: 9.11 million and 6,998,552 are published; here with seven
    "repvgg_a0": {48: 7_860_583, 224: 7_860_583},
    "googlenet_szegedy": {48: 5_980_727, 224: 5_980_727},
}
MODERN = {
    "convnext_tiny": {48: 28_050_791, 224: 28_050_791},
    "efficientnetv2s": {48: 20_693_095, 224: 20_693_095},
    "mobilenetv3_small": {48: 1_120_631, 224: 1_120_631},
    "mobilenetv3_large": {48: 3_276_167, 224: 3_276_167},
    "vit_s16": {48: 21_725_063, 224: 21_796_871},
    "dan": {48: 19_747_939, 224: 19_747_939},
}
SMALL = {  # btfer's own
    "small_3conv": {48: 24_375, 224: 24_375},
    "small_4conv": {48: 391_655, 224: 391_655},
}
EVERY = TABLE | PUBLISHED | MODERN | SMALL
VGGFACE = {"vgg16": {48: 14_879_815, 224: 14_879_815}, "resnet50": {224: 24_119_495}}
CASES = [
    *((name, "none", side) for name, sides in EVERY.items() for side in sides),
    *((name, "vggface", side) for name, sides in VGGFACE.items() for side in sides),
    ("senet50", "vggface", 224),
]


def unfilled(name: str, weights: str, side: int) -> keras.Model:
    """A network whose variables have shapes but no values yet: 44 of them take no memory."""
    known = architecture(name)
    with keras.StatelessScope(initialize_variables=False):
        return known.build((side, side, known.channels), 7, weights)


@pytest.mark.parametrize(("name", "weights", "side"), CASES)
def test_parameters_are_those_the_authors_notebooks_print(
    name: str, weights: str, side: int
) -> None:
    model = unfilled(name, weights, side)
    known = VGGFACE if weights == "vggface" and name in VGGFACE else EVERY
    assert model.count_params() == known[name][side]
    assert architecture(name).totals(weights)[side] == known[name][side]
    assert model.output_shape == (None, 7)
    if weights == "none":
        assert architecture(name).multiply_adds[side] == round(multiply_adds(model) / 1e6)


def test_the_table_and_the_registry_have_the_same_networks() -> None:
    assert set(EVERY) == set(ARCHITECTURES)
    for name, sides in EVERY.items():
        known = ARCHITECTURES[name]
        assert dict(known.parameters) == sides
        assert set(known.multiply_adds) == set(sides)
        assert known.builder.__name__ == name
        assert set(known.preprocessing) <= set(known.weights)


def test_networks_are_listed_in_the_order_of_the_tables() -> None:
    known = [name for name in ARCHITECTURES if name in TABLE]
    assert known == list(TABLE)
    assert list(ARCHITECTURES)[:5] == ["vgg16", "vgg19", "vggnet", "repvgg", "repvgg_a0"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_builder_says_where_it_comes_from_and_what_pixels_it_takes(name: str) -> None:
    text = " ".join((ARCHITECTURES[name].builder.__doc__ or "").split())
    low, high = ARCHITECTURES[name].pixel_range
    assert "Reference: " in text
    assert f"Pixels {low:.0f} to {high:.0f}, " in text


def test_a_name_is_registered_once() -> None:
    def lenet5(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
        raise AssertionError

    before = dict(ARCHITECTURES)
    with pytest.raises(ValueError, match="a network named 'lenet5' is registered already"):
        network(family="classic", parameters={48: 1}, multiply_adds={48: 1})(lenet5)
    assert before == ARCHITECTURES


def test_the_published_networks_have_their_published_totals() -> None:
    with keras.StatelessScope(initialize_variables=False):
        a0 = repvgg_a0((224, 224, 3), 1000)
        googlenet = googlenet_szegedy((224, 224, 3), 1000)
    learnt = sum(math.prod(one.shape) for one in a0.trainable_variables)
    assert round(learnt / 1e6, 2) == 9.11  # Ding et al. 2021, training form; timm says the same
    assert googlenet.count_params() == 6_998_552  # the published Caffe file


def test_the_networks_since_then_have_their_published_totals() -> None:
    """Of 1000 classes, as their makers count: what learns."""
    found = {}
    with keras.StatelessScope(initialize_variables=False):
        for name in ("convnext_tiny", "vit_s16"):
            backbone = architecture(name).build((224, 224, 3), 7).get_layer(BACKBONE)
            width = backbone.output_shape[-1]
            found[name] = _learnt(backbone) + 1000 * width + 1000
        found["dan"] = _learnt(dan((224, 224, 3), 7))
    assert found["convnext_tiny"] == 28_589_128  # Liu et al. 2022: 28.6 million; timm says the same
    # timm's ViT-S/16 has a class token and its place, and one bias beside those of the places.
    assert found["vit_s16"] + 3 * 384 == 22_050_664
    assert round(found["dan"] / 1e6, 2) == 19.72  # Wen et al. 2023


def _learnt(model: keras.Model) -> int:
    return sum(math.prod(one.shape) for one in model.trainable_variables)


def test_a_network_that_starts_from_weights_has_a_backbone_to_freeze() -> None:
    for name, known in ARCHITECTURES.items():
        if "imagenet" in known.weights and name not in ("nasnetmobile", "densenet121"):
            model = unfilled(name, "imagenet", max(known.parameters))
            assert model.get_layer(BACKBONE).count_params() > model.count_params() / 2


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("vgg16", applications.vgg16),
        ("vgg19", applications.vgg19),
        ("resnet50", applications.resnet),
        ("mobilenet", applications.mobilenet),
        ("mobilenetv2", applications.mobilenet_v2),
        ("efficientnetv2b0", applications.efficientnet_v2),
        ("nasnetmobile", applications.nasnet),
        ("densenet121", applications.densenet),
        ("inceptionv3", applications.inception_v3),
        ("xception", applications.xception),
        ("convnext_tiny", applications.convnext),
        ("efficientnetv2s", applications.efficientnet_v2),
        ("mobilenetv3_small", applications.mobilenet_v3),
        ("mobilenetv3_large", applications.mobilenet_v3),
    ],
)
def test_own_preprocessing_is_that_of_keras_applications(name: str, module: Any) -> None:
    images = np.random.default_rng(1).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    steps = architecture(name).preprocessing["imagenet"].steps()
    found = keras.ops.convert_to_numpy(steps(keras.ops.convert_to_tensor(images / 255)))
    np.testing.assert_allclose(found, module.preprocess_input(images.copy()), atol=2e-4)


def test_own_preprocessing_of_vggface_subtracts_its_means_in_bgr() -> None:
    steps = architecture("senet50").preprocessing["vggface"].steps()
    red = keras.ops.convert_to_tensor(np.array([[[[1.0, 0, 0]]]], np.float32))
    found = keras.ops.convert_to_numpy(steps(red)).ravel()
    np.testing.assert_allclose(found, [-91.4953, -103.8827, 255 - 131.0912], rtol=1e-5)
    assert not architecture("resnet18").preprocessing


def test_a_preprocessed_network_keeps_its_backbone_and_comes_back_from_its_file(
    tmp_path: Path,
) -> None:
    model = architecture("vgg16").build((48, 48, 3), 7, "vggface", own_preprocessing=True)
    assert model.get_layer(BACKBONE).count_params() == 14_714_688
    assert model.count_params() == 14_879_815
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(1).uniform(0, 1, (2, 48, 48, 3)).astype(np.float32)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images))


WITH_PREPROCESSING = [name for name, one in ARCHITECTURES.items() if "none" in one.preprocessing]
QUICK = ("dan", "vit_s16", "mobilenetv3_small")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in WITH_PREPROCESSING
    ],
)
def test_a_network_of_any_shape_takes_its_preprocessing_before_it(name: str) -> None:
    """Branches and shortcuts too, not only a chain of layers."""
    shape = (min(architecture(name).parameters),) * 2 + (3,)
    plain = architecture(name).build(shape, 7)
    whole = architecture(name).build(shape, 7, own_preprocessing=True)
    whole.set_weights(plain.get_weights())
    images = np.random.default_rng(1).uniform(0, 1, (2, *shape)).astype(np.float32)
    before = architecture(name).preprocessing["none"].steps()
    expected = plain(before(keras.ops.convert_to_tensor(images)), training=False)
    np.testing.assert_allclose(whole(images, training=False), expected, atol=1e-5)


def test_repvgg_of_the_notebooks_stops_the_gradient_of_the_upper_half_of_the_channels() -> None:
    """The first convolution gets no gradient for its upper 32 filters but by the first shortcut."""
    model = repvgg((48, 48, 3), 7)
    model.compile(keras.optimizers.SGD(1.0), "categorical_crossentropy")
    before = model.layers[1].get_weights()[0]
    images = np.random.default_rng(1).uniform(0, 1, (4, 48, 48, 3)).astype(np.float32)
    model.train_on_batch(images, np.eye(7)[[0, 1, 2, 3]])
    moved = np.abs(model.layers[1].get_weights()[0] - before).max(axis=(0, 1, 2))
    assert (moved[:32] > 0).all()
    assert (moved[32:] == 0).all()


def test_unknown_names_sizes_weights_and_channels_say_what_there_is() -> None:
    with pytest.raises(
        UsageError, match=r"unknown architecture 'resnet19'; choose one of .*resnet18, senet50"
    ):
        architecture("resnet19")
    with pytest.raises(UsageError, match="48 or 224"):
        architecture("resnet18").build((64, 64, 3), 7)
    with pytest.raises(UsageError, match="resnet18 has no 'imagenet' weights; choose none"):
        architecture("resnet18").build((48, 48, 3), 7, "imagenet")
    with pytest.raises(
        UsageError, match="resnet50 with vggface weights cannot run at resolution 48; choose 224"
    ):
        architecture("resnet50").build((48, 48, 3), 7, "vggface")
    with pytest.raises(UsageError, match="inceptionv3 cannot run at resolution 48; choose 224"):
        architecture("inceptionv3").build((48, 48, 3), 7)
    with pytest.raises(UsageError, match="takes 1 channels, not 3"):
        architecture("mediapipe_vggnet").build((48, 48, 3), 7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "names"),
    [
        ("torch", ("lenet5", "repvgg", "googlenet_szegedy", "smmb")),
        ("jax", ("lenet5", "smmb")),  # it takes a minute to compile the others
    ],
)
def test_networks_build_and_learn_on_another_backend(backend: str, names: tuple[str, ...]) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = """
import numpy as np
from btfer.bench.architectures import architecture
import keras
assert keras.backend.backend() == {backend!r}
for name in {names!r}:
    model = architecture(name).build((48, 48, 3), 7)
    model.compile("adam", "categorical_crossentropy")
    loss = model.train_on_batch(np.ones((2, 48, 48, 3), "float32"), np.eye(7)[[0, 1]])
    assert np.isfinite(loss), name
"""
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", code.format(backend=backend, names=names)]
    subprocess.run(command, check=True, timeout=600, env=environment)


def test_listing_loads_no_keras() -> None:
    code = (
        "import sys; from btfer import bench; rows = bench.list_architectures(); "
        "from btfer.bench.architectures import vgg, mediapipe, vggface, preprocessing, weight_files; "
        "import btfer.cli; from btfer.bench.experiments import cost; "
        "from btfer.bench.runs import inputs, listing, store; "
        "assert len(rows) == 35; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)


def test_a_listed_network_has_name_family_parameters_and_weights() -> None:
    rows = {row.name: asdict(row) for row in list_architectures()}
    assert rows["resnet18"] == {
        "name": "resnet18",
        "family": "ResNet",
        "parameters": {"48": 11_710_919, "224": 11_718_599},
        "weights": ["none"],
    }
    assert rows["resnet50"]["weights"] == ["none", "imagenet", "vggface"]
    assert rows["senet50"]["parameters"] == {"224": 26_650_487}
