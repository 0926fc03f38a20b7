"""A network out of one file, whichever framework wrote it: Keras, ONNX or TFLite, run on the CPU.

Only the framework of the file is imported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.errors import BtferError, MissingExtra, UsageError
from btfer.quiet import quiet_stderr

Array = np.ndarray[Any, Any]

KERAS, ONNX, TFLITE = (".keras", ".h5", ".hdf5"), (".onnx",), (".tflite",)


@dataclass(frozen=True)
class Runnable:
    """A loaded network. shape: of one input, without the batch; None where it is free.

    run: float32 [N, *shape] -> its outputs, float [N, classes]. whole: it wants whole numbers of 0
    to 255 and no other (a quantised input).
    """

    shape: tuple[int | None, ...]
    run: Callable[[Array], Array]
    whole: bool = False

    @property
    def planar(self) -> bool:
        """Whether colours come first, [3, H, W], as PyTorch has them."""
        return self.shape[0] in (1, 3) and self.shape[-1] not in (1, 3)

    @property
    def channels(self) -> int | None:
        """1 = grey, 3 = RGB."""
        return self.shape[0] if self.planar else self.shape[-1]

    @property
    def side_px(self) -> int | None:
        """The side of its square input; None = free."""
        return self.shape[1]


def load_file(file: Path, threads: int = 0) -> Runnable:
    """The network of a file, by its ending. threads: 0 = as many as the runtime likes.

    Raises UsageError for another ending or a file that cannot be read, MissingExtra without the runtime.
    """
    loaders = {KERAS: load_keras, ONNX: load_onnx, TFLITE: load_tflite}
    for endings, load in loaders.items():
        if file.suffix.lower() in endings:
            return _loaded(load, file, threads)
    raise UsageError(f"{file}: a file of {', '.join((*KERAS, *ONNX, *TFLITE))} is needed")


def _loaded(load: Callable[[Path, int], Runnable], file: Path, threads: int) -> Runnable:
    if not file.is_file():
        raise UsageError(f"{file} is not a file")
    try:
        network = load(file, threads)
    except (BtferError, MemoryError):
        raise
    except Exception as error:  # each runtime has its own
        raise UsageError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
    if len(network.shape) != 3:
        raise UsageError(
            f"{file} takes {network.shape}: a network with one image as its input is needed"
        )
    return network


def load_keras(file: Path, threads: int = 0) -> Runnable:
    """A model that Keras saved."""
    import keras
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras.saving.load_model(file, compile=False)
    call = tf.function(lambda values: model(values, training=False))
    return Runnable(tuple(model.input_shape[1:]), lambda values: call(values).numpy())


def load_onnx(file: Path, threads: int = 0) -> Runnable:
    """A model of one input and one output, on ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra("an ONNX file", "export") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    shape = tuple(n if isinstance(n, int) and n > 0 else None for n in given.shape[1:])
    alone = given.shape[0] == 1

    def run(values: Array) -> Array:
        if not alone or len(values) == 1:
            return np.asarray(session.run(None, {given.name: values})[0])
        return np.concatenate([run(one[None]) for one in values])

    return Runnable(shape, run)


def load_tflite(file: Path, threads: int = 0) -> Runnable:
    """A model of one image at a time, on LiteRT. Quantised numbers are turned to real ones and back."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise MissingExtra("a TFLite file", "export") from None
    with quiet_stderr():  # it prints that it has a delegate
        network = Interpreter(str(file), num_threads=threads or None)
        network.allocate_tensors()
    given, output = network.get_input_details()[0], network.get_output_details()[0]

    def run(values: Array) -> Array:
        rows = []
        for one in values:
            network.set_tensor(given["index"], _quantised(one[None], given))
            network.invoke()
            rows.append(_real(network.get_tensor(output["index"]), output)[0])
        return np.array(rows)

    whole = given["dtype"] != np.float32
    return Runnable(tuple(int(n) for n in given["shape"][1:]), run, whole)


def _quantised(values: Array, tensor: dict[str, Any]) -> Array:
    if tensor["dtype"] == np.float32:
        return values
    scale, zero = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    whole = np.round(values / scale + zero)
    return np.asarray(np.clip(whole, limits.min, limits.max), tensor["dtype"])


def _real(values: Array, tensor: dict[str, Any]) -> Array:
    if tensor["dtype"] == np.float32:
        return values
    scale, zero = tensor["quantization"]
    return np.asarray((values.astype(np.float32) - zero) * scale)
