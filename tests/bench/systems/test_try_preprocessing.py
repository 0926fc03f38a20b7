"""The table of ways to feed a network: it finds the one that it was made for, and keeps no run."""

from pathlib import Path

import keras
import numpy as np
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.systems.input_card import InputCard
from btfer.bench.systems.networks import AskedNetwork, open_network
from btfer.bench.systems.try_preprocessing import OWN, subset, try_preprocessing, variants
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import draw_release


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return load_release(draw_release(tmp_path / "release", 10))


def colour_network(path: Path) -> Path:
    """Tells red, green and blue pictures apart, of 0 to 255; darker ones are all surprise."""
    inputs = keras.Input((48, 48, 3))
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(7)(mean))
    weight = np.zeros((3, 7))
    weight[range(3), range(3)] = 1
    model.layers[-1].set_weights([weight, np.eye(7)[6] * 40])
    model.save(path)
    return path


@pytest.mark.filterwarnings("ignore")
def test_the_ways_are_compared_on_a_tenth_and_nothing_is_kept(
    images: ImageSet, tmp_path: Path
) -> None:
    wrong = InputCard(classes=EXPRESSIONS, channels="BGR", outputs="logits")
    network = open_network(AskedNetwork(colour_network(tmp_path / "m.keras"), wrong))
    trial = try_preprocessing(network, images, tmp_path / "cache", seed=3)
    by_name = {row.preprocessing: row for row in trial.rows}
    assert trial.images == 7
    assert trial.noise == pytest.approx(1.96 * np.sqrt(0.25 / 7), abs=1e-3)
    assert len(trial.rows) == 1 + 9 + 2
    found = {name: round(7 * row.accuracy) for name, row in by_name.items()}
    assert (found["RGB, 0 to 255"], found["BGR, 0 to 255"]) == (3, 1)  # green is in the middle
    assert found["RGB, 0 to 1"] == found[OWN] == 1  # all surprise
    assert {name for name in by_name if ";" in name} == {
        "RGB, 0 to 255; tight",
        "RGB, 0 to 255; aligned-5pt, arcface",
    }
    assert trial.rows[0].cost == 0
    assert all(
        row.cost == pytest.approx(trial.rows[0].accuracy - row.accuracy, abs=2e-4)
        for row in trial.rows
    )
    assert not list(tmp_path.rglob("run.json"))
    assert try_preprocessing(network, images, tmp_path / "cache", seed=3) == trial


def test_grey_networks_have_grey_ways() -> None:
    card = InputCard(classes=EXPRESSIONS)
    assert [name for name, _ in variants(card, 1)] == [
        "grey, 0 to 255",
        "grey, 0 to 1",
        "grey, -1 to 1",
    ]
    names = dict(variants(card, 3))
    assert names["BGR, ImageNet mean and std"].mean == (0.406, 0.456, 0.485)
    assert names["BGR, minus the mean (caffe)"].mean == (103.939, 116.779, 123.68)


def test_a_part_is_a_set_of_its_own(images: ImageSet) -> None:
    part = subset(images, np.array([0, 3]))
    assert part.files == (images.files[0], images.files[3])
    assert part.digest != subset(images, np.array([0, 4])).digest != images.digest
