"""A face network of the user's own as an ONNX file, such as SFace or ArcFace; nothing is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from btfer.errors import UsageError
from btfer.faces.align import FaceToEmbed, Floats, align_face
from btfer.files import sha256_file

SIZE_PX = 112
# Where the landmarks lie in the pictures that ArcFace, SFace and most networks since were trained on.
PLACES = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    np.float32,
)
MAX_DISTANCE = 1.128  # OpenCV's for SFace
SCALING = {
    "Subtract",
    "Multiply",
    "Divide",
}  # ahead of all LAYERS they bring pixels to the network's range
LAYERS = {"Convolution", "AvgPool", "ReduceMean", "MatMul"}


@dataclass(frozen=True)
class OnnxEmbedder:
    """Vectors of length 1. path: a file that takes float32 [N, 3, 112, 112], RGB, and gives [N, D]."""

    path: Path
    name: str
    max_distance: float = MAX_DISTANCE

    @classmethod
    def of(cls, path: Path) -> "OnnxEmbedder":
        """The network in a file. Raises UsageError where it cannot be read or has another form."""
        try:
            digest = sha256_file(path)
            _network(path)
        except OSError as error:
            raise UsageError(f"face_embedder {path} cannot be read: {error.strerror}") from None
        return cls(path, f"{path.name} (sha256 {digest[:12]})")

    def __call__(self, faces: Sequence[FaceToEmbed]) -> Floats:
        """float32 [N, D]."""
        network, scaled = _network(self.path)
        rows = [_unit(network(_input(face, scaled=scaled))) for face in faces]
        return np.stack(rows) if rows else np.empty((0, 1), np.float32)


def _input(face: FaceToEmbed, *, scaled: bool) -> Floats:
    chip = align_face(face, PLACES, SIZE_PX).astype(np.float32)
    if scaled:
        chip = (chip - 127.5) / 127.5
    return np.ascontiguousarray(chip.transpose(2, 0, 1)[None])


def _unit(row: Floats) -> Floats:
    return np.asarray(row / max(float(np.linalg.norm(row)), 1e-9), np.float32)


@cache
def _network(path: Path) -> tuple[Any, bool]:
    """The network, and whether its pixels must be brought to -1 to 1 first: some do that themselves."""
    import openvino

    core = openvino.Core()
    try:
        model = core.read_model(path)
        model.reshape([1, 3, SIZE_PX, SIZE_PX])
        compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})
        rank = len(model.output(0).get_partial_shape())
    except RuntimeError as error:  # of OpenVINO, around a C++ error
        reason = str(error).strip().splitlines()[-1][:200]
        raise UsageError(
            f"face_embedder {path} is no network for faces of 112 px: {reason}"
        ) from None
    if rank != 2:
        raise UsageError(f"face_embedder {path} gives {rank} dimensions, expected [N, D]")
    kinds = [one.get_type_name() for one in model.get_ordered_ops()]
    scales = SCALING.intersection(takewhile(lambda kind: kind not in LAYERS, kinds))
    return lambda pixels: compiled(pixels)[0][0], not scales
