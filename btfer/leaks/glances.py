"""Pictures at a glance: 16x16 pixels, of mean 0 and length 1, to drop others before they cost time."""

from functools import cache
from typing import Any

import numpy as np

GLANCE_PX = 16

Glances = np.ndarray[Any, np.dtype[np.float32]]
Greys = np.ndarray[Any, np.dtype[np.uint8]]


def glance_of(greys: Greys) -> Glances:
    """Square pictures at a glance: uint8 [N, S, S], S a multiple of 16, to float32 [N, 256].

    The product of two is the correlation of 16x16 pictures.
    """
    n, step = len(greys), greys.shape[1] // GLANCE_PX
    parts = greys.reshape(n, GLANCE_PX, step, GLANCE_PX, step)
    summed = np.zeros((n, GLANCE_PX, GLANCE_PX), np.float32)
    for down, right in np.ndindex(step, step):  # ten times as fast as mean()
        summed += parts[:, :, down, :, right]
    glances: Glances = summed.reshape(n, -1)
    glances -= glances.mean(axis=1, keepdims=True)
    glances /= np.maximum(np.linalg.norm(glances, axis=1, keepdims=True), 1e-3)
    return glances


def mirror_glances(glances: Glances) -> Glances:
    """The glances of the mirror images."""
    return glances.reshape(-1, GLANCE_PX, GLANCE_PX)[:, :, ::-1].reshape(-1, GLANCE_PX**2)


def explained(ours: Glances, theirs: Glances) -> Glances:
    """How much of each picture is another one, moved, scaled, turned and sheared a little: float32 [P], 0 to 1.

    ours, theirs: float32 [P, 256], pairs. One step of least squares over the seven ways to change the other (its
    contrast, and its slope across and down by 1, x and y) for all pairs at once: a few microseconds each.
    """
    pictures = theirs.reshape(-1, GLANCE_PX, GLANCE_PX)
    along = (np.asarray(np.gradient(pictures, axis=axis), np.float32) for axis in (2, 1))
    slopes = (slope.reshape(-1, 1, GLANCE_PX**2) * _places() for slope in along)
    ways = np.concatenate([theirs[:, None], *slopes], axis=1)
    ways -= ways.mean(axis=2, keepdims=True)
    products = ways @ ways.transpose(0, 2, 1) + np.eye(7, dtype=np.float32) * 1e-4
    towards = ways @ ours[:, :, None]
    steps = np.linalg.solve(products, towards)
    return np.asarray((towards * steps).sum(axis=(1, 2)), np.float32)


@cache
def _places() -> Glances:
    """1, x and y of every pixel, float32 [3, 256], from the middle in halves of the side."""
    ends = 1 - 1 / GLANCE_PX
    x, y = np.meshgrid(*[np.linspace(-ends, ends, GLANCE_PX, dtype=np.float32)] * 2)
    return np.stack([np.ones_like(x), x, y]).reshape(3, -1)
