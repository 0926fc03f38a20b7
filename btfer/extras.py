"""The optional parts of btfer: whether they are installed, asked once at the door and not in the middle of the work."""

import importlib.util
import os

from btfer.errors import MissingExtra

EXTRAS = {
    "bench": ("keras", "h5py", "matplotlib", "cleanlab"),
    "export": ("onnx", "onnxruntime", "tf2onnx"),
    "ray": ("ray", "grpc"),
}
"""The modules that stand for an extra. TensorFlow belongs to `bench` unless Keras has another backend."""


def installed(module: str) -> bool:
    """Whether a top-level module could be imported; it is not imported, so TensorFlow costs no seconds."""
    return importlib.util.find_spec(module) is not None


def require(extra: str, feature: str, *modules: str) -> None:
    """Raise MissingExtra unless the extra is installed.

    feature: what was asked for, as the message begins. modules: those that this feature needs; all of the
    extra where none is given.
    """
    needed = modules or EXTRAS[extra] + _backend(extra)
    if not all(map(installed, needed)):
        raise MissingExtra(feature, extra)


def _backend(extra: str) -> tuple[str, ...]:
    """Where KERAS_BACKEND names another one, the benchmark itself says when that cannot be used."""
    default = os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"
    return ("tensorflow",) if extra == "bench" and default else ()
