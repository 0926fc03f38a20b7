"""Hair as a few thousand strands that grow from the scalp, bend down and are drawn point by point."""

from dataclasses import dataclass

import numpy as np

from btfer.sample.camera import unit
from btfer.sample.mesh import BODY, Mesh
from btfer.sample.person import Person
from btfer.sample.raster import Bools, Floats
from btfer.sample.shade import Light, scalp

STRANDS = 7000
_STEP = 0.018  # of a head's scale, see `camera.BETWEEN_EYES`
_MAX_STEPS = 200


@dataclass(frozen=True)
class Strands:
    """Points of all strands, float64, one row a point: position and unit direction [N, 3], brightness [N] around 1."""

    points: Floats
    along: Floats
    tone: Floats


@dataclass(frozen=True)
class _Head:
    """An ellipsoid that hair cannot enter."""

    middle: Floats
    radius: Floats

    def outside(self, points: Floats, lift: Floats) -> Floats:
        """Points, float64 [N, 3], pushed out to at least `lift` ([N]) times its surface."""
        offset = (points - self.middle) / self.radius
        far = np.linalg.norm(offset, axis=1)
        grow = np.maximum(1, lift / (far + 1e-9))
        return np.asarray(self.middle + offset * grow[:, None] * self.radius)


def grow(
    person: Person,
    upright: Floats,
    normal: Floats,
    mesh: Mesh,
    rng: np.random.Generator,
    strands: int = STRANDS,
) -> Strands:
    """A head of hair. upright, normal: float64 [V, 3], vertices and their normals, see `camera.place_in_front`.

    strands: how many; a small picture needs fewer. The person must not be bald.
    """
    roots, out, rest = _roots(upright, normal, mesh, rng, strands)
    length = person.hair_cm / 10 * rng.uniform(0.75, 1.05, len(roots))
    fringe = (rest[:, 2] > 0.75) & (np.abs(rest[:, 0]) < 0.5) & person.fringe
    length = np.where(fringe, np.minimum(length, rng.uniform(0.34, 0.46, len(roots))), length)
    heading = unit(_comb(person, rest, out, fringe) + rng.normal(0, 0.10, out.shape))
    lift = 1.02 + rng.uniform(0, 0.10, len(roots)) * (1.0 if person.gender == "female" else 0.6)
    tucked = ~fringe & (person.hair_cm > 9)
    paths = _paths(person, _head(upright, mesh), roots, heading, length, lift, tucked)
    return _as_points(person, paths, length, rng)


def light_up(strands: Strands, person: Person, light: Light) -> Floats:
    """The colour of each point, float64 [N, 3], RGB 0-255: hair shines across its direction, not along it."""
    across = np.sqrt(np.clip(1 - (strands.along * light.main).sum(1) ** 2, 0, 1))
    half = unit(light.main + np.array([0, 0, 1.0]))
    shine = np.sqrt(np.clip(1 - (strands.along * half).sum(1) ** 2, 0, 1)) ** 40
    matt = person.hair * ((0.35 + 0.55 * across) * strands.tone)[:, None] * light.tint
    gloss = (18 + 0.2 * person.hair) * (shine * strands.tone * (1 - 0.6 * person.curl))[:, None]
    return np.asarray(matt + gloss)


def _roots(
    upright: Floats, normal: Floats, mesh: Mesh, rng: np.random.Generator, strands: int
) -> tuple[Floats, Floats, Floats]:
    """Positions, normals and rest positions of the roots, spread evenly over the scalp."""
    triangles = mesh.triangles[mesh.group == BODY]
    inside = scalp(mesh.vertices)[triangles].mean(1)
    a, b, c = (upright[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * np.where(inside > 0.5, inside, 0)
    chosen = triangles[rng.choice(len(triangles), strands, p=area / area.sum())]
    mixed = rng.dirichlet([1, 1, 1], strands)[:, :, None]
    position, out, rest = (
        (values[chosen] * mixed).sum(1) for values in (upright, normal, mesh.vertices)
    )
    return position, unit(out), rest


def _head(upright: Floats, mesh: Mesh) -> _Head:
    on_scalp = upright[mesh.members(BODY)]
    on_scalp = on_scalp[scalp(mesh.vertices[mesh.members(BODY)]) > 0.5]
    low, high = on_scalp.min(0), on_scalp.max(0)
    half = (high - low) / 2
    middle = np.array([0.0, high[1] - half[0] * 1.05, (high[2] + low[2]) / 2])
    return _Head(middle, np.array([half[0], half[0] * 1.05, half[2]]))


def _comb(person: Person, rest: Floats, out: Floats, fringe: Bools) -> Floats:
    """The direction of a strand at its root: to both sides of the parting and back, or forward."""
    away = np.where(rest[:, 0] > person.parting, 1.0, -1.0)
    stiff = 0.35 + 0.65 * person.curl
    back = np.stack([0.8 * away, np.full(len(rest), 0.05), np.full(len(rest), -0.55)], axis=1)
    front = np.stack([0.25 * away, np.full(len(rest), -0.1), np.full(len(rest), 0.9)], axis=1)
    flat = np.where(fringe[:, None], front, back) * (1 - person.curl)
    return np.asarray(out * stiff + flat)


def _paths(
    person: Person,
    head: _Head,
    roots: Floats,
    heading: Floats,
    length: Floats,
    lift: Floats,
    tucked: Bools,
) -> Floats:
    """Positions [steps, strands, 3]; nan where a strand has ended."""
    steps = min(_MAX_STEPS, max(2, int(np.ceil(length.max() / _STEP))))
    weight = np.array([0, -0.16 * (1 - 0.93 * person.curl), 0])
    places = [roots]
    for _ in range(1, steps):
        heading = unit(heading + weight)
        moved = head.outside(places[-1] + heading * _STEP, lift)
        moved = _beside_face(moved, head, tucked)
        heading = unit(0.6 * heading + 0.4 * unit(moved - places[-1]))
        places.append(moved)
    paths = np.array(places)
    paths[np.arange(steps)[:, None] * _STEP > length] = np.nan
    return paths


def _beside_face(points: Floats, head: _Head, tucked: Bools) -> Floats:
    """Long hair that falls before the eyes is tucked to the side of the face."""
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    before = tucked & (y < head.middle[1] + 0.25 * head.radius[1]) & (z > head.middle[2])
    side = np.where(x >= 0, 1.0, -1.0) * np.maximum(np.abs(x), head.radius[0] * 0.93)
    back = np.minimum(z, head.middle[2] + 0.45 * head.radius[2])
    return np.stack([np.where(before, side, x), y, np.where(before, back, z)], axis=1)


def _as_points(person: Person, paths: Floats, length: Floats, rng: np.random.Generator) -> Strands:
    steps, strands, _ = paths.shape
    step = np.arange(steps)[:, None]
    turn = rng.uniform(0, 2 * np.pi, strands) + step * 0.55
    reach = 0.05 * person.curl * np.clip(step / 6, 0, 1)
    curl = np.stack([np.cos(turn), np.sin(turn), np.cos(turn + 1)], axis=2) * reach[..., None]
    tone = np.clip(rng.normal(1, 0.16, strands), 0.6, 1.4)
    tone = tone * (0.62 + 0.38 * np.clip(2.5 * step * _STEP / length, 0, 1))
    tone = tone * (1 + 0.25 * person.curl * np.sin(turn))
    along = unit(np.gradient(paths, axis=0))
    there = ~np.isnan(paths[..., 0]) & ~np.isnan(along[..., 0])
    return Strands((paths + curl)[there], along[there], tone[there])
