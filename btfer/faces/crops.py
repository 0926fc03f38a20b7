"""What a face network makes of crops that lie on disk."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from btfer.errors import ImageError
from btfer.faces import LANDMARKS
from btfer.faces.align import FaceToEmbed, Floats
from btfer.faces.cut import crop_settings_of, in_crop, read_cut
from btfer.faces.identity import Embedder
from btfer.images import decode_rgb
from btfer.paths import face_path

TOGETHER = 16  # crops that are handed over at a time: two seconds' work


class CutFace(Protocol):
    """A face as the catalogue has it. crop: how it was cut, {} = it was not. landmarks: in pixels of the photo."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def crop(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def landmarks(self) -> Mapping[str, Any]: ...  # noqa: D102


class CropToEmbed(NamedTuple):
    """A crop on disk. landmarks: x and y of each of LANDMARKS, in pixels of the crop."""

    face: str
    path: Path
    landmarks: tuple[tuple[float, float], ...]
    distortion: float


def crops_of(faces: Iterable[CutFace], data_dir: Path) -> list[CropToEmbed]:
    """The crops of those faces that have one and landmarks: a box that a person drew has none."""
    return [
        _crop_of(face, data_dir)
        for face in faces
        if face.crop and face.landmarks.keys() >= set(LANDMARKS)
    ]


def paths_of(crops: Iterable[CropToEmbed]) -> list[Path]:
    """Where the crops lie."""
    return [one.path for one in crops]


def _crop_of(face: CutFace, data_dir: Path) -> CropToEmbed:
    cut, size_px = read_cut(face.crop), crop_settings_of(face.crop).size_px
    points = tuple(in_crop(face.landmarks[name], cut, size_px) for name in LANDMARKS)
    return CropToEmbed(face.id, face_path(data_dir, face.id), points, cut.width / cut.height)


def embed(embedder: Embedder, crops: Sequence[CropToEmbed]) -> dict[str, Floats]:
    """What the network makes of each crop that can be read, float32 [D], by face; for worker processes."""
    read = {one.face: pixels for one in crops if (pixels := _read(one))}
    return dict(zip(read, embedder(list(read.values())), strict=True)) if read else {}


def _read(crop: CropToEmbed) -> FaceToEmbed | None:
    try:
        pixels = decode_rgb(crop.path.read_bytes())
    except (OSError, ImageError):
        return None
    return FaceToEmbed(pixels, np.array(crop.landmarks, np.float32), crop.distortion)
