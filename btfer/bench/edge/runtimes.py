"""A network out of one file, whichever framework wrote it: Keras, ONNX or TFLite, run on the CPU.

Only the framework of the file is imported.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from btfer.errors import BtferError, MissingExtra, UsageError
from btfer.quiet import quiet_stderr

Array = np.ndarray[Any, Any]

MOST_SAID = 300  # characters of an error of a runtime
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
    check_is_whole(file)
    try:
        network = load(file, threads)
    except (BtferError, MemoryError):
        raise
    except Exception as error:  # each runtime has its own
        raise UsageError(f"{file} cannot be read: {_one_line(error)}") from error
    if len(network.shape) != 3:
        raise UsageError(
            f"{file} takes {network.shape}: a network with one image as its input is needed"
        )
    height, width = network.shape[1:] if network.planar else network.shape[:2]
    if height and width and height != width:
        raise UsageError(
            f"{file} takes images of {width} x {height} px, and faces are square: export it for a square input"
        )
    return replace(network, run=told(network.run, file))


def check_is_whole(file: Path) -> None:
    """Raise UsageError where there is no file, or only the note that Git LFS leaves in its place."""
    if not file.is_file():
        raise UsageError(f"{file} is not a file")
    with file.open("rb") as source:
        if source.read(40).startswith(b"version https://git-lfs"):
            raise UsageError(
                f"{file} is only a pointer of Git LFS: fetch the file itself with git lfs pull, or download it"
            )


def told(run: Callable[[Array], Array], where: Path | str) -> Callable[[Array], Array]:
    """The same, with one line where the network cannot take what it is given, or gives no table of numbers.

    run: float32 [N, ...] -> float [N, classes]. where: begins the line.
    """

    def runs(values: Array) -> Array:
        try:
            return run(values)
        except (BtferError, MemoryError):
            raise
        except Exception as error:  # each runtime has its own
            shape = tuple(values.shape[1:])
            raise UsageError(
                f"{where} cannot be run on images of {shape}: {_one_line(error)}"
            ) from error

    return runs


def _one_line(error: Exception) -> str:
    """The line of what a runtime says that tells the reason; it may go on for pages."""
    lines = str(error).strip().splitlines() or [""]
    # TorchScript shows the code around first, and the reason last.
    reason = lines[-1].removeprefix("RuntimeError: ") if "TorchScript" in lines[0] else lines[0]
    return f"{type(error).__name__}: {reason[:MOST_SAID]}"


def in_batches(run: Callable[[Array], Array], batch: int | None) -> Callable[[Array], Array]:
    """The same for any number of images, where a network was exported for a fixed number.

    run: float32 [batch, ...] -> float [batch, classes]. batch: None = any number.
    """
    if batch is None:
        return run

    def all_of(numbers: Array) -> Array:
        parts = []
        for start in range(0, len(numbers), batch):
            part = numbers[start : start + batch]
            full = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
            parts.append(run(full)[: len(part)])
        return np.concatenate(parts)

    return all_of


def load_keras(file: Path, threads: int = 0) -> Runnable:
    """A model that Keras saved."""
    with quiet_stderr():  # TensorFlow tells of its libraries
        import keras
        import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    try:
        model = keras.saving.load_model(file, compile=False)
    except Exception as error:  # Keras has several, some of them pages long
        if reason := _reason_of_keras(str(error)):
            raise UsageError(f"{file} {reason}") from error
        raise
    for words, found in (("takes", model.inputs), ("gives", model.outputs)):
        if len(found) != 1:
            raise UsageError(
                f"{file} {words} {len(found)} tables of numbers: a network of one image and one row of classes is "
                "needed; save keras.Model(model.inputs[0], model.outputs[N])"
            )
    call = tf.function(lambda values: keras.tree.flatten(model(values, training=False))[0])
    return Runnable(tuple(model.inputs[0].shape[1:]), lambda values: call(values).numpy())


def _reason_of_keras(said: str) -> str:
    """What is wrong with a file, out of what Keras says of it; empty for anything else."""
    if own := re.search(r"(?:Could not locate class|Unknown layer:) '(\w+)'", said):
        return (
            f"has a layer '{own[1]}' whose code is not in the file: export it as ONNX or TFLite, where the layers are "
            "written out"
        )
    if "`Lambda` layer" in said:
        return "has a Lambda layer, whose code could do anything and is not run: export it as ONNX or TFLite"
    if "No model config found" in said:
        return "holds weights alone: save the whole network with model.save('net.keras')"
    return ""


def load_onnx(file: Path, threads: int = 0) -> Runnable:
    """A model of one input and one output, on ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra("an ONNX file", "export") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    every = session.get_inputs()
    if len(every) != 1:
        raise UsageError(f"{file} takes {len(every)} inputs: a network of one image is needed")
    given = every[0]
    batch, *shape = (n if isinstance(n, int) and n > 0 else None for n in given.shape or [None])

    def run(values: Array) -> Array:
        return np.asarray(session.run(None, {given.name: _typed(values, given.type, file)})[0])

    return Runnable(tuple(shape), in_batches(run, batch))


def _typed(values: Array, wanted: str, file: Path) -> Array:
    """Numbers of the type that an ONNX file takes. Raises UsageError for fractions where it takes bytes."""
    if wanted != "tensor(uint8)":
        return values.astype(
            {"tensor(float16)": np.float16, "tensor(double)": np.float64}.get(wanted, np.float32)
        )
    return whole_numbers(values, file)


def whole_numbers(values: Array, where: Path | str) -> Array:
    """uint8, for a network that takes bytes. Raises UsageError for numbers that were scaled."""
    if values.min() < 0 or values.max() <= 1:
        raise UsageError(
            f"{where} takes whole numbers from 0 to 255: its card needs range = [0, 255] and neither mean nor std"
        )
    return np.asarray(np.round(values), np.uint8)


def load_tflite(file: Path, threads: int = 0) -> Runnable:
    """A model of one image at a time, on LiteRT. Quantised numbers are turned to real ones and back."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise MissingExtra("a TFLite file", "bench") from None
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
