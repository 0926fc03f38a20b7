"""Whether two crops may show the same person: numbers that a face network gives each, near for one person.

Such numbers are biometric data: they are made on this machine when asked for, held in memory and stored nowhere.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

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


def n_near(own: Floats, others: Sequence[Floats], max_distance: float) -> int:
    """How many of the others, float32 [D] each, lie no further from a face's numbers than those of one person may."""
    if not others:
        return 0
    return int((np.linalg.norm(np.stack(others) - own, axis=1) <= max_distance).sum())


def person_of_each(vectors: Mapping[str, Floats], max_distance: float) -> dict[str, int]:
    """A number for the person whom each face may show; the same for faces whose numbers are near on average.

    vectors: float32 [D] of each face, as an `Embedder` gives them. A chain of look-alikes is no person: two groups
    are one where the mean distance between their faces allows it.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(vectors) < 2:
        return dict.fromkeys(vectors, 1)
    tree = linkage(np.stack([*vectors.values()]).astype(np.float64), method="average")
    numbers = fcluster(tree, max_distance, criterion="distance")
    return dict(zip(vectors, numbers.tolist(), strict=True))


def together(faces: Sequence[str], person: Mapping[str, int]) -> list[str]:
    """Faces by person: who is there most often first, each as they came; then all who are there once, as they came."""
    times = Counter(person[one] for one in faces if one in person)
    first = {who: at for at, one in reversed([*enumerate(faces)]) if (who := person.get(one))}

    def place(one: str) -> tuple[int, int]:
        who = person.get(one, 0)
        return (-times[who], first[who]) if times[who] > 1 else (0, 0)

    return sorted(faces, key=place)
