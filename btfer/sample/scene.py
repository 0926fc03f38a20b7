"""Pictures of one or more people before a background, with the exact box of each face."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from btfer.sample import SampleFace
from btfer.sample.background import draw_background
from btfer.sample.camera import EYES_AT
from btfer.sample.hair import STRANDS
from btfer.sample.head import Portrait, render_person
from btfer.sample.mesh import Shapes

_LEAST_PX = 260  # a smaller head would lose its strands of hair
_GRAIN = 3.0

CastMember = tuple[str, str, str, str]
"""Who is in a picture: expression, gender, age, ethnicity."""


@dataclass(frozen=True)
class Scene:
    """A drawn picture and the faces in it, from left to right."""

    image: Image.Image
    faces: tuple[SampleFace, ...]


@dataclass(frozen=True)
class Finish:
    """How finely people are drawn, and how strong their expressions are.

    oversampling: pixels that a head is rendered with for each that it has in the picture; below 1 it is soft.
    strands: of hair. strength: of expressions, 1 = as their weights say.
    """

    oversampling: float = 1.25
    strands: int = STRANDS
    strength: float = 1.0


FINE = Finish()


def draw_scene(
    shapes: Shapes,
    cast: list[CastMember],
    *,
    seed: list[int],
    width_px: int,
    height_px: int,
    finish: Finish = FINE,
) -> Scene:
    """Draw people side by side. The same seed gives the same pixels."""
    rng = np.random.default_rng([*seed, 0])
    image = draw_background(rng, width_px, height_px)
    faces = []
    for place, (expression, *group) in enumerate(cast):
        side = _side(rng, len(cast), width_px, height_px)
        portrait = render_person(
            shapes,
            expression,
            (group[0], group[1], group[2]),
            seed=[*seed, 1 + place],
            size_px=max(_LEAST_PX, int(side * finish.oversampling)),
            strength=finish.strength,
            strands=finish.strands,
        )
        left = int(
            (place + 0.5) * width_px / len(cast) - side / 2 + rng.normal(0, width_px * 0.015)
        )
        top = int(height_px * rng.uniform(0.40, 0.54) - side * EYES_AT)
        faces.append(_paste(image, portrait, left, top, side))
    pixels = np.asarray(image) + rng.normal(0, _GRAIN, (height_px, width_px, 3))
    return Scene(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), tuple(faces))


def _side(rng: np.random.Generator, people: int, width_px: int, height_px: int) -> int:
    """How large the square of a person is."""
    if people == 1:
        return int(height_px * rng.uniform(1.25, 1.7))
    return int(min(width_px / people * 1.8, height_px * 1.3) * rng.uniform(0.88, 1.05))


def _paste(image: Image.Image, portrait: Portrait, left: int, top: int, side: int) -> SampleFace:
    def small(values: Image.Image) -> Image.Image:
        return values.resize((side, side), Image.Resampling.LANCZOS)

    colour = Image.fromarray(portrait.colour.astype(np.uint8))
    cover = Image.fromarray(portrait.cover.astype(np.uint8) * 255)
    image.paste(small(_bleed(colour, portrait)), (left, top), small(cover))
    rows, columns = np.nonzero(portrait.face)
    ratio = side / portrait.face.shape[0]
    x, right = (round(float(v) * ratio) + left for v in (columns.min(), columns.max()))
    y, low = (round(float(v) * ratio) + top for v in (rows.min(), rows.max()))
    x, y = max(0, x), max(0, y)
    width, height = min(image.width, right) - x, min(image.height, low) - y
    who = portrait.person
    return SampleFace(x, y, width, height, portrait.expression, who.gender, who.age, who.ethnicity)


def _bleed(colour: Image.Image, portrait: Portrait) -> Image.Image:
    """Colours carried a little over the edge, so that scaling down mixes in no black."""
    nearest = ndimage.distance_transform_edt(
        ~portrait.cover, return_distances=False, return_indices=True
    )
    return Image.fromarray(np.asarray(colour)[tuple(nearest)])
