"""A run's network as one file for phones, small computers and other frameworks, with a card and an example.

The scaling of pixels is inside: every file takes RGB of 0 to 255, so that nothing has to be known of
how the network was trained. TFLite files take one image at a time; `int8` takes bytes, the others
float32. Quantised once more, `int8` needs images to see the range of each layer: of the training set.
"""

import contextlib
import hashlib
import io
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btfer import __version__
from btfer.bench.architectures.weight_files import NOTICES
from btfer.bench.datasets import SPLITS, ImageSet, Split, TrainingSource, load_release, split_source
from btfer.bench.datasets.folders import images as images_in
from btfer.bench.datasets.folders import labels_in
from btfer.bench.datasets.training import read_source
from btfer.bench.edge.card import add_card
from btfer.bench.experiments.cells import SPLIT_SEED
from btfer.bench.runs.inputs import InputSpec, grey_weights
from btfer.bench.runs.store import TrainedRun
from btfer.errors import BtferError, ImageError, MissingExtra, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic
from btfer.images import Pixels, decode_rgb
from btfer.paths import releases_dir, training_dir
from btfer.quiet import quiet_stderr

FORMATS = ("tflite", "onnx")
QUANTIZED = ("none", "dynamic", "float16", "int8")
CALIBRATION_IMAGES = 300
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class ExportSpec:
    """What is wanted: one of FORMATS and one of QUANTIZED. Raises UsageError for what does not exist."""

    format: str = "tflite"
    quantize: str = "none"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("format", self.format, FORMATS),
            ("quantization", self.quantize, QUANTIZED),
        ):
            if value not in known:
                raise UsageError(f"unknown {name} '{value}'; choose one of {', '.join(known)}")
        if self.format == "onnx" and self.quantize != "none":
            raise UsageError(
                f"onnx cannot be quantized as {self.quantize}: use --format tflite, or --quantize none"
            )

    @property
    def name(self) -> str:
        """Of the folder: `onnx`, `tflite`, `tflite-int8`."""
        return self.format if self.quantize == "none" else f"{self.format}-{self.quantize}"


def export(
    run: TrainedRun, spec: ExportSpec, folder: Path, calibration: Callable[[], Pixels | None]
) -> Path:
    """Write model.<format>, its card as model.json and example.py into `folder`; the model's path.

    calibration: called for `int8` only, uint8 [N, size, size, 3]. Raises MissingExtra, and BtferError
    where the converter fails.
    """
    input_spec, network = run.input_spec, run.network()
    convert = _tflite if spec.format == "tflite" else _onnx
    images = calibration() if spec.quantize == "int8" else None
    with _quiet():
        try:
            data = convert(network, input_spec, spec.quantize, images)
        except (BtferError, MemoryError):
            raise
        except Exception as error:  # converters raise whatever they like
            raise BtferError(
                f"{run.name} as {spec.name}: {type(error).__name__}: {error}"
            ) from error
    file = folder / f"model.{spec.format}"
    card = card_of(run, spec, images)
    with tempfile.TemporaryDirectory() as scratch:
        part = Path(scratch) / file.name
        part.write_bytes(data)
        add_card(part, card)
        write_atomic(folder / "model.json", f"{json.dumps(card, indent=2)}\n".encode())
        write_atomic(folder / "example.py", (TEMPLATES / f"{spec.format}_example.py").read_bytes())
        write_atomic(file, part.read_bytes())
    return file


def card_of(run: TrainedRun, spec: ExportSpec, calibration: Pixels | None = None) -> dict[str, Any]:
    """What the file says of itself: classes in the order of its outputs, and what it is to be given.

    calibration: of `int8`, uint8 [N, size, size, 3].
    """
    definition, spec_in = run.record.definition, run.input_spec
    seen = {}
    if calibration is not None:
        seen = {"calibration": hashlib.sha256(calibration.tobytes()).hexdigest()}
    return {
        "name": definition.architecture,
        "classes": list(EXPRESSIONS),
        "input": {
            "width_px": spec_in.size_px,
            "height_px": spec_in.size_px,
            "channels": "RGB",
            "values": "0 to 255; scaled inside",
            "dtype": "uint8" if spec.quantize == "int8" else "float32",
            "filter": spec_in.resize,
            "resize": f"{spec_in.resize}, the whole crop, its sides stretched to a square",
            "crop": "one face as btfer crop cuts it, with a margin",
        },
        "output": "float32 probabilities, one for each class",
        "quantize": spec.quantize,
        **seen,
        "run": run.record.id,
        "training": run.record.training,
        "weights": definition.weights,
        "notice": NOTICES.get(definition.weights, ""),
        "btfer": __version__,
    }


def calibration_images(run: TrainedRun, data_dir: Path, folder: Path | None = None) -> Pixels:
    """Up to 300 images that the run learnt from, drawn by a fixed seed, uint8 [N, size, size, 3] RGB.

    folder: a training set, or images without classes; None = the set of the run's name in data_dir/training, or of a
    fold the rest of its release. Raises UsageError where there is none.
    """
    loose = sorted(images_in(folder)) if folder and folder.is_dir() else []
    if loose:
        files, indices = loose, np.arange(len(loose))
    else:
        images, indices = _learnt_from(run, data_dir, folder)
        files = [images.root / one for one in images.files]
    chosen = np.random.default_rng(0).permutation(indices)[:CALIBRATION_IMAGES]
    return run.input_spec.images(_decoded(files[n]) for n in sorted(chosen))


def _decoded(file: Path) -> Pixels:
    try:
        return decode_rgb(file.read_bytes())
    except ImageError as error:
        raise UsageError(f"--calibration: {file} cannot be read: {error}") from None


def _learnt_from(run: TrainedRun, data_dir: Path, folder: Path | None) -> tuple[ImageSet, Any]:
    name = run.record.training
    if folder and not folder.is_dir():
        raise UsageError(f"--calibration {folder}: there is no such folder")
    set_folder = folder or training_dir(data_dir) / name
    if set_folder.is_dir():
        said = labels_in(run.record.definition.split)
        try:
            source = read_source(set_folder, name, data_dir / "runs" / "_cache", said)
        except UsageError as error:
            raise UsageError(f"--calibration {folder}: {error}" if folder else str(error)) from None
        split = _split_again(run, source)
        return split.train, split.train_indices
    release = releases_dir(data_dir) / run.record.release_name
    if run.record.definition.fold and (release / "metadata.csv").is_file():
        import pandas as pd

        images = load_release(release)
        held_out = set(pd.read_parquet(run.record.predictions_path)["file"])
        rest = [place for place, file in enumerate(images.files) if file not in held_out]
        return images, np.array(rest)
    raise UsageError(
        f"no training set {set_folder}: name the folder of {name} with --calibration FOLDER"
    )


def _split_again(run: TrainedRun, source: TrainingSource) -> Split:
    """The source split as the run had it; as the authors did, where none of our ways is the run's."""
    for how in SPLITS:
        with contextlib.suppress(UsageError):  # a set without parts of its makers
            split = split_source(source, how, SPLIT_SEED)
            if split.how == run.record.definition.split:
                return split
    return split_source(source, "authors", SPLIT_SEED)


def _wrapped(network: keras.Model, spec: InputSpec, batch: int | None) -> keras.Model:
    """The network with the scaling of pixels, and the turn to grey, before it."""
    shape = (spec.size_px, spec.size_px, 3)
    image = keras.Input(shape, batch_size=batch, name="picture")
    values = keras.layers.Rescaling(spec.scale, spec.offset)(image)
    if spec.channels == 1:
        values = keras.ops.matmul(values, grey_weights())
    return keras.Model(image, network(values, training=False))


def _tflite(network: keras.Model, spec: InputSpec, quantize: str, images: Pixels | None) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(_wrapped(network, spec, 1))
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if images is not None:
        converter.representative_dataset = lambda: ([one[None]] for one in _real(images))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    return bytes(converter.convert())


def _real(images: Pixels) -> Iterator[np.ndarray[Any, Any]]:
    """The images, and a black and a white one: the input's range is 0 to 255 then, whatever the images are."""
    black = np.zeros_like(images[:1])
    every = np.concatenate([images, black, 255 - black])
    return (one.astype(np.float32) for one in every)


def _onnx(network: keras.Model, spec: InputSpec, quantize: str, images: Pixels | None) -> bytes:
    try:
        import onnx  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError:
        raise MissingExtra("an ONNX file", "export") from None
    model = _wrapped(network, spec, None)
    model(np.zeros((1, spec.size_px, spec.size_px, 3), np.float32))  # Keras exports no uncalled one
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.onnx"
        model.export(file, format="onnx", verbose=False)
        return file.read_bytes()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Converters print a page about each model, on both streams."""
    with contextlib.redirect_stdout(io.StringIO()), quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
