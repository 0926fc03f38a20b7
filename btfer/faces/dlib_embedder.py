"""dlib's face network, with the weights of the package `face-recognition-models` (extra `faces`).

Both weights and network are by Davis King; the weights are in the public domain (CC0), dlib has the Boost licence. The
package also holds a predictor of 68 landmarks whose training data exclude commercial use: it is not read here.
Reference: https://github.com/davisking/dlib-models, dlib_face_recognition_resnet_model_v1.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from btfer.errors import BtferError, MissingExtra
from btfer.extras import installed
from btfer.faces.align import FaceToEmbed, Floats, align_face

WEIGHTS = Path("models", "dlib_face_recognition_resnet_model_v1.dat")
SIZE_PX = 150
# Eyes, nose and corners of the mouth in dlib's mean face (`get_face_chip_details`) with its padding of a quarter.
PLACES = np.array(
    [[47.549, 46.599], [100.476, 46.599], [74.013, 76.563], [50.415, 103.023], [97.610, 103.023]],
    np.float32,
)
MAX_DISTANCE = 0.5
"""Chosen on half of 298 people (517 real photos, 44 people with several) so that 2 of 10,000 pairs of others are
nearer: 0.49 and 0.51. On the other half 53 to 61 of 100 pairs of one person are, and 0.6 to 4 of 10,000 of others."""


@dataclass(frozen=True)
class DlibEmbedder:
    """128 numbers a face. weights: dlib's file of its network."""

    weights: Path
    name: str
    max_distance: float = MAX_DISTANCE

    @classmethod
    def installed(cls) -> "DlibEmbedder":
        """That of the extra. Raises MissingExtra where it is not installed."""
        # Found, not imported: the package wants pkg_resources, which setuptools no longer has.
        found = importlib.util.find_spec("face_recognition_models")
        if found is None or not found.submodule_search_locations or not installed("dlib"):
            raise MissingExtra("telling people apart", "faces")
        weights = Path(found.submodule_search_locations[0]) / WEIGHTS
        if not weights.is_file():
            raise MissingExtra("telling people apart", "faces")
        name = f"dlib_face_recognition_resnet_model_v1 ({version('face-recognition-models')})"
        return cls(weights, name)

    def __call__(self, faces: Sequence[FaceToEmbed]) -> Floats:
        """float32 [N, 128]."""
        network = _network(self.weights)
        chips = [align_face(face, PLACES, SIZE_PX) for face in faces]
        rows = [np.asarray(network.compute_face_descriptor(chip), np.float32) for chip in chips]
        return np.stack(rows) if rows else np.empty((0, 128), np.float32)


@cache
def _network(weights: Path) -> Any:
    import dlib

    try:
        return dlib.face_recognition_model_v1(str(weights))
    except RuntimeError:  # of dlib, around a C++ error
        raise BtferError(
            f"the face network's weights {weights} are damaged: reinstall with "
            "pip install --force-reinstall face-recognition-models==0.3.0"
        ) from None
