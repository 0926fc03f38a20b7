"""One person rendered: colours, coverage and the box of the face."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from btfer.sample import hair
from btfer.sample.camera import HeadPose, draw_head_pose, normals, place_in_front, project
from btfer.sample.mesh import BODY, LEFT_EYE, RIGHT_EYE, Mesh, Shapes
from btfer.sample.person import Person, draw_person, shape_of
from btfer.sample.raster import Bools, Floats, Fragments, Ints, nearest, rasterize
from btfer.sample.shade import Light, Surface, draw_light, shade


@dataclass(frozen=True)
class Portrait:
    """A square picture of a person. colour: float64 [S, S, 3], RGB 0-255.

    cover: bool [S, S], where the person is. face: bool [S, S], where the face is.
    """

    person: Person
    expression: str
    colour: Floats
    cover: Bools
    face: Bools


def render_person(
    shapes: Shapes,
    expression: str,
    group: tuple[str, str, str],
    *,
    seed: list[int],
    size_px: int,
    pose: HeadPose | None = None,
    strength: float = 1.0,
    strands: int = hair.STRANDS,
) -> Portrait:
    """Draw someone of a group (gender, age, ethnicity) and render how they show an expression, size_px square.

    pose: how the head is turned; drawn too where it is None. strength: of the expression. strands: of hair.
    The same seed gives the same pixels.
    """
    rng = np.random.default_rng(seed)
    person, light = draw_person(rng, *group), draw_light(rng)
    mesh = shapes.mesh
    upright = place_in_front(shape_of(person, shapes, rng, expression, strength), mesh)
    turn = (pose or draw_head_pose(rng)).matrix()
    turned, normal = upright @ turn.T, normals(upright, mesh)
    fragments = rasterize(project(turned, size_px), mesh.triangles, size_px)
    surface = _surface(mesh, normal @ turn.T, fragments)
    colour = np.zeros((size_px * size_px, 3))
    depth = np.full(size_px * size_px, -np.inf)
    colour[fragments.pixel] = shade(surface, person, expression, light, shapes, rng)
    depth[fragments.pixel] = fragments.depth
    face = np.zeros(size_px * size_px, bool)
    face[fragments.pixel] = _is_face(surface)
    if person.hair_cm > 0:
        grown = hair.grow(person, upright, normal, mesh, rng, strands)
        _draw_hair(grown, person, light, turn, colour, depth, face)
    return _finish(person, expression, colour, depth, face, size_px)


def _surface(mesh: Mesh, normal: Floats, fragments: Fragments) -> Surface:
    def mixed(values: Floats, triangles: Ints) -> Floats:
        return np.asarray(
            (values[triangles[fragments.triangle]] * fragments.weights[:, :, None]).sum(1)
        )

    length = np.linalg.norm(mixed(normal, mesh.triangles), axis=1, keepdims=True) + 1e-9
    return Surface(
        rest=mixed(mesh.vertices, mesh.triangles),
        uv=mixed(mesh.uv, mesh.uv_triangles),
        normal=mixed(normal, mesh.triangles) / length,
        group=mesh.group[fragments.triangle],
    )


def _is_face(surface: Surface) -> Bools:
    """Forehead to chin, between the temples: about what a face detector frames."""
    y, z = surface.rest[:, 1], surface.rest[:, 2]
    skin = np.isin(surface.group, (BODY, LEFT_EYE, RIGHT_EYE))
    return np.asarray(skin & (z > 0.55) & (y > 6.18) & (y < 7.95) & (surface.side < 0.66))


def _draw_hair(
    strands: hair.Strands,
    person: Person,
    light: Light,
    turn: Floats,
    colour: Floats,
    depth: Floats,
    face: Bools,
) -> None:
    """Draw the strands into `colour` and `depth`, two pixels wide, where nothing is before them."""
    size = int(np.sqrt(len(depth)))
    strands = hair.Strands(strands.points @ turn.T, strands.along @ turn.T, strands.tone)
    lit = hair.light_up(strands, person, light)
    at = project(strands.points, size)
    for shift in (0, 1):
        x, y = np.round(at[:, 0]).astype(int) + shift, np.round(at[:, 1]).astype(int)
        seen = (x >= 0) & (x < size) & (y >= 0) & (y < size)
        pixel, near, tint = (y * size + x)[seen], at[seen, 2], lit[seen]
        best = nearest(pixel, near)
        best = best[near[best] > depth[pixel[best]]]
        colour[pixel[best]], depth[pixel[best]] = tint[best], near[best]


def _finish(
    person: Person, expression: str, colour: Floats, depth: Floats, face: Bools, size_px: int
) -> Portrait:
    shape = (size_px, size_px)
    cover = np.isfinite(depth).reshape(shape)
    near = np.where(cover, depth.reshape(shape), depth[np.isfinite(depth)].min())
    hollow = np.clip((ndimage.gaussian_filter(near, size_px * 0.012) - near) * 2.2, 0, 0.35)
    image = np.clip(colour.reshape(*shape, 3), 0, 255) * (1 - hollow)[:, :, None]
    return Portrait(person, expression, image, cover, face.reshape(shape))
