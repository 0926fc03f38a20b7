"""What the network runs on: how many devices, in which precision, and where images are warped.

The same for Keras's three backends; TensorFlow is imported only where it is the backend.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras

from btfer.errors import UsageError

AUGMENT = ("auto", "host", "device")


def keep_tensorflow_out() -> None:
    """Where TensorFlow is not the backend, have Keras not import it just because it is installed."""
    if keras.backend.backend() != "tensorflow":
        from keras.src.utils import module_utils

        module_utils.tensorflow._available = False


def gpus() -> int:
    """GPUs that the backend sees."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return len(tf.config.list_physical_devices("GPU"))
    if backend == "jax":
        import jax

        return sum(one.platform == "gpu" for one in jax.local_devices())
    import torch

    return int(torch.cuda.device_count())


def warps_on_device(augment: str) -> bool:
    """Whether a device, not the host, warps training images: `auto` = where there is a GPU.

    Raises UsageError for another word than `auto`, `host` and `device`.
    """
    if augment not in AUGMENT:
        raise UsageError(f"--augment '{augment}' is unknown: use one of {', '.join(AUGMENT)}")
    return augment == "device" or (augment == "auto" and gpus() > 0)


def set_precision(mixed: bool) -> None:
    """Have networks that are built from now on compute in half precision, with weights in full; or in full.

    Half is float16 on GPUs and bfloat16 on CPUs, some of which compute in it; none computes in float16.
    """
    half = "mixed_float16" if gpus() else "mixed_bfloat16"
    keras.mixed_precision.set_dtype_policy(half if mixed else "float32")


def check_devices(augment: str, count: int) -> None:
    """Raise UsageError where `warps_on_device` or `replicas` would."""
    warps_on_device(augment)
    with replicas(count):
        pass


@contextmanager
def replicas(count: int) -> Iterator[None]:
    """Build and train inside this on `count` devices of this machine, a part of each batch on each.

    Of whole batches they learn what one device does. In an epoch's last batch, when it is smaller, each image counts
    a little differently with TensorFlow; JAX takes batches of `even_batches` alone. Raises UsageError where
    there are fewer devices, or for a backend that cannot.
    """
    if count == 1:
        yield
        return
    backend = keras.backend.backend()
    if backend not in _ON_SEVERAL:
        raise UsageError(
            f"--replicas {count} needs TensorFlow or JAX, and KERAS_BACKEND is {backend}"
        )
    with _ON_SEVERAL[backend](count).scope():
        yield


def even_batches(count: int) -> int:
    """What the images of a batch must be a multiple of, with that many devices."""
    return count if keras.backend.backend() == "jax" else 1


@cache  # what one has built, another cannot train
def _mirrored(count: int) -> Any:
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy(_first(count, [one.name for one in devices]))


@cache
def _data_parallel(count: int) -> Any:
    return keras.distribution.DataParallel(
        devices=_first(count, keras.distribution.list_devices()), auto_shard_dataset=False
    )


def _first(count: int, devices: list[str]) -> list[str]:
    if len(devices) < count:
        raise UsageError(f"--replicas {count}: this machine has {len(devices)}")
    return devices[:count]


_ON_SEVERAL: dict[str, Callable[[int], Any]] = {"tensorflow": _mirrored, "jax": _data_parallel}
