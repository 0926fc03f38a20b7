"""Places to stand in, drawn and blurred: a room, a park, a street, lights at night, a studio."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from btfer.sample.raster import Floats

_Draw = ImageDraw.ImageDraw
_Colour = tuple[int, int, int]


def draw_background(
    rng: np.random.Generator, width_px: int, height_px: int, blur: float = 0.006
) -> Image.Image:
    """One place at random, RGB, width_px x height_px. blur: radius, as a share of the picture's width."""
    image = Image.new("RGB", (width_px, height_px), _colour(rng, 90, 220))
    paint = PLACES[rng.integers(len(PLACES))]
    paint(ImageDraw.Draw(image), rng, width_px, height_px)
    soft = image.filter(ImageFilter.GaussianBlur(width_px * blur))
    light = _light(rng, width_px, height_px)
    return Image.fromarray(np.clip(np.asarray(soft) * light, 0, 255).astype(np.uint8))


def _room(draw: _Draw, rng: np.random.Generator, w: int, h: int) -> None:
    floor = int(h * rng.uniform(0.6, 0.9))
    draw.rectangle((0, floor, w, h), fill=_colour(rng, 40, 150))
    for _ in range(rng.integers(2, 5)):  # pictures, windows, doors
        x, y = int(rng.uniform(-0.1, 0.9) * w), int(rng.uniform(0.0, 0.45) * h)
        right, low = x + int(rng.uniform(0.12, 0.4) * w), y + int(rng.uniform(0.15, 0.6) * h)
        draw.rectangle((x, y, right, low), _colour(rng, 20, 255), _colour(rng, 20, 120), 6)
    shelf = int(h * rng.uniform(0.15, 0.75))
    left = int(rng.uniform(0, 0.6) * w)
    for book in range(rng.integers(0, 14)):
        x, tall = left + book * w // 36, int(rng.uniform(0.06, 0.17) * h)
        draw.rectangle((x, shelf - tall, x + w // 40, shelf), fill=_colour(rng, 30, 230))


def _park(draw: _Draw, rng: np.random.Generator, w: int, h: int) -> None:
    sky = int(rng.integers(140, 230))
    draw.rectangle((0, 0, w, h), fill=(sky - 60, sky - 15, sky + 20))
    for layer in range(3):
        top = h * (0.30 + 0.17 * layer + rng.uniform(-0.1, 0.1))
        bumps = rng.uniform(-0.13, 0.13, 7) * h
        line = [(i * w / 6, top + bump) for i, bump in enumerate(bumps)]
        green = 150 - 30 * layer + int(rng.integers(-25, 25))
        draw.polygon([(0, h), *line, (w, h)], fill=(green // 2, green, green // 3))
    for _ in range(rng.integers(1, 6)):
        x, y, r = rng.uniform(0, w), rng.uniform(0.1, 0.6) * h, rng.uniform(0.06, 0.22) * w
        draw.rectangle((x - r / 9, y, x + r / 9, h), fill=(74, 54, 38))
        crown = (int(rng.integers(30, 190)), int(rng.integers(70, 150)), int(rng.integers(20, 60)))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=crown)


def _street(draw: _Draw, rng: np.random.Generator, w: int, h: int) -> None:
    x = float(-rng.uniform(0, 0.2) * w)
    while x < w:
        wide, top = rng.uniform(0.15, 0.42) * w, rng.uniform(0.0, 0.4) * h
        draw.rectangle((x, top, x + wide, h), fill=_colour(rng, 50, 215))
        pane, step = _colour(rng, 20, 250), w * rng.uniform(0.05, 0.09)
        for row in np.arange(top + step, h * 0.85, step * 1.3):
            for column in np.arange(x + step / 2, x + wide - step / 2, step):
                box = (column, row, column + step * 0.5, row + step * 0.75)
                draw.rectangle(box, fill=pane)
        x += wide
    draw.rectangle((0, int(h * 0.88), w, h), fill=_colour(rng, 50, 110))


def _night(draw: _Draw, rng: np.random.Generator, w: int, h: int) -> None:
    draw.rectangle((0, 0, w, h), fill=_colour(rng, 8, 60))
    for _ in range(rng.integers(12, 40)):
        x, y, r = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(0.015, 0.10) * w
        draw.ellipse((x - r, y - r, x + r, y + r), fill=_colour(rng, 60, 255))


def _studio(draw: _Draw, rng: np.random.Generator, w: int, h: int) -> None:
    one, two = np.array(_colour(rng, 20, 255)), np.array(_colour(rng, 20, 255))
    slant = rng.uniform(-1.5, 1.5)
    for x in range(-2 * w, 3 * w, 6):
        share = np.clip(x / w, 0, 1)
        fill = tuple(int(v) for v in one * (1 - share) + two * share)
        draw.polygon([(x, 0), (x + 7, 0), (x + 7 + slant * h, h), (x + slant * h, h)], fill=fill)
    for _ in range(rng.integers(1, 4)):  # folds and shades of a cloth
        left, wide = rng.uniform(0, w), rng.uniform(0.05, 0.3) * w
        fill = tuple(int(v) for v in one * rng.uniform(0.4, 0.9))
        low = left - slant * w / 3
        draw.polygon([(left, 0), (left + wide, 0), (low + wide, h), (low, h)], fill)


PLACES: tuple[Callable[[_Draw, np.random.Generator, int, int], None], ...] = (
    _room,
    _park,
    _street,
    _night,
    _studio,
)


def _colour(rng: np.random.Generator, low: int, high: int) -> _Colour:
    red, green, blue = (int(v) for v in rng.integers(low, high, 3))
    return red, green, blue


def _light(rng: np.random.Generator, w: int, h: int) -> Floats:
    """A slow change of brightness over the picture, [H, W, 1]."""
    y, x = np.mgrid[0:h, 0:w] / max(w, h)
    across, down = rng.uniform(-0.5, 0.5, 2)
    return np.asarray(1 + across * (x - 0.5) + down * (y - 0.5))[:, :, None]
