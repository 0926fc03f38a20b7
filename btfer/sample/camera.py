"""Where a person stands before the camera, and where each point falls in the image."""

import math
from dataclasses import dataclass

import numpy as np

from btfer.sample.mesh import LEFT_EYE, RIGHT_EYE, Mesh
from btfer.sample.raster import Floats

# Every head is scaled to this, so that a child fills as many pixels as an adult.
BETWEEN_EYES = 0.62
_DISTANCE, _FOCAL = 7.5, 1.2
EYES_AT = 0.40  # height of the head's centre in the image, from its top


@dataclass(frozen=True)
class HeadPose:
    """Turns of head and body in degrees: yaw to the side, pitch up or down, roll towards a shoulder."""

    yaw: float
    pitch: float
    roll: float

    def matrix(self) -> Floats:
        """The rotation, float64 [3, 3]."""
        a, b, c = np.radians([self.yaw, self.pitch, self.roll])
        about_y = [[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]]
        about_x = [[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]]
        about_z = [[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]]
        turns: Floats = np.array(about_z) @ np.array(about_x) @ np.array(about_y)
        return turns


def draw_head_pose(rng: np.random.Generator) -> HeadPose:
    """A random pose, roughly frontal."""
    return HeadPose(rng.normal(0, 9), rng.normal(0, 4.5), rng.normal(0, 4))


def place_in_front(vertices: Floats, mesh: Mesh) -> Floats:
    """Vertices scaled to one head size, with the origin inside the head, still upright.

    vertices: float64 [V, 3], decimetres, y up, z to the front. Returns float64 [V, 3] with BETWEEN_EYES between
    the eyes' middles.
    """
    left, right = (vertices[mesh.members(eye)].mean(0) for eye in (LEFT_EYE, RIGHT_EYE))
    scale = float(np.linalg.norm(left - right)) / BETWEEN_EYES
    middle = (left + right) / 2 + np.array([0, -0.25, -0.5]) * scale
    placed: Floats = np.asarray((vertices - middle) / scale, np.float64)
    return placed


def project(turned: Floats, size_px: int) -> Floats:
    """Points as pixel x, pixel y and depth (larger is nearer): float64 [N, 3] to float64 [N, 3].

    Rounded to 7 digits, so that ties fall alike on every machine.
    """
    away = _DISTANCE - turned[:, 2]
    focal = size_px * _FOCAL
    x = size_px / 2 + turned[:, 0] / away * focal
    y = size_px * EYES_AT - turned[:, 1] / away * focal
    return np.asarray(np.round(np.stack([x, y, -away], axis=1), 7), np.float64)


def normals(points: Floats, mesh: Mesh) -> Floats:
    """Smooth unit normals of the vertices: float64 [V, 3] from points float64 [V, 3]."""
    a, b, c = (points[mesh.triangles[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    summed = np.zeros_like(points)
    for corner in range(3):
        np.add.at(summed, mesh.triangles[:, corner], flat)
    return unit(summed)


def unit(vectors: Floats) -> Floats:
    """Vectors scaled to length one: float64 [..., 3] to float64 [..., 3]."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))
