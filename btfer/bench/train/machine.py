"""What a run runs on: versions that its numbers may depend on, the same numbers twice, memory at its peak."""

import contextlib
import resource
import sys
from importlib import import_module, metadata
from pathlib import Path

import cv2
import keras
import numpy as np
import PIL

from btfer import RUNS_VERSION

BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}  # name: distribution
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MIB = 2**20


def versions() -> dict[str, str]:
    """The versions that a result may depend on; they are a part of what defines a run."""
    backend = keras.backend.backend()
    with contextlib.suppress(metadata.PackageNotFoundError):
        backend += f" {metadata.version(BACKENDS.get(backend, backend))}"
    return {
        "btfer": RUNS_VERSION,
        "keras": keras.__version__,
        "backend": backend,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
    }


def make_deterministic() -> None:
    """Have the backend's operations give the same numbers twice, for the rest of the process.

    JAX does so on a CPU by itself, and on a GPU with XLA_FLAGS=--xla_gpu_deterministic_ops=true.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()
    elif keras.backend.backend() == "torch":
        import_module("torch").use_deterministic_algorithms(True)


def forget_peak() -> None:
    """Count the peak of memory anew, where the system can do so (Linux)."""
    with contextlib.suppress(OSError):
        RESET.write_text("5")
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        for device in _devices():
            tensorflow.config.experimental.reset_memory_stats(device)


def peak_memory() -> dict[str, float]:
    """MiB at the peak: of the process since `forget_peak`, and of each GPU that TensorFlow uses."""
    found = {"process_mib": round(_process_peak_bytes() / MIB, 1)}
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        for device in _devices():
            used = tensorflow.config.experimental.get_memory_info(device)["peak"]
            found[f"{device.lower()}_mib"] = round(used / MIB, 1)
    return found


def _devices() -> list[str]:
    import tensorflow

    return [
        f"GPU:{number}" for number, _ in enumerate(tensorflow.config.list_physical_devices("GPU"))
    ]


def _process_peak_bytes() -> int:
    with contextlib.suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
