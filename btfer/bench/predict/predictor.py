"""What a run's network predicts for any photo, and which released faces are most similar to it.

No photo is stored here.
"""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.datasets.pixels import load_pixels
from btfer.bench.runs.store import TrainedRun
from btfer.cached import cached
from btfer.expressions import EXPRESSIONS
from btfer.extras import require
from btfer.faces import Box
from btfer.faces.find import find_faces
from btfer.faces.modes import CropSettings, crop_settings
from btfer.files import write_atomic
from btfer.images import Pixels, decode_rgb
from btfer.release_record import read_crop_settings
from btfer.settings import Settings

if TYPE_CHECKING:
    import keras

Array = np.ndarray[Any, Any]

BATCH = 32


@dataclass(frozen=True)
class PredictedFace:
    """A face of a photo.

    crop: uint8 [side, side, 3] RGB. probabilities: in label order. features: float [D] of unit length.
    """

    box: Box
    crop: Pixels
    probabilities: tuple[float, ...]
    features: Array

    @property
    def expression(self) -> str:
        """The most probable class."""
        return EXPRESSIONS[int(np.argmax(self.probabilities))]


@dataclass(frozen=True)
class SimilarFace:
    """A released face. likeness: cosine of its features and those of the face that is asked about."""

    file: str
    label: str
    likeness: float


class Predictor:
    """A run's network, ready to predict. Loads Keras. Raises MissingExtra without it."""

    def __init__(self, run: TrainedRun) -> None:
        require("bench", "a trained network")
        import keras

        self.run, self.input_spec = run, run.input_spec
        network = run.network()
        self._both = keras.Model(network.inputs[0], [network.outputs[0], _before_classes(network)])

    def predict(self, pixels: Pixels, settings: CropSettings) -> list[PredictedFace]:
        """Every face of a photo that btfer crop would take from it, from left to right, with its probabilities.

        pixels: uint8 [H, W, 3], RGB, at full size. Raises ImageError where the detector cannot read it.
        """
        found = [one for one in find_faces(pixels, settings) if not one.reason]
        if not found:
            return []
        crops = [decode_rgb(one.png) for one in found]
        probabilities, features = self.read(self.input_spec.images(crops))
        return [
            PredictedFace(one.box, crop, tuple(p.tolist()), feature)
            for one, crop, p, feature in zip(found, crops, probabilities, features, strict=True)
        ]

    def read(self, images: Pixels) -> tuple[Array, Array]:
        """Probabilities, float [N, classes], and features, float32 [N, D] of unit length.

        images: uint8 [N, size_px, size_px, 3] RGB, as `InputSpec.images` gives them.
        """
        parts = [
            self._both(self.input_spec.values(images[start : start + BATCH]), training=False)
            for start in range(0, len(images), BATCH)
        ]
        probabilities = np.concatenate([np.asarray(one) for one, _ in parts])
        features = np.concatenate([np.asarray(two) for _, two in parts])
        features = features.reshape(len(features), -1)
        length = np.linalg.norm(features, axis=1, keepdims=True)
        return probabilities, features / np.maximum(length, 1e-12)

    def index(self, images: ImageSet, cache: Path) -> Array:
        """Features of every released face, float32 [N, D]: made once for each release and run."""
        path = cache / f"features-{self.run.record.id}-{images.digest[:16]}.npy"

        def make() -> None:
            spec = self.input_spec
            pixels = load_pixels(images, spec.size_px, cache, spec.resize)
            _, features = self.read(pixels)
            write_atomic(path, _npy(features.astype(np.float32)))

        found: Array = cached(path, make, np.load)
        return found


def nearest(
    features: Array, index: Array, images: ImageSet, per_class: int = 3
) -> dict[str, list[SimilarFace]]:
    """The released faces of each class whose features are most like these, the nearest first.

    features: float [D], of one face. index: float [N, D], of `images`; all of unit length.
    """
    likeness = index @ features
    found = {}
    for number, label in enumerate(EXPRESSIONS):
        own = np.flatnonzero(images.labels == number)
        best = own[np.argsort(-likeness[own], kind="stable")[:per_class]]
        found[label] = [
            SimilarFace(images.files[n], label, round(float(likeness[n]), 4)) for n in best
        ]
    return found


def crop_of(settings: Settings, release: Path | None) -> CropSettings:
    """How the release's faces were cropped, where it says so; else as the settings say."""
    chosen = crop_settings(settings)
    recorded = read_crop_settings(release) if release else None
    return replace(recorded or chosen, faces="all")


def _before_classes(network: "keras.Model") -> Any:
    """What the last layer that is not about the classes gives."""
    outputs = [layer.output for layer in network.layers if not isinstance(layer.output, list)]
    classes = tuple(network.outputs[0].shape)
    return next((one for one in reversed(outputs) if tuple(one.shape) != classes), outputs[-1])


def _npy(values: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()
