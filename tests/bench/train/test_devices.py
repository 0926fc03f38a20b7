import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from btfer.bench.experiments.run import Experiment
from btfer.bench.train import devices
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.phases import ALL, prepare
from btfer.bench.train.protocol import AUTHORS_CODE, PAPER, Protocol
from btfer.errors import UsageError
from tests.bench.conftest import tiny_network

ROOT = Path(__file__).parents[2]
_PATHS = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}


def test_pictures_are_warped_on_the_device_where_there_is_a_gpu_or_where_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "gpus", lambda: 0)
    assert not devices.warps_on_device("auto")
    assert devices.warps_on_device("device")
    monkeypatch.setattr(devices, "gpus", lambda: 1)
    assert devices.warps_on_device("auto")
    assert not devices.warps_on_device("host")
    with pytest.raises(UsageError, match="'cloud' is unknown: use one of auto, host, device"):
        devices.check_devices("cloud", 1)


def test_more_replicas_than_devices_are_refused_before_anything_is_trained() -> None:
    with pytest.raises(UsageError, match="--replicas 64: this machine has"):
        devices.check_devices("auto", 64)


@pytest.mark.parametrize(
    ("protocol", "replicas", "batch"),
    [(PAPER, 1, 64), (PAPER, 2, 64), (PAPER, 3, 96), (AUTHORS_CODE, 2, 64)],
)
def test_a_batch_is_32_a_replica_and_never_smaller_than_on_two(
    protocol: Protocol, replicas: int, batch: int
) -> None:
    one = Experiment("lenet5", "none", 48, "none", 1, protocol, replicas=replicas)
    assert one.batch_size == batch


def test_precision_and_replicas_are_a_part_of_what_defines_a_run() -> None:
    plain = Experiment("lenet5", "none", 48, "none", 1, PAPER)
    half = Experiment("lenet5", "none", 48, "none", 1, PAPER, mixed_precision=True)
    two = Experiment("lenet5", "none", 48, "none", 1, PAPER, replicas=2)
    assert len({str(one.definition("d", "s")) for one in (plain, half, two)}) == 3


def test_half_precision_keeps_weights_in_full_and_no_xla_runs_on_a_cpu() -> None:
    devices.set_precision(True)
    try:
        model = tiny_network((48, 48, 3), 7)
        prepare(model, PAPER, ALL)
    finally:
        devices.set_precision(False)
    assert {one.dtype for one in model.trainable_weights} == {"float32"}
    assert model.layers[-1].compute_dtype == ("float16" if devices.gpus() else "bfloat16")
    assert np.isfinite(model.train_on_batch(np.ones((2, 48, 48, 3)), np.eye(7)[:2])[0])
    if not devices.gpus():
        assert model.jit_compile is False


def _run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "3", **_PATHS, **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_run_on_another_backend_imports_no_tensorflow() -> None:
    said = _run(
        """
        import sys
        import btfer.bench.experiments.grid, btfer.bench.experiments.run, btfer.bench.report
        from btfer.bench.train.devices import keep_tensorflow_out
        import keras
        keep_tensorflow_out()
        keras.utils.set_random_seed(1)
        print(keras.backend.backend(), "tensorflow" in sys.modules)
        """,
        KERAS_BACKEND="openvino",
    )
    assert said.splitlines()[-1] == "openvino False"


@pytest.mark.slow
def test_two_replicas_train_as_one_does_on_whole_batches() -> None:
    said = _run(
        """
        import numpy as np, keras, tensorflow as tf
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        from btfer.bench.train.devices import replicas
        from btfer.bench.train.batches import ImageBatches
        from btfer.bench.train.protocol import PAPER
        from btfer.bench.train.phases import ALL, prepare
        from keras import layers
        pixels = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 3)).astype(np.uint8)
        ends = []
        for count in (1, 2):
            batches = ImageBatches(pixels, np.arange(8) % 7, np.arange(8), classes=7, batch_size=4,
                        augmentation=PAPER.augmentation)
            with replicas(count):
                keras.utils.set_random_seed(1)
                model = keras.Sequential([keras.Input((48, 48, 3)), layers.AveragePooling2D(8),
                    layers.Flatten(), layers.Dense(7, activation="softmax")])
                prepare(model, PAPER, ALL)
                model.fit(batches, epochs=2, shuffle=False, verbose=0)
                ends.append([model.get_weights()[0], model.predict(batches, verbose=0)])
        print(all(np.allclose(one, two, atol=1e-5) for one, two in zip(*ends)))
        """
    )
    assert said.splitlines()[-1] == "True"


@pytest.mark.slow
@pytest.mark.parametrize("images", [8, 9], ids=["whole batches", "an image too many"])
def test_two_devices_of_jax_train_as_one_does_each_with_half_of_a_batch(images: int) -> None:
    said = _run(
        f"""
        import numpy as np, keras, jax
        from btfer.bench.train.devices import even_batches, keep_tensorflow_out, replicas
        from btfer.bench.train.batches import ImageBatches
        from btfer.bench.train.protocol import PAPER
        from btfer.bench.train.phases import ALL, prepare
        from keras import layers
        keep_tensorflow_out()
        placed = []
        place = jax.make_array_from_process_local_data

        def seen(*arguments):
            array = place(*arguments)
            placed.append([(one.device.id, len(one.data)) for one in array.addressable_shards])
            return array

        jax.make_array_from_process_local_data = seen
        pixels = np.random.default_rng(0).integers(0, 256, ({images}, 48, 48, 3)).astype(np.uint8)
        ends = []
        for count in (1, 2):
            batches = ImageBatches(pixels, np.arange({images}) % 7, np.arange({images}), classes=7,
                        batch_size=4, augmentation=PAPER.augmentation, even=2)
            keras.utils.set_random_seed(1)
            with replicas(count):
                model = keras.Sequential([keras.Input((48, 48, 3)), layers.AveragePooling2D(8),
                    layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten(),
                    layers.Dropout(0.3), layers.Dense(7, activation="softmax")])
                prepare(model, PAPER, ALL)
                log = model.fit(batches, validation_data=batches, epochs=2, shuffle=False, verbose=0)
            ends.append([*model.get_weights(), log.history["loss"], log.history["val_accuracy"]])
        assert all(np.allclose(one, two, atol=1e-3) for one, two in zip(*ends)), ends
        assert placed and all(one == [(0, 2), (1, 2)] for one in placed), placed
        assert len(model.weights[0].value.devices()) == even_batches(2) == 2
        try:
            with replicas(3):
                pass
        except Exception as error:
            print(error)
        """,
        KERAS_BACKEND="jax",
        XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )
    assert said.splitlines()[-1] == "--replicas 3: this machine has 2"


def test_fewer_images_than_devices_are_refused() -> None:
    nothing = np.zeros((1, 48, 48, 3), np.uint8)
    with pytest.raises(UsageError, match="1 images are too few for --replicas 2"):
        ImageBatches(nothing, np.zeros(1, int), np.arange(1), classes=7, even=2)
