"""A run's network as one file for phones, small computers and other frameworks, with a card and an example.

The scaling of pixels is inside: every file takes RGB of 0 to 255, so that nothing has to be known of
how the network was trained. TFLite files take one picture at a time; `int8` takes bytes, the others
float32. Quantised once more, `int8` needs pictures to see the range of each layer: of the training set.
"""

import contextlib
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
from btfer.bench.datasets import SPLITS, ImageSet, Source, Split, load_release, split_source
from btfer.bench.datasets.training import read_source
from btfer.bench.edge.card import add_card
from btfer.bench.experiments.cells import SPLIT_SEED
from btfer.bench.runs.inputs import InputSpec, grey_weights
from btfer.bench.runs.store import TrainedRun
from btfer.errors import BtferError, MissingExtra, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic
from btfer.images import Pixels, decode_rgb
from btfer.paths import releases_dir, training_dir
from btfer.quiet import quiet_stderr

FORMATS = ("tflite", "onnx")
QUANTIZED = ("none", "dynamic", "float16", "int8")
CALIBRATION_PICTURES = 300
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class ExportSpec:
    """What is wanted: one of FORMATS and one of QUANTIZED. Raises UsageError for what does not exist."""

    format: str = "tflite"
    quantize: str = "none"

    def __post_init__(self) -> None:
        for value, known in ((self.format, FORMATS), (self.quantize, QUANTIZED)):
            if value not in known:
                raise UsageError(f"'{value}' is unknown: use one of {', '.join(known)}")
        if self.format == "onnx" and self.quantize != "none":
            raise UsageError(f"onnx with --quantize {self.quantize}: use --format tflite, or none")

    @property
    def name(self) -> str:
        """Of the folder: `onnx`, `tflite`, `tflite-int8`."""
        return self.format if self.quantize == "none" else f"{self.format}-{self.quantize}"


def export(
    run: TrainedRun, spec: ExportSpec, folder: Path, calibration: Callable[[], Pixels]
) -> Path:
    """Write model.<format>, its card as model.json and example.py into `folder`; the model's path.

    calibration: called for `int8` only, uint8 [N, size, size, 3]. Raises MissingExtra, and BtferError
    where the converter fails.
    """
    form, network = run.form, run.network()
    convert = _tflite if spec.format == "tflite" else _onnx
    pictures = calibration() if spec.quantize == "int8" else None
    with _in_silence():
        try:
            data = convert(network, form, spec.quantize, pictures)
        except (BtferError, MemoryError):
            raise
        except Exception as error:  # converters raise whatever they like
            raise BtferError(
                f"{run.name} as {spec.name}: {type(error).__name__}: {error}"
            ) from error
    file = folder / f"model.{spec.format}"
    card = card_of(run, spec)
    with tempfile.TemporaryDirectory() as scratch:
        part = Path(scratch) / file.name
        part.write_bytes(data)
        add_card(part, card)
        write_atomic(folder / "model.json", f"{json.dumps(card, indent=2)}\n".encode())
        write_atomic(folder / "example.py", (TEMPLATES / f"{spec.format}_example.py").read_bytes())
        write_atomic(file, part.read_bytes())
    return file


def card_of(run: TrainedRun, spec: ExportSpec) -> dict[str, Any]:
    """What the file tells of itself: classes in the order of its outputs, and what it is to be given."""
    told, form = run.record["definition"], run.form
    return {
        "name": told["architecture"],
        "classes": list(EXPRESSIONS),
        "input": {
            "width_px": form.size_px,
            "height_px": form.size_px,
            "channels": "RGB",
            "values": "0 to 255; scaled inside",
            "dtype": "uint8" if spec.quantize == "int8" else "float32",
            "resize": f"{form.resize}, the whole crop, its sides stretched to a square",
            "crop": "one face as btfer crop cuts it, with a margin",
        },
        "output": "float32 probabilities, one for each class",
        "quantize": spec.quantize,
        "run": run.record["id"],
        "training": run.record["training"],
        "weights": told["weights"],
        "notice": NOTICES.get(told["weights"], ""),
        "btfer": __version__,
    }


def calibration_pictures(run: TrainedRun, data_dir: Path, folder: Path | None = None) -> Pixels:
    """Up to 300 pictures that the run learnt from, drawn by a fixed seed, uint8 [N, size, size, 3].

    folder: a training set; None = the one of the run's name in data_dir/training, or of a fold the
    rest of its release. Raises UsageError where there is none.
    """
    images, indices = _learnt_from(run, data_dir, folder)
    chosen = np.random.default_rng(0).permutation(indices)[:CALIBRATION_PICTURES]
    crops = (decode_rgb((images.root / images.files[n]).read_bytes()) for n in sorted(chosen))
    return run.form.pictures(crops)


def _learnt_from(run: TrainedRun, data_dir: Path, folder: Path | None) -> tuple[ImageSet, Any]:
    name = run.record["training"]
    folder = folder or training_dir(data_dir) / name
    if folder.is_dir():
        split = _parted(run, read_source(folder, name, data_dir / "runs" / "_cache"))
        return split.train, split.train_indices
    release = releases_dir(data_dir) / (run.record.get("release") or {}).get("name", "")
    if run.record["definition"]["fold"] and (release / "metadata.csv").is_file():
        import pandas as pd

        images = load_release(release)
        held_out = set(pd.read_parquet(run.folder / "predictions_btfer.parquet")["file"])
        rest = [place for place, file in enumerate(images.files) if file not in held_out]
        return images, np.array(rest)
    raise UsageError(f"{folder} is not there: give what {name} was with --calibration FOLDER")


def _parted(run: TrainedRun, source: Source) -> Split:
    """The source parted as the run had it; as the authors did, where none of our ways is the run's."""
    for how in SPLITS:
        with contextlib.suppress(UsageError):  # a set without parts of its makers
            split = split_source(source, how, SPLIT_SEED)
            if split.how == run.record["definition"].get("split"):
                return split
    return split_source(source, "authors", SPLIT_SEED)


def _wrapped(network: keras.Model, form: InputSpec, batch: int | None) -> keras.Model:
    """The network with the scaling of pixels, and the turn to grey, before it."""
    shape = (form.size_px, form.size_px, 3)
    picture = keras.Input(shape, batch_size=batch, name="picture")
    values = keras.layers.Rescaling(form.scale, form.offset)(picture)
    if form.channels == 1:
        values = keras.ops.matmul(values, grey_weights())
    return keras.Model(picture, network(values, training=False))


def _tflite(network: keras.Model, form: InputSpec, quantize: str, pictures: Pixels | None) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(_wrapped(network, form, 1))
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if pictures is not None:
        converter.representative_dataset = lambda: ([one[None]] for one in _real(pictures))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    return bytes(converter.convert())


def _real(pictures: Pixels) -> Iterator[np.ndarray[Any, Any]]:
    return (one.astype(np.float32) for one in pictures)


def _onnx(network: keras.Model, form: InputSpec, quantize: str, pictures: Pixels | None) -> bytes:
    try:
        import onnx  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError:
        raise MissingExtra("an ONNX file", "export") from None
    model = _wrapped(network, form, None)
    model(np.zeros((1, form.size_px, form.size_px, 3), np.float32))  # Keras exports no uncalled one
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.onnx"
        model.export(file, format="onnx", verbose=False)
        return file.read_bytes()


@contextlib.contextmanager
def _in_silence() -> Iterator[None]:
    """Converters tell a page about each model, on both streams."""
    with contextlib.redirect_stdout(io.StringIO()), quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
