"""Colours of skin, eyes, mouth and clothes at each pixel, and the light on them.

Features are painted in rest coordinates (see `mesh`), so they follow the mesh through every
expression. |x| is used throughout: both sides of a face are alike.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from btfer.sample.camera import unit
from btfer.sample.expression import CREASES
from btfer.sample.mesh import BODY, LEFT_EYE, LOWER_TEETH, RIGHT_EYE, TONGUE, UPPER_TEETH, Shapes
from btfer.sample.person import Person
from btfer.sample.raster import Floats, Ints

_NOISE_PX = 512
_COLLAR = 5.93


@dataclass(frozen=True)
class Surface:
    """What lies under each covered pixel: rest position [N, 3], uv [N, 2], unit normal [N, 3], group [N]."""

    rest: Floats
    uv: Floats
    normal: Floats
    group: Ints

    @property
    def side(self) -> Floats:
        """Distance from the middle of the face, float64 [N], in decimetres."""
        return np.abs(self.rest[:, 0])


@dataclass(frozen=True)
class Light:
    """A main and a fill light as unit vectors [3], and the tint of both, a factor for R, G and B."""

    main: Floats
    fill: Floats
    tint: Floats


def draw_light(rng: np.random.Generator) -> Light:
    """A main light from above, left or right, and a weaker one opposite."""
    main = unit(np.array([rng.normal(0, 0.5), 0.55, 0.8]))
    fill = unit(np.array([-main[0] * 1.2, 0.1, 0.7]))
    return Light(main, fill, np.array([1.0, rng.uniform(0.95, 1.0), rng.uniform(0.88, 1.02)]))


def shade(
    surface: Surface,
    person: Person,
    expression: str,
    light: Light,
    shapes: Shapes,
    rng: np.random.Generator,
) -> Floats:
    """The lit colour of each pixel, float64 [N, 3], RGB 0-255."""
    colour = _skin(surface, person, expression, shapes, rng)
    gaze = rng.normal(0, 0.05, 2) - np.array([0, 0.18 if expression == "sad" else 0])
    for eye in (LEFT_EYE, RIGHT_EYE):
        at = surface.group == eye
        colour[at] = _eye(
            surface.rest[at], shapes.mesh.vertices[shapes.mesh.members(eye)], person, gaze
        )
    _mouth(colour, surface)
    return _lit(colour, surface, light)


def scalp(rest: Floats) -> Floats:
    """How far points at rest, float64 [N, 3], are inside the hairline: float64 [N], 0 = outside, 1 = inside."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    line = 7.93 + 0.05 * np.cos(x * 5) - 0.80 * np.clip(0.95 - z, 0, 1.35)
    line = np.where(z < 0.1, np.maximum(line - (0.1 - z) * 0.8, 6.72), line)
    ear = (y < 7.55) & (((x > 0.66) & (z > -0.12) & (z < 0.55)) | ((x > 0.74) & (z > -0.4)))
    inside = np.clip((y - line) / 0.07 + 0.5, 0, 1) * (y < 9.2) * (x < 1.1)
    return np.asarray(np.where(ear, 0.0, inside))


def _skin(
    surface: Surface, person: Person, expression: str, shapes: Shapes, rng: np.random.Generator
) -> Floats:
    fine, coarse = _noise(surface, rng)
    skin = np.tile(person.skin, (len(fine), 1)) * (1 + 0.05 * fine + 0.035 * coarse)[:, None]
    skin *= 1 - _rosy(surface)[:, None] * np.array([0, 0.9, 0.8])
    lips = _texture(shapes.texture("lips"), surface.uv)
    _mix(skin, person.skin * np.array([0.86, 0.58, 0.56]), lips)
    _mix(skin, np.array([70.0, 22.0, 22.0]), _texture(shapes.texture("inside-mouth"), surface.uv))
    skin *= 1 - _shadows(surface)[:, None]
    skin *= 1 - _creases(surface, person, expression)[:, None]
    _mix(skin, person.hair * 0.65, 0.85 * _brows(surface, person) * np.clip(0.8 + 0.5 * fine, 0, 1))
    under_hair = 0.3 if person.hair_cm == 0 else 0.92
    dark = person.hair[None] * (0.7 + 0.25 * fine[:, None])
    grown = scalp(surface.rest)
    if person.hair_cm == 0:
        grown = grown * np.clip((7.75 - surface.rest[:, 1]) / 0.25, 0, 1)  # a wreath
    _mix(skin, dark, grown * under_hair)
    _mix(skin, dark, _beard(surface, person, lips) * np.clip(0.75 + 0.6 * fine, 0, 1))
    _mix(skin, person.cloth * (1 + 0.04 * coarse)[:, None], _clothed(surface))
    return skin


def _mix(colour: Floats, other: Floats, share: Floats) -> None:
    colour += (other - colour) * share[:, None]


def _texture(mask: Floats, uv: Floats) -> Floats:
    height, width = mask.shape
    x = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    y = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    return np.asarray(mask[y, x])


def _noise(surface: Surface, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Fine and coarse skin texture at each pixel, about -1 to 1."""
    white = rng.normal(size=(_NOISE_PX, _NOISE_PX))
    maps = [ndimage.gaussian_filter(white, sigma, mode="wrap") for sigma in (1.0, 9.0)]
    at = (surface.uv * 2400).astype(int) % _NOISE_PX
    fine, coarse = (np.clip(one / one.std() / 2, -1, 1)[at[:, 1], at[:, 0]] for one in maps)
    return fine, coarse


def _spot(surface: Surface, x: float, y: float, width: float, height: float) -> Floats:
    """A soft spot and its mirror image, on the front of the face."""
    away = ((surface.side - x) / width) ** 2 + ((surface.rest[:, 1] - y) / height) ** 2
    return np.asarray(np.exp(-away) * (surface.rest[:, 2] > 0.8))


def _line(
    surface: Surface, start: tuple[float, float], end: tuple[float, float], width: float
) -> Floats:
    """A soft line and its mirror image, fading towards its ends."""
    a, b = np.array(start), np.array(end)
    points = np.stack([surface.side, surface.rest[:, 1]], axis=1) - a
    along = np.clip((points * (b - a)).sum(1) / ((b - a) ** 2).sum(), 0, 1)
    away = np.linalg.norm(points - along[:, None] * (b - a), axis=1)
    fade = np.sin(np.pi * (0.12 + 0.76 * along))
    return np.asarray(np.exp(-((away / width) ** 2)) * fade * (surface.rest[:, 2] > 0.75))


def _rosy(surface: Surface) -> Floats:
    return 0.10 * _spot(surface, 0.42, 6.95, 0.2, 0.2) + 0.08 * _spot(surface, 0, 6.95, 0.14, 0.12)


def _shadows(surface: Surface) -> Floats:
    """Eye sockets, lash lines and nostrils."""
    socket = 0.16 * _spot(surface, 0.31, 7.22, 0.18, 0.09)
    rim = ((surface.side - 0.31) / 0.155) ** 2 + ((surface.rest[:, 1] - 7.285) / 0.075) ** 2
    lashes = 0.45 * np.exp(-(((rim - 1) / 0.35) ** 2)) * (surface.rest[:, 2] > 1.15)
    nostril = 0.55 * _spot(surface, 0.075, 6.885, 0.045, 0.03)
    return np.asarray(1 - (1 - socket) * (1 - lashes) * (1 - nostril))


def _creases(surface: Surface, person: Person, expression: str) -> Floats:
    """Wrinkles of age and of the expression."""
    made, age = CREASES[expression], person.wrinkles
    forehead = sum(_line(surface, (0, y), (0.36, y + 0.015), 0.012) for y in (7.6, 7.68, 7.76))
    crow = sum(_line(surface, (0.5, 7.29), (0.62, y), 0.010) for y in (7.21, 7.28, 7.35))
    frown = _line(surface, (0.055, 7.36), (0.045, 7.52), 0.014)
    nose = sum(_line(surface, (0, y), (0.09, y + 0.05), 0.012) for y in (7.17, 7.23, 7.29))
    fold = _line(surface, (0.17, 6.93), (0.34, 6.60), 0.022)
    bag = _line(surface, (0.2, 7.17), (0.42, 7.16), 0.018)
    weights = (
        (forehead, 0.28 * made.get("forehead", 0) + 0.16 * age),
        (crow, 0.22 * made.get("crow", 0) + 0.18 * age),
        (frown, 0.32 * made.get("frown", 0) + 0.08 * age),
        (nose, 0.34 * made.get("nose", 0)),
        (fold, 0.24 * made.get("fold", 0) + 0.20 * age),
        (bag, 0.16 * age),
    )
    young = 0.55 if person.age == "child" else 1.0
    return np.clip(np.asarray(sum(line * weight for line, weight in weights)) * young, 0, 0.5)


def _brows(surface: Surface, person: Person) -> Floats:
    x, y = surface.side, surface.rest[:, 1]
    along = np.clip((x - 0.10) / 0.42, 0, 1)
    middle = 7.425 + 0.085 * np.sin(along * 2.2) - 0.05 * along
    thick = 0.040 * (1 - 0.65 * along) * (1.0 if person.gender == "female" else 1.35)
    ends = np.clip((x - 0.09) / 0.03, 0, 1) * np.clip((0.56 - x) / 0.08, 0, 1)
    brow = np.exp(-1.3 * ((y - middle) / thick) ** 2) * ends * (surface.rest[:, 2] > 1.0)
    return np.asarray(brow)


def _beard(surface: Surface, person: Person, lips: Floats) -> Floats:
    x, y, z = surface.side, surface.rest[:, 1], surface.rest[:, 2]
    cheek = 6.86 - 0.14 * np.sin(np.clip((x - 0.1) / 0.5, 0, 1) * np.pi)
    chin = (
        np.clip((cheek - y) / 0.1, 0, 1) * np.clip((y - 6.2) / 0.08, 0, 1) * (z > 0.3) * (x < 0.66)
    )
    upper = np.clip(1 - ((x - 0.1) / 0.2) ** 2, 0, 1) * np.clip(1 - ((y - 6.76) / 0.05) ** 2, 0, 1)
    bare = np.clip(1 - ((x / 0.3) ** 2 + ((y - 6.66) / 0.12) ** 2), 0, 1)
    return np.asarray(
        person.beard * (1 - lips) * np.clip(chin * (1 - 1.3 * bare) + upper * (z > 1), 0, 1)
    )


def _clothed(surface: Surface) -> Floats:
    """Below a round collar."""
    edge = _COLLAR - 0.12 * np.clip(surface.rest[:, 2] - 0.3, 0, 1)
    return np.where(surface.group == BODY, np.clip((edge - surface.rest[:, 1]) / 0.02, 0, 1), 0.0)


def _eye(rest: Floats, ball: Floats, person: Person, gaze: Floats) -> Floats:
    """White, iris, pupil and a glint, by the angle from where the eye looks."""
    out = unit(rest - ball.mean(0))
    angle = _degrees(out, np.array([gaze[0], gaze[1], 1.0]))
    colour = np.tile(np.array([234.0, 230.0, 225.0]), (len(rest), 1))
    colour[angle < 27] = person.iris
    colour[(angle > 24) & (angle < 28)] *= 0.45
    colour[angle < 11] = 12
    colour *= np.clip(1.05 - 0.5 * np.clip(out[:, 1] - 0.15, 0, 1), 0.45, 1)[:, None]
    colour[_degrees(out, np.array([0.22, 0.28, 1.0])) < 5] = 250
    return colour


def _degrees(directions: Floats, axis: Floats) -> Floats:
    return np.asarray(np.degrees(np.arccos(np.clip((directions * unit(axis)).sum(1), -1, 1))))


def _mouth(colour: Floats, surface: Surface) -> None:
    for group, base in (
        (UPPER_TEETH, (230, 225, 212)),
        (LOWER_TEETH, (208, 201, 188)),
        (TONGUE, (150, 70, 70)),
    ):
        at = surface.group == group
        colour[at] = np.array(base) * 0.9
        if group != TONGUE:
            colour[at] *= 1 - 0.12 * (np.abs(np.sin(surface.rest[at, 0] * 38)) > 0.97)[:, None]


def _lit(colour: Floats, surface: Surface, light: Light) -> Floats:
    normal = surface.normal
    bright = 0.30 + 0.10 * normal[:, 1]
    bright = bright + np.clip((normal * light.main).sum(1), 0, 1) * 0.62
    bright = bright + np.clip((normal * light.fill).sum(1), 0, 1) * 0.22
    half = unit(light.main + np.array([0, 0, 1.0]))
    gloss = np.clip((normal * half).sum(1), 0, 1) ** 24 * 0.15
    gloss = gloss * np.isin(surface.group, (BODY, LEFT_EYE, RIGHT_EYE)) * (1 - _clothed(surface))
    warm = np.clip(bright, 0.05, None)[:, None] ** np.array(
        [0.9, 1.0, 1.04]
    )  # light seeps through skin
    return np.asarray(colour * warm * light.tint + 255 * gloss[:, None])
