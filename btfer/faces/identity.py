"""Whether two crops may show the same person: numbers that a face network gives each, near for one person.

Such numbers are biometric data: they are made on this machine when asked for, held in memory and stored nowhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from btfer.faces.align import FaceToEmbed, Floats
from btfer.faces.dlib_embedder import DlibEmbedder
from btfer.faces.onnx_embedder import OnnxEmbedder


class Embedder(Protocol):
    """A face network; it may be handed to another process.

    name: it and its version, as a release states it. max_distance: of two faces of one person, unless another is set.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def max_distance(self) -> float: ...  # noqa: D102
    def __call__(self, faces: Sequence[FaceToEmbed]) -> Floats:
        """float32 [N, D], a row a face; the smaller the Euclidean distance of two rows, the more alike they are."""


def choose_embedder(file: str | Path) -> Embedder:
    """The network of an ONNX file, or that of the extra `faces` where none is given ('').

    Raises UsageError for a file that is no such network, MissingExtra where the extra is not installed.
    """
    return OnnxEmbedder.of(Path(file)) if file else DlibEmbedder.installed()
