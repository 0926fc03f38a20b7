"""Faces degraded in known ways, for `benchmarks/hints.py`: out of focus, moved, enlarged, compressed, dark, covered."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from btfer.faces import Box
from btfer.images import Pixels

ANGLES_DEG = 180
REDUCED_PX, REDUCED_BY_PX = 110, 150  # of a face's height: from the one, by so much more


@dataclass(frozen=True)
class KnownFace:
    """A face and its surroundings. person: who is never in both halves."""

    pixels: Pixels
    box: Box
    person: str

    @property
    def tests(self) -> bool:
        """Whether it is in the half that is reported."""
        return hashlib.sha256(self.person.encode()).digest()[0] % 2 == 1


def reduced(face: KnownFace) -> KnownFace:
    """A large face in one of the sizes that faces usually have: sharp and not enlarged, whatever its photo was."""
    digest = hashlib.sha256(f"{face.person} {face.box}".encode()).digest()
    share = (REDUCED_PX + digest[0] * REDUCED_BY_PX // 256) / face.box.height
    height, width = (max(round(side * share), 1) for side in face.pixels.shape[:2])
    pixels = cv2.resize(face.pixels, (width, height), interpolation=cv2.INTER_AREA)
    box = face.box
    points = {name: (x * share, y * share) for name, (x, y) in box.landmarks.items()}
    sides = (box.x * share, box.y * share, box.width * share, box.height * share)
    return KnownFace(
        np.ascontiguousarray(pixels), Box(*sides, box.probability, points), face.person
    )


Degrade = Callable[[KnownFace, np.random.Generator], Pixels]


def blurred(share: float) -> Degrade:
    """Gaussian blur of a share of the face's height."""
    return lambda face, _: _levels(cv2.GaussianBlur(face.pixels, (0, 0), share * face.box.height))


def moved(share: float) -> Degrade:
    """The camera or the head moves by a share of the face's height, in any direction."""

    def degrade(face: KnownFace, rng: np.random.Generator) -> Pixels:
        half = share * face.box.height / 2
        size = 2 * int(np.ceil(half)) + 3
        angle = np.radians(rng.uniform(0, ANGLES_DEG))
        kernel = np.zeros((size, size), np.float32)
        for at in np.linspace(-half, half, 8 * size):
            x, y = size // 2 + at * np.cos(angle), size // 2 + at * np.sin(angle)
            left, top = int(x), int(y)
            for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
                weight = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
                kernel[top + dy, left + dx] += weight
        return _levels(cv2.filter2D(face.pixels, -1, kernel / kernel.sum()))

    return degrade


def enlarged(factor: float, *, way: int = cv2.INTER_CUBIC) -> Degrade:
    """Made so many times smaller, and as large again."""

    def degrade(face: KnownFace, _: np.random.Generator) -> Pixels:
        height, width = face.pixels.shape[:2]
        small = (max(round(width / factor), 1), max(round(height / factor), 1))
        shrunk = cv2.resize(face.pixels, small, interpolation=cv2.INTER_AREA)
        return _levels(cv2.resize(shrunk, (width, height), interpolation=way))

    return degrade


def enlarged_from(height_px: float) -> Degrade:
    """Out of a face of so many pixels."""
    return lambda face, rng: enlarged(face.box.height / height_px)(face, rng)


def as_jpeg(quality: int) -> Degrade:
    """Through a JPEG of that quality."""

    def degrade(face: KnownFace, _: np.random.Generator) -> Pixels:
        data = cv2.imencode(".jpg", face.pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
        return _levels(decoded[..., ::-1])

    return degrade


def noisy(levels: float) -> Degrade:
    """With noise, in levels."""
    return lambda face, rng: _levels(face.pixels + rng.normal(0, levels, face.pixels.shape))


def both(first: Degrade, then: Degrade) -> Degrade:
    """One after the other."""
    return lambda face, rng: then(replace(face, pixels=first(face, rng)), rng)


def darkened(share: float) -> Degrade:
    """So much of the light, and noise of a level."""

    def degrade(face: KnownFace, rng: np.random.Generator) -> Pixels:
        return _levels(face.pixels * share + rng.normal(0, 1, face.pixels.shape))

    return degrade


MASKS = ((170, 205, 225), (245, 245, 245), (25, 25, 30), (60, 90, 150), (200, 120, 140))


def masked(face: KnownFace, rng: np.random.Generator) -> Pixels:
    """A mask from the nose to the chin, of one of a few colours, with folds."""
    points = face.box.landmarks
    top = points["nose"][1] - 0.05 * face.box.height
    bottom = face.box.y + face.box.height * 1.02
    left, right = face.box.x + 0.03 * face.box.width, face.box.x + 0.97 * face.box.width
    middle = (left + right) / 2
    shape = [(left, top), (middle, top - 0.06 * face.box.height), (right, top)]
    shape += [(right - 0.15 * face.box.width, bottom), (left + 0.15 * face.box.width, bottom)]
    return _painted(face, shape, MASKS[rng.integers(len(MASKS))], rng)


def half_covered(face: KnownFace, rng: np.random.Generator) -> Pixels:
    """One side of the face behind something."""
    left, right = face.box.x - 0.3 * face.box.width, face.box.x + 0.5 * face.box.width
    if rng.random() < 0.5:
        left, right = right, face.box.x + 1.3 * face.box.width
    top, bottom = face.box.y - face.box.height, face.box.y + 2 * face.box.height
    shape = [(left, top), (right, top), (right, bottom), (left, bottom)]
    colour = tuple(int(value) for value in rng.integers(10, 246, 3))
    return _painted(face, shape, colour, rng)


def in_sunglasses(face: KnownFace, rng: np.random.Generator) -> Pixels:
    """Dark glasses over both eyes."""
    reach = 0.19 * face.box.width
    pixels = face.pixels
    for name in ("left_eye", "right_eye"):
        x, y = face.box.landmarks[name]
        ring = [
            (x + reach * np.cos(a), y + 0.8 * reach * np.sin(a)) for a in np.linspace(0, 6.28, 24)
        ]
        pixels = _painted(KnownFace(pixels, face.box, ""), ring, (22, 22, 24), rng)
    return pixels


def _painted(
    face: KnownFace,
    shape: list[tuple[float, float]],
    colour: tuple[int, ...],
    rng: np.random.Generator,
) -> Pixels:
    """With a polygon of one colour, shaded and grained as cloth is."""
    height, width = face.pixels.shape[:2]
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.round(shape).astype(np.int32)], 1)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)[..., None]
    shade = 1 + 0.12 * np.sin(np.linspace(0, 3, width))[None, :, None]
    cloth = np.asarray(colour, np.float32) * shade + rng.normal(0, 3, (height, width, 1))
    return _levels(face.pixels * (1 - soft) + cloth * soft)


def _levels(values: object) -> Pixels:
    return np.ascontiguousarray(np.clip(np.round(np.asarray(values, float)), 0, 255), np.uint8)
