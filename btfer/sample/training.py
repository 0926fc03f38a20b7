"""The training part of the sample: faces of other people than those in its pictures, cropped and small.

Each is a picture of one person, drawn as the sample's singles are but coarser and with more variety, in which MTCNN
finds the face; the crop is cut as the line cuts it and made small. Nobody in it is in a picture of the sample: every
person is drawn from a seed of their own.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from btfer.engine import PROCESSES, map_unordered
from btfer.errors import BtferError
from btfer.expressions import EXPRESSIONS
from btfer.faces.find import find_faces
from btfer.faces.modes import CropSettings, mode
from btfer.sample.mesh import Shapes
from btfer.sample.plan import AGES, ETHNICITIES, GENDERS
from btfer.sample.scene import CastMember, Finish, draw_scene

TRAINING_SEED = 7777
PER_CLASS = 108
SIDE_PX = 72
_QUALITY = 88
# As singles of the sample, and smaller, as faces of groups: the margin is in pixels of the picture.
_SIZES = ((640, 480), (480, 640), (560, 560), (720, 480), (400, 300), (320, 240))
_STRANDS = 1500  # enough for a head of some 300 px
_TRIES = 8


@dataclass(frozen=True)
class TrainingFace:
    """A face to draw. number: of the face within its class, from 1."""

    number: int
    who: CastMember

    @property
    def file(self) -> str:
        """Its name in the training set: class folder and number."""
        return f"{self.who[0]}/{self.number:03d}.jpg"


def training_faces(per_class: int = PER_CLASS) -> list[TrainingFace]:
    """Every face of the training part; genders, ages and ethnicities take turns in each class."""
    return [_planned(label, i) for label in EXPRESSIONS for i in range(per_class)]


def _planned(label: str, i: int) -> TrainingFace:
    shift = EXPRESSIONS.index(label)
    who = (label, GENDERS[i % 2], AGES[i // 2 % 4], ETHNICITIES[(i + shift) % 3])
    return TrainingFace(i + 1, who)


def render_training(
    data: Path, *, progress: Callable[[int, int], None] | None = None
) -> dict[str, bytes]:
    """Draw every face of the training part: its JPEG by its name; takes minutes.

    data: the folder of `fetch_assets`. progress: called with the number of faces drawn, and of all.
    """
    Shapes(data)  # raises now, not in a worker
    planned = training_faces()
    work, made = partial(_draw_in_worker, data=data), dict[str, bytes]()
    for file, jpeg in map_unordered(work, planned, engine=PROCESSES):
        made[file] = jpeg
        if progress:
            progress(len(made), len(planned))
    return {one.file: made[one.file] for one in planned}


def render_face(shapes: Shapes, one: TrainingFace) -> bytes:
    """One face as a JPEG of SIDE_PX x SIDE_PX.

    Where MTCNN finds no face, another person is drawn in their place. Raises BtferError where that goes on.
    """
    settings = replace(mode("paper"), faces="largest")
    for attempt in range(_TRIES):
        crop = _crop(shapes, one, attempt, settings)
        if crop:
            return _small(crop)
    raise BtferError(f"no face was found in {_TRIES} drawings of {one.file}: is the 3D data whole?")


def _crop(shapes: Shapes, one: TrainingFace, attempt: int, settings: CropSettings) -> bytes:
    """The line's crop of a drawing, a PNG; empty where no face is found."""
    at = int.from_bytes(hashlib.sha256(one.file.encode()).digest()[:4])
    seed = [TRAINING_SEED, at, attempt]
    rng = np.random.default_rng([*seed, 9])
    finish = Finish(rng.uniform(0.4, 0.6), _STRANDS, rng.uniform(0.7, 1.15))
    width_px, height_px = _SIZES[rng.integers(len(_SIZES))]
    scene = draw_scene(
        shapes, [one.who], seed=seed, width_px=width_px, height_px=height_px, finish=finish
    )
    found = find_faces(np.asarray(scene.image), settings)
    return next((face.png for face in found if not face.reason), b"")


def _small(png: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as crop:
        small = crop.convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    small.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


@cache
def _shapes(data: Path) -> Shapes:
    return Shapes(data)


def _draw_in_worker(one: TrainingFace, *, data: Path) -> tuple[str, bytes]:
    """A face's name and its JPEG."""
    return one.file, render_face(_shapes(data), one)
