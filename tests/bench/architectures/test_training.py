"""Every network trains one step on the CPU, and comes back from its file as the same network."""

from pathlib import Path

import keras
import numpy as np
import pytest

from btfer.bench.architectures import ARCHITECTURES, architecture

QUICK = {"lenet5", "sequential_3conv"}
SMALLER = {"inceptionv3": 75, "xception": 71}  # the least they can take; the registry has 224 only


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ARCHITECTURES],
)
def test_a_network_trains_one_step_and_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    network = architecture(name)
    side = SMALLER.get(name, min(network.parameters))
    model = network.builder((side, side, network.channels), 7, "none")
    # One step: to trace a graph of 700 layers would take far longer than to run it.
    # Adam as the paper: a plain step can be of any length, where two pictures make the batch norms.
    adam = keras.optimizers.Adam(1e-4)
    model.compile(adam, "categorical_crossentropy", run_eagerly=True)
    images = np.random.default_rng(1).uniform(
        *network.pixel_range, (2, side, side, network.channels)
    )
    images = images.astype(np.float32)
    first = keras.ops.convert_to_numpy(model.trainable_variables[0])
    assert np.isfinite(model.train_on_batch(images, np.eye(7)[[0, 3]]))
    assert not np.array_equal(first, keras.ops.convert_to_numpy(model.trainable_variables[0]))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    assert np.allclose(expected.sum(axis=1), 1, atol=1e-5)
    again = keras.ops.convert_to_numpy(loaded(images, training=False))
    np.testing.assert_array_equal(again, expected)
