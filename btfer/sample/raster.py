"""A z-buffer in numpy: which triangle covers each pixel, and where in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Fragments:
    """The nearest surface of each covered pixel, one row a pixel.

    pixel: int64 [N], index into the flattened image. triangle: int64 [N], row of the triangle. weights: float64
    [N, 3], barycentric, of its corners. depth: float64 [N], larger is nearer.
    """

    pixel: Ints
    triangle: Ints
    weights: Floats
    depth: Floats


def rasterize(points: Floats, triangles: Ints, size_px: int) -> Fragments:
    """Cover a square image with triangles. points: float64 [V, 3], pixel x, pixel y, depth. triangles: int64 [T, 3]."""
    corners = points[triangles]
    low, high = corners[..., :2].min(1), corners[..., :2].max(1)
    inside = ((high >= 0) & (low < size_px)).all(1)
    rows = np.nonzero(inside & (np.abs(_twice_area(corners)) > 1e-9))[0]
    first = np.clip(np.floor(low[rows]), 0, size_px - 1).astype(np.int64)
    last = np.clip(np.ceil(high[rows]), 0, size_px - 1).astype(np.int64)
    triangle, x, y = _candidates(rows, first, last)
    weights = _weights(corners[triangle], x, y)
    hit = (weights >= -1e-6).all(1)
    triangle, weights, pixel = triangle[hit], weights[hit], (y * size_px + x)[hit]
    depth = (weights * corners[triangle, :, 2]).sum(1)
    best = nearest(pixel, depth)
    return Fragments(pixel[best], triangle[best], weights[best], depth[best])


def nearest(pixel: Ints, depth: Floats) -> Ints:
    """For each pixel that occurs, the row of its largest depth, int64, ordered by pixel. pixel, depth: [N]."""
    order: Ints = np.lexsort((depth, pixel))
    if not len(order):
        return order
    last = np.append(np.diff(pixel[order]) != 0, True)
    return np.asarray(order[last])


def _twice_area(corners: Floats) -> Floats:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 1] - c[:, 1]) * (a[:, 0] - c[:, 0]) + (c[:, 0] - b[:, 0]) * (a[:, 1] - c[:, 1])
    return np.asarray(area)


def _candidates(rows: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints, Ints]:
    """Every pixel of every triangle's bounding box: triangle, x, y."""
    width = last[:, 0] - first[:, 0] + 1
    counts = width * (last[:, 1] - first[:, 1] + 1)
    which = np.repeat(np.arange(len(rows)), counts)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = first[which, 0] + offset % width[which]
    y = first[which, 1] + offset // width[which]
    return rows[which], x, y


def _weights(corners: Floats, x: Ints, y: Ints) -> Floats:
    """Barycentric coordinates [N, 3] of pixel centres."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = _twice_area(corners)
    first = (b[:, 1] - c[:, 1]) * (x - c[:, 0]) + (c[:, 0] - b[:, 0]) * (y - c[:, 1])
    second = (c[:, 1] - a[:, 1]) * (x - c[:, 0]) + (a[:, 0] - c[:, 0]) * (y - c[:, 1])
    first, second = first / area, second / area
    return np.stack([first, second, 1 - first - second], axis=1)
